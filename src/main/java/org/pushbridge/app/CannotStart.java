package org.pushbridge.app;

/** The server cannot start as configured: a port in use, an unreadable database. Ends the program with code 2. */
final class CannotStart extends RuntimeException {
    /** @param sentence what was being done, to what, and what to try; for the operator */
    CannotStart(String sentence, Throwable cause) {
        super(sentence, cause);
    }

    CannotStart(String sentence) {
        super(sentence);
    }
}
