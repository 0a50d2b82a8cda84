package org.pushbridge.sim.apns;

import java.util.Locale;
import java.util.Optional;

/**
 * Which requests a fault strikes, and how many of them.
 *
 * @param token only requests to this device token
 * @param bundleId only requests to this app
 * @param type only requests of this type
 * @param times how many requests at most
 */
public record Aim(Optional<String> token, Optional<String> bundleId, Optional<PushType> type, int times) {
    private static final int ALWAYS = Integer.MAX_VALUE;

    public Aim {
        if (times < 1) {
            throw new IllegalArgumentException("A fault strikes at least one request, not " + times);
        }
        token = token.map(hex -> hex.toLowerCase(Locale.ROOT));
    }

    /** The next requests, whatever they are. */
    public static Aim next(int times) {
        return new Aim(Optional.empty(), Optional.empty(), Optional.empty(), times);
    }

    /** Every request from now on. */
    public static Aim everything() {
        return next(ALWAYS);
    }

    /** Every request to a device token from now on. */
    public static Aim token(String token) {
        return new Aim(Optional.of(token), Optional.empty(), Optional.empty(), ALWAYS);
    }

    /** Every request to an app from now on. */
    public static Aim bundle(String bundleId) {
        return new Aim(Optional.empty(), Optional.of(bundleId), Optional.empty(), ALWAYS);
    }

    /** Every request of a type from now on. */
    public static Aim type(PushType type) {
        return new Aim(Optional.empty(), Optional.empty(), Optional.of(type), ALWAYS);
    }

    /** The same, but only so many times. */
    public Aim times(int count) {
        return new Aim(token, bundleId, type, count);
    }

    boolean hits(String requestToken, Optional<String> requestBundle, Optional<PushType> requestType) {
        return token.map(requestToken::equals).orElse(true)
                && bundleId.map(wanted -> requestBundle.filter(wanted::equals).isPresent())
                        .orElse(true)
                && type.map(wanted -> requestType.filter(wanted::equals).isPresent())
                        .orElse(true);
    }
}
