package org.pushbridge.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.BOB;
import static org.pushbridge.store.Samples.SOME_TIME;
import static org.pushbridge.store.Samples.brokenTombstone;
import static org.pushbridge.store.Samples.device;
import static org.pushbridge.store.Samples.entries;
import static org.pushbridge.store.Samples.entry;
import static org.pushbridge.store.Samples.oversizedUser;
import static org.pushbridge.store.Samples.tombstone;
import static org.pushbridge.store.Samples.user;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.Tombstone;
import org.pushbridge.device.User;

/** What the store promises on every database. */
abstract class StoreContract {
    StoreSettings settings;
    Store store;

    /** Of a database that does not exist yet, or is empty. */
    abstract StoreSettings newDatabase() throws Exception;

    @BeforeEach
    void openNewDatabase() throws Exception {
        settings = newDatabase();
        store = Store.open(settings);
    }

    @AfterEach
    void close() {
        store.close();
    }

    final void reopen() {
        store.close();
        store = Store.open(settings);
    }

    final void reopenWith(int queueLimit, int batchSize) {
        settings = new StoreSettings(
                settings.url(),
                settings.user(),
                settings.password(),
                2,
                queueLimit,
                batchSize,
                settings.patience(),
                settings.durability());
        reopen();
    }

    static void done(CompletionStage<Void> write) {
        CompletableFuture<Void> future = write.toCompletableFuture();
        assertThat(future).succeedsWithin(Duration.ofSeconds(30));
    }

    static Throwable failure(CompletionStage<Void> write) {
        return write.handle((done, failure) -> Optional.ofNullable(failure))
                .toCompletableFuture()
                .orTimeout(30, SECONDS)
                .join()
                .orElseThrow(() -> new AssertionError("The write went through"));
    }

    /** Keeps the writer's thread from taking the next batch until the latch is counted down. */
    final CountDownLatch holdWriter() {
        Thread caller = Thread.currentThread();
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        AtomicBoolean tooLate = new AtomicBoolean();
        do {
            tooLate.set(false);
            store.purgeTombstones(Instant.EPOCH).thenRun(() -> {
                // A stage that is complete already runs this here and not on the writer's thread.
                if (Thread.currentThread() == caller) {
                    tooLate.set(true);
                } else {
                    held.countDown();
                    awaitLatch(release);
                }
            });
        } while (tooLate.get());
        awaitLatch(held);
        return release;
    }

