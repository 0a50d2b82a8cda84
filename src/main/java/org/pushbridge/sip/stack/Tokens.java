package org.pushbridge.sip.stack;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Makes what nobody may guess. */
final class Tokens {
    private static final SecureRandom RANDOM = new SecureRandom();

    private Tokens() {}

    /** A Via branch (RFC 3261 section 8.1.1.7). A response with it is taken for genuine, so it must not be guessed. */
    static String branch() {
        return "z9hG4bK" + hex(12);
    }

    static String tag() {
        return hex(8);
    }

    static long number() {
        return RANDOM.nextLong();
    }

    private static String hex(int bytes) {
        byte[] random = new byte[bytes];
        RANDOM.nextBytes(random);
        return HexFormat.of().formatHex(random);
    }
}
