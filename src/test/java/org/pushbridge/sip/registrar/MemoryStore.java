package org.pushbridge.sip.registrar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.DeviceStore;
import org.pushbridge.device.User;

/** A store that keeps what it is given, at once, later or never. */
final class MemoryStore implements DeviceStore {
    final Map<DeviceId, Device> devices = new LinkedHashMap<>();
    private final List<CompletableFuture<Void>> pending = new ArrayList<>();
    private boolean slow;
    private boolean broken;

    /** From now on, writes wait for {@link #finish}. */
    void holdWrites() {
        slow = true;
    }

    void finish() {
        slow = false;
        pending.forEach(write -> write.complete(null));
        pending.clear();
    }

    void fail() {
        broken = true;
    }

    @Override
    public List<User> loadUsers() {
        return List.of();
    }

    @Override
    public List<Device> loadDevices() {
        return List.copyOf(devices.values());
    }

    @Override
    public CompletionStage<Void> saveUser(User user) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> removeUser(Aor aor) {
        devices.values().removeIf(d -> d.aor().equals(aor));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> saveDevice(Device device) {
        return write(() -> devices.put(device.id(), device));
    }

    @Override
    public CompletionStage<Void> removeDevice(DeviceId id) {
        return write(() -> devices.remove(id));
    }

    private CompletionStage<Void> write(Runnable change) {
        if (broken) {
            return CompletableFuture.failedFuture(new IllegalStateException("The disk is full"));
        }
        CompletableFuture<Void> written = new CompletableFuture<>();
        CompletableFuture<Void> visible = written.thenRun(change);
        if (slow) {
            pending.add(written);
        } else {
            written.complete(null);
        }
        return visible;
    }
}
