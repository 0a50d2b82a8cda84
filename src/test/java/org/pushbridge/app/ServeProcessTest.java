package org.pushbridge.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.sim.pbx.SimulatedPbx;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** The server as a process of its own, and how it ends when it is told to. */
@DisabledOnOs(OS.WINDOWS)
class ServeProcessTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path folder;
    private final InetSocketAddress address;
    private final SimulatedPbx caller = pbx("127.0.0.1");
    /** Rings for ever, unless told otherwise. */
    private final SimulatedPbx callee = pbx("127.0.0.2");

    private Optional<Process> process = Optional.empty();

    ServeProcessTest(@TempDir Path folder) throws Exception {
        this.folder = folder;
        try (DatagramSocket free = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            this.address = (InetSocketAddress) free.getLocalSocketAddress();
        }
    }

    private static SimulatedPbx pbx(String ip) {
        try {
            return SimulatedPbx.open(
                    Transport.UDP, new InetSocketAddress(InetAddress.getByName(ip), 0), (sent, message) -> {});
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void stop() {
        caller.close();
        callee.close();
        process.ifPresent(Process::destroyForcibly);
    }

    private Path config(String drainLimit) throws Exception {
        return Files.writeString(folder.resolve("pushbridge.conf"), """
                sip.listen = ["udp:127.0.0.1:%2$d"]
                calls.drain-limit = %3$s
                trunks.pbx { addresses = ["127.0.0.2"], destination = "sip:127.0.0.2:%4$d", prefixes = [""] }
                database.url = "jdbc:h2:file:%1$s/bridge"
                admin.socket = "%1$s/admin.sock"
                """.formatted(
                        folder, address.getPort(), drainLimit, callee.address().getPort()));
    }

    private static void addAlice(Path config) {
        try (Users users = Server.users(Config.load(config))) {
            users.add(Server.withPassword(Aor.parse("alice@example.com"), "secret".toCharArray()), false);
        }
    }

    private Process serve(String drainLimit) throws Exception {
        Path file = config(drainLimit);
        Process started = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "serve",
                        "-c",
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        process = Optional.of(started);
        await().atMost(PATIENCE).until(() -> log().contains("Ready:"));
        addAlice(file);
        return started;
    }

    private String log() throws Exception {
        return Files.readString(folder.resolve("log"), UTF_8);
    }

    /** A call of alice to a number beyond the trunk. */
    private UaCall call() {
        return caller.call(
                address,
                "sip:alice@example.com",
                "sip:1000@example.com",
                Optional.of(Credentials.of("alice", "secret")));
    }

    private UaCall ringingCall() {
        int before = callee.received().size();
        UaCall call = call();
        await().atMost(PATIENCE)
                .until(() -> call.statuses().contains(180) && callee.received().size() == before + 1);
        return call;
    }

    private static int exit(Process process) throws InterruptedException {
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @Test
    void toldToStopItWaitsForTheCallThatRingsAndTakesNoNewOne() throws Exception {
        Process server = serve("1m");
        UaCall ringing = ringingCall();

        server.destroy();
        await().atMost(PATIENCE).until(() -> log().contains("Stopping: calls that ring or wait: 1; at most 60 s more"));
        UaCall late = call();
        assertThat(late.outcome()).succeedsWithin(PATIENCE).isEqualTo(503);
        assertThat(late.responses().get(late.responses().size() - 1).header("Retry-After"))
                .contains("60");
        assertThat(server.isAlive()).isTrue();

        callee.received().get(0).answer();

        assertThat(ringing.outcome()).succeedsWithin(PATIENCE).isEqualTo(200);
        assertThat(exit(server)).isZero();
        assertThat(ringing.ended()).as("an answered call is nobody's to end").isNotDone();
        assertThat(callee.received().get(0).ended()).isNotDone();
        assertThat(log()).contains("Stopped").doesNotContain("ERROR");
    }

    @Test
    void aCallThatIsStillUnansweredAtTheLimitIsEnded() throws Exception {
        Path file = config("500ms");
        try (Server server = Server.start(Config.load(file))) {
            addAlice(file);
            UaCall ringing = ringingCall();

            server.drain(() -> false);

            assertThat(ringing.outcome()).succeedsWithin(PATIENCE).isEqualTo(480);
            assertThat(callee.received().get(0).ended())
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(UaCall.End.CANCELLED);
            assertThat(server.sip().unanswered()).isZero();
        }
    }

    @Test
    void aSecondSignalEndsTheWait() throws Exception {
        Process server = serve("10m");
        UaCall ringing = ringingCall();

        server.destroy();
        await().atMost(PATIENCE).until(() -> log().contains("Stopping: calls that ring or wait: 1"));
        server.toHandle().destroy();

        assertThat(exit(server)).isZero();
        assertThat(ringing.outcome()).succeedsWithin(PATIENCE).isEqualTo(480);
        assertThat(List.of(log().split("\n"))).anyMatch(line -> line.contains("not waiting for calls any more"));
    }
}
