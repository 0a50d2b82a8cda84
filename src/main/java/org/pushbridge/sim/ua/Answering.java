package org.pushbridge.sim.ua;

import java.time.Duration;

/** What whoever is called does about it. */
public sealed interface Answering {
    /**
     * Lets it ring, then takes it.
     *
     * @param after counted from the first ring
     */
    record Answer(Duration after) implements Answering {}

    /**
     * Lets it ring, then refuses it.
     *
     * @param after counted from the first ring
     */
    record Refuse(int status, String reason, Duration after) implements Answering {}

    /** Refuses at once with 486, without a ring. */
    record Busy() implements Answering {}

    /** Lets it ring for ever. */
    record Ring() implements Answering {}

    static Answering answerAfter(Duration after) {
        return new Answer(after);
    }

    /** The user pushes "decline": 486, which speaks of this device alone. */
    static Answering declineAfter(Duration after) {
        return new Refuse(486, "Busy Here", after);
    }

    /** The user declines for all devices: 603. */
    static Answering declineEverywhereAfter(Duration after) {
        return new Refuse(603, "Decline", after);
    }
}
