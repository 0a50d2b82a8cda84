package org.pushbridge.store;

/**
 * The database could not be opened, read or written. The message says what was being done, what stood in the way, and
 * what to do about it; it holds no token, hash or password and can be shown as it is.
 */
public final class StoreException extends RuntimeException {
    StoreException(String message) {
        super(message);
    }

    StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
