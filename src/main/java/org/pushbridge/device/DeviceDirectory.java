package org.pushbridge.device;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Who owns which device: answers from memory, survives through the {@link DeviceStore}.
 *
 * <p>Safe for any thread. Look-ups never block. A change is visible to look-ups at once; its stage completes when it
 * is on disk, and only then may it be acknowledged (invariant 7). What the store refused is written again with the
 * user's next change. Changes to one user are made one at a time.
 *
 * <p>A million sleeping phones fit into less than half a gigabyte: each user is kept as a {@link PackedUser}. Look-ups make
 * objects of it, equal to those before.
 */
public final class DeviceDirectory {
    private final DeviceStore store;
    private final SharedTexts shared = new SharedTexts();
    private final Map<Aor, PackedUser> known = new ConcurrentHashMap<>();
    private final LookedUp lookedUp = new LookedUp();
    private final AtomicInteger users = new AtomicInteger();
    private final Owners owners = new Owners();
    private final Owners holders = new Owners();
    /** Devices whose last change the store refused: memory and disk differ until it is written again. */
    private final Map<Aor, Set<DeviceId>> unsaved = new ConcurrentHashMap<>();

    private DeviceDirectory(DeviceStore store) {
        this.store = store;
    }

    /** Reads everything the store knows. Blocks. */
    public static DeviceDirectory load(DeviceStore store) {
        DeviceDirectory directory = new DeviceDirectory(store);
        store.loadUsers(user -> directory.keep(directory.packed(user.aor()).with(user)));
        store.loadDevices(device -> {
            PackedUser owner = directory.packed(device.aor()).and(device);
            directory.keep(owner);
            directory.list(owner.aor(), device, null);
        });
        store.loadBindings(directory::bind);
        directory.users.set((int)
                directory.known.values().stream().filter(PackedUser::isUser).count());
        return directory;
    }

    private void bind(DeviceId id, Binding binding) {
        for (Aor owner : owners.of(id.number())) {
            PackedUser packed = packed(owner);
            keep(packed.with(packed.devices().stream()
                    .map(device -> device.id().equals(id) ? device.and(binding) : device)
                    .toList()));
        }
    }

    private PackedUser packed(Aor aor) {
        PackedUser packed = known.get(aor);
        return packed == null ? nobody(aor) : packed;
    }

    /** What lasts has only one text for each domain. */
    private PackedUser nobody(Aor aor) {
        int host = shared.numberOf(aor.host());
        return PackedUser.nobody(host == SharedTexts.NONE ? aor : new Aor(aor.user(), shared.text(host)), shared);
    }

    private void keep(PackedUser packed) {
        known.put(packed.aor(), packed);
    }

    public Optional<User> user(Aor aor) {
        PackedUser packed = known.get(aor);
        return packed == null ? Optional.empty() : packed.user();
    }

    /** All users, in the order of their addresses. */
    public List<User> users() {
        return known.values().stream()
                .flatMap(packed -> packed.user().stream())
                .sorted((a, b) -> a.aor().compareTo(b.aor()))
                .toList();
    }

    /** See {@link DeviceStore#backlog}. */
    public Duration backlog() {
        return store.backlog();
    }

    /** How many users there are. Cheap. */
    public int userCount() {
        return users.get();
    }

    /** The user's devices, awake or asleep; empty for an unknown user. */
    public List<Device> devices(Aor aor) {
        PackedUser packed = known.get(aor);
        return packed == null ? List.of() : lookedUp.devices(packed);
    }

    public Optional<Device> device(DeviceId id) {
        for (Aor owner : owners.of(id.number())) {
            for (Device device : devices(owner)) {
                if (device.id().equals(id)) {
                    return Optional.of(device);
                }
            }
        }
        return Optional.empty();
    }

    public CompletionStage<Void> saveUser(User user) {
        List<CompletionStage<Void>> written = new ArrayList<>(1);
        known.compute(user.aor(), (aor, before) -> {
            PackedUser packed = before == null ? nobody(aor) : before;
            if (!packed.isUser()) {
                users.incrementAndGet();
            }
            written.add(store.saveUser(user));
            return packed.with(user);
        });
        return written.get(0);
    }

