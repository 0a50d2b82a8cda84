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
 * @param open the attempts that may still bring an answer: their INVITE has not ended and was not cancelled
 * @param cancelled the attempts that were cancelled and whose INVITE has not ended
 * @param wake how far waking it by a push has come
 * @param heardOn the attempt it last answered provisionally, 0 if none, -1 if it has one of the open ones and one
 *     cannot know which
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
        Set<Integer> cancelled,
        Wake wake,
        int heardOn,
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
        /** The INVITE is under way; nothing but silence came back. */
        INVITED,
        /** It answered with 100: it has the INVITE. */
        TRYING,
        /** It answered with 101 to 199. */
        RINGING,
        /** It had the INVITE and its flow is gone, or only an older copy of the INVITE is open. */
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
        cancelled = Set.copyOf(cancelled);
    }

    static Leg of(LegId id, boolean pushable) {
        return new Leg(
                id, pushable, State.DONE, 0, Set.of(), Set.of(), Wake.NOT_PUSHED, 0, false, false, 0, Optional.empty());
    }

    /** Whether the caller still waits on it. */
    boolean isHopeful() {
        return state == State.UNREACHED || state == State.INVITED || state == State.LOST || hasTheInvite();
    }

    /** Whether it is known to have the INVITE and a way to answer it. */
    boolean hasTheInvite() {
        return state == State.TRYING || state == State.RINGING;
    }

    Leg in(State next) {
        return new Leg(
                id, pushable, next, attempt, open, cancelled, wake, heardOn, informed, freshFlow, status, failure);
    }

    Leg invited() {
        Set<Integer> more = new HashSet<>(open);
        more.add(attempt + 1);
        return new Leg(
                id, pushable, state, attempt + 1, more, cancelled, wake, heardOn, false, false, 0, Optional.empty());
    }

    boolean wasPushed() {
        return wake != Wake.NOT_PUSHED;
    }

    Leg with(Wake newWake) {
        return new Leg(
                id, pushable, state, attempt, open, cancelled, newWake, heardOn, informed, freshFlow, status, failure);
    }

    /** Whether an attempt that has just ended was the one to wait for: the one it has, else the newest. */
    boolean dependedOn(int ended) {
        return open.isEmpty() || (hasTheInvite() ? !stillHasIt() : ended == attempt);
    }

    /** It has this attempt's INVITE, whether that is still wanted or not. */
    Leg withHeardOn(int anAttempt) {
        return new Leg(
                id, pushable, state, attempt, open, cancelled, wake, anAttempt, informed, freshFlow, status, failure);
    }

    Leg withHeardOnAnother() {
        return withHeardOn(stillHasIt() ? heardOn : ONE_OF_THEM);
    }

    /** Whether the INVITE that it is known to have is open. */
    boolean stillHasIt() {
        return heardOn == ONE_OF_THEM ? !open.isEmpty() : open.contains(heardOn);
    }

    Leg withInformed() {
        return new Leg(id, pushable, state, attempt, open, cancelled, wake, heardOn, true, freshFlow, status, failure);
    }

    /** Whether it waits for word of a call that it was pushed to for, or has heard of (invariant 4). */
    boolean wantsVerdict() {
        return (wasPushed() || heardOn != 0) && !informed;
    }

    /** Whether the call went past it: nothing that was sent to it came through. */
    boolean wasMissed() {
        return state == State.DONE && !informed;
    }

    boolean lostTheOneItHad(int ended) {
        return hasTheInvite() && heardOn == ended;
    }

    Leg withFreshFlow() {
        return new Leg(id, pushable, state, attempt, open, cancelled, wake, heardOn, informed, true, status, failure);
    }

    /** An attempt's INVITE has ended, wanted or not. */
    Leg ended(int anAttempt) {
        return withAttempts(without(open, anAttempt), without(cancelled, anAttempt));
    }

    Leg withAllCancelled() {
        Set<Integer> more = new HashSet<>(cancelled);
        more.addAll(open);
        return withAttempts(Set.of(), more);
    }

    /** Whether the INVITE of this attempt has yet to end. */
    boolean awaitsEndOf(int anAttempt) {
        return open.contains(anAttempt) || cancelled.contains(anAttempt);
    }

    boolean awaitsNoEnd() {
        return open.isEmpty() && cancelled.isEmpty();
    }

    private Leg withAttempts(Set<Integer> nowOpen, Set<Integer> nowCancelled) {
        return new Leg(
                id,
                pushable,
                state,
                attempt,
                nowOpen,
                nowCancelled,
                wake,
                heardOn,
                informed,
                freshFlow,
                status,
                failure);
    }

    private static Set<Integer> without(Set<Integer> attempts, int anAttempt) {
        Set<Integer> fewer = new HashSet<>(attempts);
        fewer.remove(anAttempt);
        return fewer;
    }

    Leg failed(int finalStatus, Optional<Content> content) {
        return new Leg(
                id,
                pushable,
                State.DONE,
                attempt,
                open,
                cancelled,
                wake,
                heardOn,
                informed,
                freshFlow,
                finalStatus,
                content);
    }
}
