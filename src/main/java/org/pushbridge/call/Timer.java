package org.pushbridge.call;

/**
 * A timer of a call.
 *
 * @param kind what it limits
 * @param leg the leg it is about; the empty name for timers of the whole call
 */
public record Timer(Kind kind, LegId leg) {
    private static final LegId WHOLE_CALL = new LegId("");

    static final Timer RING_LIMIT = new Timer(Kind.RING_LIMIT, WHOLE_CALL);
    static final Timer DURATION_LIMIT = new Timer(Kind.DURATION_LIMIT, WHOLE_CALL);

    static final Timer LINGER = new Timer(Kind.LINGER, WHOLE_CALL);

    static Timer silence(LegId leg) {
        return new Timer(Kind.SILENCE, leg);
    }

    static Timer hold(LegId party) {
        return new Timer(Kind.HOLD, party);
    }

    static Timer holdBriefly(LegId party) {
        return new Timer(Kind.HOLD_BRIEFLY, party);
    }

    /** What a timer limits. */
    public enum Kind {
        RING_LIMIT,
        SILENCE,
        DURATION_LIMIT,
        /** How long the end of a call is remembered that had ended before the bridge was started anew. */
        LINGER,
        /** How long a BYE, a re-INVITE or a final response waits for a device whose connection is gone. */
        HOLD,
        /** How long other requests wait for it: their senders give up sooner. */
        HOLD_BRIEFLY
    }
}
