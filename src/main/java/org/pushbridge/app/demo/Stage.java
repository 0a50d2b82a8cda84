package org.pushbridge.app.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.config.Config;
import org.pushbridge.sim.apns.Answer;
import org.pushbridge.sim.apns.ApnsEvent;
import org.pushbridge.sim.apns.Delay;
import org.pushbridge.sim.apns.DeliveredPush;
import org.pushbridge.sim.apns.Environment;
import org.pushbridge.sim.apns.PushType;
import org.pushbridge.sim.apns.ReceivedPush;
import org.pushbridge.sim.apns.SimulatedApns;
import org.pushbridge.sim.apns.SimulatedApnsSettings;
import org.pushbridge.sim.apns.TeamKey;
import org.pushbridge.sim.apns.TlsIdentity;
import org.pushbridge.sim.apns.TokenKind;
import org.pushbridge.sim.ladder.Ladder;
import org.pushbridge.sim.pbx.SimulatedPbx;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.IphoneSettings;
import org.pushbridge.sim.phone.OutgoingCall;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.WakeTimes;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.UaCall.End;

/**
 * A bridge of its own with everything around it, for one story: a database in a new folder, free ports, a simulated
 * APNs, a PBX, phones, and a ladder on which all of them are seen. What cannot be had in time is {@link Unmet}.
 */
final class Stage implements AutoCloseable {
    static final String DOMAIN = "example.com";
    /** Phones wake seven times faster than in life, so that a demo is not a test of patience. */
    private static final double WAKE_FACTOR = 0.15;

    static final String PBX = "PBX";
    static final String ALICE = "Alice";
    static final String BOB = "Bob";
    static final String IPAD = "Alice's iPad";
    static final Duration A_MOMENT = Duration.ofMillis(400);

    private static final Logger log = LogManager.getLogger(Stage.class);
    private static final String BRIDGE = "bridge";
    private static final String APNS = "APNs";
    private static final String TEAM = "ABCDE12345";
    private static final String KEY = "KEY1234567";
    static final String BUNDLE = "com.example.phone";
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final Duration NOT_IN_THIS_STORY = Duration.ofMinutes(10);
    private static final Duration POLL = Duration.ofMillis(5);
    /** Calls from this address are the PBX's; phones have 127.0.0.1. */
    private static final byte[] PBX_HOST = {127, 0, 0, 2};

    private static final byte[] PHONE_HOST = {127, 0, 0, 1};
    /** Who the bridge is over HTTPS. */
    private static final TlsIdentity HTTPS = TlsIdentity.ofLocalhost();

    private final DemoBridge bridge;
    private final Path folder;
    private final Ladder ladder;
    private final SimulatedApns apns;
    private final SimulatedPbx pbx;
    private final InetSocketAddress address;
    private final Config config;
    private final Map<String, String> ownersOfTokens = new ConcurrentHashMap<>();
    private final Map<String, List<String>> heardOverHttps = new ConcurrentHashMap<>();
    private final List<SimulatedIphone> phones = new CopyOnWriteArrayList<>();
    private final Map<String, Integer> arrived = new ConcurrentHashMap<>();
    private final List<Runnable> closing = new ArrayList<>();
    private DemoBridge.Running running = () -> {};
    private double wakeFactor = WAKE_FACTOR;
    private boolean momentHasPassed;

    /** @param settings added to the bridge's configuration, in its own words */
    Stage(DemoBridge bridge, List<String> cast, String settings, PrintWriter out) throws IOException {
        this.bridge = bridge;
        this.folder = Files.createTempDirectory("pushbridge-demo");
        this.ladder = new Ladder(
                Stream.concat(Stream.of(PBX, BRIDGE, APNS), cast.stream()).toList(), line -> {
                    out.println("  " + line);
                    out.flush();
                });
        TeamKey key = TeamKey.generate(TEAM, KEY);
        this.apns = SimulatedApns.start(SimulatedApnsSettings.builder()
                .key(key)
                .app(TEAM, BUNDLE)
                .deliveryDelay(Delay.of(Duration.ofMillis(20)))
                .build());
        closing.add(apns::close);
        apns.listen(this::show);
        this.pbx = openPbx();
        closing.add(pbx::close);
        this.address = new InetSocketAddress(InetAddress.getByAddress(PHONE_HOST), freePort());
        this.config = Config.load(writeConfig(key, settings));
    }

