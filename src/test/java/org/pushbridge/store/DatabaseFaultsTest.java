package org.pushbridge.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.BOB;
import static org.pushbridge.store.Samples.SOME_TIME;
import static org.pushbridge.store.Samples.entries;
import static org.pushbridge.store.Samples.entry;
import static org.pushbridge.store.Samples.tombstone;
import static org.pushbridge.store.Samples.user;
import static org.pushbridge.store.StoreContract.done;
import static org.pushbridge.store.StoreContract.failure;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Tombstone;

/** The database dies, hangs or has no room left, and comes back: the store does, too, by itself, and nothing is lost. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DatabaseFaultsTest {
    private static final Duration PATIENCE = Duration.ofMillis(300);

    private final Path directory;

    DatabaseFaultsTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private static Set<UUID> calls(Store store) {
        return entries(store).stream().map(CallJournal.Entry::call).collect(Collectors.toSet());
    }

    private static void awaitBack(Store store) {
        await().atMost(Duration.ofSeconds(30)).until(() -> !store.isAway());
        // Readers have connections of their own, which may take a moment longer.
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> store.loadUsers() != null);
    }

    private static void signal(String signal, long process) throws Exception {
        assertThat(new ProcessBuilder("kill", signal, Long.toString(process))
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void whatAServerThatWasKilledHadAcknowledgedIsThereAndWhatItIsOwedComesWithItsReturn() throws Exception {
        int port = PostgresServer.unusedPort();
        EmbeddedPostgres server = PostgresServer.start(directory, port);
        StoreSettings settings = StoreSettings.of(server.getJdbcUrl("postgres", "postgres"), "postgres", "")
                .with(PATIENCE);
        UUID begun = UUID.randomUUID();
        UUID ended = UUID.randomUUID();
        UUID refused = UUID.randomUUID();
        UUID meanwhile = UUID.randomUUID();
        Tombstone buried = tombstone(begun, SOME_TIME, DeviceId.of(ALICE, "1"));
        try (Store store = Store.open(settings)) {
            done(store.write(entry(begun, "parked"), List.of()));
            done(store.write(entry(ended, "answered"), List.of()));
            long postmaster = Long.parseLong(Files.readAllLines(directory.resolve("postmaster.pid"))
                    .get(0)
                    .strip());
            signal("-KILL", postmaster);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> !ProcessHandle.of(postmaster)
                            .map(ProcessHandle::isAlive)
                            .orElse(false));

            assertThat(failure(store.write(entry(begun, "over"), List.of(buried))))
                    .hasMessageContaining("is away");
            assertThat(store.isAway()).isTrue();
            assertThat(failure(store.end(ended))).hasMessageContaining("is away");
            assertThat(failure(store.write(entry(meanwhile, "parked"), List.of())))
                    .hasMessageContaining("is away");
            assertThat(failure(store.write(entry(refused, "parked"), List.of())))
                    .hasMessageContaining("is away");
            assertThat(failure(store.end(refused))).hasMessageContaining("is away");
            assertThat(failure(store.saveUser(user(BOB)))).hasMessageContaining("is away");
            assertThat(store.failedWrites()).isEqualTo(6);

            server.close();
            server = PostgresServer.start(directory, port);

            awaitBack(store);
            done(store.saveUser(user(ALICE)));
            assertThat(calls(store)).containsExactlyInAnyOrder(begun, meanwhile);
            assertThat(entries(store).get(0).state()).asString().isEqualTo("over");
            assertThat(store.loadTombstones(SOME_TIME)).containsExactly(buried);
            // The phone was told that it is not registered; it is not, unless it tries again.
            assertThat(store.loadUsers()).containsExactly(user(ALICE));
        } finally {
            server.close();
        }
    }

    @Test
    void aTableThatAnotherSessionHoldsLetsWritesFailInTimeAndComesBackByItself() throws Exception {
        StoreSettings settings = StoreSettings.of(
                        PostgresServer.newDatabase(), PostgresServer.USER, PostgresServer.PASSWORD)
                .with(PATIENCE);
        UUID call = UUID.randomUUID();
        try (Store store = Store.open(settings);
                Connection other = DriverManager.getConnection(settings.url(), settings.user(), settings.password());
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE");

            assertThat(failure(store.write(entry(call, "parked"), List.of()))).hasMessageContaining("is away");
            assertThat(store.isAway()).isTrue();
            other.rollback();

            awaitBack(store);
            assertThat(calls(store)).containsExactly(call);
        }
    }

    /** Whoever must not be told before it is on disk waits. */
    @Test
    void aDatabaseThatIsOnlySlowIsBehindAndNotAway() throws Exception {
        StoreSettings settings = StoreSettings.of(
                        PostgresServer.newDatabase(), PostgresServer.USER, PostgresServer.PASSWORD)
                .with(Duration.ofSeconds(30));
        UUID call = UUID.randomUUID();
        try (Store store = Store.open(settings);
                Connection other = DriverManager.getConnection(settings.url(), settings.user(), settings.password());
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE");

            CompletionStage<Void> written = store.write(entry(call, "parked"), List.of());
            await().atMost(Duration.ofSeconds(15)).until(store::isBehind);
            assertThat(store.isAway()).isFalse();
            other.rollback();

            done(written);
            await().until(() -> !store.isBehind());
            assertThat(calls(store)).containsExactly(call);
        }
    }

    @Test
    void aServerProcessThatHangsIsNoticedAndComesBackByItself() throws Exception {
        StoreSettings settings = StoreSettings.of(
                        PostgresServer.newDatabase(), PostgresServer.USER, PostgresServer.PASSWORD)
                .with(PATIENCE);
        UUID call = UUID.randomUUID();
        try (Store store = Store.open(settings)) {
            long writing = writingProcess();
            signal("-STOP", writing);
            try {
                assertThat(failure(store.write(entry(call, "parked"), List.of())))
                        .hasMessageContaining("is away");
                assertThat(store.isAway()).isTrue();
            } finally {
                signal("-CONT", writing);
            }

            awaitBack(store);
            assertThat(calls(store)).containsExactly(call);
        }
    }

    /** Of the newest database, where the store is the only one with a lock. */
    private static long writingProcess() throws Exception {
        try (Connection connection = PostgresServer.superuser().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' ORDER BY database DESC LIMIT 1")) {
            row.next();
            return row.getLong(1);
        }
    }

    /** The limit of a file's size stands in for the drive's: to H2 it is an error of the same call. */
    @Test
    void aDiskThatIsFullForAWhileLosesNothing() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/prlimit")), "prlimit is not installed (util-linux)");
        String url = "jdbc:h2:file:" + directory.resolve("database");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        StubbornProcess.class.getName(),
                        url)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Set<UUID> asked = new HashSet<>();
        try (BufferedReader output = process.inputReader(StandardCharsets.US_ASCII)) {
            readUntil(output, asked, "ack", 50);
            limitFiles(process.pid(), Files.size(directory.resolve("database.mv.db")) + ":");
            readUntil(output, asked, "failed", 3);
            limitFiles(process.pid(), "unlimited:");
            readUntil(output, asked, "ack", 50);
            assertThat(process.toHandle().destroyForcibly()).isTrue();
        } finally {
            process.destroyForcibly();
            assertThat(process.waitFor(30, SECONDS)).isTrue();
        }

        try (Store store = Store.open(StoreSettings.of(url, "pushbridge", ""))) {
            assertThat(calls(store)).containsAll(asked);
        }
    }

    /** Reads what the process says until it has said so of so many calls, one after the other. */
    private static void readUntil(BufferedReader output, Set<UUID> asked, String what, int count) throws IOException {
        for (int inARow = 0; inARow < count; ) {
            String line = output.readLine();
            assertThat(line).as("the process ended").isNotNull();
            inARow = line.startsWith(what + " ") ? inARow + 1 : 0;
            asked.add(UUID.fromString(line.substring(line.indexOf(' ') + 1)));
        }
    }

    private static void limitFiles(long process, String limit) throws Exception {
        assertThat(new ProcessBuilder("/usr/bin/prlimit", "--pid", Long.toString(process), "--fsize=" + limit)
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
    }
}
