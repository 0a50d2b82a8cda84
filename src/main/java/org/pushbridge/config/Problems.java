package org.pushbridge.config;

import com.typesafe.config.ConfigOrigin;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with a file, in the order of discovery, as whole sentences. */
final class Problems {
    private final Path file;
    private final List<String> sentences = new ArrayList<>();

    Problems(Path file) {
        this.file = file;
    }

    void add(ConfigOrigin place, String sentence) {
        sentences.add(where(place) + ": " + sentence);
    }

    /** For what is missing, and so has no place in the file. */
    void add(String sentence) {
        sentences.add(file + ": " + sentence);
    }

    int count() {
        return sentences.size();
    }

    void throwIfAny() {
        if (!sentences.isEmpty()) {
            throw new ConfigException(sentences);
        }
    }

    /** The file as the operator named it, or an included one, and the line; or the environment variable. */
    private String where(ConfigOrigin place) {
        String named = place.filename();
        if (named == null) {
            return place.lineNumber() < 0 && place.description().startsWith("env var ")
                    ? "environment variable " + place.description().substring("env var ".length())
                    : file.toString();
        }
        String shown =
                Path.of(named).equals(file.toAbsolutePath()) || Path.of(named).equals(file) ? file.toString() : named;
        return place.lineNumber() < 0 ? shown : shown + ":" + place.lineNumber();
    }
}
