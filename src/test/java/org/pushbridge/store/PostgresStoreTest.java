package org.pushbridge.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.BOB;
import static org.pushbridge.store.Samples.device;
import static org.pushbridge.store.Samples.user;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store on a real PostgreSQL. */
class PostgresStoreTest extends StoreContract {
    @Override
    StoreSettings newDatabase() throws SQLException {
        return StoreSettings.of(PostgresServer.newDatabase(), PostgresServer.USER, PostgresServer.PASSWORD);
    }

    @Test
    void writesThatWaitShareATransaction() throws Exception {
        reopenWith(1000, 50);
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            writes.add(store.saveDevice(device(ALICE, "" + i)));
        }
        release.countDown();
        writes.forEach(StoreContract::done);

        try (Connection connection = DriverManager.getConnection(settings.url(), settings.user(), settings.password());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(DISTINCT xmin::text) FROM devices")) {
            row.next();
            assertThat(row.getInt(1)).isEqualTo(2);
        }
    }

    @Test
    void twoServersThatStartAtOnceAgreeOnASecret() {
        try (Store other = Store.openBeside(settings)) {
            CyclicBarrier bothFoundNone = new CyclicBarrier(2);
            AtomicInteger made = new AtomicInteger();
            Supplier<byte[]> fresh = () -> {
                try {
                    bothFoundNone.await(30, TimeUnit.SECONDS);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
                return new byte[] {(byte) made.incrementAndGet()};
            };
            CompletableFuture<byte[]> theirs = CompletableFuture.supplyAsync(() -> other.secret("key", fresh));
            byte[] ours = store.secret("key", fresh);

            assertThat(theirs).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(ours);
            assertThat(made).hasValue(2);
        }
    }

    @Test
    void aDatabaseThatDoesNotExistIsNamed() {
        StoreSettings none =
                StoreSettings.of(PostgresServer.url("nowhere"), PostgresServer.USER, PostgresServer.PASSWORD);

        assertThatThrownBy(() -> Store.open(none))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("has no database")
                .hasMessageContaining("nowhere");
    }

    @Test
    void aServerThatCannotBeReachedIsNamed() throws IOException {
        int port = PostgresServer.unusedPort();
        StoreSettings away =
                StoreSettings.of("jdbc:postgresql://localhost:" + port + "/bridge?password=hidden-secret", "u", "p");

        assertThatThrownBy(() -> Store.open(away))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("cannot be reached")
                .hasMessageContaining("localhost:" + port)
                .hasMessageNotContaining("hidden-secret");
    }

    @Test
    void aUserWithoutRightsIsNamed() throws Exception {
        StoreSettings other = newDatabase();
        try (Connection connection = PostgresServer.superuser().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP ROLE IF EXISTS guest");
            statement.execute("CREATE ROLE guest LOGIN");
        }

        assertThatThrownBy(() -> Store.open(StoreSettings.of(other.url(), "guest", "")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("'guest' may not do what is needed");
    }

    private void dropConnections() throws SQLException {
        try (Connection connection = PostgresServer.superuser().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = '"
                    + settings.url().substring(settings.url().lastIndexOf('/') + 1) + "'");
        }
    }

    @Test
    void connectionsThatTheServerDropsAreReplaced() throws Exception {
        done(store.saveUser(user(ALICE)));
        dropConnections();

        done(store.saveUser(user(BOB)));

        assertThat(store.loadUsers()).containsExactly(user(ALICE), user(BOB));
        assertThat(store.isAway()).isFalse();
        assertThatThrownBy(() -> Store.open(settings)).hasMessageContaining("Another Pushbridge runs");
    }

    @Test
    void aSecondBridgeOnTheDatabaseIsRefusedUntilTheFirstIsGoneButACommandIsNot() {
        assertThatThrownBy(() -> Store.open(settings))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("Another Pushbridge runs on the database " + settings.place())
                .hasMessageContaining("in pg_stat_activity")
                .hasMessageContaining("stop it");
        try (Store command = Store.openBeside(settings)) {
            done(command.saveUser(user(ALICE)));
        }

        reopen();
        assertThat(store.loadUsers()).containsExactly(user(ALICE));
    }

    @Test
    void aBridgeThatLostItsDatabaseToAnotherWritesNoMore() throws Exception {
        settings = settings.with(Duration.ZERO);
        reopen();
        done(store.saveUser(user(ALICE)));
        dropConnections();

        try (Store other = Store.open(settings)) {
            done(other.saveUser(user(BOB)));
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(failure(store.removeUser(BOB)))
                            .hasStackTraceContaining("Another Pushbridge runs"));
            assertThat(store.isAway()).isTrue();
        }

        // Not even when that one is gone: what this one knows is no longer true.
        assertThat(failure(store.removeUser(BOB)))
                .hasStackTraceContaining("Another Pushbridge runs")
                .hasStackTraceContaining("restart this one");
        reopen();
        assertThat(store.loadUsers()).containsExactly(user(ALICE), user(BOB));
    }

    @Test
    void aServerThatNeverForcesItsDriveIsRefusedForDurabilityDisk() {
        StoreSettings disk = settings.with(StoreSettings.Durability.DISK);

        assertThatThrownBy(() -> Store.open(disk))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("has fsync = off")
                .hasMessageContaining("database.durability = process");
    }

    @Test
    void anOutageIsSatOutForAWhileThenReportedAndEndsByItself(@TempDir Path directory) throws Exception {
        int port = PostgresServer.unusedPort();
        EmbeddedPostgres server = PostgresServer.start(directory, port);
        StoreSettings patient = StoreSettings.of(server.getJdbcUrl("postgres", "postgres"), "postgres", "");
        try (Store bridge = Store.open(patient.with(Duration.ofMinutes(1)));
                Store hasty = Store.openBeside(patient.with(Duration.ZERO))) {
            done(bridge.saveUser(user(ALICE)));
            server.close();

            assertThat(failure(hasty.saveUser(user(BOB))))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("Could not save the user sip:bob@example.com")
                    .hasMessageContaining("is away");
            assertThatThrownBy(hasty::loadUsers).isInstanceOf(StoreException.class);
            CompletableFuture<Void> waiting =
                    bridge.saveDevice(device(ALICE, "1")).toCompletableFuture();

            server = PostgresServer.start(directory, port);

            assertThat(waiting).succeedsWithin(Duration.ofSeconds(30));
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                try {
                    hasty.saveUser(user(BOB)).toCompletableFuture().join();
                    return true;
                } catch (RuntimeException stillAway) {
                    return false;
                }
            });
            assertThat(bridge.loadUsers()).containsExactly(user(ALICE), user(BOB));
            assertThat(bridge.loadDevices()).containsExactly(device(ALICE, "1"));
        } finally {
            server.close();
        }
    }
}
