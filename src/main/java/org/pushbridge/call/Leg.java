package org.pushbridge.call;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * A leg away from the caller, towards one device or trunk.
 *
 * @param pushable whether a push may wake it
 * @param state where it stands
 * @param attempt how many INVITEs were sent on it; a further one is sent only when the one before certainly or very
 *     probably never arrived, and is the same request to the device (same Call-ID, From tag and CSeq)
 * @param open the attempts whose INVITE transaction has not ended
 * @param pushed whether a VoIP push was asked for (at most once a call, invariant 3)
 * @param freshFlow whether it registered again after the newest INVITE was sent
 * @param status the status it failed with, 0 before
 * @param failure what that response carried
 */
public record Leg(
        LegId id,
        boolean pushable,
        State state,
        int attempt,
        Set<Integer> open,
        boolean pushed,
        boolean freshFlow,
        int status,
        Optional<Content> failure) {
    /** Where a leg stands. */
    public enum State {
        /** Asleep: pushed to, silent so far. The call is parked for it. */
        UNREACHED,
        /** The INVITE is under way; nothing but silence or 100 came back. */
        INVITED,
        /** It answered with 101 to 199. */
        RINGING,
        /** It was ringing and its flow is gone. */
        LOST,
        /** CANCEL was asked for; the INVITE's final response is awaited. */
        CANCELLING,
        /** Its 2xx made the call. */
        ANSWERED,
        /** Nothing more is expected from it. */
        DONE
    }

    public Leg {
        open = Set.copyOf(open);
    }

    static Leg of(LegId id, boolean pushable) {
        return new Leg(id, pushable, State.DONE, 0, Set.of(), false, false, 0, Optional.empty());
    }

    /** Whether the caller still waits on it. */
    boolean isHopeful() {
        return state == State.UNREACHED || state == State.INVITED || state == State.RINGING || state == State.LOST;
    }

    Leg in(State next) {
        return new Leg(id, pushable, next, attempt, open, pushed, freshFlow, status, failure);
    }

    Leg invited() {
        Set<Integer> more = new HashSet<>(open);
        more.add(attempt + 1);
        return new Leg(id, pushable, State.INVITED, attempt + 1, more, pushed, false, 0, Optional.empty());
    }

    Leg withPushed() {
        return new Leg(id, pushable, state, attempt, open, true, freshFlow, status, failure);
    }

    Leg withFreshFlow() {
        return new Leg(id, pushable, state, attempt, open, pushed, true, status, failure);
    }

    Leg closed(int attemptThatEnded) {
        Set<Integer> fewer = new HashSet<>(open);
        fewer.remove(attemptThatEnded);
        return new Leg(id, pushable, state, attempt, fewer, pushed, freshFlow, status, failure);
    }

    Leg failed(int finalStatus, Optional<Content> content) {
        return new Leg(id, pushable, State.DONE, attempt, open, pushed, freshFlow, finalStatus, content);
    }
}
