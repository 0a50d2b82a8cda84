package org.pushbridge.app;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudget;

/**
 * What the operator is told of a device. Says which tokens there are, never what they are.
 *
 * @param app the bundle identifier of the app that can be woken, and {@code environment} where its tokens belong, if it
 *     gave any
 * @param fault why it cannot be woken although it gave a token
 * @param registration the latest that counts
 * @param budget where it stands with wasted pushes; known in the running server only
 */
record DeviceStatus(
        DeviceId id,
        Aor aor,
        Optional<String> app,
        Optional<String> environment,
        boolean voipToken,
        boolean regularToken,
        Optional<String> fault,
        Optional<Registration> registration,
        Optional<PushBudget.State> budget) {
    /**
     * @param flow what the REGISTER came over
     * @param connected whether that still stands; of UDP, nobody knows
     */
    record Registration(String flow, boolean connected, Instant at, Instant until, String userAgent) {}

    /** Whether a call would reach it. */
    enum State {
        /** At once. */
        AWAKE,
        /** After a push. */
        ASLEEP,
        /** Not at all. */
        UNREACHABLE;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    State state() {
        if (registration.filter(Registration::connected).isPresent()) {
            return State.AWAKE;
        }
        return (voipToken || regularToken) && fault.isEmpty() ? State.ASLEEP : State.UNREACHABLE;
    }
}
