package org.pushbridge.sip.stack;

/** The stack could not start. The message says what was tried and what to do about it. */
public final class SipStackException extends Exception {
    SipStackException(String message, Throwable cause) {
        super(message, cause);
    }
}