    static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    final void execute(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(settings.url(), settings.user(), settings.password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void aNewDatabaseIsEmpty() {
        assertThat(store.loadUsers()).isEmpty();
        assertThat(store.loadDevices()).isEmpty();
    }

    @Test
    void usersSurviveARestart() {
        done(store.saveUser(user(BOB)));
        done(store.saveUser(user(ALICE)));

        reopen();

        assertThat(store.loadUsers()).containsExactly(user(ALICE), user(BOB));
    }

    @Test
    void devicesSurviveARestartInEveryDetail() {
        Device alicesPhone = device(ALICE, "<urn:uuid:1>");
        Device alicesTablet = device(ALICE, "<urn:uuid:2>");
        Device bobsPhone = device(BOB, "<urn:uuid:1>");
        Device neverPushed = new Device(DeviceId.of(BOB, "3"), BOB, "3", Optional.empty(), Optional.empty(), List.of());
        List<Device> all = List.of(alicesPhone, alicesTablet, bobsPhone, neverPushed);
        all.forEach(d -> done(store.saveDevice(d)));

        reopen();

        assertThat(store.loadDevices()).containsExactlyInAnyOrderElementsOf(all);
    }

    @Test
    void aDirectoryThatReadsOneByOneKnowsWhatIsThere() {
        List<Device> all = new ArrayList<>();
        for (Aor aor : List.of(ALICE, BOB)) {
            done(store.saveUser(user(aor)));
            for (int i = 0; i < 3; i++) {
                all.add(device(aor, "phone " + i));
            }
        }
        // Places that are used again, so that rows stand in another order than they were written in.
        for (Device device : all) {
            done(store.saveDevice(device));
        }
        done(store.removeDevice(all.get(0).id()));
        for (Device device : all) {
            done(store.saveDevice(device));
        }

        DeviceDirectory directory = DeviceDirectory.load(store);

        assertThat(directory.users()).containsExactly(user(ALICE), user(BOB));
        assertThat(directory.userCount()).isEqualTo(2);
        assertThat(directory.devices(ALICE)).containsExactlyInAnyOrderElementsOf(all.subList(0, 3));
        assertThat(directory.devices(BOB)).containsExactlyInAnyOrderElementsOf(all.subList(3, 6));
    }

    @Test
    void aDeadTokenStaysDeadAcrossARestart() {
        Device device = device(ALICE, "<urn:uuid:1>");
        Device dead = new Device(
                device.id(),
                ALICE,
                device.identity(),
                device.target(),
                Optional.of("Unregistered: app removed"),
                device.bindings());
        done(store.saveDevice(dead));

        reopen();

        assertThat(store.loadDevices()).containsExactly(dead);
    }

    @Test
    void pointsInTimeAreKeptToTheNanosecond() {
        for (String time :
                List.of("2026-03-01T10:15:30.999999999Z", "1969-12-31T23:59:59.000000001Z", "1970-01-01T00:00:00Z")) {
            PushTarget target = Samples.target("ef".repeat(16), Instant.parse(time));
            Device device =
                    new Device(DeviceId.of(BOB, "1"), BOB, "1", Optional.of(target), Optional.empty(), List.of());
            done(store.saveDevice(device));

            assertThat(store.loadDevices()).containsExactly(device);
        }
    }

    @Test
    void aRefreshIsWrittenWithTheTimesOfBindingAndTokenWhetherTheyAreTheSameOrNot() {
        for (Device device : List.of(
                registered(SOME_TIME, SOME_TIME),
                registered(SOME_TIME.plusNanos(1), SOME_TIME.plusNanos(1)),
                registered(SOME_TIME.plusNanos(1), SOME_TIME.plusSeconds(1)),
                registered(SOME_TIME.plusSeconds(2), SOME_TIME.plusSeconds(2)))) {
            done(store.saveDevice(device));

            assertThat(store.loadDevices()).containsExactly(device);
            assertThat(DeviceDirectory.load(store).devices(ALICE)).containsExactly(device);
        }
    }

    private static Device registered(Instant token, Instant firstBinding) {
        Device device = device(ALICE, "<urn:uuid:1>");
        Binding binding = device.bindings().get(0);
        return new Device(
                device.id(),
                ALICE,
                device.identity(),
                Optional.of(Samples.target("12".repeat(32), token)),
                Optional.empty(),
                List.of(
                        new Binding(
                                binding.contact(),
                                binding.contactParameters(),
                                binding.q(),
                                binding.regId(),
                                binding.flow(),
                                binding.path(),
                                binding.callId(),
                                binding.cseq(),
                                firstBinding,
                                binding.expires(),
                                binding.userAgent(),
                                binding.dialogEvents()),
                        device.bindings().get(1)));
    }

    @Test
    void savingADeviceReplacesWhatWasKnownOfIt() {
        Device before = device(ALICE, "<urn:uuid:1>");
        Device after = new Device(
                before.id(),
                ALICE,
                before.identity(),
                Optional.of(Samples.target("12".repeat(32), SOME_TIME.plusMillis(1))),
                Optional.empty(),
                before.bindings().subList(1, 2));
        Device bare = new Device(
                before.id(), ALICE, before.identity(), Optional.empty(), Optional.of("Unregistered"), List.of());

        for (Device device : List.of(before, after, before, bare, after)) {
            done(store.saveDevice(device));

            assertThat(store.loadDevices()).containsExactly(device);
        }
    }

    @Test
    void savingAUserAgainReplacesTheHashesAndKeepsTheDevices() {
        done(store.saveUser(user(ALICE)));
        done(store.saveDevice(device(ALICE, "1")));
        User changed = new User(ALICE, "00".repeat(16), "11".repeat(32));
        done(store.saveUser(changed));

        assertThat(store.loadUsers()).containsExactly(changed);
        assertThat(store.loadDevices()).containsExactly(device(ALICE, "1"));
    }

    @Test
    void removingADeviceLeavesTheOthers() {
        done(store.saveDevice(device(ALICE, "1")));
        done(store.saveDevice(device(ALICE, "2")));
        done(store.removeDevice(device(ALICE, "1").id()));

        assertThat(store.loadDevices()).containsExactly(device(ALICE, "2"));
    }

    @Test
    void removingAUserRemovesTheDevicesOfThatUserOnly() {
        done(store.saveUser(user(ALICE)));
        done(store.saveUser(user(BOB)));
        done(store.saveDevice(device(ALICE, "1")));
        done(store.saveDevice(device(ALICE, "2")));
        done(store.saveDevice(device(BOB, "1")));
        done(store.removeUser(ALICE));

        assertThat(store.loadUsers()).containsExactly(user(BOB));
        assertThat(store.loadDevices()).containsExactly(device(BOB, "1"));
    }

    @Test
    void aTombstoneIsFoundForEachDeviceThatWasPushedTo() {
        DeviceId phone = DeviceId.of(ALICE, "1");
        DeviceId tablet = DeviceId.of(ALICE, "2");
        UUID call = UUID.randomUUID();
        Tombstone onPhone = tombstone(call, SOME_TIME, phone);
        Tombstone onTablet = tombstone(call, SOME_TIME, tablet);
        Tombstone later = tombstone(UUID.randomUUID(), SOME_TIME.plusSeconds(1), tablet);
        done(store.bury(onPhone));
        done(store.bury(onTablet));
        done(store.bury(later));

        reopen();

        assertThat(tombstonesFor(phone, SOME_TIME)).containsExactly(onPhone);
        assertThat(tombstonesFor(tablet, SOME_TIME)).containsExactly(onTablet, later);
        assertThat(tombstonesFor(DeviceId.of(BOB, "1"), SOME_TIME)).isEmpty();
    }

    private List<Tombstone> tombstonesFor(DeviceId device, Instant now) {
        return store.loadTombstones(now).stream()
                .filter(t -> t.device().equals(device))
                .toList();
    }

    @Test
    void aTombstoneCountsUntilItExpires() {
        DeviceId phone = DeviceId.of(ALICE, "1");
        Tombstone tombstone = tombstone(UUID.randomUUID(), SOME_TIME, phone);
        done(store.bury(tombstone));

        assertThat(tombstonesFor(phone, tombstone.expiresAt().minusNanos(1))).containsExactly(tombstone);
        assertThat(tombstonesFor(phone, tombstone.expiresAt())).isEmpty();
    }

    @Test
    void purgingForgetsExpiredTombstonesOnly() {
        DeviceId phone = DeviceId.of(ALICE, "1");
        Tombstone old = tombstone(UUID.randomUUID(), SOME_TIME, phone);
        Tombstone fresh = tombstone(UUID.randomUUID(), SOME_TIME.plusNanos(1), phone);
        done(store.bury(old));
        done(store.bury(fresh));
        done(store.purgeTombstones(old.expiresAt()));

        assertThat(tombstonesFor(phone, SOME_TIME)).containsExactly(fresh);
    }

    @Test
    void buryingACallAgainForADeviceReplacesItsTombstone() {
        DeviceId phone = DeviceId.of(ALICE, "1");
        Tombstone first = tombstone(UUID.randomUUID(), SOME_TIME, phone);
        Tombstone second = new Tombstone(
                first.call(), phone, first.endedAt(), first.expiresAt(), "caller-gave-up", "sip:c@d", "", true, true);
        done(store.bury(first));
        done(store.bury(second));

        assertThat(tombstonesFor(phone, SOME_TIME)).containsExactly(second);
    }

    @Test
    void removingADeviceLeavesItsVerdictDue() {
        Device phone = device(ALICE, "1");
        Tombstone tombstone = tombstone(UUID.randomUUID(), SOME_TIME, phone.id());
        done(store.saveDevice(phone));
        done(store.bury(tombstone));
        done(store.removeDevice(phone.id()));

        assertThat(tombstonesFor(phone.id(), SOME_TIME)).containsExactly(tombstone);
    }

    @Test
    void callsSurviveARestartTheEldestFirst() {
        List<UUID> calls = Stream.generate(UUID::randomUUID).limit(20).toList();
        calls.forEach(call -> done(store.write(entry(call, "parked"), List.of())));
        done(store.write(entry(calls.get(7), "answered"), List.of()));
        done(store.end(calls.get(3)));
        assertThat(store.journalledCalls()).isEqualTo(19);

        reopen();

        assertThat(entries(store).stream().map(CallJournal.Entry::call))
                .containsExactlyElementsOf(
                        calls.stream().filter(c -> !c.equals(calls.get(3))).toList());
        assertThat(store.journalledCalls()).isEqualTo(19);
        assertThat(entries(store)).allSatisfy(entry -> {
            assertThat(entry.invite()).isEqualTo(entry(entry.call(), "").invite());
            assertThat(entry.state()).asString().isEqualTo(entry.call().equals(calls.get(7)) ? "answered" : "parked");
        });
    }

    @Test
    void whatACallLeavesBehindIsKeptAsItCame() {
        byte[] everyByte = new byte[100_000];
        for (int i = 0; i < everyByte.length; i++) {
            everyByte[i] = (byte) i;
        }
        done(store.write(new CallJournal.Entry(UUID.randomUUID(), everyByte, everyByte), List.of()));
        done(store.write(new CallJournal.Entry(UUID.randomUUID(), new byte[0], new byte[0]), List.of()));

        assertThat(entries(store).get(0).invite()).isEqualTo(everyByte);
        assertThat(entries(store).get(0).state()).isEqualTo(everyByte);
        assertThat(entries(store).get(1).state()).isEmpty();
    }

    @Test
    void aCallIsWrittenWithItsTombstonesOrNotAtAll() {
        UUID call = UUID.randomUUID();
        Tombstone whole = tombstone(call, SOME_TIME, DeviceId.of(ALICE, "1"));
        done(store.write(entry(call, "ringing"), List.of()));
        CountDownLatch release = holdWriter();
        CompletionStage<Void> refused = store.write(entry(call, "answered"), List.of(whole, brokenTombstone(call)));
        CompletionStage<Void> other = store.write(entry(UUID.randomUUID(), "parked"), List.of());
        release.countDown();

        assertThat(failure(refused)).isInstanceOf(StoreException.class).hasMessageContaining("the call " + call);
        done(other);
        assertThat(entries(store).get(0).state()).asString().isEqualTo("ringing");
        assertThat(store.loadTombstones(SOME_TIME)).isEmpty();

        done(store.write(entry(call, "answered"), List.of(whole)));
        assertThat(entries(store).get(0).state()).asString().isEqualTo("answered");
        assertThat(store.loadTombstones(SOME_TIME)).containsExactly(whole);
    }

    @Test
    void writesOfACallThatWaitAreOneAndKeepAllTombstones() {
        UUID call = UUID.randomUUID();
        UUID over = UUID.randomUUID();
        Tombstone onPhone = tombstone(call, SOME_TIME, DeviceId.of(ALICE, "1"));
        Tombstone onTablet = tombstone(call, SOME_TIME, DeviceId.of(ALICE, "2"));
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = List.of(
                store.write(entry(over, "parked"), List.of()),
                store.write(entry(call, "parked"), List.of()),
                store.write(entry(call, "ringing"), List.of(onPhone)),
                store.end(over),
                store.write(entry(call, "answered"), List.of(onTablet)));
        release.countDown();
        writes.forEach(StoreContract::done);

        assertThat(entries(store)).hasSize(1);
        assertThat(entries(store).get(0).state()).asString().isEqualTo("answered");
        assertThat(store.loadTombstones(SOME_TIME)).containsExactlyInAnyOrder(onPhone, onTablet);
    }

    @Test
    void whatNobodyWaitsForIsWrittenByItself() {
        UUID call = UUID.randomUUID();
        UUID over = UUID.randomUUID();
        done(store.write(entry(call, "parked"), List.of()));
        done(store.write(entry(over, "parked"), List.of()));

        CompletionStage<Void> noted = store.note(call, () -> entry(call, "established"));
        CompletionStage<Void> ended = store.end(over);
        done(noted);
        done(ended);

        assertThat(states()).containsExactly("established");
    }

    @Test
    void whatNobodyWaitsForIsNeverOvertaken() {
        UUID call = UUID.randomUUID();
        done(store.write(entry(call, "parked"), List.of()));

        CompletionStage<Void> noted = store.note(call, () -> entry(call, "established"));
        CompletionStage<Void> notedAgain = store.note(call, () -> entry(call, "refreshed"));
        done(store.write(entry(call, "hung up"), List.of()));
        assertThat(noted.toCompletableFuture()).isDone();
        assertThat(notedAgain.toCompletableFuture()).isDone();
        assertThat(states()).containsExactly("hung up");

        CompletionStage<Void> written = store.write(entry(call, "still there"), List.of());
        done(store.note(call, () -> entry(call, "there for good")));
        assertThat(written.toCompletableFuture()).isDone();
        assertThat(states()).containsExactly("there for good");
    }

    @Test
    void aCallThatIsOverBeforeItWasWrittenLeavesNothing() {
        UUID call = UUID.randomUUID();
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = List.of(
                store.write(entry(call, "parked"), List.of()),
                store.note(call, () -> entry(call, "ringing")),
                store.end(call));
        release.countDown();
        writes.forEach(StoreContract::done);

        assertThat(states()).isEmpty();
        assertThat(store.journalledCalls()).isZero();
    }

    @Test
    void whatNobodyWaitsForIsKeptIfTheWriteThatTakesItsPlaceIsRefused() {
        UUID call = UUID.randomUUID();
        done(store.write(entry(call, "parked"), List.of()));

        CompletionStage<Void> noted = store.note(call, () -> entry(call, "established"));
        CompletionStage<Void> refused = store.write(entry(call, "answered"), List.of(brokenTombstone(call)));

        assertThat(failure(refused)).isInstanceOf(StoreException.class);
        done(noted);
        assertThat(states()).containsExactly("established");
    }

    @Test
    void closingWritesWhatNobodyWaitsFor() {
        UUID call = UUID.randomUUID();
        UUID over = UUID.randomUUID();
        done(store.write(entry(call, "parked"), List.of()));
        done(store.write(entry(over, "parked"), List.of()));
        CompletionStage<Void> noted = store.note(call, () -> entry(call, "established"));
        CompletionStage<Void> ended = store.end(over);
        store.close();

        assertThat(noted.toCompletableFuture()).isCompletedWithValue(null);
        assertThat(ended.toCompletableFuture()).isCompletedWithValue(null);
        store = Store.open(settings);
        assertThat(states()).containsExactly("established");
    }

    @Test
    void whatNobodyWaitsForCountsAsWaiting() {
        reopenWith(3, 10);
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> waiting =
                Stream.generate(UUID::randomUUID).limit(3).map(store::end).toList();

        assertThat(failure(store.end(UUID.randomUUID()))).hasMessageContaining("as many as may");
        assertThat(store.waitingWrites()).isEqualTo(3);
        release.countDown();
        waiting.forEach(StoreContract::done);
    }

    final List<String> states() {
        return entries(store).stream()
                .map(entry -> new String(entry.state(), StandardCharsets.US_ASCII))
                .toList();
    }

    @Test
    void aSecretIsMadeUpOnceAndSurvivesARestart() {
        byte[] made = {0, 1, 127, -128, -1};

        assertThat(store.secret("key", () -> made)).isEqualTo(made);
        assertThat(store.secret("other key", () -> new byte[] {7})).containsExactly(7);
        reopen();

        assertThat(store.secret("key", () -> {
                    throw new AssertionError("There is one already");
                }))
                .isEqualTo(made);
    }

    @Test
    void theSlowerOfTwoTakesTheSecretOfTheFaster() {
        byte[] slow = store.secret(
                "key",
                () -> store.secret("key", () -> new byte[] {1, 2, 3}).length == 3 ? new byte[] {4, 5, 6} : new byte[0]);

        assertThat(slow).containsExactly(1, 2, 3);
        assertThat(store.secret("key", () -> new byte[0])).containsExactly(1, 2, 3);
    }

    @Test
    void aRefusedWriteFailsAloneWhateverBatchItIsIn() throws Exception {
        List<Aor> aors = IntStream.range(0, 20)
                .mapToObj(i -> new Aor("user" + i, "example.com"))
                .toList();
        List<CompletionStage<Void>> writes = new ArrayList<>();
        CountDownLatch release = holdWriter();
        for (int i = 0; i < aors.size(); i++) {
            writes.add(store.saveUser(i % 7 == 3 ? oversizedUser(aors.get(i)) : user(aors.get(i))));
        }
        release.countDown();

        for (int i = 0; i < aors.size(); i++) {
            if (i % 7 == 3) {
                assertThat(failure(writes.get(i)))
                        .isInstanceOf(StoreException.class)
                        .hasMessageContaining("save the user " + aors.get(i));
            } else {
                done(writes.get(i));
            }
        }
        assertThat(store.loadUsers())
                .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 20)
                        .filter(i -> i % 7 != 3)
                        .mapToObj(i -> user(aors.get(i)))
                        .toList());
    }