    private SimulatedPbx openPbx() throws IOException {
        InetAddress host = InetAddress.getByAddress(PBX_HOST);
        try {
            return SimulatedPbx.open(Transport.UDP, new InetSocketAddress(host, 0), (sent, m) -> message(PBX, sent, m));
        } catch (IOException e) {
            throw new IOException(
                    "The demo's PBX needs the address " + host.getHostAddress()
                            + ", which this machine does not have; on macOS: sudo ifconfig lo0 alias "
                            + host.getHostAddress(),
                    e);
        }
    }

    /** Below those that systems give to clients: one of these could be taken before the bridge has it. */
    private static int freePort() throws IOException {
        InetAddress host = InetAddress.getByAddress(PHONE_HOST);
        for (int attempt = 0; attempt < 100; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try (ServerSocket tcp = new ServerSocket(port, 1, host);
                    DatagramSocket udp = new DatagramSocket(tcp.getLocalPort(), host)) {
                return udp.getLocalPort();
            } catch (IOException e) {
                log.debug("Port {} is taken; another is tried", port, e);
            }
        }
        throw new IOException("No port of " + host.getHostAddress() + " is free for both UDP and TCP");
    }

    private Path writeConfig(TeamKey key, String settings) throws IOException {
        Files.writeString(folder.resolve("key.p8"), key.p8());
        Files.writeString(folder.resolve("apns.pem"), apns.trustedCertificatePem());
        Files.writeString(folder.resolve("https.pem"), HTTPS.certificatePem());
        Files.writeString(folder.resolve("https-key.pem"), HTTPS.privateKeyPem());
        int httpsPort = freePort();
        String text = """
                domains = ["%s"]
                sip.listen = ["udp:127.0.0.1:%d", "tcp:127.0.0.1:%d"]
                calls.ring-limit = 12s
                http {
                  listen = "127.0.0.1:%d"
                  public-url = "https://127.0.0.1:%d"
                  tls { certificate-file = "https.pem", key-file = "https-key.pem" }
                }
                trunks.pbx {
                  addresses = ["%s"]
                  destination = "sip:%s:%d"
                  prefixes = ["+"]
                }
                apps."%s" {
                  team-id = "%s"
                  auth { key-file = "key.p8", key-id = "%s" }
                }
                apns {
                  production-endpoint = "%s:%d"
                  sandbox-endpoint = "%s:%d"
                  trust-file = "apns.pem"
                }
                database.url = "jdbc:h2:file:%s"
                admin.socket = "%s"
                %s
                """.formatted(
                        DOMAIN,
                        address.getPort(),
                        address.getPort(),
                        httpsPort,
                        httpsPort,
                        pbx.address().getAddress().getHostAddress(),
                        pbx.address().getAddress().getHostAddress(),
                        pbx.address().getPort(),
                        BUNDLE,
                        TEAM,
                        KEY,
                        apns.host(),
                        apns.port(Environment.PRODUCTION),
                        apns.host(),
                        apns.port(Environment.SANDBOX),
                        folder.resolve("bridge"),
                        folder.resolve("admin.sock"),
                        settings);
        return Files.writeString(folder.resolve("demo.conf"), text);
    }

    // --- what is seen --------------------------------------------------------------------------------------------

    private void message(String who, boolean sent, SipMessage message) {
        String reason = message.isRequest() ? message.header("Reason").orElse("") : "";
        String note = message.header("Authorization")
                .or(() -> message.header("Proxy-Authorization"))
                .map(a -> "digest")
                .orElse(reason.replaceAll(";text=.*", ""));
        boolean again = message.isInsideDialog() && message.method().equals("INVITE");
        if (!sent) {
            arrived.merge(who + what(message), 1, Integer::sum);
        }
        ladder.message(sent ? who : BRIDGE, sent ? BRIDGE : who, (again ? "re-" : "") + message.title(), note);
    }

