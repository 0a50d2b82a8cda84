package org.pushbridge.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class DeviceDirectoryTest {
    private static final Instant MORNING = Instant.parse("2030-01-01T08:00:00Z");
    private static final PushToken TOKEN = new PushToken("00fc13adff785122b4ad28809a342098");

    private final Aor alice = Aor.parse("alice@example.com");
    private final Aor bob = Aor.parse("bob@example.com");
    private final Rows store = new Rows();
    private final DeviceDirectory directory = DeviceDirectory.load(store);

    @Test
    void theDeviceThatRegisteredATokenLastKeepsIt() {
        Device before = device(alice, "before", MORNING, Optional.empty());
        Device after = device(bob, "after", MORNING.plusSeconds(60), Optional.empty());
        put(before);
        put(after);

        directory.keepNewestHolder(TOKEN).toCompletableFuture().join();

        assertThat(directory.devicesHolding(TOKEN)).containsExactly(after);
        assertThat(directory.devices(alice)).isEmpty();
        assertThat(store.devices.keySet()).containsExactly(after.id());
    }

    @Test
    void aDeviceThatLosesItsTokenKeepsItsBinding() {
        Device before = device(alice, "before", MORNING, Optional.of(binding()));
        put(before);
        put(device(bob, "after", MORNING.plusSeconds(60), Optional.empty()));

        directory.keepNewestHolder(TOKEN).toCompletableFuture().join();

        Device left = directory.device(before.id()).orElseThrow();
        assertThat(left.isPushable()).isFalse();
        assertThat(left.bindings()).containsExactly(binding());
        assertThat(store.devices).containsEntry(left.id(), left);
    }

    @Test
    void twoDevicesThatRegisterATokenAtOnceLeaveItToExactlyOne() {
        put(device(alice, "one", MORNING, Optional.empty()));
        put(device(bob, "other", MORNING, Optional.empty()));

        directory.keepNewestHolder(TOKEN).toCompletableFuture().join();
        directory.keepNewestHolder(TOKEN).toCompletableFuture().join();

        assertThat(directory.devicesHolding(TOKEN)).hasSize(1);
    }

    @Test
    void tokensAreFoundAfterARestartAndForgottenWithTheirUser() {
        Device phone = device(alice, "phone", MORNING, Optional.empty());
        put(phone);

        DeviceDirectory restarted = DeviceDirectory.load(store);
        assertThat(restarted.devicesHolding(TOKEN)).containsExactly(phone);

        restarted.removeUser(alice);
        assertThat(restarted.devicesHolding(TOKEN)).isEmpty();
    }

    @Test
    void aRefusedChangeOfAllDevicesChangesNothing() {
        Device phone = device(alice, "phone", MORNING, Optional.empty());
        put(phone);

        assertThatThrownBy(() -> directory.updateAll(alice, known -> {
                    throw new IllegalStateException("refused");
                }))
                .hasMessage("refused");

        assertThat(directory.devices(alice)).containsExactly(phone);
        assertThat(store.devices).containsOnlyKeys(phone.id());
    }

    @Test
    void changingAllDevicesWritesOnlyWhatDiffers() {
        Device same = device(alice, "same", MORNING, Optional.empty());
        Device gone = device(alice, "gone", MORNING, Optional.empty());
        Device fresh = device(alice, "fresh", MORNING, Optional.empty());
        put(same);
        put(gone);
        store.writes.clear();

        directory
                .updateAll(alice, known -> List.of(same, fresh))
                .toCompletableFuture()
                .join();

        assertThat(directory.devices(alice)).containsExactly(same, fresh);
        assertThat(directory.device(gone.id())).isEmpty();
        assertThat(store.writes).containsExactly("remove " + gone.id(), "save " + fresh.id());
    }

    @Test
    void whatTheStoreRefusedIsWrittenWithTheNextChange() {
        Device gone = device(alice, "gone", MORNING, Optional.empty());
        Device stays = device(alice, "stays", MORNING, Optional.empty());
        put(gone);
        store.broken = true;
        assertThat(directory.updateAll(alice, known -> List.of(stays)).toCompletableFuture())
                .isCompletedExceptionally();
        store.broken = false;

        assertThat(directory.updateAll(alice, known -> known).toCompletableFuture())
                .isCompleted();

        assertThat(store.devices).containsOnlyKeys(stays.id());
        store.writes.clear();
        directory.updateAll(alice, known -> known);
        assertThat(store.writes).isEmpty();
    }

    private void put(Device device) {
        directory
                .update(device.aor(), device.id(), known -> Optional.of(device))
                .toCompletableFuture()
                .join();
    }

    private static Device device(Aor aor, String identity, Instant registeredAt, Optional<Binding> binding) {
        PushTarget target = new PushTarget(
                ApnsEnvironment.PRODUCTION,
                "ABCDE12345",
                "com.example.phone",
                Optional.of(TOKEN),
                Optional.empty(),
                registeredAt,
                "apns",
                "ABCDE12345.com.example.phone.voip",
                TOKEN.hex());
        return new Device(
                DeviceId.of(aor, identity),
                aor,
                identity,
                Optional.of(target),
                Optional.empty(),
                binding.map(List::of).orElse(List.of()));
    }

    private static Binding binding() {
        return new Binding(
                "sip:alice@192.0.2.1",
                "",
                1000,
                OptionalInt.empty(),
                new Flow("udp", new InetSocketAddress("192.0.2.9", 5060), new InetSocketAddress("192.0.2.1", 5060), 0),
                List.of(),
                "a call",
                1,
                MORNING,
                Duration.ofMinutes(10),
                "",
                false);
    }

    /** A store that writes at once and notes what it was asked. */
    private static final class Rows implements DeviceStore {
        final Map<DeviceId, Device> devices = new LinkedHashMap<>();
        final List<String> writes = new ArrayList<>();
        boolean broken;

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
            return write("save " + device.id(), () -> devices.put(device.id(), device));
        }

        @Override
        public CompletionStage<Void> removeDevice(DeviceId id) {
            return write("remove " + id, () -> devices.remove(id));
        }

        private CompletionStage<Void> write(String what, Runnable change) {
            if (broken) {
                return CompletableFuture.failedFuture(new IllegalStateException("The disk is full"));
            }
            writes.add(what);
            change.run();
            return CompletableFuture.completedFuture(null);
        }
    }
}
