package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.ScriptedPeer;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Transport;

class SimulatedIphoneTest {
    private static final String UUID = "0c5f3c9e-1111-5222-8333-0123456789ab";
    private static final String PUSH = "{\"aps\":{},\"uuid\":\"" + UUID
            + "\",\"sip-call-id\":\"call-1\",\"sent-at\":1700000000000,\"expires-at\":1700000045000}";
    private static final WakeTimes QUICKLY = new WakeTimes(1, 0.01);
    private static final Duration SOON = Duration.ofMillis(30);

    private final List<AutoCloseable> open = new CopyOnWriteArrayList<>();
    private final List<String> happened = new CopyOnWriteArrayList<>();
    private final List<String> toApple = new CopyOnWriteArrayList<>();
    private ScriptedPeer bridge;

    @BeforeEach
    void open() throws Exception {
        bridge = new ScriptedPeer(Transport.UDP);
        open.add(bridge);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable part : open) {
            part.close();
        }
    }

    private IphoneSettings settings() {
        return IphoneSettings.of("Alice", Credentials.of("alice", "secret"), "example.com", bridge.address())
                .waking(QUICKLY);
    }

    private SimulatedIphone phone(IphoneSettings settings) {
        SimulatedIphone phone = new SimulatedIphone(
                settings,
                new SimulatedIphone.AppleConnection() {
                    @Override
                    public void reachable(boolean reachable) {
                        toApple.add(reachable ? "reachable" : "gone");
                    }

                    @Override
                    public void stopVoipPushes() {
                        toApple.add("no more VoIP pushes");
                    }
                },
                new SimulatedIphone.Observer() {
                    @Override
                    public void happened(String what) {
                        happened.add(what);
                    }

                    @Override
                    public void message(boolean sent, SipMessage message) {
                        happened.add((sent ? "sent " : "got ") + message.title());
                    }
                });
        open.add(phone);
        return phone;
    }

    private SimulatedIphone awake() throws Exception {
        SimulatedIphone phone = phone(settings());
        CompletableFuture<Integer> status = phone.launch();
        bridge.acceptRegister();
        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        return phone;
    }

    private static CallScreen screen(SimulatedIphone phone, int index) {
        await().until(() -> phone.screens().size() > index);
        return phone.screens().get(index);
    }

    /** The bridge's INVITE for the push, over the flow that the last message came from. */
    private void invite(String uuid, String callId, String branch) throws Exception {
        invite(bridge.invite(callId, branch), uuid, bridge.lastSender());
    }

    private void invite(SipMessage invite, String uuid, InetSocketAddress to) throws Exception {
        bridge.send(bridge.with(invite, SimulatedIphone.UUID_HEADER, uuid), to);
    }

    private static void isHeldAgainstTheBridge(SimulatedIphone phone, String sentence) {
        await().untilAsserted(() -> assertThat(phone.violations()).anyMatch(v -> v.contains(sentence)));
    }

    // --- registration --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"UDP, MD5, MD5", "UDP, SHA-256, SHA-256", "TCP, MD5, MD5", "TCP, SHA-256, SHA-256"})
    void registersWithDigestAndItsPushParameters(Transport transport, String algorithm, String digest)
            throws Exception {
        ScriptedPeer registrar = new ScriptedPeer(transport);
        open.add(registrar);
        SimulatedIphone phone =
                phone(IphoneSettings.of("Alice", Credentials.of("alice", "secret"), "example.com", registrar.address())
                        .over(transport, InetAddress.getLoopbackAddress()));
        CompletableFuture<Integer> status = phone.launch();
        SipMessage bare = registrar.next("REGISTER");
        registrar.respond(
                bare,
                401,
                "Unauthorized",
                r -> registrar.with(
                        r,
                        "WWW-Authenticate",
                        "Digest realm=\"example.com\", nonce=\"n0nce\", qop=\"auth\", opaque=\"op\", algorithm="
                                + algorithm));
        SipMessage answer = registrar.next("REGISTER");
        registrar.respond(answer, 200, "OK");

        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        String authorization = answer.header("Authorization").orElseThrow();
        String ha1 = hash(digest, "alice:example.com:secret");
        String ha2 = hash(digest, "REGISTER:sip:example.com");
        String cnonce = field(authorization, "cnonce");
        assertThat(field(authorization, "response"))
                .isEqualTo(hash(digest, ha1 + ":n0nce:00000001:" + cnonce + ":auth:" + ha2));
        assertThat(field(authorization, "opaque")).isEqualTo("op");
        assertThat(answer.header("CSeq")).isNotEqualTo(bare.header("CSeq"));
        assertThat(answer.callId()).isEqualTo(bare.callId());
        assertThat(answer.header("Contact").orElseThrow())
                .contains(";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid="
                        + phone.settings().voipToken() + ">")
                .contains("+sip.instance=\"<urn:uuid:" + phone.settings().instance() + ">\"");
    }

    @Test
    void answersTheFirstChallengeThatItsAppUnderstands() throws Exception {
        IphoneSettings old = IphoneSettings.of(
                "Alice", new Credentials("alice", "secret", List.of("MD5")), "example.com", bridge.address());
        var unused = phone(old).launch();
        SipMessage bare = bridge.next("REGISTER");
        bridge.respond(
                bare,
                401,
                "Unauthorized",
                r -> bridge.with(
                        r,
                        "WWW-Authenticate",
                        "Digest realm=\"example.com\", nonce=\"one\", algorithm=SHA-256, Digest realm=\"example.com\","
                                + " nonce=\"two\", algorithm=MD5"));

        String authorization = bridge.next("REGISTER").header("Authorization").orElseThrow();
        assertThat(field(authorization, "nonce")).isEqualTo("two");
        assertThat(field(authorization, "response"))
                .isEqualTo(hash(
                        "MD5",
                        hash("MD5", "alice:example.com:secret") + ":two:" + hash("MD5", "REGISTER:sip:example.com")));
    }

    @Test
    void aWrongPasswordIsNotTriedTwice() throws Exception {
        SimulatedIphone phone = phone(settings());
        CompletableFuture<Integer> status = phone.launch();
        for (int i = 0; i < 2; i++) {
            bridge.respond(
                    bridge.next("REGISTER"),
                    401,
                    "Unauthorized",
                    r -> bridge.with(r, "WWW-Authenticate", "Digest realm=\"example.com\", nonce=\"n\""));
        }
        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(401);
    }

    @Test
    void aStaleNonceIsReplaced() throws Exception {
        SimulatedIphone phone = phone(settings());
        CompletableFuture<Integer> status = phone.launch();
        for (String nonce : List.of("old", "new")) {
            bridge.respond(
                    bridge.next("REGISTER"),
                    401,
                    "Unauthorized",
                    r -> bridge.with(
                            r,
                            "WWW-Authenticate",
                            "Digest realm=\"example.com\", nonce=\"" + nonce + "\", stale=true"));
        }
        SipMessage last = bridge.next("REGISTER");
        bridge.respond(last, 200, "OK");
        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(field(last.header("Authorization").orElseThrow(), "nonce")).isEqualTo("new");
    }

    @Test
    void passesBothTokensOnIfItHasTwo() throws Exception {
        var unused = phone(settings().withRemoteToken("beef")).launch();

        assertThat(bridge.next("REGISTER").header("Contact").orElseThrow())
                .contains("pn-param=ABCDE12345.com.example.phone.voip&remote;pn-prid=")
                .contains(":voip&beef:remote>");
    }

    private static String hash(String algorithm, String text) throws Exception {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance(algorithm).digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String field(String authorization, String name) {
        Matcher matcher = Pattern.compile("\\b" + name + "=\"([^\"]*)\"").matcher(authorization);
        assertThat(matcher.find()).as(name + " in " + authorization).isTrue();
        return matcher.group(1);
    }

    // --- the wake ------------------------------------------------------------------------------------------------

    @Test
    void aPushRingsAtOnceAndTheWokenPhoneTakesTheCallOverANewSocket() throws Exception {
        SimulatedIphone phone = awake();
        int before = phone.localAddress().orElseThrow().getPort();
        phone.sleep().get(10, TimeUnit.SECONDS);
        assertThat(phone.localAddress()).isEmpty();
        phone.onCall(Answering.answerAfter(SOON));

        phone.voipPush(PUSH);
        assertThat(screen(phone, 0).uuid()).hasToString(UUID);
        bridge.acceptRegister();
        assertThat(bridge.lastSender().getPort()).isNotEqualTo(before);
        invite(UUID, "call-1", "a");
        bridge.next("100 Trying");
        bridge.next("180 Ringing");
        bridge.next("200 OK");

        assertThat(phone.screens()).hasSize(1);
        assertThat(screen(phone, 0).ringing().get(10, TimeUnit.SECONDS)).isEqualTo(RingingEnd.ANSWERED_HERE);
        assertThat(happened.indexOf("rings")).isLessThan(happened.lastIndexOf("sent REGISTER"));
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aPhoneWhoseRegisterMeetsSilenceTriesAgainWhileItRings() throws Exception {
        SimulatedIphone phone = phone(settings());
        phone.voipPush(PUSH);
        bridge.respond(bridge.next("REGISTER"), 503, "Service Unavailable");

        bridge.acceptRegister();
        assertThat(screen(phone, 0).isRinging()).isTrue();
    }

    @Test
    void aPhoneThatIsToldWhenToComeAgainRegistersThen() throws Exception {
        SimulatedIphone phone = phone(settings());
        CompletableFuture<Integer> status = phone.launch();
        SipMessage refused = bridge.next("REGISTER");
        bridge.respond(refused, 503, "Service Unavailable", response -> bridge.with(response, "Retry-After", "1"));

        bridge.acceptRegister();

        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(phone.isRegistered()).isTrue();
    }

    @Test
    void aCallScreenWithoutAnInviteEndsOnlyByItsOwnPatience() throws Exception {
        SimulatedIphone phone = phone(settings().ringingAtMost(Duration.ofMillis(100)));
        phone.voipPush(PUSH);

        assertThat(screen(phone, 0).ringing().get(10, TimeUnit.SECONDS)).isEqualTo(RingingEnd.TIMED_OUT);
    }

    @ParameterizedTest
    @CsvSource({"SIP;cause=200, ANSWERED_ELSEWHERE", "SIP;cause=603, DECLINED_ELSEWHERE", "Q.850;cause=16, CANCELLED"})
    void aCancelEndsTheRingingAndItsReasonIsTold(String reason, RingingEnd end) throws Exception {
        SimulatedIphone phone = awake();
        invite(UUID, "call-1", "a");
        bridge.next("180 Ringing");
        bridge.send(
                bridge.with(bridge.request("CANCEL", "call-1", "a", 1, "<sip:alice@example.com>"), "Reason", reason),
                bridge.lastSender());
        bridge.next("487 Request Terminated");

        assertThat(screen(phone, 0).ringing().get(10, TimeUnit.SECONDS)).isEqualTo(end);
    }

    @Test
    void aCallDeclinedBeforeItsInviteRefusesTheInvite() throws Exception {
        SimulatedIphone phone = phone(settings());
        phone.onCall(Answering.declineEverywhereAfter(Duration.ZERO));
        phone.voipPush(PUSH);
        assertThat(screen(phone, 0).ringing().get(10, TimeUnit.SECONDS)).isEqualTo(RingingEnd.DECLINED_HERE);
        bridge.acceptRegister();
        invite(UUID, "call-1", "a");

        bridge.next("603 Declined Before");
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void anAppThatForgetsToReportIsKilledAndGetsNoMorePushesAfterThree() {
        SimulatedIphone phone = phone(settings().forgetful());
        for (int i = 0; i < 4; i++) {
            phone.voipPush(PUSH);
        }

        await().until(() -> toApple.contains("no more VoIP pushes"));
        assertThat(phone.voipPushes().join()).isEqualTo(4);
        assertThat(happened).hasSize(3).allMatch(h -> h.startsWith("app is killed"));
        assertThat(phone.screens()).isEmpty();
    }

    @Test
    void aForceQuitAppGetsNoBackgroundPushesButVoipPushesWakeIt() throws Exception {
        SimulatedIphone phone = awake();
        phone.forceQuit().get(10, TimeUnit.SECONDS);
        phone.backgroundPush("{\"aps\":{\"content-available\":1}}");
        phone.voipPush(PUSH);
        bridge.acceptRegister();
        assertThat(phone.backgroundPushes()).isEmpty();

        phone.backgroundPush("{\"aps\":{\"content-available\":1}}");
        phone.alertPush("{\"aps\":{\"alert\":\"Missed call\"}}");
        await().until(() -> phone.alerts().size() == 1);
        assertThat(phone.backgroundPushes()).hasSize(1);
    }

    @Test
    void inFlightModeNothingReachesThePhone() throws Exception {
        SimulatedIphone phone = awake();
        phone.flightMode(true).get(10, TimeUnit.SECONDS);
        assertThat(phone.localAddress()).isEmpty();
        invite(UUID, "call-1", "a");
        phone.flightMode(false).get(10, TimeUnit.SECONDS);

        assertThat(toApple).containsExactly("gone", "reachable");
        assertThat(phone.screens()).isEmpty();
        assertThat(happened).doesNotContain("got INVITE");
    }

    @Test
    void aSuspendedPhoneIsSilentAndWakesOverANewSocket() throws Exception {
        SimulatedIphone phone = awake();
        InetSocketAddress before = bridge.lastSender();
        phone.suspend().get(10, TimeUnit.SECONDS);
        invite(UUID, "call-1", "a");
        phone.voipPush(PUSH);
        bridge.acceptRegister();
        assertThat(bridge.lastSender()).isNotEqualTo(before);
        invite(UUID, "call-1", "b");
        bridge.next("180 Ringing");

        assertThat(happened).containsOnlyOnce("got INVITE");
        assertThat(phone.violations()).isEmpty();
    }

    // --- strictness ----------------------------------------------------------------------------------------------

    @Test
    void aSecondPushForACallRingsNoSecondTimeAndIsHeldAgainstTheBridge() {
        SimulatedIphone phone = phone(settings());
        phone.voipPush(PUSH);
        phone.voipPush(PUSH);

        isHeldAgainstTheBridge(phone, "A second VoIP push came for call " + UUID);
        assertThat(phone.screens()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sip-call-id", "sent-at", "expires-at"})
    void aPushWithoutAFieldThatTheAppNeeds(String field) {
        SimulatedIphone phone = phone(settings());
        phone.voipPush(PUSH.replace("\"" + field + "\"", "\"x\""));

        isHeldAgainstTheBridge(phone, "A VoIP push has no " + field);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"uuid\":\"call-1\"}", "not JSON"})
    void aPushThatCannotBeReportedToCallKit(String payload) {
        SimulatedIphone phone = phone(settings());
        phone.voipPush(payload);

        isHeldAgainstTheBridge(phone, payload.startsWith("{") ? "no UUID that CallKit could take" : "not JSON");
        assertThat(phone.screens()).isEmpty();
    }

    private SimulatedIphone woken() throws Exception {
        SimulatedIphone phone = phone(settings());
        phone.voipPush(PUSH);
        bridge.acceptRegister();
        return phone;
    }

    @Test
    void anInviteWithAnotherUuidThanItsPush() throws Exception {
        SimulatedIphone phone = woken();
        invite("0c5f3c9e-9999-5222-8333-0123456789ab", "call-1", "a");
        isHeldAgainstTheBridge(phone, "not that of its push");
    }

    @Test
    void anInviteWithoutAUuidAfterAPush() throws Exception {
        SimulatedIphone phone = woken();
        bridge.send(bridge.invite("call-1", "a"), bridge.lastSender());
        isHeldAgainstTheBridge(phone, "has no UUID, not that of its push");
    }

    @Test
    void anInviteWithAnotherCallIdThanItsPushSaid() throws Exception {
        SimulatedIphone phone = woken();
        invite(UUID, "call-2", "a");
        isHeldAgainstTheBridge(phone, "another Call-ID than its push said");
    }

    @ParameterizedTest
    @CsvSource({"0C5F3C9E-1111-5222-8333-0123456789AB, not in lower case", "call-1, a UUID that is none"})
    void anInviteWithAUuidInTheWrongForm(String uuid, String sentence) throws Exception {
        SimulatedIphone phone = awake();
        invite(uuid, "call-1", "a");
        isHeldAgainstTheBridge(phone, sentence);
    }

    @Test
    void twoInvitesForOneCall() throws Exception {
        SimulatedIphone phone = awake();
        invite(UUID, "call-1", "a");
        bridge.next("180 Ringing");
        invite(UUID, "call-2", "b");

        bridge.next("486 Busy Here");
        isHeldAgainstTheBridge(phone, "Two INVITEs came for call " + UUID);
        assertThat(phone.screens()).hasSize(1);
    }

    @Test
    void anInviteForACallThatWasCancelledOnAnEarlierFlow() throws Exception {
        SimulatedIphone phone = awake();
        invite(UUID, "call-1", "a");
        bridge.next("180 Ringing");
        bridge.send(bridge.request("CANCEL", "call-1", "a", 1, "<sip:alice@example.com>"), bridge.lastSender());
        bridge.next("487 Request Terminated");
        var unused = phone.launch();
        bridge.acceptRegister();
        invite(UUID, "call-1", "b");

        isHeldAgainstTheBridge(phone, ", which was over");
    }

    @Test
    void anInviteOverAFlowThatIsNotTheNewest() throws Exception {
        SimulatedIphone phone = awake();
        InetSocketAddress before = bridge.lastSender();
        phone.suspend().get(10, TimeUnit.SECONDS);
        CompletableFuture<Integer> status = phone.launch();
        bridge.acceptRegister();
        status.get(10, TimeUnit.SECONDS);
        invite(bridge.invite("call-1", "a"), UUID, before);

        isHeldAgainstTheBridge(phone, "a flow that is not the newest registered");
    }

    @Test
    void callsOutWithTheAnswerToAChallenge() throws Exception {
        SimulatedIphone phone = awake();
        phone.call("sip:bob@example.com");
        SipMessage bare = bridge.next("INVITE");
        bridge.respond(
                bare,
                407,
                "Proxy Authentication Required",
                r -> bridge.with(r, "Proxy-Authenticate", "Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\""));
        bridge.next("ACK");
        SipMessage again = bridge.next("INVITE");

        assertThat(again.header("Proxy-Authorization")).isPresent();
        assertThat(again.callId()).isEqualTo(bare.callId());
        assertThat(ScriptedPeer.tag(again, "From"))
                .isEqualTo(ScriptedPeer.tag(bare, "From"))
                .isNotEqualTo(Optional.empty());
    }
}
