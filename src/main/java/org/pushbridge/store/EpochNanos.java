package org.pushbridge.store;

import java.time.Instant;

/**
 * An instant as one number that keeps every digit: nanoseconds since 1970-01-01 UTC. What is read back equals what was
 * written, so that a device's memory and its row can be compared, and so can a registration and Apple's timestamp.
 */
final class EpochNanos {
    private static final long PER_SECOND = 1_000_000_000L;

    private EpochNanos() {}

    /** @throws ArithmeticException before the year 1678 or after 2261 */
    static long of(Instant instant) {
        return Math.addExact(Math.multiplyExact(instant.getEpochSecond(), PER_SECOND), instant.getNano());
    }

    static Instant toInstant(long nanos) {
        return Instant.ofEpochSecond(Math.floorDiv(nanos, PER_SECOND), Math.floorMod(nanos, PER_SECOND));
    }
}
