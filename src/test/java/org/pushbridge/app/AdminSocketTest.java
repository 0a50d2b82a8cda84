package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.device.User;

@Timeout(30)
class AdminSocketTest {
    private static final Aor ALICE = Aor.parse("alice@example.com");
    private static final User USER = Server.withPassword(ALICE, "secret".toCharArray());

    private final Path path;
    private final DeviceDirectory directory = DeviceDirectory.load(new UnkeptDevices());
    private final Users users = new DirectoryUsers(directory, Clock.systemUTC(), () -> {});
    private Optional<AdminSocket> socket = Optional.empty();

    AdminSocketTest(@TempDir Path folder) {
        this.path = folder.resolve("data").resolve("pushbridge.sock");
    }

    @AfterEach
    void closeSocket() throws IOException {
        if (socket.isPresent()) {
            socket.get().close();
        }
    }

    @Test
    void aUserAddedThroughItIsKnownToTheServerAtOnce() {
        open();

        assertThat(client().add(USER, false)).isTrue();

        assertThat(directory.user(ALICE)).contains(USER);
        assertThat(client().add(USER, false)).as("there is one already").isFalse();
        assertThat(client().add(USER, true)).isTrue();
    }

    @Test
    void usersAreListedWithTheirDevices() throws Exception {
        open();
        client().add(USER, false);
        DeviceId id = DeviceId.of(ALICE, "<urn:uuid:1>");
        directory
                .update(ALICE, id, none -> Optional.of(device(id)))
                .toCompletableFuture()
                .get();

        assertThat(client().list()).containsExactly(new Users.Listed(ALICE, 1, 1, 1));
    }

    @Test
    void devicesAreToldWithTheirPushBudgetAndWithoutTheirTokens() throws Exception {
        PushBudget budget = new PushBudget(1, Duration.ofHours(1));
        Users server = new DirectoryUsers(directory, Clock.systemUTC(), flow -> false, Optional.of(budget), () -> {});
        socket = Optional.of(AdminSocket.open(path, server));
        client().add(USER, false);
        DeviceId id = DeviceId.of(ALICE, "<urn:uuid:1>");
        directory
                .update(ALICE, id, none -> Optional.of(device(id)))
                .toCompletableFuture()
                .get();
        budget.take(id, Instant.now().minus(PushBudget.ANSWER_WITHIN));

        assertThat(client().devices(Optional.of(ALICE))).isEqualTo(server.devices(Optional.of(ALICE)));
        assertThat(client().devices(Optional.empty())).singleElement().satisfies(device -> {
            assertThat(device.id()).isEqualTo(id);
            assertThat(device.state()).isEqualTo(DeviceStatus.State.ASLEEP);
            assertThat(device.environment()).contains("sandbox");
            assertThat(device.voipToken()).isTrue();
            assertThat(device.regularToken()).isFalse();
            assertThat(device.budget().orElseThrow().wasted()).isEqualTo(1);
            assertThat(device.budget().orElseThrow().pausedUntil()).isPresent();
        });
        assertThat(client().devices(Optional.of(Aor.parse("bob@example.com")))).isEmpty();
        assertThat(answerTo("{\"do\":\"devices\"}\n")).contains(id.value()).doesNotContain("00112233");
        assertThat(answerTo("{\"do\":\"devices\",\"address\":\"x\"}\n")).contains("is not an address of record");
    }

    @Test
    void aRemovedUserIsGone() {
        open();
        client().add(USER, false);

        assertThat(client().remove(ALICE)).isTrue();

        assertThat(directory.users()).isEmpty();
        assertThat(client().remove(ALICE)).isFalse();
    }

    @Test
    void onlyItsOwnerCanUseIt() throws IOException {
        open();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        try (var left = Files.list(path.getParent())) {
            assertThat(left).containsExactly(path);
        }
    }

    @Test
    void withoutAServerNobodyAnswers() {
        assertThat(AdminClient.find(path)).isEmpty();
    }

    @Test
    void whatADeadServerLeftBehindIsNoServerAndIsReplaced() throws IOException {
        Files.createDirectories(path.getParent());
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(AdminClient.find(path)).isEmpty();

        open();

        assertThat(client().list()).isEmpty();
    }

    @Test
    void aSecondServerOnTheSameSocketIsRefused() {
        open();

        assertThatThrownBy(() -> AdminSocket.open(path, users))
                .isInstanceOf(CannotStart.class)
                .hasMessageContaining("Another Pushbridge answers");
        assertThat(client().list()).as("the first goes on").isEmpty();
    }

    @Test
    void aFileInItsPlaceIsNotTouched() throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, "precious");

        assertThatThrownBy(() -> AdminSocket.open(path, users))
                .isInstanceOf(CannotStart.class)
                .hasMessageContaining("a file or folder of that name");
        assertThat(path).hasContent("precious");
    }

    @Test
    void nothingIsLeftWhenItIsClosed() throws IOException {
        open();

        socket.orElseThrow().close();

        assertThat(path).doesNotExist();
    }

    @Test
    void nonsenseIsAnsweredWithASentence() throws IOException {
        open();

        assertThat(answerTo("hello\n")).isEqualTo("{\"error\":\"A request must be one JSON object in a line\"}");
        assertThat(answerTo("{\"do\":\"fly\"}\n")).contains("list, add, remove and devices");
        assertThat(answerTo("{\"do\":\"add\",\"address\":\"alice\"}\n")).contains("is not an address of record");
        assertThat(answerTo("{\"do\":\"add\",\"address\":\"alice@example.com\",\"ha1-md5\":\"x\"}\n"))
                .contains("32 lower-case hexadecimal digits");
        assertThat(answerTo("x".repeat(9000))).contains("one JSON object");
        assertThat(client().list()).as("and it goes on").isEmpty();
    }

    @Test
    void aSilentClientDoesNotKeepOthersOut() throws IOException {
        socket = Optional.of(AdminSocket.open(path, users, Duration.ofMillis(100)));
        try (SocketChannel silent = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            assertThat(client().list()).isEmpty();
            assertThat(silent.isOpen()).isTrue();
        }
    }

    private void open() {
        socket = Optional.of(AdminSocket.open(path, users));
    }

    private Users client() {
        return AdminClient.find(path).orElseThrow();
    }

    private String answerTo(String request) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            channel.write(StandardCharsets.UTF_8.encode(request));
            return new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8))
                    .readLine();
        }
    }

    private static Device device(DeviceId id) {
        InetSocketAddress local = new InetSocketAddress(InetAddress.getLoopbackAddress(), 5060);
        return new Device(
                id,
                ALICE,
                "<urn:uuid:1>",
                Optional.of(new PushTarget(
                        ApnsEnvironment.SANDBOX,
                        "ABCDE12345",
                        "com.example.phone",
                        Optional.of(new PushToken("00112233445566778899")),
                        Optional.empty(),
                        Instant.now(),
                        "apns",
                        "",
                        "")),
                Optional.empty(),
                List.of(new Binding(
                        "sip:alice@127.0.0.1",
                        "",
                        1000,
                        OptionalInt.empty(),
                        new Flow("udp", local, local, 0),
                        List.of(),
                        "call",
                        1,
                        Instant.now(),
                        Duration.ofHours(1),
                        "",
                        false)));
    }
}
