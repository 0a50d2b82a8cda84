package org.pushbridge.call;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is known when a call arrives: whom to ring and by which rules. Never changes during the call.
 *
 * @param id the call
 * @param caller the caller's own leg if it is a device, so that it can be told when its connection is gone
 * @param candidates the legs to try, all at once
 * @param ringLimit how long the call may stay unanswered
 * @param silenceLimit how long an INVITE on a known flow may stay without any answer before a pushable device is
 *     taken for asleep (a suspended app keeps its connection open for a while)
 * @param durationLimit how long an answered call may last: the guard against ends that vanished without a BYE
 * @param holdLimit how long a BYE or a re-INVITE waits for a device whose connection is gone
 * @param whileParked the provisional status sent while nothing but parked legs is there: 100, 180, 182 or 183
 * @param declinesAll the final statuses of one leg that end the call for all
 */
public record CallPlan(
        CallId id,
        Optional<LegId> caller,
        List<Candidate> candidates,
        Duration ringLimit,
        Duration silenceLimit,
        Duration durationLimit,
        Duration holdLimit,
        int whileParked,
        Set<Integer> declinesAll) {
    public CallPlan {
        candidates = List.copyOf(candidates);
        declinesAll = Set.copyOf(declinesAll);
        if (!Set.of(100, 180, 182, 183).contains(whileParked)) {
            throw new IllegalArgumentException("While parked, 100, 180, 182 or 183 is sent, not " + whileParked);
        }
        if (candidates.stream().map(Candidate::leg).distinct().count() != candidates.size()) {
            throw new IllegalArgumentException("A leg is a candidate once: " + candidates);
        }
        if (candidates.stream().map(Candidate::leg).anyMatch(leg -> caller.equals(Optional.of(leg)))) {
            throw new IllegalArgumentException("A caller does not ring itself: " + caller);
        }
    }

    /**
     * A leg to try.
     *
     * @param pushes what pushes can do for it
     */
    public record Candidate(LegId leg, Reach reach, Pushes pushes) {}

    /** How a candidate can be reached when the call arrives. */
    public enum Reach {
        /** Over a flow or address that counts as live. */
        CONNECTED,
        /** Only by a push. */
        ASLEEP,
        /** In another call, and the configuration says that this means busy. */
        BUSY
    }
}
