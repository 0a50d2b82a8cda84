package org.pushbridge.web;

/** The verdict API cannot be served as configured. The message says why and what to do. */
public final class WebServerException extends RuntimeException {
    WebServerException(String message) {
        super(message);
    }

    WebServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
