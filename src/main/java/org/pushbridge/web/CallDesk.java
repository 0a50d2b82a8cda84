package org.pushbridge.web;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.pushbridge.device.DeviceId;

/**
 * Where the verdict API asks about calls and passes on what devices do. The device has proven, by its token, that it
 * was pushed to for the call.
 *
 * <p>Called on HTTP threads, many at a time. A method that does not answer within a few seconds, or fails, makes the
 * device be told to try again.
 */
public interface CallDesk {
    /**
     * What a device that woke for a call is to be told of it. Asking is a sign of life too: who asks is awake, and need
     * not be pushed to again. May block for a look into the database, not longer.
     *
     * @return empty when nothing is known of the call any more
     */
    Optional<CallState> stateForAwake(UUID call, DeviceId device);

    /**
     * The device shows the call to its user: the caller may hear it ring. Does nothing for a call that has ended.
     *
     * @return how the call stands afterwards; empty when nothing is known of it any more
     */
    CompletionStage<Optional<CallState>> alerting(UUID call, DeviceId device);

    /**
     * The device's user refuses the call. Does nothing for a call that has ended.
     *
     * @return how the call stands afterwards for this device; empty when nothing is known of it any more
     */
    CompletionStage<Optional<CallState>> decline(UUID call, DeviceId device, Decline how);

    /** How a user refuses. */
    enum Decline {
        /** As SIP 486 (Busy Here): by default this device alone stops ringing. */
        BUSY,
        /** As SIP 603 (Decline): by default the call ends on all devices. */
        DECLINE
    }

    /**
     * How a call stands for one device.
     *
     * @param live whether the device is still wanted: the call rings for it, or is its own
     * @param reason why it is over, one of {@link #REASONS}; given exactly if it is over
     * @param endedAt when it ended; never given while it lives
     */
    record CallState(boolean live, Optional<String> reason, Optional<Instant> endedAt) {
        /** The words for why a call is over. */
        public static final Set<String> REASONS = Set.of(
                "caller-gave-up",
                "answered-elsewhere",
                "declined-elsewhere",
                "ring-limit",
                "failed",
                "answered-here",
                "declined-here",
                "hung-up");

        public CallState {
            if (live ? reason.isPresent() || endedAt.isPresent() : reason.isEmpty()) {
                throw new IllegalArgumentException(
                        "A call that lives has no reason and no end; one that ended has a reason");
            }
            reason.filter(word -> !REASONS.contains(word)).ifPresent(word -> {
                throw new IllegalArgumentException("\"" + word + "\" is not a reason of the verdict API: " + REASONS);
            });
        }

        public static CallState ofLive() {
            return new CallState(true, Optional.empty(), Optional.empty());
        }

        public static CallState ofEnded(String reason, Instant endedAt) {
            return new CallState(false, Optional.of(reason), Optional.of(endedAt));
        }
    }
}
