package org.pushbridge.web;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;

/**
 * Lets each key have so many requests a second, and as many at once. Remembers a bounded number of keys; one that is
 * forgotten begins anew. Safe for any thread.
 */
final class RateLimit<K> {
    private static final int REMEMBERED = 100_000;

    private final Cache<K, Bucket> buckets = Caffeine.newBuilder()
            .maximumSize(REMEMBERED)
            // A bucket that was left alone for so long is full again.
            .expireAfterAccess(Duration.ofMinutes(1))
            .build();

    private final int perSecond;
    private final TimeMeter time;

    RateLimit(int perSecond, TimeMeter time) {
        this.perSecond = perSecond;
        this.time = time;
    }

    /** How long to wait until the next request may be made; zero if this one may. */
    Duration take(K key) {
        ConsumptionProbe probe = buckets.get(key, unused -> full()).tryConsumeAndReturnRemaining(1);
        return probe.isConsumed() ? Duration.ZERO : Duration.ofNanos(probe.getNanosToWaitForRefill());
    }

    private Bucket full() {
        return Bucket.builder()
                .withCustomTimePrecision(time)
                .addLimit(limit -> limit.capacity(perSecond).refillGreedy(perSecond, Duration.ofSeconds(1)))
                .build();
    }
}
