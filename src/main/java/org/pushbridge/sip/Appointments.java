package org.pushbridge.sip;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * A queue of which there are only the times: who finds no room now is told when there will be some, one after another, as
 * fast as others were served lately. However many come at once, they come back as they can be served, and the first ones
 * first. Any thread.
 */
final class Appointments {
    private static final double NANOS = TimeUnit.SECONDS.toNanos(1);
    /** What was done so long ago counts little. */
    private static final double MEMORY_SECONDS = 1;
    /** More than were served: a bridge that is busy with sending others away can soon do more than it knows of. */
    private static final double OVERBOOKED = 3;
    /** A second, for a bridge that has served nobody yet. */
    private static final double FEWEST = 50;

    private final int longest;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private double rate;
    private long served;
    private long next;

    /**
     * @param longest seconds that nobody is sent away for longer than
     * @param nanoTime as {@link System#nanoTime}
     */
    Appointments(int longest, LongSupplier nanoTime, RandomGenerator random) {
        this.longest = longest;
        this.nanoTime = nanoTime;
        this.random = random;
        this.served = nanoTime.getAsLong();
        this.next = served;
    }

    /** Counts one that was served. */
    synchronized void served() {
        long now = nanoTime.getAsLong();
        rate = rateAt(now) + 1 / MEMORY_SECONDS;
        served = now;
    }

    private double rateAt(long now) {
        return rate * Math.exp((served - now) / (NANOS * MEMORY_SECONDS));
    }

    /** Whole seconds, at least one. When all the times there are have been given away, any from half of them on. */
    synchronized int seconds() {
        long now = nanoTime.getAsLong();
        if (next - now < 0) {
            next = now;
        }
        Duration wait = Duration.ofNanos(next - now);
        if (wait.toSeconds() >= longest) {
            return random.nextInt(longest / 2, longest) + 1;
        }
        next += (long) (NANOS / (OVERBOOKED * Math.max(FEWEST, rateAt(now))));
        return (int) wait.toSeconds() + 1;
    }
}