    @Test
    void aRefusedWriteTellsNoSecret() throws Exception {
        Throwable failure = failure(store.saveUser(oversizedUser(ALICE)));

        StringWriter everything = new StringWriter();
        failure.printStackTrace(new PrintWriter(everything));
        assertThat(everything.toString())
                .contains("Could not save the user sip:alice@example.com")
                .doesNotContain("badc0de", "fedcba98");
    }

    @Test
    void writesOfOneBatchTakeEffectInTheirOrder() {
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = new ArrayList<>();
        writes.add(store.saveUser(user(ALICE)));
        writes.add(store.saveDevice(device(ALICE, "1")));
        writes.add(store.removeUser(ALICE));
        writes.add(store.saveDevice(device(ALICE, "2")));
        store.saveUser(oversizedUser(BOB));
        writes.add(store.saveDevice(device(ALICE, "3")));
        writes.add(store.removeDevice(device(ALICE, "2").id()));
        release.countDown();
        writes.forEach(StoreContract::done);

        assertThat(store.loadUsers()).isEmpty();
        assertThat(store.loadDevices()).containsExactly(device(ALICE, "3"));
    }

    @Test
    void stagesCompleteInTheOrderOfTheWrites() {
        List<Integer> order = new ArrayList<>();
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            int number = i;
            writes.add(store.saveDevice(device(ALICE, "" + i)).thenRun(() -> order.add(number)));
        }
        release.countDown();
        writes.forEach(StoreContract::done);

