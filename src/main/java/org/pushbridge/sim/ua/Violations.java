package org.pushbridge.sim.ua;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a peer did against the rules, as sentences. Thread-safe. */
public final class Violations {
    private final List<String> sentences = new CopyOnWriteArrayList<>();

    public void add(String sentence) {
        sentences.add(sentence);
    }

    /** Those so far, the oldest first. */
    public List<String> all() {
        return List.copyOf(sentences);
    }
}