    private static String what(SipMessage message) {
        return message.isRequest() ? message.method() : message.status() + " " + message.method();
    }

    private void show(ApnsEvent event) {
        if (event instanceof ApnsEvent.Decided decided) {
            ReceivedPush push = decided.push();
            String kind = push.type().map(Stage::words).orElse("push");
            ladder.message(BRIDGE, APNS, kind, "");
            if (push.answer() instanceof Answer.Rejected rejected) {
                ladder.message(APNS, BRIDGE, rejected.status() + " " + rejected.reason(), "");
            } else if (push.answer() instanceof Answer.Accepted) {
                ladder.message(APNS, BRIDGE, "accepted", "");
            }
        } else if (event instanceof ApnsEvent.Delivered delivered) {
            DeliveredPush push = delivered.push();
            String owner = ownersOfTokens.get(push.token());
            if (owner != null) {
                ladder.message(APNS, owner, words(push.type()), push.late() ? "late" : "");
            }
        } else if (event instanceof ApnsEvent.Violated) {
            ladder.event(APNS, "rules broken");
        }
    }

    private static String words(PushType type) {
        return switch (type) {
            case VOIP -> "VoIP push";
            case ALERT -> "alert";
            case BACKGROUND -> "background push";
            case PUSH_TO_TALK -> "PTT push";
        };
    }

    /** What was seen so far, as JSON lines. */
    String toJsonLines() {
        return ladder.toJsonLines();
    }

    // --- the cast ------------------------------------------------------------------------------------------------

    SimulatedPbx pbx() {
        return pbx;
    }

    SimulatedApns apns() {
        return apns;
    }

    /** Starts the bridge, which has these users. */
    void start(String... users) {
        for (String user : users) {
            bridge.addUser(config, user + "@" + DOMAIN, passwordOf(user));
        }
        running = bridge.start(config);
    }

    private static String passwordOf(String user) {
        return "the password of " + user;
    }

    /** From now on phones need no time to start their app. */
    void phonesWakeAtOnce() {
        wakeFactor = 0;
    }

    /** Stops the bridge and starts it again, on the same ports and database. */
    void restart() {
        running.stop();
        ladder.event(BRIDGE, "stopped");
        running = bridge.start(config);
        ladder.event(BRIDGE, "started again");
    }

    /** Phones that come from now on take their time to wake, so that something can happen before. */
    void phonesWakeSlowly() {
        wakeFactor = 1;
    }

    /** A phone that has not registered yet, with a stock app. */
    SimulatedIphone phone(String name, String user, Transport transport) throws IOException {
        return phone(name, user, transport, AppSettings.stock());
    }

    /** A phone that has not registered yet. */
    SimulatedIphone phone(String name, String user, Transport transport, AppSettings app) throws IOException {
        return phone(name, user, transport, app, new WakeTimes(name.hashCode(), wakeFactor));
    }

