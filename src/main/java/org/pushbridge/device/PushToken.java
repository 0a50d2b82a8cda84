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
        if (hex.length() < 16 || hex.length() % 2 != 0 || !DeviceId.isHex(hex)) {
            throw new IllegalArgumentException("A device token is an even number of hexadecimal digits, at least 16");
        }
    }

    /** A number that hardly any other token has. */
    long number() {
        long number = hex.length();
        for (int i = 0; i < hex.length(); i++) {
            number = number * 0x9e3779b97f4a7c15L + hex.charAt(i);
        }
        return number;
    }

    @Override
    public String toString() {
        return "…" + hex.substring(hex.length() - 4);
    }
}
