package org.pushbridge.config;

import java.util.List;

/** The configuration cannot be used. Carries everything that is wrong with it, one sentence a problem. */
public final class ConfigException extends RuntimeException {
    private final List<String> problems;

    ConfigException(List<String> problems) {
        super(String.join(System.lineSeparator(), problems));
        this.problems = List.copyOf(problems);
    }

    /** Sentences for the operator: place, key, what is wrong, what to write. At least one; no secrets. */
    public List<String> problems() {
        return problems;
    }
}