    private SimulatedIphone phone(String name, String user, Transport transport, AppSettings app, WakeTimes wakeTimes)
            throws IOException {
        String voip = apns.issueToken(BUNDLE, TokenKind.VOIP, Environment.PRODUCTION);
        String regular = apns.issueToken(BUNDLE, TokenKind.REGULAR, Environment.PRODUCTION);
        IphoneSettings settings = IphoneSettings.of(name, Credentials.of(user, passwordOf(user)), DOMAIN, address)
                .over(transport, InetAddress.getByAddress(PHONE_HOST))
                .withVoipToken(voip)
                .withRemoteToken(regular)
                .waking(wakeTimes)
                .running(app.trusting(HTTPS.trustedByClients()));
        SimulatedIphone phone = new SimulatedIphone(
                settings,
                new SimulatedIphone.AppleConnection() {
                    @Override
                    public void reachable(boolean reachable) {
                        apns.setOnline(voip, reachable);
                        apns.setOnline(regular, reachable);
                    }

                    @Override
                    public void stopVoipPushes() {
                        apns.block(voip);
                    }
                },
                new SimulatedIphone.Observer() {
                    @Override
                    public void happened(String what) {
                        ladder.event(name, what);
                    }

                    @Override
                    public void message(boolean sent, SipMessage message) {
                        Stage.this.message(name, sent, message);
                    }

                    @Override
                    public void https(boolean sent, String what) {
                        if (!sent) {
                            heardOverHttps
                                    .computeIfAbsent(name, n -> new CopyOnWriteArrayList<>())
                                    .add(what);
                        }
                        ladder.message(sent ? name : BRIDGE, sent ? BRIDGE : name, "HTTPS " + what, "");
                    }
                });
        phones.add(phone);
        closing.add(phone::close);
        ownersOfTokens.put(voip, name);
        ownersOfTokens.put(regular, name);
        apns.attach(voip, push -> phone.voipPush(push.payload().toString()));
        apns.attach(regular, push -> {
            if (push.type() == PushType.ALERT) {
                phone.alertPush(push.payload().toString());
            } else {
                phone.backgroundPush(push.payload().toString());
            }
        });
        return phone;
    }

    /** A phone that is registered, its flow open. */
    SimulatedIphone awake(String name, String user, Transport transport) throws IOException {
        return awake(name, user, transport, AppSettings.stock());
    }

    SimulatedIphone awake(String name, String user, Transport transport, AppSettings app) throws IOException {
        SimulatedIphone phone = phone(name, user, transport, app);
        must(name + " can register: its REGISTER is answered with", phone.launch(), 200);
        return phone;
    }

    /** A phone that has registered once and sleeps. */
    SimulatedIphone asleep(String name, String user) throws IOException {
        return asleep(name, user, AppSettings.stock());
    }

    SimulatedIphone asleep(String name, String user, AppSettings app) throws IOException {
        SimulatedIphone phone = awake(name, user, Transport.TCP, app);
        long before = bridge.connectedDevices(config, user + "@" + DOMAIN);
        soon(name + " falls asleep", phone.sleep());
        until(
                "the bridge sees that " + name + " is gone",
                () -> bridge.connectedDevices(config, user + "@" + DOMAIN) < before);
        return phone;
    }

    /** The same, but once woken, its app comes up to SIP only when it is launched. */
    SimulatedIphone slowToRegister(String name, String user, AppSettings app) throws IOException {
        SimulatedIphone phone = phone(name, user, Transport.TCP, app, WakeTimes.of(NOT_IN_THIS_STORY));
        must(name + " can register: its REGISTER is answered with", phone.launch(), 200);
        soon(name + " falls asleep", phone.sleep());
        return phone;
    }

    /** A phone that has registered once, sleeps, and then went where neither SIP nor pushes reach it. */
    SimulatedIphone outOfReach(String name, String user, AppSettings app) throws IOException {
        SimulatedIphone phone = asleep(name, user, app);
        soon(name + " is in flight mode", phone.flightMode(true));
        return phone;
    }

    /** Brings it back: Apple delivers what it kept. */
    void backInReach(SimulatedIphone phone) {
        soon(phone.settings().name() + " is back", phone.flightMode(false));
    }

    /** The connection of a phone, the only one of its user's that has one, ends; the bridge has seen it. */
    void loseConnection(SimulatedIphone phone) {
        loseConnection(phone, 0);
    }

    /** The same, while others of its user's stay connected. */
    void loseConnection(SimulatedIphone phone, long others) {
        soon(phone.settings().name() + " loses its connection", phone.loseFlow());
        untilConnected(phone, others);
    }

    /** Waits until so many devices of a phone's user are connected. */
    void untilConnected(SimulatedIphone phone, long count) {
        String user = phone.settings().credentials().user() + "@" + DOMAIN;
        until(count + " devices of " + user + " are connected", () -> bridge.connectedDevices(config, user) == count);
    }

