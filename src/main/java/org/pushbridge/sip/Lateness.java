package org.pushbridge.sip;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Tells a bridge that is behind from a moment's delay, which is none: what waits has to have waited for longer than a bound
 * each time it was asked for, over as long as that bound. What has waited for the bridge to start is not its load, either.
 * Any thread.
 */
final class Lateness {
    private static final Duration STARTING = Duration.ofSeconds(10);
    private static final Duration WHILE_STARTING = Duration.ofSeconds(2);
    /** What was found so long ago says nothing about what was in between. */
    private static final Duration MEMORY = Duration.ofSeconds(5);

    private static final long NOT_LATE = Long.MIN_VALUE;

    private final Duration bound;
    private final LongSupplier nanoTime;
    private final long started;
    private final AtomicLong since = new AtomicLong(NOT_LATE);
    private volatile long asked;

    /** @param nanoTime as {@link System#nanoTime} */
    Lateness(Duration bound, LongSupplier nanoTime) {
        this.bound = bound;
        this.nanoTime = nanoTime;
        this.started = nanoTime.getAsLong();
        this.asked = started;
    }

    /** @param delay how long what waits has waited now */
    boolean isLate(Duration delay) {
        long now = nanoTime.getAsLong();
        Duration most =
                now - started < STARTING.toNanos() && bound.compareTo(WHILE_STARTING) < 0 ? WHILE_STARTING : bound;
        long before = asked;
        asked = now;
        if (delay.compareTo(most) <= 0) {
            since.set(NOT_LATE);
            return false;
        }
        boolean isFirst = now - before > MEMORY.toNanos();
        long late = since.updateAndGet(known -> known == NOT_LATE || isFirst ? now : known);
        return now - late >= most.toNanos();
    }
}
