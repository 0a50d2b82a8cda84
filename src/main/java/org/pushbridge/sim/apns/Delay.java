package org.pushbridge.sim.apns;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** A spread of waiting times, drawn from the server's seeded random numbers. */
@FunctionalInterface
public interface Delay {

    /** One waiting time, never negative. Called by one thread at a time. */
    Duration draw(RandomGenerator random);

    /** No waiting at all. */
    static Delay none() {
        return random -> Duration.ZERO;
    }

    /** Always the same. */
    static Delay of(Duration delay) {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("Nothing can be delayed by " + delay);
        }
        return random -> delay;
    }

    /** Anything between the two, each as likely. */
    static Delay between(Duration shortest, Duration longest) {
        if (shortest.isNegative() || longest.compareTo(shortest) < 0) {
            throw new IllegalArgumentException("There is no delay between " + shortest + " and " + longest);
        }
        return random -> shortest.plusNanos(
                (long) (random.nextDouble() * longest.minus(shortest).toNanos()));
    }

    /** Mostly about the median, now and then several times as long, never over the longest (log-normal). */
    static Delay mostly(Duration median, Duration longest) {
        if (median.isNegative() || longest.compareTo(median) < 0) {
            throw new IllegalArgumentException("A median of " + median + " does not go with at most " + longest);
        }
        return random -> {
            Duration drawn = Duration.ofNanos((long) (median.toNanos() * Math.exp(0.6 * random.nextGaussian())));
            return drawn.compareTo(longest) < 0 ? drawn : longest;
        };
    }
}
