package org.pushbridge.config;

/**
 * A password from the configuration. It prints as stars, so that no log or error can show it.
 *
 * @param value the password; may be empty
 */
public record Secret(String value) {
    @Override
    public String toString() {
        return value.isEmpty() ? "(none)" : "***";
    }
}
