package org.pushbridge.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.BOB;
import static org.pushbridge.store.Samples.device;
import static org.pushbridge.store.Samples.entries;
import static org.pushbridge.store.Samples.entry;
import static org.pushbridge.store.Samples.user;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.device.CallJournal;

/** The store on a file. */
class H2StoreTest extends StoreContract {
    private final Path directory;

    H2StoreTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @Override
    StoreSettings newDatabase() {
        return at(directory.resolve("new").resolve(UUID.randomUUID().toString()));
    }

    private static StoreSettings at(Path path) {
        return StoreSettings.of("jdbc:h2:file:" + path, "pushbridge", "correct-secret");
    }

    private Path file() {
        return Path.of(settings.url().substring("jdbc:h2:file:".length()) + ".mv.db");
    }

    @Test
    void theFileAndItsDirectoryAreForTheirOwnerOnly() throws Exception {
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file().getParent())))
                .isEqualTo("rwx------");
    }

    @Test
    void aFileThatIsNoDatabaseIsReportedAndLeftAsItIs() throws Exception {
        byte[] notes = "Things to buy: a bigger disk.\n".repeat(1000).getBytes(StandardCharsets.UTF_8);
        Files.write(directory.resolve("notes.mv.db"), notes);

        assertThatThrownBy(() -> Store.open(at(directory.resolve("notes"))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("notes.mv.db is damaged")
                .hasMessageContaining("backup");
        assertThat(directory.resolve("notes.mv.db")).hasBinaryContent(notes);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 4096, 5000, 8192, 9000})
    void aFileCutShortIsReportedAndLeftAsItIs(int length) throws Exception {
        done(store.saveUser(user(ALICE)));
        store.close();
        byte[] cut = Arrays.copyOf(Files.readAllBytes(file()), length);
        Files.write(file(), cut);

        assertThatThrownBy(() -> Store.open(settings))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("is damaged")
                .hasMessageContaining("backup");
        assertThat(file()).hasBinaryContent(cut);
    }

    @Test
    void aFileOverwrittenWithZeroesIsReportedAndLeftAsItIs() throws Exception {
        done(store.saveUser(user(ALICE)));
        store.close();
        byte[] zeroes = new byte[(int) Files.size(file())];
        Files.write(file(), zeroes);

        assertThatThrownBy(() -> Store.open(settings))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("is damaged");
        assertThat(file()).hasBinaryContent(zeroes);
    }

    @Test
    void aDirectoryThatCannotBeCreatedIsNamed() throws Exception {
        Files.writeString(directory.resolve("file"), "in the way");

        assertThatThrownBy(() ->
                        Store.open(at(directory.resolve("file").resolve("sub").resolve("database"))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(
                        "The directory " + directory.resolve("file").resolve("sub"))
                .hasMessageContaining("cannot be created");
        assertThatThrownBy(() -> Store.open(at(directory.resolve("file").resolve("database"))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(directory.resolve("file") + " is no directory");
    }

    @Test
    void missingPermissionsAreNamed() throws Exception {
        assumeFalse(System.getProperty("user.name").equals("root"), "root may do everything");
        store.close();
        assertThat(file().toFile().setReadOnly()).isTrue();
        Path readOnly = Files.createDirectory(directory.resolve("read-only"));
        assertThat(readOnly.toFile().setWritable(false)).isTrue();

        assertThatThrownBy(() -> Store.open(settings))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("may not be read and written by the user");
        assertThatThrownBy(() -> Store.open(at(readOnly.resolve("database"))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(readOnly + " is no directory that the user");
    }

    @Test
    void aDirectoryInThePlaceOfTheFileIsNamed() throws Exception {
        Files.createDirectories(directory.resolve("database.mv.db"));

        assertThatThrownBy(() -> Store.open(at(directory.resolve("database"))))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("is not a file");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:mysql://localhost/bridge?password=hidden-secret",
                "jdbc:h2:mem:bridge;PASSWORD=hidden-secret",
                "pushbridge.db",
                ""
            })
    void aDatabaseOfAnUnknownKindIsRefusedWithAnExample(String url) {
        assertThatThrownBy(() -> Store.open(StoreSettings.of(url, "u", "p")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("jdbc:h2:file:PATH")
                .hasMessageContaining("jdbc:postgresql:")
                .hasMessageNotContaining("hidden-secret");
    }

    @Test
    void optionsThatCouldTakeBackThePromisesAreRefused() {
        assertThatThrownBy(() -> Store.open(
                        StoreSettings.of("jdbc:h2:file:" + directory.resolve("x") + ";FILE_LOCK=NO", "u", "p")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("leave them out");
    }

    /** As many bytes as make H2 begin to save by itself, on a thread of its own. */
    @Test
    void whatIsAcknowledgedHasReachedTheFileHoweverMuchItIs() throws Exception {
        byte[] large = new byte[100_000];
        new Random(1).nextBytes(large);
        Path copy = directory.resolve("copy.mv.db");
        CountDownLatch release = holdWriter();
        List<CompletionStage<Void>> writes = Stream.generate(
                        () -> store.write(new CallJournal.Entry(UUID.randomUUID(), large, large), List.of()))
                .limit(95)
                .toList();
        CompletionStage<Void> copied = writes.get(0).thenRun(() -> {
            try {
                Files.copy(file(), copy);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        release.countDown();
        done(copied);
        writes.forEach(StoreContract::done);

        try (Store asAfterAKill = Store.open(at(directory.resolve("copy")))) {
            assertThat(entries(asAfterAKill)).hasSize(95);
        }
    }

    /** They would save what was asked for while the writer finds nothing to do. */
    @Test
    void h2HasNoThreadsOfItsOwn() throws Exception {
        store.close();
        try (Connection connection = new H2File(settings).connectFirst()) {
            assertThat(H2File.mvStore(connection).getAutoCommitDelay()).isZero();
        }
    }

    @Test
    void theRoomOfWhatWasReplacedIsUsedAgain() throws Exception {
        UUID call = UUID.randomUUID();
        long size = 0;
        for (int inARow = 0; inARow < 100; inARow++) {
            done(store.write(entry(call, "state"), List.of()));
            if (Files.size(file()) != size) {
                size = Files.size(file());
                inARow = 0;
            }
        }

        assertThat(states()).containsExactly("state");
    }

    @Test
    void callsThatAnEarlierVersionKeptInATableAreTakenOver() throws Exception {
        List<CallJournal.Entry> earlier = Stream.generate(() -> entry(UUID.randomUUID(), "earlier"))
                .limit(1_100)
                .toList();
        store.close();
        insert(earlier, 1);
        store = Store.open(settings);
        assertThat(store.journalledCalls()).isEqualTo(1_100);
        UUID later = UUID.randomUUID();
        done(store.write(entry(later, "later"), List.of()));
        done(store.write(entry(earlier.get(1).call(), "changed"), List.of()));
        done(store.end(earlier.get(0).call()));
        store.close();
        // As if it had died before it was off the table.
        insert(List.of(earlier.get(2)), 3);
        store = Store.open(settings);

        assertThat(entries(store).stream().map(CallJournal.Entry::call))
                .containsExactlyElementsOf(
                        Stream.concat(earlier.stream().skip(1).map(CallJournal.Entry::call), Stream.of(later))
                                .toList());
        assertThat(states().get(0)).isEqualTo("changed");
    }

    private void insert(List<CallJournal.Entry> calls, int place) throws SQLException {
        try (Connection connection = connect();
                PreparedStatement insert = connection.prepareStatement("INSERT INTO calls (place, call_id, invite,"
                        + " state) OVERRIDING SYSTEM VALUE VALUES (?, ?, ?, ?)")) {
            for (int i = 0; i < calls.size(); i++) {
                insert.setLong(1, place + i);
                insert.setObject(2, calls.get(i).call());
                insert.setBytes(3, calls.get(i).invite());
                insert.setBytes(4, calls.get(i).state());
                insert.executeUpdate();
            }
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(settings.url(), settings.user(), settings.password());
    }

    @ParameterizedTest
    @ValueSource(strings = {"SHUTDOWN COMPACT", "SHUTDOWN DEFRAG"})
    void callsAreLeftAloneWhenH2TidiesItsFile(String tidying) throws Exception {
        UUID call = UUID.randomUUID();
        done(store.write(entry(call, "parked"), List.of()));
        store.close();
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(tidying);
        }
        store = Store.open(settings);

        assertThat(states()).containsExactly("parked");
        done(store.end(call));
        assertThat(states()).isEmpty();
    }

    @Test
    void anInterruptedReaderDoesNotBringTheStoreDown() throws Exception {
        done(store.saveUser(user(ALICE)));
        reopen();
        Thread reader = new Thread(() -> {
            Thread.currentThread().interrupt();
            try {
                store.loadDevices();
                store.loadUsers();
            } catch (StoreException interrupted) {
                assertThat(interrupted).hasMessageContaining("Reading");
            }
        });
        reader.start();
        reader.join();

        done(store.saveUser(user(BOB)));
        done(store.saveDevice(device(BOB, "1")));

        assertThat(store.loadUsers()).containsExactly(user(ALICE), user(BOB));
        reopen();
        assertThat(store.loadUsers()).containsExactly(user(ALICE), user(BOB));
        assertThat(store.loadDevices()).containsExactly(device(BOB, "1"));
    }

    @Test
    void theSettingsDoNotShowThePassword() {
        assertThat(new StoreSettings(
                                "jdbc:postgresql://db/bridge?user=u&password=hidden-secret",
                                "u",
                                "hidden-secret",
                                2,
                                1,
                                1,
                                Duration.ZERO,
                                StoreSettings.Durability.DISK)
                        .toString())
                .contains("jdbc:postgresql://db/bridge")
                .doesNotContain("hidden-secret");
    }
}
