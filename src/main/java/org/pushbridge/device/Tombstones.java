package org.pushbridge.device;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * How calls ended, for the devices that do not know: answers from memory, survives through the {@link TombstoneStore}.
 * Safe for any thread; nothing here blocks but {@link #load}.
 */
public final class Tombstones {
    /** More than any user misses in a day; the oldest go first. It bounds what a flood of calls can make us keep. */
    public static final int MOST_PER_DEVICE = 100;

    private static final Logger LOG = LogManager.getLogger(Tombstones.class);

    private final TombstoneStore store;
    private final Duration life;
    private final Clock clock;
    private final Map<DeviceId, List<Tombstone>> byDevice = new ConcurrentHashMap<>();

    private Tombstones(TombstoneStore store, Duration life, Clock clock) {
        this.store = store;
        this.life = life;
        this.clock = clock;
    }

    /**
     * Reads what the store knows. Blocks.
     *
     * @param life for how long the end of a call is remembered
     */
    public static Tombstones load(TombstoneStore store, Duration life, Clock clock) {
        Tombstones tombstones = new Tombstones(store, life, clock);
        store.loadTombstones(clock.instant()).forEach(tombstones::remember);
        return tombstones;
    }

    /**
     * Remembers the end of a call, from this moment on.
     *
     * @param reason why it ended, as the device is told
     * @param from who called: a SIP URI
     * @param displayName the caller's name, or empty
     * @param had whether the device has, or had, the call by SIP
     */
    public Tombstone bury(UUID call, DeviceId device, String reason, String from, String displayName, boolean had) {
        Tombstone tombstone = make(call, device, reason, from, displayName, had);
        bury(tombstone);
        return tombstone;
    }

    /** Remembers one that was made before. */
    public void bury(Tombstone tombstone) {
        place(tombstone);
        watched("stored", store.bury(tombstone));
    }

    /** What {@link #bury} would remember of a call that ends at this moment, for whoever stores it with more. */
    public Tombstone make(UUID call, DeviceId device, String reason, String from, String displayName, boolean had) {
        Instant now = clock.instant();
        return new Tombstone(call, device, now, now.plus(life), reason, from, displayName, had, false);
    }

    /** Remembers one that is stored by the caller: devices are told of it from this moment on. */
    public void place(Tombstone tombstone) {
        remember(tombstone)
                .forEach(tooMany -> watched("forgotten", store.forgetTombstone(tooMany.call(), tooMany.device())));
    }

    /** Takes one back, here and in the store: the call goes on for the device, or nobody is to be told of its end. */
    public void forget(UUID call, DeviceId device) {
        byDevice.computeIfPresent(device, (id, known) -> {
            List<Tombstone> left = without(known, call);
            return left.isEmpty() ? null : left;
        });
        watched("forgotten", store.forgetTombstone(call, device));
    }

    /** @return what had to go to make room */
    private List<Tombstone> remember(Tombstone tombstone) {
        List<Tombstone> tooMany = new ArrayList<>();
        byDevice.compute(tombstone.device(), (device, known) -> {
            List<Tombstone> all = new ArrayList<>(without(known, tombstone.call()));
            all.add(tombstone);
            while (all.size() > MOST_PER_DEVICE) {
                tooMany.add(all.remove(0));
            }
            return List.copyOf(all);
        });
        return tooMany;
    }

    private static List<Tombstone> without(List<Tombstone> known, UUID call) {
        return known == null
                ? List.of()
                : known.stream().filter(t -> !t.call().equals(call)).toList();
    }

    /** The ends that the device does not know of, the earliest first. */
    public List<Tombstone> untold(DeviceId device) {
        Instant now = clock.instant();
        return byDevice.getOrDefault(device, List.of()).stream()
                .filter(t -> !t.told() && t.counts(now))
                .toList();
    }

    /** The same for all devices that do not know of an end. */
    public Map<DeviceId, List<Tombstone>> untold() {
        Map<DeviceId, List<Tombstone>> all = new HashMap<>();
        for (DeviceId device : byDevice.keySet()) {
            List<Tombstone> due = untold(device);
            if (!due.isEmpty()) {
                all.put(device, due);
            }
        }
        return all;
    }

    /** How a call ended for a device, told or not. */
    public Optional<Tombstone> find(UUID call, DeviceId device) {
        Instant now = clock.instant();
        return byDevice.getOrDefault(device, List.of()).stream()
                .filter(t -> t.call().equals(call) && t.counts(now))
                .findFirst();
    }

    /** The device knows now. It is not told again, not even after a restart. */
    public void told(UUID call, DeviceId device) {
        find(call, device).filter(t -> !t.told()).ifPresent(t -> {
            Tombstone told = t.withTold();
            byDevice.computeIfPresent(
                    device,
                    (id, known) -> known.stream()
                            .map(each -> each.call().equals(call) ? told : each)
                            .toList());
            watched("stored", store.bury(told));
        });
    }

    /** Forgets what has expired, here and in the store. */
    public CompletionStage<Void> purge() {
        Instant now = clock.instant();
        for (DeviceId device : byDevice.keySet()) {
            byDevice.computeIfPresent(device, (id, known) -> {
                List<Tombstone> left = known.stream().filter(t -> t.counts(now)).toList();
                return left.isEmpty() ? null : left;
            });
        }
        return store.purgeTombstones(now);
    }

    /** How many are remembered. */
    public int count() {
        return byDevice.values().stream().mapToInt(List::size).sum();
    }

    private static void watched(String what, CompletionStage<Void> write) {
        var unused = write.exceptionally(fault -> {
            LOG.error("The end of a call could not be {}; a crash now would lose it", what, fault);
            return null;
        });
    }
}
