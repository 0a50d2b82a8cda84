package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pushbridge.sim.phone.PhoneStage.soon;

import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.OutgoingCall.DialingEnd;
import org.pushbridge.sim.ua.ScriptedPeer;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.UaCall;

/** Calls that outlive the connection they began on, and those that end while there is none. */
class FlowsTest {
    private PhoneStage stage;
    private ScriptedPeer bridge;
    private SimulatedIphone phone;

    @BeforeEach
    void open() throws Exception {
        open(AppSettings.stock());
    }

    private void open(AppSettings app) throws Exception {
        stage = new PhoneStage(app);
        bridge = stage.bridge;
        phone = stage.phone;
    }

    private void openInstead(AppSettings app) throws Exception {
        stage.close();
        open(app);
    }

    @AfterEach
    void close() {
        stage.close();
    }

    private SipMessage cancel(String branch) {
        return bridge.request("CANCEL", "call-1", branch, 1, PhoneStage.ALICE);
    }

    // --- a new flow ----------------------------------------------------------------------------------------------

    @Test
    void aCallGoesOnOverTheNewNetwork() throws Exception {
        stage.registered();
        SipMessage ok = stage.talking();
        InetSocketAddress before = bridge.lastSender();
        stage.registered(phone.changeNetwork());
        assertThat(bridge.lastSender()).isNotEqualTo(before);
        bridge.send(stage.inside(ok, "INFO", 2), bridge.lastSender());
        bridge.next("200 OK");
        UaCall call = soon(stage.screen().invited());
        var unused = call.hangUp();
        bridge.next("BYE");

        assertThat(happened("got INFO")).isEqualTo(1);
        assertThat(phone.violations()).isEmpty();
    }

    private long happened(String what) {
        return stage.happened.stream().filter(what::equals).count();
    }

    @Test
    void aRequestInsideADialogOverTheOldFlowIsHeldAgainstTheBridge() throws Exception {
        stage.registered();
        SipMessage ok = stage.talking();
        InetSocketAddress before = bridge.lastSender();
        stage.registered(phone.changeNetwork());
        bridge.send(stage.inside(ok, "BYE", 2), before);

        stage.isHeldAgainstTheBridge("A BYE inside a dialog came over a flow that is not the newest");
        assertThat(soon(stage.screen().invited()).ended()).isNotDone();
    }

