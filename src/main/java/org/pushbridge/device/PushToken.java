package org.pushbridge.device;

import java.util.Locale;

/**
 * A device token as APNs issued it: hexadecimal digits, lower case, of no assumed length (Apple: "do not hard-code
 * the size"). It is a secret (RFC 8599 section 14): {@link #toString()} shows its last four digits only.
 *
 * @param hex an even number of hexadecimal digits, at least 16
 */
public record PushToken(String hex) {
    public PushToken {
        hex = hex.toLowerCase(Locale.ROOT);
        if (hex.length() < 16 || hex.length() % 2 != 0 || !hex.matches("[0-9a-f]+")) {
            throw new IllegalArgumentException("A device token is an even number of hexadecimal digits, at least 16");
        }
    }

    @Override
    public String toString() {
        return "…" + hex.substring(hex.length() - 4);
    }
}
