package org.pushbridge.sip;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.pushbridge.device.Aor;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.DeviceStore;
import org.pushbridge.device.Tombstone;
import org.pushbridge.device.TombstoneStore;
import org.pushbridge.device.User;

/** What survives an edge that is shot: a store whose writes are on disk at once, or when the test says so. */
final class Disk implements DeviceStore, TombstoneStore, CallJournal {
    private record Grave(UUID call, DeviceId device) {}

    private record Write(Runnable change, CompletableFuture<Void> done) {}

    private final Map<Aor, User> users = new LinkedHashMap<>();
    private final Map<DeviceId, Device> devices = new LinkedHashMap<>();
    private final Map<Grave, Tombstone> tombstones = new LinkedHashMap<>();
    private final Map<UUID, Entry> calls = new LinkedHashMap<>();
    private final List<Write> waiting = new ArrayList<>();
    private boolean slow;

    /** The same disk after a crash: what was not written is lost, and the one who crashed writes no more. */
    synchronized Disk afterCrash() {
        Disk survivor = new Disk();
        survivor.users.putAll(users);
        survivor.devices.putAll(devices);
        survivor.tombstones.putAll(tombstones);
        survivor.calls.putAll(calls);
        slow = true;
        return survivor;
    }

    /** Writes wait from now on. */
    synchronized void stall() {
        slow = true;
    }

    /** What waits is written. */
    void resume() {
        List<Write> now;
        synchronized (this) {
            slow = false;
            now = List.copyOf(waiting);
            waiting.clear();
            now.forEach(write -> write.change().run());
        }
        now.forEach(write -> write.done().complete(null));
    }

    /** What waits is not written. */
    void fail() {
        List<Write> now;
        synchronized (this) {
            now = List.copyOf(waiting);
            waiting.clear();
        }
        now.forEach(write -> write.done().completeExceptionally(new IllegalStateException("the disk is full")));
    }

    synchronized int waiting() {
        return waiting.size();
    }

    synchronized boolean idle() {
        return waiting.isEmpty();
    }

    synchronized int calls() {
        return calls.size();
    }

    /** Cuts off the end of what every third call left. */
    synchronized void damageEveryThirdCall() {
        AtomicInteger count = new AtomicInteger();
        calls.replaceAll((call, entry) -> count.incrementAndGet() % 3 == 0
                ? new Entry(call, entry.invite(), Arrays.copyOf(entry.state(), entry.state().length / 2))
                : entry);
    }

    private CompletionStage<Void> write(Runnable change) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        synchronized (this) {
            if (slow) {
                waiting.add(new Write(change, done));
                return done;
            }
            change.run();
        }
        done.complete(null);
        return done;
    }

    @Override
    public synchronized List<User> loadUsers() {
        return List.copyOf(users.values());
    }

    @Override
    public synchronized List<Device> loadDevices() {
        return List.copyOf(devices.values());
    }

    @Override
    public CompletionStage<Void> saveUser(User user) {
        return write(() -> users.put(user.aor(), user));
    }

    @Override
    public CompletionStage<Void> removeUser(Aor aor) {
        return write(() -> users.remove(aor));
    }

    @Override
    public CompletionStage<Void> saveDevice(Device device) {
        return write(() -> devices.put(device.id(), device));
    }

    @Override
    public CompletionStage<Void> removeDevice(DeviceId id) {
        return write(() -> devices.remove(id));
    }

    @Override
    public synchronized List<Tombstone> loadTombstones(Instant now) {
        return List.copyOf(tombstones.values());
    }

    @Override
    public CompletionStage<Void> bury(Tombstone tombstone) {
        return write(() -> tombstones.put(new Grave(tombstone.call(), tombstone.device()), tombstone));
    }

    @Override
    public CompletionStage<Void> forgetTombstone(UUID call, DeviceId device) {
        return write(() -> tombstones.remove(new Grave(call, device)));
    }

    @Override
    public CompletionStage<Void> purgeTombstones(Instant now) {
        return write(() ->
                tombstones.values().removeIf(tombstone -> !tombstone.expiresAt().isAfter(now)));
    }

    @Override
    public CompletionStage<Void> write(Entry entry, List<Tombstone> buried) {
        return write(() -> {
            calls.put(entry.call(), entry);
            buried.forEach(tombstone -> tombstones.put(new Grave(tombstone.call(), tombstone.device()), tombstone));
        });
    }

    @Override
    public CompletionStage<Void> note(UUID call, Supplier<Entry> entry) {
        return write(entry.get(), List.of());
    }

    @Override
    public CompletionStage<Void> end(UUID call) {
        return write(() -> calls.remove(call));
    }

    @Override
    public boolean isAway() {
        return false;
    }

    @Override
    public boolean isBehind() {
        return false;
    }

    @Override
    public void readCalls(Consumer<Entry> reader) {
        List<Entry> all;
        synchronized (this) {
            all = List.copyOf(calls.values());
        }
        all.forEach(reader);
    }
}