    /** Removes the user and all devices; does nothing for an unknown one. */
    public CompletionStage<Void> removeUser(Aor aor) {
        List<CompletionStage<Void>> written = new ArrayList<>(1);
        known.compute(aor, (key, before) -> {
            if (before != null) {
                if (before.isUser()) {
                    users.decrementAndGet();
                }
                unlist(before.aor(), before.devices(), List.of());
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
     * @param change gets the user's devices and returns those that are to be known from now on, each once
     * @return completes when all of it is on disk
     */
    public CompletionStage<Void> updateAll(Aor aor, UnaryOperator<List<Device>> change) {
        List<CompletableFuture<Void>> written = new ArrayList<>(1);
        known.compute(aor, (key, packed) -> {
            PackedUser before = packed == null ? nobody(aor) : packed;
            List<Device> old = before.devices();
            List<Device> after = List.copyOf(change.apply(old));
            Set<DeviceId> again = Objects.requireNonNullElse(unsaved.remove(aor), Set.of());
            for (DeviceId id : gone(old, again, after)) {
                written.add(watched(aor, id, store.removeDevice(id)));
            }
            for (Device device : after) {
                Device known = find(old, device.id());
                if (!device.equals(known)) {
                    list(before.aor(), device, known);
                } else if (!again.contains(device.id())) {
                    continue;
                }
                written.add(watched(aor, device.id(), store.saveDevice(device)));
            }
            if (written.isEmpty()) {
                return packed;
            }
            unlist(before.aor(), old, after);
            PackedUser now = before.with(after);
            return now.isEmpty() ? null : now;
        });
        return written.size() == 1
                ? written.get(0)
                : CompletableFuture.allOf(written.toArray(CompletableFuture[]::new));
    }

    private static Set<DeviceId> gone(List<Device> before, Set<DeviceId> again, List<Device> after) {
        Set<DeviceId> gone = new LinkedHashSet<>();
        for (Device device : before) {
            gone.add(device.id());
        }
        gone.addAll(again);
        for (Device device : after) {
            gone.remove(device.id());
        }
        return gone;
    }

    private static @Nullable Device find(List<Device> devices, DeviceId id) {
        for (Device device : devices) {
            if (device.id().equals(id)) {
                return device;
            }
        }
        return null;
    }

    /** The devices, of whatever user, whose push target holds this token. */
    public List<Device> devicesHolding(PushToken token) {
        List<Device> holding = new ArrayList<>(1);
        for (Aor owner : holders.of(token.number())) {
            for (Device device : devices(owner)) {
                if (tokens(device).contains(token)) {
                    holding.add(device);
                }
            }
        }
        return holding;
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
        List<Device> holding = devicesHolding(token);
        if (holding.size() < 2) {
            return CompletableFuture.completedFuture(null);
        }
        Device newest = Collections.max(holding, byAge);
        return CompletableFuture.allOf(holding.stream()
                .filter(d -> byAge.compare(d, newest) < 0)
                .map(old -> update(
                                old.aor(),
                                old.id(),
                                known -> known.flatMap(d -> tokens(d).contains(token) && byAge.compare(d, newest) < 0
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
        Optional<Device> pushed = device(id);
        if (pushed.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        return update(
                pushed.get().aor(),
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

    /**
     * @param aor the one that lasts, of equal ones
     * @param before the same device, if it was listed before
     */
    private void list(Aor aor, Device device, @Nullable Device before) {
        if (before == null) {
            owners.add(device.id().number(), aor);
        }
        List<PushToken> listed = before == null ? List.of() : tokens(before);
        for (PushToken token : tokens(device)) {
            if (!listed.contains(token)) {
                holders.add(token.number(), aor);
            }
        }
    }

    /** Forgets whom the devices and tokens belong to that an address has no more. */
    private void unlist(Aor aor, List<Device> before, List<Device> after) {
        for (Device device : before) {
            if (find(after, device.id()) == null) {
                owners.remove(device.id().number(), aor);
            }
            for (PushToken token : tokens(device)) {
                if (!holds(after, token.number())) {
                    holders.remove(token.number(), aor);
                }
            }
        }
    }

    private static boolean holds(List<Device> devices, long token) {
        for (Device device : devices) {
            for (PushToken each : tokens(device)) {
                if (each.number() == token) {
                    return true;
                }
            }
        }
        return false;
    }

    private static List<PushToken> tokens(Device device) {
        if (device.target().isEmpty()) {
            return List.of();
        }
        PushTarget target = device.target().get();
        List<PushToken> tokens = new ArrayList<>(2);
        target.voip().ifPresent(tokens::add);
        target.regular().ifPresent(tokens::add);
        return tokens;
    }

    private static List<Device> concat(List<Device> some, List<Device> more) {
        List<Device> all = new ArrayList<>(some);
        all.addAll(more);
        return List.copyOf(all);
    }
}
