package org.pushbridge.app;

/** A command could not do what it was asked. Ends the program with code 1. */
final class CommandFailed extends RuntimeException {
    /** @param sentence what was being done, to what, and what to try; for the operator */
    CommandFailed(String sentence, Throwable cause) {
        super(sentence, cause);
    }

    CommandFailed(String sentence) {
        super(sentence);
    }
}
