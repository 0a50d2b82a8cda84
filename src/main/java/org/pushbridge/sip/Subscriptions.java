package org.pushbridge.sip;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timeout;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;

/** All subscriptions to dialog events, and what they share. Bounded. Safe for any thread. */
final class Subscriptions implements AutoCloseable {
    final Bridge bridge;
    final LiveDialogs live;
    final SubscriptionSettings settings;
    private final HashedWheelTimer wheel =
            new HashedWheelTimer(new DefaultThreadFactory("dialog-events", true), 100, TimeUnit.MILLISECONDS);
    private final Map<String, Subscription> byTag = new HashMap<>();
    private final Map<Aor, Set<Subscription>> byAor = new HashMap<>();
    private final Map<DeviceId, Subscription> lasting = new HashMap<>();
    private final LongAdder refused = new LongAdder();
    private final LongAdder refusedOfUser = new LongAdder();

    Subscriptions(Bridge bridge, LiveDialogs live, SubscriptionSettings settings) {
        this.bridge = bridge;
        this.live = live;
        this.settings = settings;
    }

    /** What came of taking one in: whether there was room, and which one of the same device it takes the place of. */
    record Added(boolean taken, Optional<Subscription> replaced) {}

    /** Takes in one that tells the state once and is over then. */
    synchronized Added addPassing(Subscription subscription) {
        Set<Subscription> ofUser = byAor.getOrDefault(subscription.aor(), Set.of());
        boolean full = byTag.size() >= settings.maxInAll();
        if (full || ofUser.size() >= settings.maxPerUser()) {
            (full ? refused : refusedOfUser).increment();
            return new Added(false, Optional.empty());
        }
        byTag.put(subscription.localTag(), subscription);
        byAor.computeIfAbsent(subscription.aor(), aor -> new HashSet<>()).add(subscription);
        return new Added(true, Optional.empty());
    }

    /** Takes in one that lasts. A device has one; the newest counts. */
    synchronized Added add(Subscription subscription) {
        Added added = addPassing(subscription);
        return added.taken()
                ? new Added(true, Optional.ofNullable(lasting.put(subscription.device(), subscription)))
                : added;
    }

    synchronized void remove(Subscription subscription) {
        byTag.remove(subscription.localTag(), subscription);
        lasting.remove(subscription.device(), subscription);
        byAor.computeIfPresent(subscription.aor(), (aor, some) -> {
            some.remove(subscription);
            return some.isEmpty() ? null : some;
        });
    }

    synchronized Optional<Subscription> byTag(String localTag) {
        return Optional.ofNullable(byTag.get(localTag));
    }

    synchronized Optional<Subscription> of(DeviceId device) {
        return Optional.ofNullable(lasting.get(device));
    }

    synchronized List<Subscription> of(Aor aor) {
        return List.copyOf(byAor.getOrDefault(aor, Set.of()));
    }

    /** How many there was no room for in all. */
    long refused() {
        return refused.sum();
    }

    /** How many their user had no room for. */
    long refusedOfUser() {
        return refusedOfUser.sum();
    }

    synchronized int size() {
        return byTag.size();
    }

    Timeout after(Duration delay, Runnable work) {
        return wheel.newTimeout(fired -> work.run(), delay.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Stops the timers. Subscribers are told nothing: they find out when they refresh. */
    @Override
    public void close() {
        wheel.stop();
    }
}
