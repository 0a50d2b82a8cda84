package org.pushbridge.push;

/** Push settings that cannot work. The message says which app and which file, what is wrong, and what to do. */
public final class PushSettingsException extends RuntimeException {
    PushSettingsException(String message) {
        super(message);
    }

    PushSettingsException(String message, Throwable cause) {
        super(message, cause);
    }
}
