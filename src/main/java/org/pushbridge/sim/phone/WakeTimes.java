package org.pushbridge.sim.phone;

import java.time.Duration;
import java.util.Random;
import java.util.function.Supplier;

/**
 * How long a woken phone takes from the push to its REGISTER: two seconds on average, as RFC 8599 measured, seldom up to
 * 25, as the field reports. Drawn from a seed, so that a run can be repeated. Thread-safe.
 */
public final class WakeTimes {
    private static final double TYPICAL_SECONDS = 2;
    private static final double SPREAD = 0.6;
    private static final double LEAST_SECONDS = 0.5;
    private static final double MOST_SECONDS = 25;

    private final Supplier<Duration> times;

    /** @param factor scales the times: 1 for life, less for tests */
    public WakeTimes(long seed, double factor) {
        Random random = new Random(seed);
        this.times = () -> drawn(random, factor);
    }

    private WakeTimes(Duration always) {
        this.times = () -> always;
    }

    /** Always the same. */
    public static WakeTimes of(Duration always) {
        return new WakeTimes(always);
    }

    /** The next time. */
    public Duration next() {
        return times.get();
    }

    private static Duration drawn(Random random, double factor) {
        double seconds = TYPICAL_SECONDS * Math.exp(SPREAD * random.nextGaussian());
        double bounded = Math.max(LEAST_SECONDS, Math.min(MOST_SECONDS, seconds));
        return Duration.ofNanos(Math.round(bounded * factor * 1e9));
    }
}