        assertThat(order).isSorted().hasSize(50);
    }

    @Test
    void oneWriteMoreThanMayWaitIsRefusedAtOnce() {
        reopenWith(3, 10);
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(store.saveDevice(device(ALICE, "" + i)));
        }
        CompletableFuture<Void> tooMany =
                store.saveDevice(device(ALICE, "too many")).toCompletableFuture();

        assertThat(tooMany).isCompletedExceptionally();
        assertThatThrownBy(tooMany::join)
                .hasCauseInstanceOf(StoreException.class)
                .hasMessageContaining("3 writes")
                .hasMessageContaining("as many as may");
        assertThat(store.refusedWrites()).isEqualTo(1);
        assertThat(store.failedWrites()).isEqualTo(1);
        release.countDown();
        waiting.forEach(StoreContract::done);
        done(store.saveDevice(device(ALICE, "later")));
        assertThat(store.loadDevices()).hasSize(4);
    }

    @Test
    void aSlowDatabaseIsNoBacklogButMoreThanItTakesAtOnceIs() {
        reopenWith(10_000, 7);
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            writes.add(store.saveDevice(device(ALICE, "" + i)));
        }
        assertThat(store.backlog()).isZero();

        writes.add(store.saveDevice(device(ALICE, "one more")));

        assertThat(store.backlog()).isPositive();
        release.countDown();
        writes.forEach(StoreContract::done);
        assertThat(store.backlog()).isZero();
    }

    @Test
    void closingWaitsForTheWritesThatWereAskedFor() throws Exception {
        reopenWith(10_000, 7);
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            writes.add(store.saveDevice(device(ALICE, "" + i)));
        }
        Thread closer = new Thread(store::close);
        closer.start();
        release.countDown();
        closer.join();

        assertThat(writes)
                .allSatisfy(write -> assertThat(write.toCompletableFuture()).isCompletedWithValue(null));
        reopen();
        assertThat(store.loadDevices()).hasSize(100);
    }

    @Test
    void aClosedStoreTakesNoWrites() throws Exception {
        store.close();

        assertThat(failure(store.saveUser(user(ALICE))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("the store is closed");
    }

    @Test
    void aSchemaOfANewerProgramIsLeftAlone() throws Exception {
        done(store.saveUser(user(ALICE)));
        store.close();
        execute("INSERT INTO \"flyway_schema_history\" (\"installed_rank\", \"version\", \"description\", \"type\","
                + " \"script\", \"installed_by\", \"execution_time\", \"success\")"
                + " VALUES (1000, '999', 'from the future', 'SQL', 'V999__from_the_future.sql', 'x', 1, TRUE)");

        assertThatThrownBy(() -> Store.open(settings))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("newer Pushbridge")
                .hasMessageContaining("version 999");

        execute("DELETE FROM \"flyway_schema_history\" WHERE \"version\" = '999'");
        store = Store.open(settings);
        assertThat(store.loadUsers()).containsExactly(user(ALICE));
    }

    @Test
    void aDatabaseOfTheFirstVersionIsBroughtUpToDateWithAllThatIsInIt() throws Exception {
        StoreSettings old = newDatabase();
        store.close();
        settings = old;
        Flyway.configure()
                .dataSource(old.url(), old.user(), old.password())
                .locations("classpath:org/pushbridge/store/migration")
                .target("1")
                .load()
                .migrate();
        UUID call = UUID.randomUUID();
        DeviceId phone = DeviceId.of(ALICE, "1");
        execute("INSERT INTO users (aor_user, aor_host, ha1_md5, ha1_sha256) VALUES ('alice', 'example.com', '"
                + user(ALICE).ha1Md5() + "', '" + user(ALICE).ha1Sha256() + "')");
        execute("INSERT INTO tombstones (call_id, device_id, ended_at, expires_at, reason) VALUES ('" + call + "', '"
                + phone.value() + "', 1, 2000000000, 'caller-cancelled')");

        store = Store.open(settings);

        assertThat(store.loadUsers()).containsExactly(user(ALICE));
        assertThat(store.loadTombstones(Instant.EPOCH))
                .containsExactly(new Tombstone(
                        call,
                        phone,
                        Instant.ofEpochSecond(0, 1),
                        Instant.ofEpochSecond(2),
                        "caller-cancelled",
                        "",
                        "",
                        false,
                        false));
        done(store.write(entry(call, "parked"), List.of()));
        assertThat(entries(store)).hasSize(1);
    }

    @Test
    void aDatabaseOfAnotherProgramIsLeftAlone() throws Exception {
        StoreSettings other = newDatabase();
        store.close();
        settings = other;
        execute("CREATE TABLE invoices (id INTEGER)");

        assertThatThrownBy(() -> Store.open(other))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("another program");
    }

    @Test
    void aWrongPasswordIsNamed() {
        StoreSettings wrong = StoreSettings.of(settings.url(), settings.user(), "wrong-secret");
        store.close();

        assertThatThrownBy(() -> Store.open(wrong))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("user")
                .hasMessageContaining("password")
                .hasMessageNotContaining("wrong-secret");
    }
}
