package org.pushbridge.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.SOME_TIME;
import static org.pushbridge.store.Samples.device;
import static org.pushbridge.store.Samples.entries;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pushbridge.device.Device;
import org.pushbridge.device.Tombstone;
import org.pushbridge.store.StoreSettings.Durability;

/** The file in the hands of a second process, and what is in it after that process was killed (invariant 7). */
class ProcessDeathTest {
    private static final int ACKS_BEFORE_THE_KILL = 300;
    private static final int LIVES = 2;

    private final Path directory;

    ProcessDeathTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private String url() {
        return "jdbc:h2:file:" + directory.resolve("database");
    }

    private Process start(String task, String prefix, Durability durability) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        AckingProcess.class.getName(),
                        url(),
                        task,
                        prefix,
                        durability.name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(30, SECONDS)).isTrue();
    }

    /** Lets a process write until it has been told that enough is on disk, and kills it. */
    private Set<Integer> acknowledgedBeforeTheKill(String task, String prefix, Durability durability) throws Exception {
        Set<Integer> acknowledged = new HashSet<>();
        Process process = start(task, prefix, durability);
        try (BufferedReader output = process.inputReader(StandardCharsets.US_ASCII)) {
            assertThat(output.readLine()).isEqualTo("open");
            while (acknowledged.size() < ACKS_BEFORE_THE_KILL) {
                AckingProcess.acknowledged(output.readLine()).ifPresent(acknowledged::add);
            }
            // Not process.destroyForcibly(), which would also close the stream.
            assertThat(process.toHandle().destroyForcibly()).isTrue();
            // What it said before it died.
            output.lines().forEach(line -> AckingProcess.acknowledged(line).ifPresent(acknowledged::add));
            return acknowledged;
        } finally {
            kill(process);
        }
    }

    @ParameterizedTest
    @EnumSource
    void devicesThatWereAcknowledgedAreThereAfterEachKill(Durability durability) throws Exception {
        for (int life = 1; life <= LIVES; life++) {
            String prefix = "life " + life + ", device ";
            List<Device> expected = acknowledgedBeforeTheKill("devices", prefix, durability).stream()
                    .map(number -> device(ALICE, prefix + number))
                    .toList();
            try (Store store = Store.open(StoreSettings.of(url(), "pushbridge", ""))) {
                assertThat(store.loadDevices()).containsAll(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void callsThatWereAcknowledgedAreThereAfterEachKillAndThoseThatEndedAreNot(Durability durability) throws Exception {
        for (int life = 1; life <= LIVES; life++) {
            String prefix = "life " + life + ", call ";
            Set<Integer> acknowledged = acknowledgedBeforeTheKill("calls", prefix, durability);
            try (Store store = Store.open(StoreSettings.of(url(), "pushbridge", ""))) {
                Map<UUID, String> calls = new HashMap<>();
                entries(store).forEach(e -> calls.put(e.call(), new String(e.state(), StandardCharsets.UTF_8)));
                List<UUID> buried = store.loadTombstones(SOME_TIME).stream()
                        .map(Tombstone::call)
                        .toList();
                assertThat(acknowledged).allSatisfy(number -> {
                    UUID call = AckingProcess.call(prefix + number);
                    assertThat(calls.get(call)).isEqualTo(number % 3 == 2 ? null : "answered");
                    assertThat(buried.contains(call)).isEqualTo(number % 3 == 1);
                });
                // Written together, so there together, acknowledged or not.
                assertThat(buried).allSatisfy(call -> assertThat(calls).containsEntry(call, "answered"));
            }
        }
    }

    @Test
    void aFileInUseByAnotherProcessIsReportedUntilThatOneIsGone() throws Exception {
        Process process = start("hold", "", Durability.PROCESS);
        try (BufferedReader output = process.inputReader(StandardCharsets.US_ASCII)) {
            assertThat(output.readLine()).isEqualTo("open");

            assertThatThrownBy(() -> Store.open(StoreSettings.of(url(), "pushbridge", "")))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("Another Pushbridge runs on the database file")
                    .hasMessageContaining("database.mv.db");
        } finally {
            kill(process);
        }

        Store.open(StoreSettings.of(url(), "pushbridge", "")).close();
    }
}
