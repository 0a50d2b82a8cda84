package org.pushbridge.device;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Who owns which device: answers from memory, survives through the {@link DeviceStore}.
 *
 * <p>Safe for any thread. Look-ups never block. A change is visible to look-ups at once; its stage completes when it
 * is on disk, and only then may it be acknowledged (invariant 7). What the store refused is written again with the
 * user's next change. Changes to one user are made one at a time.
 */
public final class DeviceDirectory {
    private final DeviceStore store;
    private final Map<Aor, User> users = new ConcurrentHashMap<>();
    private final Map<Aor, List<Device>> devices = new ConcurrentHashMap<>();
    private final Map<DeviceId, Aor> owners = new ConcurrentHashMap<>();
    private final Map<PushToken, Set<DeviceId>> holders = new ConcurrentHashMap<>();
    /** Devices whose last change the store refused: memory and disk differ until it is written again. */
    private final Map<Aor, Set<DeviceId>> unsaved = new ConcurrentHashMap<>();

    private DeviceDirectory(DeviceStore store) {
        this.store = store;
    }

    /** Reads everything the store knows. Blocks. */
    public static DeviceDirectory load(DeviceStore store) {
        DeviceDirectory directory = new DeviceDirectory(store);
        store.loadUsers().forEach(user -> directory.users.put(user.aor(), user));
        for (Device device : store.loadDevices()) {
            directory.devices.merge(device.aor(), List.of(device), DeviceDirectory::concat);
            directory.list(device);
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
        List<CompletionStage<Void>> written = new ArrayList<>(1);
        devices.compute(user.aor(), (key, known) -> {
            users.put(user.aor(), user);
            written.add(store.saveUser(user));
            return known;
        });
        return written.get(0);
    }

    /** Removes the user and all devices; does nothing for an unknown one. */
    public CompletionStage<Void> removeUser(Aor aor) {
        List<CompletionStage<Void>> written = new ArrayList<>(1);
        devices.compute(aor, (key, known) -> {
            users.remove(aor);
            if (known != null) {
                known.forEach(this::unlist);
            }
            written.add(store.removeUser(aor));
            return null;
        });
        return written.get(0);
    }

    /**
     * Changes one device in one step. {@code change} gets what is known of it now, or empty, and returns what is to be
     * known from now on, or empty to forget it. It may be called on the caller's thread while others wait: it must be
     * quick and must not call back.
     *
     * @return completes when the change is on disk
     */
    public CompletionStage<Void> update(Aor aor, DeviceId id, UnaryOperator<Optional<Device>> change) {
        return updateAll(aor, known -> {
            Optional<Device> old = known.stream().filter(d -> d.id().equals(id)).findFirst();
            Optional<Device> changed = change.apply(old);
            if (changed.equals(old)) {
                return known;
            }
            List<Device> others = known.stream().filter(d -> !d.id().equals(id)).toList();
            return changed.map(d -> concat(others, List.of(d))).orElse(others);
        });
    }

    /**
     * Changes all devices of one user in one step, under the rules of {@link #update}. An exception from
     * {@code change} changes nothing and reaches the caller.
     *
     * @param change gets the user's devices and returns those that are to be known from now on
     * @return completes when all of it is on disk
     */
    public CompletionStage<Void> updateAll(Aor aor, UnaryOperator<List<Device>> change) {
        List<CompletableFuture<Void>> written = new ArrayList<>(1);
        devices.compute(aor, (key, before) -> {
            Map<DeviceId, Device> old = byId(before == null ? List.of() : before);
            List<Device> after = List.copyOf(change.apply(List.copyOf(old.values())));
            Map<DeviceId, Device> changed = byId(after);
            Set<DeviceId> again = Optional.ofNullable(unsaved.remove(aor)).orElse(Set.of());
            Stream.concat(old.keySet().stream(), again.stream())
                    .distinct()
                    .filter(id -> !changed.containsKey(id))
                    .forEach(id -> {
                        Optional.ofNullable(old.get(id)).ifPresent(this::unlist);
                        written.add(watched(aor, id, store.removeDevice(id)));
                    });
            changed.forEach((id, device) -> {
                Device known = old.get(id);
                if (device.equals(known) && !again.contains(id)) {
                    return;
                }
                list(device);
                if (known != null) {
                    tokens(known).stream()
                            .filter(token -> !tokens(device).contains(token))
                            .forEach(token -> release(token, id));
                }
                written.add(watched(aor, id, store.saveDevice(device)));
            });
            return after.isEmpty() ? null : after;
        });
        return CompletableFuture.allOf(written.toArray(CompletableFuture[]::new));
    }

    /** The devices, of whatever user, whose push target holds this token. */
    public List<Device> devicesHolding(PushToken token) {
        return holders.getOrDefault(token, Set.of()).stream()
                .flatMap(id -> device(id).stream())
                .filter(d -> tokens(d).contains(token))
                .toList();
    }

    /**
     * Leaves a token to the device that registered it last and takes the push target from all others that have it: an
     * installation that was reinstalled, or now belongs to another user, must not be woken for what it was before. A
     * device without any binding is then of no use and is forgotten.
     *
     * @return completes when it is on disk
     */
    public CompletionStage<Void> keepNewestHolder(PushToken token) {
        Comparator<Device> byAge = Comparator.comparing(
                        (Device d) -> d.target().map(PushTarget::registeredAt).orElse(Instant.MIN))
                .thenComparing(d -> d.id().value());
        Optional<Device> newest = devicesHolding(token).stream().max(byAge);
        return CompletableFuture.allOf(devicesHolding(token).stream()
                .filter(d -> newest.isPresent() && byAge.compare(d, newest.get()) < 0)
                .map(old -> update(
                                old.aor(),
                                old.id(),
                                known -> known.flatMap(
                                        d -> tokens(d).contains(token) && byAge.compare(d, newest.get()) < 0
                                                ? withoutTarget(d)
                                                : Optional.of(d)))
                        .toCompletableFuture())
                .toArray(CompletableFuture[]::new));
    }

    private static Optional<Device> withoutTarget(Device device) {
        return device.bindings().isEmpty()
                ? Optional.empty()
                : Optional.of(device.with(Optional.empty(), Optional.empty()));
    }

    /**
     * Notes that APNs called a token dead (410, or 400 BadDeviceToken and its kin). Ignored if the device has
     * confirmed its token after {@code deadSince} or has another token by now (Apple's rule for 410).
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
                known -> known.map(device -> device.target()
                        .filter(target -> !target.registeredAt().isAfter(deadSince))
                        .flatMap(target -> afterDeathOf(token, device, target, fault))
                        .orElse(device)));
    }

    /** A device that can still ring only loses its alerts; one that cannot is marked. */
    private static Optional<Device> afterDeathOf(PushToken token, Device device, PushTarget target, String fault) {
        Optional<PushToken> dead = Optional.of(token);
        if (target.regular().equals(dead) && target.voip().isPresent()) {
            return Optional.of(device.with(Optional.of(target.withoutRegular()), device.targetFault()));
        }
        return target.voip().equals(dead) || target.regular().equals(dead)
                ? Optional.of(device.with(device.target(), Optional.of(fault)))
                : Optional.empty();
    }

    private CompletableFuture<Void> watched(Aor aor, DeviceId id, CompletionStage<Void> write) {
        return write.whenComplete((done, failure) -> {
                    if (failure != null) {
                        unsaved.merge(aor, Set.of(id), DeviceDirectory::union);
                    }
                })
                .toCompletableFuture();
    }

    private static Set<DeviceId> union(Set<DeviceId> some, Set<DeviceId> more) {
        Set<DeviceId> all = new HashSet<>(some);
        all.addAll(more);
        return Set.copyOf(all);
    }

    private void list(Device device) {
        owners.put(device.id(), device.aor());
        tokens(device).forEach(token -> holders.merge(token, Set.of(device.id()), DeviceDirectory::union));
    }

    private void unlist(Device device) {
        owners.remove(device.id());
        tokens(device).forEach(token -> release(token, device.id()));
    }

    private void release(PushToken token, DeviceId id) {
        holders.computeIfPresent(token, (key, some) -> {
            Set<DeviceId> others = new HashSet<>(some);
            others.remove(id);
            return others.isEmpty() ? null : Set.copyOf(others);
        });
    }

    private static List<PushToken> tokens(Device device) {
        return device.target().stream()
                .flatMap(t -> Stream.concat(t.voip().stream(), t.regular().stream()))
                .toList();
    }

    private static Map<DeviceId, Device> byId(List<Device> devices) {
        Map<DeviceId, Device> byId = new LinkedHashMap<>();
        devices.forEach(d -> byId.put(d.id(), d));
        return byId;
    }

    private static List<Device> concat(List<Device> some, List<Device> more) {
        List<Device> all = new ArrayList<>(some);
        all.addAll(more);
        return List.copyOf(all);
    }
}
