package org.pushbridge.sim.apns;

import java.time.Instant;

/** Something that happened in a simulated APNs, for whoever shows or counts it. */
public sealed interface ApnsEvent {

    /** When it happened. */
    Instant at();

    /** A request was decided on; its answer, if any, is on its way. */
    record Decided(Instant at, ReceivedPush push) implements ApnsEvent {}

    /** A push reached the phone. */
    record Delivered(Instant at, DeliveredPush push) implements ApnsEvent {}

    /** The phone could not be reached, and the push was kept, in place of an older one if there was one. */
    record Kept(Instant at, DeliveredPush push) implements ApnsEvent {}

    /**
     * An accepted push will never reach the phone.
     *
     * @param why in a few words
     */
    record Discarded(Instant at, DeliveredPush push, String why) implements ApnsEvent {}

    /**
     * A client did what a well-behaved server would not do.
     *
     * @param sentence what it did, and what is right
     */
    record Violated(Instant at, String sentence) implements ApnsEvent {}
}
