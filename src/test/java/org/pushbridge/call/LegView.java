package org.pushbridge.call;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** What a {@link CallChecker} knows of a leg, from events and actions alone. */
final class LegView {
    private static final int UNREACHED = 480;

    final LegId id;
    final boolean pushable;
    final Pushes pushes;
    final Map<Integer, Attempt> attempts = new TreeMap<>();
    /** Asleep from the start, and to be left alone while another device has the call. */
    boolean spared;

    boolean pushed;
    boolean pushAccepted;
    /** Its app asked over HTTP after the push, before it registered. */
    boolean asked;

    boolean alerting;
    /** Its flow is known to be gone, and it had the call. */
    boolean lost;
    /** It has a copy of the INVITE whose transaction is over: it refused the next copy as merged. */
    boolean keepsACopy;

    boolean flowOfCopyLost;
    boolean pushFailed;
    /** Its push rang nothing: there is no such app any more. */
    boolean gone;

    boolean registeredSincePush;
    boolean registeredSinceInvite;
    boolean newestBroke;
    boolean anyBroke;
    boolean refused;
    int refusedStatus;
    boolean rang;
    int lastRang;
    boolean someCopy;
    boolean told;
    boolean buried;
    boolean alerted;

    LegView(LegId id, Pushes pushes) {
        this.id = id;
        this.pushes = pushes;
        this.pushable = pushes.wake();
    }

    boolean ringsForAnOldCopy() {
        return keepsACopy && !flowOfCopyLost && !refused;
    }

    /** Whether it is known to have the call, or may well have it: certainly up to, or also at, the silence limit. */
    boolean hasTheCall(long now, long silenceLimit) {
        Attempt newest = attempts.get(attempts.size());
        boolean underWay = newest != null
                && newest.isOpen()
                && !newest.responded
                && !newest.flowLost
                && now < newest.silentSince + silenceLimit;
        return ringsForAnOldCopy() || underWay || any(Attempt::mayBeWithTheDevice);
    }

    boolean hadThePush() {
        return pushed && (registeredSincePush || asked || (pushAccepted && !pushFailed));
    }

    boolean any(Predicate<Attempt> which) {
        for (Attempt attempt : attempts.values()) {
            if (which.test(attempt)) {
                return true;
            }
        }
        return false;
    }

    /** Whether an INVITE may still bring an answer that is wanted. */
    boolean hasOpenAttempt() {
        return any(Attempt::isOpen);
    }

    boolean awaitsAnEnd() {
        return any(a -> !a.ended);
    }

    boolean isAsleep() {
        return pushed && !pushFailed && !registeredSincePush && !asked;
    }

    /** Awake, as its app says, and not yet registered. */
    boolean isComing() {
        return asked && !registeredSincePush;
    }

    /** Whether something may still come of this leg, so that giving up would be wrong. */
    boolean isHopeful() {
        // A phone that woke and lost its connection at once shows that it is there: it may come again.
        boolean mayComeAgain = pushed && registeredSincePush && newestBroke;
        return !refused
                && (hasOpenAttempt()
                        || isAsleep()
                        || isComing()
                        || spared
                        || keepsACopy
                        || mayComeAgain
                        || registeredSinceInvite);
    }

    /** Whether nothing can come of this leg, so that waiting for it would be wrong. */
    boolean isHopeless() {
        // An older copy of the INVITE whose connection broke leaves it open what to make of that.
        boolean mayComeAgain = !refused && pushed && registeredSincePush && anyBroke;
        return !isHopeful() && !mayComeAgain;
    }

    int status() {
        return refused ? refusedStatus : UNREACHED;
    }

    /** Whether it has to hear the end: pushed to, as far as one knows, or known to have the INVITE. */
    boolean wasCalled() {
        return (pushed && !gone) || rang;
    }

    boolean needsVerdict() {
        return wasCalled() && !told && !buried;
    }

    /** What is known of one INVITE of it. */
    static final class Attempt {
        long silentSince;
        boolean ended;
        boolean responded;
        boolean rung;
        boolean flowLost;
        boolean lostInSilence;
        boolean everLost;
        boolean cancelled;
        boolean cancelledAtTheEnd;

        Attempt(long at) {
            silentSince = at;
        }

        /** Whether the device has this INVITE and is able to act on it, as far as anyone outside can know. */
        boolean mayBeWithTheDevice() {
            return isOpen() && responded && !flowLost;
        }

        boolean isOpen() {
            return !ended && !cancelled;
        }
    }
}
