package org.pushbridge.device;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * Who owns which device: answers from memory, survives through the {@link DeviceStore}.
 *
 * <p>Safe for any thread. Look-ups never block. A change is visible to look-ups at once; its stage completes when it
 * is on disk, and only then may it be acknowledged (invariant 7). Changes to one user are made one at a time.
 */
public final class DeviceDirectory {
    private final DeviceStore store;
    private final Map<Aor, User> users = new ConcurrentHashMap<>();
    private final Map<Aor, List<Device>> devices = new ConcurrentHashMap<>();
    private final Map<DeviceId, Aor> owners = new ConcurrentHashMap<>();

    private DeviceDirectory(DeviceStore store) {
        this.store = store;
    }

    /** Reads everything the store knows. Blocks. */
    public static DeviceDirectory load(DeviceStore store) {
        DeviceDirectory directory = new DeviceDirectory(store);
        store.loadUsers().forEach(user -> directory.users.put(user.aor(), user));
        for (Device device : store.loadDevices()) {
            directory.devices.merge(device.aor(), List.of(device), DeviceDirectory::concat);
            directory.owners.put(device.id(), device.aor());
        }
        return directory;
    }

    public Optional<User> user(Aor aor) {
        return Optional.ofNullable(users.get(aor));
    }

    /** All users, in the order of their addresses. */
    public List<User> users() {
        return users.values().stream()
                .sorted((a, b) -> a.aor().compareTo(b.aor()))
                .toList();
    }

    /** The user's devices, awake or asleep; empty for an unknown user. */
    public List<Device> devices(Aor aor) {
        return devices.getOrDefault(aor, List.of());
    }

    public Optional<Device> device(DeviceId id) {
        Aor owner = owners.get(id);
        return owner == null
                ? Optional.empty()
                : devices(owner).stream().filter(d -> d.id().equals(id)).findFirst();
    }

    public CompletionStage<Void> saveUser(User user) {
        users.put(user.aor(), user);
        return store.saveUser(user);
    }

    /** Removes the user and all devices; does nothing for an unknown one. */
    public CompletionStage<Void> removeUser(Aor aor) {
        users.remove(aor);
        List<Device> gone = devices.remove(aor);
        if (gone != null) {
            gone.forEach(d -> owners.remove(d.id()));
        }
        return store.removeUser(aor);
    }

    /**
     * Changes one device in one step. {@code change} gets what is known of it now, or empty, and returns what is to be
     * known from now on, or empty to forget it. It may be called on the caller's thread while others wait: it must be
     * quick and must not call back.
     *
     * @return completes when the change is on disk
     */
    public CompletionStage<Void> update(Aor aor, DeviceId id, UnaryOperator<Optional<Device>> change) {
        List<CompletionStage<Void>> written = new ArrayList<>(1);
        devices.compute(aor, (key, before) -> {
            List<Device> known = before == null ? List.of() : before;
            Optional<Device> old = known.stream().filter(d -> d.id().equals(id)).findFirst();
            Optional<Device> changed = change.apply(old);
            if (changed.equals(old)) {
                return before;
            }
            List<Device> others = known.stream().filter(d -> !d.id().equals(id)).toList();
            if (changed.isPresent()) {
                owners.put(id, aor);
                written.add(store.saveDevice(changed.get()));
                return concat(others, List.of(changed.get()));
            }
            owners.remove(id);
            written.add(store.removeDevice(id));
            return others.isEmpty() ? null : others;
        });
        return written.isEmpty() ? CompletableFuture.completedFuture(null) : written.get(0);
    }

    /**
     * Notes that APNs called a token dead (410, or 400 BadDeviceToken and its kin). Ignored if the device has
     * confirmed its token after {@code deadSince} or has another token by now (APPLE.md, answers from APNs).
     *
     * @param token the token that was pushed to
     * @param deadSince Apple's time stamp; when the push was sent, if the answer carried none
     * @param fault Apple's reason and what it means, for the operator
     */
    public CompletionStage<Void> tokenDied(DeviceId id, PushToken token, Instant deadSince, String fault) {
        Aor owner = owners.get(id);
        if (owner == null) {
            return CompletableFuture.completedFuture(null);
        }
        return update(
                owner,
                id,
                known -> known.map(device -> {
                    boolean current = device.target()
                            .filter(t -> t.voip().equals(Optional.of(token))
                                    || t.regular().equals(Optional.of(token)))
                            .filter(t -> !t.registeredAt().isAfter(deadSince))
                            .isPresent();
                    return current
                            ? new Device(
                                    device.id(),
                                    device.aor(),
                                    device.identity(),
                                    device.target(),
                                    Optional.of(fault),
                                    device.bindings())
                            : device;
                }));
    }

    private static List<Device> concat(List<Device> some, List<Device> more) {
        List<Device> all = new ArrayList<>(some);
        all.addAll(more);
        return List.copyOf(all);
    }
}
