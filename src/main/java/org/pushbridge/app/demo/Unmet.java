package org.pushbridge.app.demo;

/** Something did not go as it must. */
final class Unmet extends RuntimeException {
    private final String sentence;

    Unmet(String sentence) {
        super(sentence);
        this.sentence = sentence;
    }

    /** What was expected and what happened. */
    String sentence() {
        return sentence;
    }
}
