package org.pushbridge.app.bench;

/** A measurement that could not be made, in a sentence that says what to do. */
public final class BenchFailed extends RuntimeException {
    private static final long serialVersionUID = 1;

    public BenchFailed(String message) {
        super(message);
    }
}
