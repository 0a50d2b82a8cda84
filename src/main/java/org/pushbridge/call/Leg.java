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
 * @param wake how far waking it by a push has come
 * @param rangOn the attempt it last rang for, 0 if it has not rung, -1 if it has one of the open ones but one does not
 *     know which
 * @param informed whether it knows how the call ended for it, or finds a tombstone that tells it
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
        Wake wake,
        int rangOn,
        boolean informed,
        boolean freshFlow,
        int status,
        Optional<Content> failure) {
    /** It refused a copy of the INVITE as merged, so it has one of those that are open. */
    private static final int ONE_OF_THEM = -1;

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

    /** How far waking a device by its one VoIP push of the call has come (invariant 3). */
    public enum Wake {
        /** No push was asked for. */
        NOT_PUSHED,
        /** It was pushed to and has been silent since. */
        PUSHED,
        /** The push will not wake it. */
        FAILED,
        /** It registered after the push. */
        WOKEN
    }

    public Leg {
        open = Set.copyOf(open);
    }

    static Leg of(LegId id, boolean pushable) {
        return new Leg(id, pushable, State.DONE, 0, Set.of(), Wake.NOT_PUSHED, 0, false, false, 0, Optional.empty());
    }

    /** Whether the caller still waits on it. */
    boolean isHopeful() {
        return state == State.UNREACHED || state == State.INVITED || state == State.RINGING || state == State.LOST;
    }

    Leg in(State next) {
        return new Leg(id, pushable, next, attempt, open, wake, rangOn, informed, freshFlow, status, failure);
    }

    Leg invited() {
        Set<Integer> more = new HashSet<>(open);
        more.add(attempt + 1);
        return new Leg(id, pushable, state, attempt + 1, more, wake, rangOn, false, false, 0, Optional.empty());
    }

    boolean wasPushed() {
        return wake != Wake.NOT_PUSHED;
    }

    Leg with(Wake newWake) {
        return new Leg(id, pushable, state, attempt, open, newWake, rangOn, informed, freshFlow, status, failure);
    }

    /** The device has the INVITE of this attempt. */
    Leg ringing(int onAttempt) {
        return heardOn(onAttempt).in(State.RINGING);
    }

    /** Whether an attempt that has just ended was the one to wait for: the one it rings for, else the newest. */
    boolean dependedOn(int ended) {
        return open.isEmpty() || (state == State.RINGING ? !mayStillRing() : ended == attempt);
    }

    /** It has this attempt's INVITE, whether that is still wanted or not. */
    Leg heardOn(int anAttempt) {
        return new Leg(id, pushable, state, attempt, open, wake, anAttempt, informed, freshFlow, status, failure);
    }

    Leg heardOnAnother() {
        return heardOn(mayStillRing() ? rangOn : ONE_OF_THEM);
    }

    /** Whether the INVITE that it rang for is open. */
    boolean mayStillRing() {
        return rangOn == ONE_OF_THEM ? !open.isEmpty() : open.contains(rangOn);
    }

    Leg withInformed() {
        return new Leg(id, pushable, state, attempt, open, wake, rangOn, true, freshFlow, status, failure);
    }

    /** Whether it waits for word of a call that it was pushed to for, or rang for (invariant 4). */
    boolean wantsVerdict() {
        return (wasPushed() || rangOn != 0) && !informed;
    }

    /** Whether the call went past it: nothing that was sent to it came through. */
    boolean wasMissed() {
        return state == State.DONE && !informed;
    }

    boolean stoppedRingingOn(int ended) {
        return state == State.RINGING && rangOn == ended;
    }

    Leg withFreshFlow() {
        return new Leg(id, pushable, state, attempt, open, wake, rangOn, informed, true, status, failure);
    }

    Leg closed(int attemptThatEnded) {
        Set<Integer> fewer = new HashSet<>(open);
        fewer.remove(attemptThatEnded);
        return new Leg(id, pushable, state, attempt, fewer, wake, rangOn, informed, freshFlow, status, failure);
    }

    Leg failed(int finalStatus, Optional<Content> content) {
        return new Leg(
                id, pushable, State.DONE, attempt, open, wake, rangOn, informed, freshFlow, finalStatus, content);
    }
}
