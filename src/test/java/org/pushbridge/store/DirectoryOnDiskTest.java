package org.pushbridge.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.BOB;
import static org.pushbridge.store.Samples.SOME_TIME;
import static org.pushbridge.store.Samples.device;
import static org.pushbridge.store.Samples.target;
import static org.pushbridge.store.Samples.user;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.device.User;

/** The directory of devices on a real store, before and after a restart. */
class DirectoryOnDiskTest {
    private static final PushToken TOKEN = new PushToken("ab".repeat(32));

    private final StoreSettings settings;
    private Store store;
    private DeviceDirectory directory;

    DirectoryOnDiskTest(@TempDir Path path) {
        settings = StoreSettings.of("jdbc:h2:file:" + path.resolve("database"), "pushbridge", "");
        store = Store.open(settings);
        directory = DeviceDirectory.load(store);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void restart() {
        store.close();
        store = Store.open(settings);
        directory = DeviceDirectory.load(store);
    }

    private static void done(CompletionStage<Void> change) {
        assertThat(change.toCompletableFuture()).succeedsWithin(Duration.ofSeconds(30));
    }

    private void add(Device device) {
        done(directory.update(device.aor(), device.id(), before -> Optional.of(device)));
    }

    private static Device with(Device device, PushTarget target) {
        return new Device(
                device.id(), device.aor(), device.identity(), Optional.of(target), Optional.empty(), device.bindings());
    }

    @Test
    void aRestartChangesNothing() {
        done(directory.saveUser(user(ALICE)));
        done(directory.saveUser(user(BOB)));
        add(device(ALICE, "phone"));
        add(device(ALICE, "tablet"));
        add(device(BOB, "phone"));

        restart();

        assertThat(directory.users()).containsExactly(user(ALICE), user(BOB));
        assertThat(directory.devices(ALICE)).containsExactlyInAnyOrder(device(ALICE, "phone"), device(ALICE, "tablet"));
        assertThat(directory.devices(BOB)).containsExactly(device(BOB, "phone"));
        assertThat(directory.device(device(BOB, "phone").id())).contains(device(BOB, "phone"));
    }

    @Test
    void aChangeIsVisibleBeforeItIsOnDisk() {
        CompletionStage<Void> written =
                directory.update(ALICE, device(ALICE, "phone").id(), before -> Optional.of(device(ALICE, "phone")));

        assertThat(directory.devices(ALICE)).containsExactly(device(ALICE, "phone"));
        done(written);
    }

    @Test
    void aStrangerHasNothingAndCanBeRemoved() {
        assertThat(directory.user(ALICE)).isEmpty();
        assertThat(directory.devices(ALICE)).isEmpty();
        assertThat(directory.device(DeviceId.of(ALICE, "phone"))).isEmpty();
        done(directory.removeUser(ALICE));
        done(directory.tokenDied(DeviceId.of(ALICE, "phone"), TOKEN, SOME_TIME, "Unregistered"));

        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void aRemovedUserTakesTheDevicesAlong() {
        done(directory.saveUser(user(ALICE)));
        add(device(ALICE, "phone"));
        add(device(BOB, "phone"));
        done(directory.removeUser(ALICE));

        assertThat(directory.device(device(ALICE, "phone").id())).isEmpty();
        restart();
        assertThat(directory.user(ALICE)).isEmpty();
        assertThat(directory.devices(ALICE)).isEmpty();
        assertThat(directory.devices(BOB)).containsExactly(device(BOB, "phone"));
    }

    @Test
    void aForgottenDeviceIsGoneForGood() {
        add(device(ALICE, "phone"));
        add(device(ALICE, "tablet"));
        done(directory.update(ALICE, device(ALICE, "phone").id(), before -> Optional.empty()));

        assertThat(directory.devices(ALICE)).containsExactly(device(ALICE, "tablet"));
        restart();
        assertThat(directory.devices(ALICE)).containsExactly(device(ALICE, "tablet"));
        assertThat(directory.device(device(ALICE, "phone").id())).isEmpty();
    }

    @Test
    void aTokenThatDiedAfterItWasRegisteredIsMarked() {
        Device phone = device(ALICE, "phone");
        add(phone);
        done(directory.tokenDied(phone.id(), TOKEN, SOME_TIME, "Unregistered: the app is gone"));

        assertThat(directory.device(phone.id()).orElseThrow().isPushable()).isFalse();
        restart();
        Device after = directory.device(phone.id()).orElseThrow();
        assertThat(after.targetFault()).contains("Unregistered: the app is gone");
        assertThat(after.target()).isEqualTo(phone.target());
        assertThat(after.bindings()).isEqualTo(phone.bindings());
    }

    @Test
    void aTokenThatWasRegisteredAgainSinceItDiedIsKept() {
        Device phone = device(ALICE, "phone");
        add(phone);
        done(directory.tokenDied(phone.id(), TOKEN, SOME_TIME.minusNanos(1), "Unregistered"));

        assertThat(directory.device(phone.id())).contains(phone);
    }

    @Test
    void theDeathOfAFormerTokenChangesNothing() {
        Device phone = with(device(ALICE, "phone"), target("12".repeat(32), SOME_TIME));
        add(phone);
        done(directory.tokenDied(phone.id(), TOKEN, Instant.parse("2030-01-01T00:00:00Z"), "Unregistered"));

        assertThat(directory.device(phone.id())).contains(phone);
    }

    @Test
    void aNewTokenRevivesTheDevice() {
        Device phone = device(ALICE, "phone");
        add(phone);
        done(directory.tokenDied(phone.id(), TOKEN, SOME_TIME, "Unregistered"));
        add(with(phone, target("12".repeat(32), SOME_TIME.plusSeconds(1))));
        restart();

        assertThat(directory.device(phone.id()).orElseThrow().isPushable()).isTrue();
    }

    @Test
    void changesFromManyThreadsLeaveDiskAndMemoryEqual() throws Exception {
        ConcurrentLinkedQueue<CompletionStage<Void>> changes = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            int number = thread;
            threads.add(new Thread(() -> {
                for (int i = 0; i < 200; i++) {
                    Device phone = with(
                            device(ALICE, "phone"), target("ab".repeat(32), SOME_TIME.plusNanos(number * 1000L + i)));
                    Device tablet = device(ALICE, "tablet");
                    changes.add(directory.saveUser(new User(ALICE, number + "-" + i, "")));
                    changes.add(directory.update(ALICE, phone.id(), before -> Optional.of(phone)));
                    changes.add(directory.update(
                            ALICE, tablet.id(), before -> before.isPresent() ? Optional.empty() : Optional.of(tablet)));
                    if (i % 50 == number) {
                        changes.add(directory.removeUser(ALICE));
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        changes.forEach(DirectoryOnDiskTest::done);
        List<Device> inMemory = directory.devices(ALICE);
        List<User> users = directory.users();

        restart();

        assertThat(directory.devices(ALICE)).containsExactlyInAnyOrderElementsOf(inMemory);
        assertThat(directory.users()).isEqualTo(users);
    }
}
