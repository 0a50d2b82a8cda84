package org.pushbridge.app;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.DeviceStore;
import org.pushbridge.device.User;

/** A store that keeps nothing, for tests in which no restart happens. */
final class UnkeptDevices implements DeviceStore {
    @Override
    public List<User> loadUsers() {
        return List.of();
    }

    @Override
    public List<Device> loadDevices() {
        return List.of();
    }

    @Override
    public CompletionStage<Void> saveUser(User user) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Void> removeUser(Aor aor) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Void> saveDevice(Device device) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Void> removeDevice(DeviceId id) {
        return CompletableFuture.completedStage(null);
    }
}
