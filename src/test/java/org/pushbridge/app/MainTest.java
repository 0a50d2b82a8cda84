package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.app.demo.DemoBridge;
import org.pushbridge.app.demo.Scenario;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import picocli.CommandLine;

class MainTest {
    private final Path folder;
    private final DeviceDirectory directory = DeviceDirectory.load(new UnkeptDevices());
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Deque<String> typed = new ArrayDeque<>();
    private String standardInput = "";
    private List<Scenario> scenarios = List.of();
    private RuntimeException serverFault = new CannotStart("Port 5060 is in use; stop what uses it");

    MainTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "serve",
                "demo",
                "user",
                "user add",
                "user list",
                "user remove",
                "device",
                "device list",
                "device show"
            })
    void everyCommandExplainsItself(String command) {
        assertThat(run((command + " --help").strip().split(" "))).isZero();

        assertThat(out.toString()).contains("Usage: pushbridge " + command).contains("--help");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void theHelpTeachesCommandsExamplesAndExitCodes() {
        run("--help");

        assertThat(out.toString())
                .contains("serve", "demo", "user", "pushbridge test", "user add alice@example.com", "Exit codes:");
    }

    @Test
    void theVersionTellsTheJavaToo() {
        assertThat(run("--version")).isZero();

        assertThat(out.toString())
                .startsWith("Pushbridge ")
                .contains("Java " + Runtime.version().feature());
    }

    @Test
    void withoutACommandItSaysWhatThereIs() {
        assertThat(run()).isEqualTo(2);

        assertThat(err.toString()).contains("serve, demo, bench, user or device");
    }

    @Test
    void benchWantsToKnowWhatToMeasureAndHowOften() {
        assertThat(run("bench")).isEqualTo(2);
        assertThat(err.toString()).contains("late-wake");
        assertThat(run("bench", "late-wake", "--count", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--count is 1 or more, not 0");
        assertThat(run("bench", "journal", "--seconds", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--seconds is 1 or more, not 0");
        assertThat(run("bench", "journal", "--writers", "10,0")).isEqualTo(2);
        assertThat(err.toString()).contains("--writers are 1 to 5000, not 0");
        assertThat(run("bench", "journal", "--directory", "/nowhere")).isEqualTo(2);
        assertThat(err.toString()).contains("/nowhere is no directory");
    }

    @Test
    void benchJournalMeasuresADurabilityAndLeavesNothingBehind(@TempDir Path drive) {
        assertThat(run(
                        "bench",
                        "journal",
                        "--seconds",
                        "1",
                        "--writers",
                        "2,20",
                        "--durability",
                        "disk",
                        "--json",
                        "--directory",
                        drive.toString()))
                .isZero();
        assertThat(out.toString().lines())
                .hasSize(2)
                .allMatch(line -> line.contains("\"durability\":\"disk\"") && line.contains("\"cpu-us-per-write\""));
        assertThat(drive).isEmptyDirectory();
    }

    @Test
    void aWrongCommandIsBadUsageWithASuggestion() {
        assertThat(run("serv")).isEqualTo(2);

        assertThat(err.toString()).contains("serv", "Did you mean", "serve");
    }

    @Test
    void aWrongOptionIsBadUsage() {
        assertThat(run("user", "add", "alice", "--pasword")).isEqualTo(2);

        assertThat(err.toString()).contains("--pasword");
    }

    @Test
    void aWrongConfigurationIsToldInFullAndEndsWithTwo() throws IOException {
        Path file = Files.writeString(folder.resolve("my.conf"), "calls.ring-limit = 45\ncolour = blue\n");

        assertThat(run("serve", "-c", file.toString())).isEqualTo(2);

        assertThat(err.toString().lines())
                .hasSize(2)
                .anySatisfy(line -> assertThat(line).startsWith(file + ":1: calls.ring-limit is 45, without a unit"))
                .anySatisfy(line -> assertThat(line).startsWith(file + ":2: colour is not a setting"));
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aServerThatCannotStartEndsWithTwoAndOneSentence() {
        assertThat(run("serve")).isEqualTo(2);

        assertThat(err.toString().lines()).containsExactly("Port 5060 is in use; stop what uses it");
    }

    @Test
    void anUnexpectedFailureShowsWhereItHappened() {
        serverFault = new IllegalStateException("boom");

        assertThat(run("serve")).isEqualTo(1);

        assertThat(err.toString()).contains("should not have happened", "boom", "at org.pushbridge");
    }

    @Test
    void aUserIsAddedWithAPasswordTypedTwice() {
        typed.add("secret");
        typed.add("secret");

        assertThat(run("user", "add", "alice")).isZero();

        assertThat(out.toString()).isEqualToIgnoringNewLines("Saved sip:alice@example.com");
        assertThat(directory.user(Aor.parse("alice@example.com")))
                .contains(Server.withPassword(Aor.parse("alice@example.com"), "secret".toCharArray()));
    }

    @Test
    void twoDifferentPasswordsSaveNobody() {
        typed.add("secret");
        typed.add("sercet");

        assertThat(run("user", "add", "alice")).isEqualTo(2);

        assertThat(err.toString()).contains("not the same");
        assertThat(directory.users()).isEmpty();
    }

    @Test
    void withoutATerminalTheWayAroundIsNamed() {
        assertThat(run("user", "add", "alice")).isEqualTo(2);

        assertThat(err.toString()).contains("--password-stdin");
    }

    @Test
    void aPasswordCanBePipedIn() {
        standardInput = "secret";

        assertThat(run("user", "add", "alice@example.com", "--password-stdin")).isZero();

        assertThat(directory.user(Aor.parse("alice@example.com"))).isPresent();
    }

    @Test
    void severalUsersAreAddedAtOnce() {
        typed.add("secret");
        typed.add("secret");
        typed.add("other");
        typed.add("other");

        assertThat(run("user", "add", "alice", "bob@example.com")).isZero();

        assertThat(directory.user(Aor.parse("alice@example.com")))
                .contains(Server.withPassword(Aor.parse("alice@example.com"), "secret".toCharArray()));
        assertThat(directory.user(Aor.parse("bob@example.com")))
                .contains(Server.withPassword(Aor.parse("bob@example.com"), "other".toCharArray()));
    }

    @Test
    void anExistingUserIsKeptUnlessReplaced() {
        standardInput = "one";
        run("user", "add", "alice", "--password-stdin");
        standardInput = "other";

        assertThat(run("user", "add", "alice", "--password-stdin")).isEqualTo(1);
        assertThat(err.toString()).contains("--replace");
        assertThat(run("user", "add", "alice", "--password-stdin", "--replace")).isZero();

        assertThat(directory.user(Aor.parse("alice@example.com")))
                .contains(Server.withPassword(Aor.parse("alice@example.com"), "other".toCharArray()));
    }

    @Test
    void aUserOfAnotherDomainIsRefused() {
        standardInput = "secret";

        assertThat(run("user", "add", "alice@example.org", "--password-stdin")).isEqualTo(2);

        assertThat(err.toString()).contains("example.org is not a domain of this bridge", "example.com");
    }

    @Test
    void usersAreListedForPeopleAndForPrograms() {
        assertThat(run("user", "list")).isZero();
        assertThat(out.toString()).contains("There are no users");
        standardInput = "secret";
        run("user", "add", "alice", "--password-stdin");

        run("user", "list");
        assertThat(out.toString()).containsPattern("sip:alice@example.com +0 +0 +0");

        out.getBuffer().setLength(0);
        run("user", "list", "--json");
        assertThat(out.toString())
                .isEqualToIgnoringWhitespace(
                        "[{\"address\":\"sip:alice@example.com\",\"devices\":0,\"registered\":0,\"wakeable\":0}]");
    }

    @Test
    void devicesAreListedForPeopleAndForPrograms() {
        standardInput = "secret";
        run("user", "add", "alice", "--password-stdin");
        assertThat(run("device", "list", "alice")).isZero();
        assertThat(out.toString()).contains("There are no devices");
        DeviceId id = registered(Optional.of("BadDeviceToken: the token is for the sandbox"));

        out.getBuffer().setLength(0);
        assertThat(run("device", "list")).isZero();
        assertThat(out.toString())
                .containsPattern(id + " +sip:alice@example.com +com.example.phone +unreachable +VoIP +2h +not wakeable:"
                        + " BadDeviceToken: the token is for the sandbox")
                .doesNotContain(TOKEN);

        out.getBuffer().setLength(0);
        assertThat(run("device", "list", "alice", "--json")).isZero();
        assertThat(out.toString())
                .contains("\"state\" : \"unreachable\"", "\"voip-token\" : true", "\"id\" : \"" + id + "\"")
                .doesNotContain(TOKEN);
    }

    @Test
    void aDeviceIsShownWithAllThatIsKnownOfIt() {
        standardInput = "secret";
        run("user", "add", "alice", "--password-stdin");
        DeviceId id = registered(Optional.empty());

        assertThat(run("device", "show", id.value())).isZero();
        assertThat(out.toString())
                .containsPattern("State: +asleep")
                .containsPattern("App: +com.example.phone")
                .containsPattern("Environment: +production")
                .containsPattern("Registered: +2h ago, for another 2[12]h")
                .containsPattern("Over: +tcp 198.51.100.7:40000 to .*, which is closed")
                .containsPattern("User agent: +Phone/1.0")
                .doesNotContain(TOKEN);

        out.getBuffer().setLength(0);
        assertThat(run("device", "show", id.value(), "--json")).isZero();
        assertThat(out.toString()).startsWith("{").contains("\"user-agent\" : \"Phone/1.0\"");
    }

    @Test
    void askingForADeviceOrUserThatIsNotThereFails() {
        assertThat(run("device", "show", "0123456789abcdef")).isEqualTo(1);
        assertThat(err.toString()).contains("There is no device 0123456789abcdef", "device list");

        assertThat(run("device", "show", "alice")).isEqualTo(2);
        assertThat(err.toString()).contains("'alice' is not the id of a device");

        assertThat(run("device", "list", "alice")).isEqualTo(1);
        assertThat(err.toString()).contains("There is no user sip:alice@example.com");

        assertThat(run("device")).isEqualTo(2);
        assertThat(err.toString()).contains("device list or device show");
    }

    private static final String TOKEN = "00112233445566778899";

    /** A phone of alice's that registered two hours ago, over a connection that is gone. */
    private DeviceId registered(Optional<String> fault) {
        Aor alice = Aor.parse("alice@example.com");
        DeviceId id = DeviceId.of(alice, "instance:urn:uuid:1");
        Instant at = Instant.now().minus(Duration.ofMinutes(121));
        PushTarget target = new PushTarget(
                ApnsEnvironment.PRODUCTION,
                "ABCDE12345",
                "com.example.phone",
                Optional.of(new PushToken(TOKEN)),
                Optional.empty(),
                at,
                "apns",
                "",
                TOKEN);
        Flow flow = new Flow(
                "tcp", new InetSocketAddress("192.0.2.9", 5060), new InetSocketAddress("198.51.100.7", 40000), 7);
        Binding binding = new Binding(
                "sip:alice@10.0.0.1;pn-prid=" + TOKEN,
                "",
                1000,
                OptionalInt.empty(),
                flow,
                List.of(),
                "call",
                1,
                at,
                Duration.ofDays(1),
                "Phone/1.0",
                false);
        Device device = new Device(id, alice, "instance:urn:uuid:1", Optional.of(target), fault, List.of(binding));
        directory
                .update(alice, id, none -> Optional.of(device))
                .toCompletableFuture()
                .join();
        return id;
    }

    @Test
    void removingAUserWhoIsNotThereFails() {
        standardInput = "secret";
        run("user", "add", "alice", "--password-stdin");

        assertThat(run("user", "remove", "alice")).isZero();
        assertThat(directory.users()).isEmpty();
        assertThat(run("user", "remove", "alice")).isEqualTo(1);
        assertThat(err.toString()).contains("There is no user sip:alice@example.com");
    }

    @Test
    void theDemoCountsAndEndsWithWhatFailed() {
        scenarios = List.of(scenario("it-works", ""), scenario("it-fails", "expected 200, got 480\nladder above"));

        assertThat(run("demo")).isEqualTo(1);

        assertThat(out.toString())
                .contains("it-works  passed", "it-fails  FAILED", "expected 200, got 480", "ladder above");
        assertThat(out.toString().lines().reduce((before, last) -> last)).contains("1 passed, 1 failed");
    }

    @Test
    void theDemoPlaysOneAloneByName() {
        scenarios = List.of(scenario("it-works", ""), scenario("it-fails", "broken"));

        assertThat(run("demo", "--only", "it-works")).isZero();

        assertThat(out.toString()).doesNotContain("it-fails");
        assertThat(out.toString().lines().reduce((before, last) -> last)).contains("1 passed, 0 failed");
    }

    @Test
    void theDemoPlaysSeveralByName() {
        scenarios = List.of(scenario("one", ""), scenario("two", "broken"), scenario("three", ""));

        assertThat(run("demo", "--only", "three", "--only", "one")).isZero();

        assertThat(out.toString().lines().reduce((before, last) -> last)).contains("2 passed, 0 failed");
    }

    @Test
    void theDemoTellsMachinesToo() throws Exception {
        scenarios = List.of(scenario("it-works", ""), scenario("it-fails", "broken"));

        run("demo", "--json", folder.resolve("demo.jsonl").toString());

        assertThat(folder.resolve("demo.jsonl"))
                .content()
                .containsSubsequence(
                        "{\"scenario\":\"it-works\"}\n",
                        "{\"passed\":true,",
                        "{\"scenario\":\"it-fails\"}\n",
                        "{\"passed\":false,",
                        "\"fault\":\"broken\"}");
    }

    @Test
    void theDemoSuggestsANameForAWrongOne() {
        scenarios = List.of(scenario("it-works", ""));

        assertThat(run("demo", "--only", "it-work")).isEqualTo(2);

        assertThat(err.toString()).contains("did you mean it-works?");
    }

    @Test
    void theDemoListsWithoutPlaying() {
        scenarios = List.of(scenario("it-fails", "broken"));

        assertThat(run("demo", "--list")).isZero();

        assertThat(out.toString()).isEqualToIgnoringNewLines("it-fails  About it-fails");
    }

    private static final DemoBridge NO_BRIDGE = new DemoBridge() {
        @Override
        public Running start(Config config) {
            throw new UnsupportedOperationException("no test here measures");
        }

        @Override
        public void addUser(Config config, String address, String password) {
            throw new UnsupportedOperationException("no test here measures");
        }

        @Override
        public String deviceNotes(Config config) {
            throw new UnsupportedOperationException("no test here measures");
        }

        @Override
        public long connectedDevices(Config config, String address) {
            throw new UnsupportedOperationException("no test here measures");
        }
    };

    private int run(String... args) {
        CommandLine line = Main.commandLine(
                config -> {
                    throw serverFault;
                },
                this::users,
                Server::withPassword,
                new PasswordSource() {
                    @Override
                    public Optional<char[]> ask(String prompt) {
                        return Optional.ofNullable(typed.poll()).map(String::toCharArray);
                    }

                    @Override
                    public Optional<char[]> readLine() {
                        return Optional.of(standardInput.toCharArray());
                    }
                },
                scenarios,
                NO_BRIDGE);
        line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return line.execute(args.length == 1 && args[0].isEmpty() ? new String[0] : args);
    }

    private Users users(Config config) {
        return new DirectoryUsers(directory, Clock.systemUTC(), () -> {});
    }

    private static Scenario scenario(String name, String fault) {
        return new Scenario() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public String title() {
                return "About " + name;
            }

            @Override
            public void play(PrintWriter ladder, PrintWriter json) {
                if (!fault.isEmpty()) {
                    throw new AssertionError(fault);
                }
            }
        };
    }
}
