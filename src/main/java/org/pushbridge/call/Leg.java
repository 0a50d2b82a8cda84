package org.pushbridge.call;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A leg away from the caller, towards one device or trunk.
 *
 * @param pushes what pushes can do for it
 * @param state where it stands
 * @param attempt how many INVITEs were sent on it; a further one is sent only when the one before certainly or very
 *     probably never arrived, and is the same request to the device (same Call-ID, From tag and CSeq)
 * @param open the attempts that may still bring an answer: their INVITE has not ended and was not cancelled
 * @param cancelled the attempts that were cancelled and whose INVITE has not ended
 * @param wake how far waking it by a push has come
 * @param heardOn the attempt it last answered provisionally, 0 if none, -1 if it has one of the open ones and one
 *     cannot know which, -2 if it may have answered one before the bridge was started anew
 * @param alerting whether the caller has heard that it alerts its user, from itself or from its app
 * @param refused whether it refused the call itself, by SIP or over HTTP
 * @param informed whether it knows how the call ended for it, or finds a tombstone that tells it
 * @param freshFlow whether it registered again after the newest INVITE was sent
 * @param status the status it failed with, 0 before
 * @param failure what that response carried
 */
public record Leg(
        LegId id,
        Pushes pushes,
        State state,
        int attempt,
        Set<Integer> open,
        Set<Integer> cancelled,
        Wake wake,
        int heardOn,
        boolean alerting,
        boolean refused,
        boolean informed,
        boolean freshFlow,
        int status,
        Optional<Content> failure) {
    /** It refused a copy of the INVITE as merged, so it has one of those that are open. */
    private static final int ONE_OF_THEM = -1;
    /** It was invited, and how far that came was forgotten as the bridge was started anew. */
    private static final int MAYBE = -2;

    /** Where a leg stands. */
    public enum State {
        /** Asleep, and not pushed to as long as another device has the call: its app wants it so. */
        SPARED,
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
        /** The same, and APNs has accepted the push: it may have been delivered. */
        ACCEPTED,
        /** The push will not wake it. It may have been delivered. */
        FAILED,
        /** The same, and it rang nothing: the app or its token is gone from the device. */
        GONE,
        /** It showed up after the push: it registered, or its app asked over HTTP. */
        WOKEN
    }

    public Leg {
        open = Set.copyOf(open);
        cancelled = Set.copyOf(cancelled);
    }

    static Leg of(LegId id, Pushes pushes) {
        return new Leg(
                id,
                pushes,
                State.DONE,
                0,
                Set.of(),
                Set.of(),
                Wake.NOT_PUSHED,
                0,
                false,
                false,
                false,
                false,
                0,
                Optional.empty());
    }

    // --- what it is like -----------------------------------------------------------------------------------------

    boolean pushable() {
        return pushes.wake();
    }

    /** Whether the caller still waits on it. */
    boolean isHopeful() {
        return state == State.SPARED
                || state == State.UNREACHED
                || state == State.INVITED
                || state == State.LOST
                || hasTheInvite();
    }

    /** Whether it is known to have the INVITE and a way to answer it. */
    boolean hasTheInvite() {
        return state == State.TRYING || state == State.RINGING;
    }

    boolean wasPushed() {
        return wake != Wake.NOT_PUSHED;
    }

    /** Whether the push may still wake it. */
    boolean mayStillWake() {
        return wake == Wake.PUSHED || wake == Wake.ACCEPTED;
    }

    /** Whether the push has certainly landed, or very probably. */
    boolean hadThePush() {
        return wake == Wake.ACCEPTED || wake == Wake.WOKEN;
    }

    /** Whether an attempt that has just ended was the one to wait for: the one it has, else the newest. */
    boolean dependedOn(int ended) {
        return open.isEmpty() || (hasTheInvite() ? !stillHasIt() : ended == attempt);
    }

    /** Whether the INVITE that it is known to have is open. */
    boolean stillHasIt() {
        return heardOn == ONE_OF_THEM ? !open.isEmpty() : open.contains(heardOn);
    }

    boolean lostTheOneItHad(int ended) {
        return hasTheInvite() && heardOn == ended;
    }

    /** Whether it waits for word of a call that it was pushed to for, or has heard of (invariant 4). */
    boolean wantsVerdict() {
        return ((wasPushed() && wake != Wake.GONE) || heardOn != 0) && !informed;
    }

    /** Whether the call went past it: nothing that was sent to it came through. */
    boolean wasMissed() {
        return state == State.DONE && !informed;
    }

    /** Whether the INVITE of this attempt has yet to end. */
    boolean awaitsEndOf(int anAttempt) {
        return open.contains(anAttempt) || cancelled.contains(anAttempt);
    }

    /** Whether it is, or was, known to have the INVITE. */
    boolean wasHeard() {
        return heardOn != 0 && heardOn != MAYBE;
    }

    /** Whether it may have the INVITE, though it has not said so since the bridge was started anew. */
    boolean mayHaveTheInvite() {
        return heardOn == MAYBE;
    }

    /** Whether it has, or had, the INVITE, as far as one can know: not if it was silent and is not awake. */
    boolean had() {
        return wasHeard() || (mayHaveTheInvite() && (!wasPushed() || wake == Wake.WOKEN || wake == Wake.GONE));
    }

    boolean awaitsNoEnd() {
        return open.isEmpty() && cancelled.isEmpty();
    }

    // --- what becomes of it --------------------------------------------------------------------------------------

    Leg in(State next) {
        return changed(leg -> leg.state = next);
    }

    Leg with(Wake newWake) {
        return changed(leg -> leg.wake = newWake);
    }

    Leg with(Pushes newPushes) {
        return changed(leg -> leg.pushes = newPushes);
    }

    Leg invited() {
        return changed(leg -> {
            leg.attempt = attempt + 1;
            leg.open = with(open, attempt + 1);
            leg.informed = false;
            leg.freshFlow = false;
            leg.status = 0;
            leg.failure = Optional.empty();
        });
    }

    /** It has this attempt's INVITE, whether that is still wanted or not. */
    Leg withHeardOn(int anAttempt) {
        return changed(leg -> leg.heardOn = anAttempt);
    }

    Leg withHeardOnAnother() {
        return withHeardOn(stillHasIt() ? heardOn : ONE_OF_THEM);
    }

    Leg withAlerting() {
        return changed(leg -> leg.alerting = true);
    }

    Leg withRefused() {
        return changed(leg -> leg.refused = true);
    }

    Leg withInformed() {
        return changed(leg -> leg.informed = true);
    }

    Leg withFreshFlow() {
        return changed(leg -> leg.freshFlow = true);
    }

    /** An attempt's INVITE has ended, wanted or not. */
    Leg ended(int anAttempt) {
        return changed(leg -> {
            leg.open = without(open, anAttempt);
            leg.cancelled = without(cancelled, anAttempt);
        });
    }

    Leg withAllCancelled() {
        return changed(leg -> {
            Set<Integer> more = new HashSet<>(cancelled);
            more.addAll(open);
            leg.cancelled = more;
            leg.open = Set.of();
        });
    }

    Leg failed(int finalStatus, Optional<Content> content) {
        return changed(leg -> {
            leg.state = State.DONE;
            leg.status = finalStatus;
            leg.failure = content;
        });
    }

    /** It as a journal has it: of an INVITE that is under way nothing is kept of what was answered provisionally. */
    Leg remembered() {
        boolean underWay = hasTheInvite()
                || state == State.INVITED
                || state == State.CANCELLING
                || (state == State.UNREACHED && !open.isEmpty());
        return changed(leg -> {
            leg.state = hasTheInvite() ? State.INVITED : state;
            leg.heardOn = underWay ? MAYBE : heardOn;
            leg.alerting = false;
            leg.freshFlow = false;
            leg.failure = Optional.empty();
        });
    }

    /** The transactions of its INVITEs are gone. */
    Leg withoutTransactions() {
        return changed(leg -> {
            leg.open = Set.of();
            leg.cancelled = Set.of();
        });
    }

    /** The transactions of its INVITEs are gone, but the newest is sent again. */
    Leg withNewestAlone() {
        return changed(leg -> {
            leg.open = Set.of(attempt);
            leg.cancelled = Set.of();
        });
    }

    private static Set<Integer> with(Set<Integer> attempts, int anAttempt) {
        Set<Integer> more = new HashSet<>(attempts);
        more.add(anAttempt);
        return more;
    }

    private static Set<Integer> without(Set<Integer> attempts, int anAttempt) {
        Set<Integer> fewer = new HashSet<>(attempts);
        fewer.remove(anAttempt);
        return fewer;
    }

    /** What a change may change. */
    private static final class Draft {
        private Pushes pushes;
        private State state;
        private int attempt;
        private Set<Integer> open;
        private Set<Integer> cancelled;
        private Wake wake;
        private int heardOn;
        private boolean alerting;
        private boolean refused;
        private boolean informed;
        private boolean freshFlow;
        private int status;
        private Optional<Content> failure;

        Draft(Leg leg) {
            pushes = leg.pushes;
            state = leg.state;
            attempt = leg.attempt;
            open = leg.open;
            cancelled = leg.cancelled;
            wake = leg.wake;
            heardOn = leg.heardOn;
            alerting = leg.alerting;
            refused = leg.refused;
            informed = leg.informed;
            freshFlow = leg.freshFlow;
            status = leg.status;
            failure = leg.failure;
        }
    }

    private Leg changed(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return new Leg(
                id,
                draft.pushes,
                draft.state,
                draft.attempt,
                draft.open,
                draft.cancelled,
                draft.wake,
                draft.heardOn,
                draft.alerting,
                draft.refused,
                draft.informed,
                draft.freshFlow,
                draft.status,
                draft.failure);
    }
}