    /** A phone calls out by way of the PBX, and both talk. */
    Talk talks(SimulatedIphone phone) {
        pbx.onCall(Answering.answerAfter(Duration.ZERO));
        UaCall caller = phone.call("sip:+4930987654@" + DOMAIN);
        until("the call reaches the PBX", () -> !pbx.received().isEmpty());
        Talk talk = new Talk(caller, pbx.received().get(0));
        mustTalk(talk.caller(), talk.callee());
        return talk;
    }

    /** They have gone on talking; then they hang up. */
    void mustHaveGoneOn(Talk talk) {
        must(
                "the other call goes on: its re-INVITE is answered with",
                talk.caller().reInvite(),
                200);
        must("its BYE is answered with", talk.caller().hangUp(), 200);
        must("its other side ends as", talk.callee().ended(), UaCall.End.HUNG_UP_THERE);
    }

    /** The PBX calls a user. */
    UaCall pbxCalls(String user) {
        return pbx.call(address, "sip:+4930123456@" + DOMAIN, "sip:" + user + "@" + DOMAIN);
    }

    /** Apple cannot be reached, and whoever was connected is not any more. */
    void appleIsDown() {
        apns.refuseConnections(true);
        apns.dropConnections();
        ladder.event(APNS, "down");
    }

    /** Apple drops the regular pushes to a phone, such as those in the background. */
    void dropRegularPushes(SimulatedIphone phone) {
        apns.block(phone.settings().remoteToken().orElseThrow());
    }

    /** The app is deleted from the phone. */
    void uninstall(SimulatedIphone phone) {
        apns.unregister(phone.settings().voipToken(), Instant.now());
        ladder.event(phone.settings().name(), "app deleted");
    }

    /** The screen of the first call that a phone got, as soon as it rings. */
    CallScreen screen(SimulatedIphone phone) {
        return screen(phone, 1);
    }

    /** The screen of a phone's call, the first being number 1, as soon as it rings. */
    CallScreen screen(SimulatedIphone phone, int number) {
        until(
                phone.settings().name() + " rings for call " + number,
                () -> phone.screens().size() >= number);
        return phone.screens().get(number - 1);
    }

