package org.pushbridge.sip.registrar;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import org.pushbridge.device.User;

/** The hashes of digest authentication in SIP (RFC 8760 section 2.1). */
public enum DigestAlgorithm {
    SHA_256("SHA-256") {
        @Override
        String ha1(User user) {
            return user.ha1Sha256();
        }
    },
    MD5("MD5") {
        @Override
        String ha1(User user) {
            return user.ha1Md5();
        }
    };

    private final String token;

    @SuppressWarnings(
            "ImmutableEnumChecker") // each thread has its own, ready for the next text when it is done with one
    private final ThreadLocal<MessageDigest> digests;

    DigestAlgorithm(String token) {
        this.token = token;
        this.digests = ThreadLocal.withInitial(() -> digest(token));
    }

    private static MessageDigest digest(String token) {
        try {
            return MessageDigest.getInstance(token);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has " + token, e);
        }
    }

    /** The name it has in the {@code algorithm} parameter. */
    public String token() {
        return token;
    }

    /**
     * The algorithm of a parameter's value.
     *
     * @param name without regard to case; empty stands for no parameter, which means MD5 (RFC 7616 section 3.4)
     */
    static Optional<DigestAlgorithm> named(String name) {
        if (name.isEmpty()) {
            return Optional.of(MD5);
        }
        for (DigestAlgorithm algorithm : values()) {
            if (algorithm.token.equalsIgnoreCase(name)) {
                return Optional.of(algorithm);
            }
        }
        return Optional.empty();
    }

    abstract String ha1(User user);

    /** H(text), in lower-case hexadecimal digits. */
    String hash(String text) {
        return HexFormat.of().formatHex(digests.get().digest(text.getBytes(StandardCharsets.UTF_8)));
    }
}