    @Test
    void aCancelOverTheNewFlowEndsWhatRangOverTheOld() throws Exception {
        stage.registered();
        stage.invite("a");
        bridge.next("180 Ringing");
        stage.registered(phone.changeNetwork());
        bridge.send(cancel("a"), bridge.lastSender());

        assertThat(soon(stage.screen().ringing())).isEqualTo(RingingEnd.CANCELLED);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aCopyOfAnInviteThatIsHeldIsMerged() throws Exception {
        stage.registered();
        stage.invite("a");
        bridge.next("180 Ringing");
        stage.registered(phone.registerAgain());
        stage.invite("b");

        bridge.next("482 Merged Request");
        assertThat(phone.violations()).isEmpty();
        assertThat(stage.screen().isRinging()).isTrue();
    }

    @Test
    void anotherInviteForACallOverWhateverFlow() throws Exception {
        stage.registered();
        stage.invite("a");
        bridge.next("180 Ringing");
        stage.registered(phone.registerAgain());
        bridge.send(
                bridge.with(bridge.invite("call-2", "b"), SimulatedIphone.UUID_HEADER, PhoneStage.UUID),
                bridge.lastSender());

        bridge.next("486 Busy Here");
        stage.isHeldAgainstTheBridge("Two INVITEs came for call " + PhoneStage.UUID);
    }

    @Test
    void registersAgainWithAnotherCallId() throws Exception {
        var first = phone.launch();
        SipMessage before = bridge.next("REGISTER");
        bridge.respond(before, 200, "OK");
        soon(first);
        soon(phone.forgetRegistration());
        var second = phone.registerAgain();
        SipMessage after = bridge.next("REGISTER");
        bridge.respond(after, 200, "OK");

        assertThat(soon(second)).isEqualTo(200);
        assertThat(after.callId()).isNotEqualTo(before.callId());
        assertThat(after.header("CSeq")).isEqualTo(before.header("CSeq"));
    }

    // --- no flow -------------------------------------------------------------------------------------------------

    @Test
    void aBackgroundPushWakesAnAppWhoseConnectionIsGoneAndTheByeFollows() throws Exception {
        stage.registered();
        SipMessage ok = stage.talking();
        soon(phone.loseFlow());
        assertThat(phone.localAddress()).isEmpty();
        assertThat(stage.screen().over()).isNotDone();
        phone.backgroundPush("{\"aps\":{\"content-available\":1}}");
        bridge.acceptRegister();
        bridge.send(stage.inside(ok, "BYE", 2), bridge.lastSender());

        assertThat(soon(soon(stage.screen().invited()).ended())).isEqualTo(UaCall.End.HUNG_UP_THERE);
        soon(stage.screen().over());
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void anInviteThatIsLostWithItsFlowMayComeAgain() throws Exception {
        stage.registered();
        stage.invite("a");
        bridge.next("180 Ringing");
        soon(phone.loseFlow());
        stage.registered();
        stage.invite("b");
        bridge.next("180 Ringing");
        bridge.send(cancel("b"), bridge.lastSender());

        assertThat(soon(stage.screen().ringing())).isEqualTo(RingingEnd.CANCELLED);
        assertThat(phone.screens()).hasSize(1);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aBackgroundPushEndsTheScreenItNames() throws Exception {
        CallScreen screen = stage.woken();
        phone.backgroundPush(PhoneStage.payload("call-ended", ""));

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.ENDED_BY_PUSH);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aBackgroundPushEndsACallThatWasTaken() throws Exception {
        stage.registered();
        stage.talking();
        soon(phone.loseFlow());
        phone.backgroundPush(PhoneStage.payload("call-ended", ""));

        soon(stage.screen().over());
        assertThat(soon(soon(stage.screen().invited()).ended())).isEqualTo(UaCall.End.HUNG_UP_THERE);
    }

    @Test
    void aNotifyThatDoesNotListACallThatWasTakenEndsItOnceItsFlowIsGone() throws Exception {
        openInstead(AppSettings.stock().learningBy(VerdictWay.DIALOG_EVENTS));
        stage.registered();
        stage.talking();
        soon(phone.loseFlow());
        stage.registered();
        notifyOfNoCall();

        soon(stage.screen().over());
        assertThat(soon(soon(stage.screen().invited()).ended())).isEqualTo(UaCall.End.HUNG_UP_THERE);
        assertThat(phone.violations()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"uuid", "sip-call-id"})
    void aBackgroundPushThatDoesNotSayWhichCallEnds(String key) {
        phone.backgroundPush(PhoneStage.payload("call-ended", "").replace("\"" + key + "\"", "\"x\""));
        stage.isHeldAgainstTheBridge("has no " + key + " to say which");
    }

    // --- a VoIP push that ends a call ----------------------------------------------------------------------------

    @Test
    void aSecondVoipPushEndsTheCallForAnAppThatAskedForIt() throws Exception {
        openInstead(AppSettings.stock().handlingEndPushes());
        CallScreen screen = stage.woken();
        phone.voipPush(PhoneStage.payload("end", ""));

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.ENDED_BY_PUSH);
        assertThat(phone.screens()).hasSize(1);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aSecondVoipPushForAnAppThatDidNotAskForIt() throws Exception {
        stage.woken();
        phone.voipPush(PhoneStage.payload("end", ""));
        stage.isHeldAgainstTheBridge("A second VoIP push came for call " + PhoneStage.UUID);
    }

    @Test
    void aVoipPushThatEndsACallItNeverAnnounced() throws Exception {
        openInstead(AppSettings.stock().handlingEndPushes());
        phone.voipPush(PhoneStage.payload("end", ""));
        stage.isHeldAgainstTheBridge("which was never pushed for");
    }

    @Test
    void aVoipPushThatEndsACallLongSilent() throws Exception {
        openInstead(AppSettings.stock().handlingEndPushes());
        CallScreen screen = stage.woken();
        phone.declineNow(screen);
        soon(screen.ringing());
        await().until(() -> screen.silentFor().orElseThrow().toMillis() > 1_000);
        phone.voipPush(PhoneStage.payload("end", ""));
        stage.isHeldAgainstTheBridge("which rang no more");
    }

    // --- PURR ----------------------------------------------------------------------------------------------------

    private String contactAfter(AppSettings app, String featureCaps) throws Exception {
        openInstead(app);
        var status = phone.launch();
        SipMessage register = bridge.next("REGISTER");
        bridge.respond(register, 200, "OK", r -> bridge.with(r, "Feature-Caps", featureCaps));
        soon(status);
        stage.invite("a");
        return bridge.next("180 Ringing").header("Contact").orElseThrow();
    }

    @Test
    void thePurrThatTheRegistrarGaveStandsInTheDialogsContact() throws Exception {
        String caps = "*;+sip.pns=\"apns\";+sip.pnspurr=\"x1y2\"";
        assertThat(contactAfter(AppSettings.stock().withPurr(), caps)).contains(";pn-purr=x1y2>");
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void withoutAPurrOrAnAppThatUsesItTheContactIsPlain() throws Exception {
        assertThat(contactAfter(AppSettings.stock().withPurr(), "*;+sip.pns=\"apns\""))
                .doesNotContain("pn-");
        assertThat(contactAfter(AppSettings.stock(), "*;+sip.pnspurr=\"x\"")).doesNotContain("pn-");
    }

    // --- the phone as the caller ---------------------------------------------------------------------------------

    private void notifyOfNoCall() throws Exception {
        SipMessage notify = bridge.request("NOTIFY", "n", "n", 1, PhoneStage.ALICE);
        notify = bridge.with(bridge.with(notify, "Event", "dialog"), "Subscription-State", "terminated");
        notify = bridge.with(notify, "Contact", "<sip:bridge@127.0.0.1>");
        bridge.send(
                bridge.withBody(
                        notify,
                        "application/dialog-info+xml",
                        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" state=\"full\""
                                + " entity=\"sip:alice@example.com\"/>"),
                bridge.lastSender());
    }

    private OutgoingCall dialing() throws Exception {
        stage.registered();
        phone.call("sip:bob@example.com");
        SipMessage invite = bridge.next("INVITE");
        bridge.respond(invite, 180, "Ringing");
        OutgoingCall dialing = phone.outgoing().get(0);
        await().until(() -> dialing.call().statuses().equals(List.of(180)));
        return dialing;
    }

    @Test
    void anOutgoingCallIsShownWhileItsFlowIsGoneUntilAPushEndsIt() throws Exception {
        OutgoingCall dialing = dialing();
        soon(phone.loseFlow());
        assertThat(dialing.isDialing()).isTrue();
        phone.backgroundPush(PhoneStage.payload("call-ended", "")
                .replace("call-1", dialing.call().callId()));

        assertThat(soon(dialing.dialing())).isEqualTo(DialingEnd.ENDED_BY_PUSH);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void anOutgoingCallEndsWhenANotifyDoesNotListIt() throws Exception {
        openInstead(AppSettings.stock().learningBy(VerdictWay.DIALOG_EVENTS));
        OutgoingCall dialing = dialing();
        notifyOfNoCall();

        assertThat(soon(dialing.dialing())).isEqualTo(DialingEnd.NOT_ALIVE);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void anOutgoingCallEndsWithTheFinalResponse() throws Exception {
        stage.registered();
        phone.call("sip:bob@example.com");
        bridge.respond(bridge.next("INVITE"), 480, "Temporarily Unavailable");

        assertThat(soon(phone.outgoing().get(0).dialing())).isEqualTo(DialingEnd.FAILED);
    }

    // --- times ---------------------------------------------------------------------------------------------------

    @Test
    void theTimeFromTheRegisterWithCredentialsToTheEndOfTheRingingIsKept() throws Exception {
        phone.voipPush(PhoneStage.incoming());
        bridge.respond(
                bridge.next("REGISTER"),
                401,
                "Unauthorized",
                r -> bridge.with(r, "WWW-Authenticate", "Digest realm=\"example.com\", nonce=\"n\""));
        CallScreen screen = stage.screen();
        bridge.acceptRegister();
        assertThat(screen.fromRegisterToSilence()).isEmpty();
        stage.invite("a");
        bridge.send(bridge.with(cancel("a"), "Reason", "SIP;cause=200"), bridge.lastSender());

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.ANSWERED_ELSEWHERE);
        assertThat(screen.fromRegisterToSilence().orElseThrow())
                .isPositive()
                .isLessThan(screen.fromFirstPacketToSilence().orElseThrow());
        assertThat(screen.rang().orElseThrow())
                .isGreaterThan(screen.fromFirstPacketToSilence().orElseThrow());
    }
}
