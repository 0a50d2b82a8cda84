package org.pushbridge.sip.stack;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Scheduler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is left of transactions that are over, by key, for as long as copies of their messages may come. At 1,000 calls/s that
 * is of 32,000 calls: it is small, and has no timer each. Any thread.
 */
final class Kept<V> {
    private final Cache<String, V> values;
    private final int most;

    /** @param most of them; with so many, what comes is not kept */
    Kept(Duration time, int most) {
        this.most = most;
        this.values = Caffeine.newBuilder()
                .expireAfterWrite(time)
                .executor(Runnable::run)
                .scheduler(Scheduler.systemScheduler())
                .build();
    }

    void keep(String key, V value) {
        if (size() < most) {
            values.put(key, value);
        }
    }

    @Nullable
    V get(String key) {
        return values.getIfPresent(key);
    }

    /** Some that are over may be among them for a second or two. */
    int size() {
        return (int) Math.min(Integer.MAX_VALUE, values.estimatedSize());
    }
}