    /** Time itself is what matters. */
    void later(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unmet("Interrupted while time had to pass");
        }
    }

    // --- what often happens --------------------------------------------------------------------------------------

    /** A phone's first call is taken, by itself or because its user was told to. */
    UaCall answered(SimulatedIphone phone) {
        return answered(phone, screen(phone));
    }

    UaCall answered(SimulatedIphone phone, CallScreen screen) {
        String name = phone.settings().name();
        UaCall call = soon(name + " gets the INVITE", screen.invited());
        must(name + "'s ringing ends as", screen.ringing(), RingingEnd.ANSWERED_HERE);
        return call;
    }

    /** The user takes the call that rings. */
    UaCall answerNow(SimulatedIphone phone, CallScreen screen) {
        phone.answerNow(screen);
        return answered(phone, screen);
    }

    /** The PBX calls a user's phone, which takes the call. */
    Talk talk(String user, SimulatedIphone phone) {
        int number = phone.screens().size() + 1;
        UaCall caller = pbxCalls(user);
        UaCall callee = answerNow(phone, screen(phone, number));
        mustTalk(caller, callee);
        return new Talk(caller, callee);
    }

    /** Two that talk. */
    record Talk(UaCall caller, UaCall callee) {}

    /** Requests inside the dialog still pass, both ways. */
    void mustStillTalk(UaCall caller, UaCall callee) {
        String dtmf = "application/dtmf-relay";
        String five = "Signal=5\r\nDuration=160\r\n";
        must("the caller's INFO is answered with", caller.request("INFO", dtmf, five), 200);
        must("the callee's INFO is answered with", callee.request("INFO", dtmf, five), 200);
    }

    void hangUp(UaCall caller, UaCall callee) {
        must("the caller's BYE is answered with", caller.hangUp(), 200);
        must("the callee's call ends as", callee.ended(), End.HUNG_UP_THERE);
    }

    /** The caller gives up before anybody answered, and hears so. */
    void giveUp(UaCall caller) {
        caller.cancel();
        must("the caller hears", caller.outcome(), 487);
    }

    /** How many such messages came to a phone: a method, or a status and the method it answers. */
    int arrived(SimulatedIphone phone, String what) {
        return arrived.getOrDefault(phone.settings().name() + what, 0);
    }

    /** Waits until a phone's REGISTERs were answered with 200 so many times since the story began. */
    void untilRegistered(SimulatedIphone phone, int times) {
        until(
                phone.settings().name() + " registers, for the " + times + ". time",
                () -> arrived(phone, "200 REGISTER") >= times);
    }

    /** Waits until the caller is told that it rings. */
    void mustHearRinging(UaCall caller) {
        until("the caller hears 180", () -> caller.statuses().contains(180));
    }

    // --- what must be --------------------------------------------------------------------------------------------

    /** Waits for a value, which must be the expected one. */
    <T> void must(String what, CompletableFuture<T> value, T expected) {
        T actual = soon(what + " " + expected, value);
        if (!Objects.equals(actual, expected)) {
            throw new Unmet("Expected: " + what + " " + expected + ". But it was " + actual + ".");
        }
    }

    /** Compares a value with the expected one. */
    void must(String what, Object actual, Object expected) {
        if (!actual.equals(expected)) {
            throw new Unmet("Expected: " + what + " " + expected + ". But it was " + actual + ".");
        }
    }

    /** Waits for a value. */
    <T> T soon(String what, CompletableFuture<T> value) {
        try {
            return value.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new Unmet("Expected: " + what + ". But nothing happened within " + PATIENCE.toSeconds() + " s.");
        } catch (ExecutionException e) {
            throw new IllegalStateException(what + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unmet("Interrupted while waiting for: " + what);
        }
    }

    /** Waits until something is so. */
    void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new Unmet("Expected: " + what + ". But it was not so within " + PATIENCE.toSeconds() + " s.");
            }
            try {
                Thread.sleep(POLL.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Unmet("Interrupted while waiting until " + what);
            }
        }
    }

    /** Both sides are in the call, and each has the other's session description as it was sent. */
    void mustTalk(UaCall caller, UaCall callee) {
        must("the caller hears", caller.outcome(), 200);
        must("the callee gets its ACK for", callee.established(), 200);
        must("the callee has the caller's SDP, untouched:", callee.remoteSdp(), caller.localSdp());
        must("the caller has the callee's SDP, untouched:", caller.remoteSdp(), callee.localSdp());
    }

    /** The Reason of the response that ended the caller's INVITE. */
    void mustSayWhy(UaCall caller, String reason) {
        List<SipMessage> responses = caller.responses();
        String said = responses.get(responses.size() - 1).header("Reason").orElse("nothing");
        if (!said.contains(reason)) {
            throw new Unmet("Expected: the caller is told the reason " + reason + ". But it was told " + said + ".");
        }
    }

    /** Waits until a phone's app has had these answers over HTTPS, and no others: each a reason, or {@code live}. */
    void mustHearOverHttps(SimulatedIphone phone, String... answers) {
        String name = phone.settings().name();
        until(
                name + " hears over HTTPS: " + String.join(", ", answers),
                () -> heardOverHttps.getOrDefault(name, List.of()).equals(List.of(answers)));
    }

    /** Waits until APNs has a VoIP push for a phone, be it delivered or not. */
    void untilPushedTo(SimulatedIphone phone) {
        until("a VoIP push is sent to " + phone.settings().name(), () -> count(PushType.VOIP, phone) > 0);
    }

    /** The user is told once of a missed call. */
    void mustShowMissedCall(SimulatedIphone phone) {
        until(
                phone.settings().name() + " shows a missed call",
                () -> !phone.alerts().isEmpty());
        must("alerts shown by " + phone.settings().name() + ":", phone.alerts().size(), 1);
        mustHavePushed(1, PushType.ALERT, phone);
    }

    /** The user is not told of a missed call. */
    void mustNotShowMissedCall(SimulatedIphone phone) {
        mustHavePushed(0, PushType.ALERT, phone);
    }

    void mustHavePushedInBackground(int count, SimulatedIphone phone) {
        mustHavePushed(count, PushType.BACKGROUND, phone);
    }

    /** What {@code pushbridge device list} notes about devices. */
    void operatorMustRead(String words) {
        String notes = bridge.deviceNotes(config);
        if (!notes.contains(words)) {
            throw new Unmet("Expected: the operator reads: " + words + ". But it was: " + notes + ".");
        }
    }

    void mustHavePushed(int count, SimulatedIphone phone) {
        mustHavePushed(count, PushType.VOIP, phone);
    }

    /** When all is over: not fewer, and not more. */
    private void mustHavePushed(int count, PushType type, SimulatedIphone phone) {
        passAMoment();
        must("pushes sent to " + phone.settings().name() + ", type " + type.header() + ":", count(type, phone), (long)
                count);
    }

    /** Nothing tells that a push will not be sent: one that is wrong gets the time to be, once a story. */
    private void passAMoment() {
        if (momentHasPassed) {
            return;
        }
        try {
            Thread.sleep(A_MOMENT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unmet("Interrupted while waiting for pushes that should not come");
        }
        momentHasPassed = true;
    }

    /** The pushes that were sent for a phone. */
    private long count(PushType type, SimulatedIphone phone) {
        String token = type == PushType.VOIP
                ? phone.settings().voipToken()
                : phone.settings().remoteToken().orElseThrow();
        return apns.received().stream()
                .filter(p -> p.type().filter(type::equals).isPresent())
                .filter(p -> p.token().equals(token))
                .count();
    }

    long voipPushesTo(SimulatedIphone phone) {
        return count(PushType.VOIP, phone);
    }

    /** Waits until so many VoIP pushes were sent to a phone, wherever they are. */
    void untilPushed(int count, SimulatedIphone phone) {
        until(count + " VoIP pushes were sent to " + phone.settings().name(), () -> voipPushesTo(phone) == count);
    }

    private List<ReceivedPush> voipPushes() {
        return apns.received().stream()
                .filter(p -> p.type().filter(PushType.VOIP::equals).isPresent())
                .toList();
    }

    /** What holds in every story: no rule broken, one VoIP push a device and call at most, nothing rings any more. */
    void mustBeClean() {
        for (SimulatedIphone phone : phones) {
            if (phone.screens().stream().anyMatch(CallScreen::isRinging)) {
                throw new Unmet("Expected: nothing rings any more. But "
                        + phone.settings().name() + " does.");
            }
            if (phone.outgoing().stream().anyMatch(OutgoingCall::isDialing)) {
                throw new Unmet("Expected: nobody waits for an answer any more. But "
                        + phone.settings().name() + " does.");
            }
        }
        List<String> broken = withViolations();
        if (!broken.isEmpty()) {
            throw new Unmet("Rules were broken, " + broken.size() + " times; first this. " + broken.get(0));
        }
    }

    /** These sentences and, behind them, one for each rule that was broken. */
    List<String> withViolations(String... before) {
        List<String> sentences = new ArrayList<>(List.of(before));
        apns.violations().forEach(v -> sentences.add("At the APNs: " + v));
        pbx.violations().forEach(v -> sentences.add("At the PBX: " + v));
        phones.forEach(p ->
                p.violations().forEach(v -> sentences.add("At " + p.settings().name() + ": " + v)));
        Map<String, Set<String>> pushes = new HashMap<>();
        // One that ends a call names none; one that Apple could not take is sent again as it was.
        voipPushes().stream()
                .filter(p -> p.callId().isPresent())
                .forEach(p -> pushes.computeIfAbsent(p.token() + p.callId(), call -> new HashSet<>())
                        .add(p.apnsId()));
        if (pushes.values().stream().anyMatch(ids -> ids.size() > 1)) {
            sentences.add("A device got more than one VoIP push for a call");
        }
        return sentences;
    }

    @Override
    public void close() throws IOException {
        ladder.close();
        running.stop();
        closing.forEach(Runnable::run);
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(Stage::delete);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
