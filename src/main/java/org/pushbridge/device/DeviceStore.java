package org.pushbridge.device;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Where users and devices survive a restart. Implemented by {@code store}; called by {@link DeviceDirectory} alone.
 *
 * <p>Writes return at once. Their stage completes when the change is on disk, exceptionally if it never will be;
 * writes of one caller take effect in the order of the calls.
 */
public interface DeviceStore {
    /** All users. Blocks. */
    List<User> loadUsers();

    /** All devices. Blocks. */
    List<Device> loadDevices();

    /** All users, one after the other and in no certain order. Blocks. */
    default void loadUsers(Consumer<User> each) {
        loadUsers().forEach(each);
    }

    /** All devices, one after the other and in no certain order; with their bindings or without. Blocks. */
    default void loadDevices(Consumer<Device> each) {
        loadDevices().forEach(each);
    }

    /** The bindings that {@link #loadDevices(Consumer)} leaves out; those of a device in their order. Blocks. */
    default void loadBindings(BiConsumer<DeviceId, Binding> each) {}

    /**
     * How long the eldest write has waited, if more wait than are taken to the database at once; zero if not, however slow
     * the database is. Cheap.
     */
    default Duration backlog() {
        return Duration.ZERO;
    }

    CompletionStage<Void> saveUser(User user);

    /** Removes the user with all devices. */
    CompletionStage<Void> removeUser(Aor aor);

    /** Inserts the device, or replaces what was known of it. */
    CompletionStage<Void> saveDevice(Device device);

    CompletionStage<Void> removeDevice(DeviceId id);
}
