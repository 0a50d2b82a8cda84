package org.pushbridge.sip.registrar;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Nonces that prove by themselves that this process issued them, when, and to which place: time, random bytes, and an
 * HMAC of both, the realm and the place. So a challenge costs no memory; only the counts of nonces that were used with the right password do.
 * Safe for any thread.
 */
final class Nonces {
    private static final int STAMP_BYTES = Long.BYTES;
    private static final int RANDOM_BYTES = 8;
    private static final int MAC_BYTES = 16;

    private final SecureRandom random = new SecureRandom();
    /** A mac is for one thread at a time, and ready for the next text when it is done with one. */
    private final ThreadLocal<Mac> macs;

    private final Duration lifetime;
    private final InstantSource clock;
    private final Cache<Use, Long> highestCounts;

    private record Use(String nonce, String user) {}

    Nonces(Duration lifetime, int remembered, InstantSource clock) {
        byte[] secret = new byte[32];
        random.nextBytes(secret);
        SecretKeySpec key = new SecretKeySpec(secret, "HmacSHA256");
        this.macs = ThreadLocal.withInitial(() -> newMac(key));
        this.lifetime = lifetime;
        this.clock = clock;
        this.highestCounts = Caffeine.newBuilder()
                .maximumSize(remembered)
                .expireAfterWrite(lifetime)
                .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                .executor(Runnable::run)
                .build();
    }

    String issue(String realm, String place) {
        byte[] head = new byte[STAMP_BYTES + RANDOM_BYTES];
        random.nextBytes(head);
        ByteBuffer.wrap(head).putLong(clock.millis());
        byte[] nonce = Arrays.copyOf(head, head.length + MAC_BYTES);
        System.arraycopy(mac(head, realm, place), 0, nonce, head.length, MAC_BYTES);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(nonce);
    }

    /** Whether this process issued the nonce for the realm to that place, and not too long ago. */
    boolean isGood(String nonce, String realm, String place) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(nonce);
        } catch (IllegalArgumentException notOurs) {
            return false;
        }
        if (bytes.length != STAMP_BYTES + RANDOM_BYTES + MAC_BYTES) {
            return false;
        }
        byte[] head = Arrays.copyOf(bytes, STAMP_BYTES + RANDOM_BYTES);
        if (!MessageDigest.isEqual(mac(head, realm, place), Arrays.copyOfRange(bytes, head.length, bytes.length))) {
            return false;
        }
        Instant issued = Instant.ofEpochMilli(ByteBuffer.wrap(head).getLong());
        return clock.instant().isBefore(issued.plus(lifetime));
    }

    /**
     * Counts a use of a good nonce by a user whose password was right (RFC 7616 section 3.4, {@code nc}).
     *
     * @return false if this count, or a higher one, was used before: a replay
     */
    boolean countUse(String nonce, String user, long count) {
        boolean[] higher = new boolean[1];
        highestCounts.asMap().compute(new Use(nonce, user), (use, before) -> {
            higher[0] = before == null || count > before;
            return higher[0] ? Long.valueOf(count) : before;
        });
        return higher[0];
    }

    private byte[] mac(byte[] head, String realm, String place) {
        Mac mac = macs.get();
        mac.update(head);
        return Arrays.copyOf(mac.doFinal((realm + " " + place).getBytes(StandardCharsets.UTF_8)), MAC_BYTES);
    }

    private static Mac newMac(SecretKeySpec key) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java runtime has HmacSHA256", e);
        }
    }
}
