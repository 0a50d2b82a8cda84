package org.pushbridge.sim.ua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each thing that a user agent holds against its peer, done by a peer. */
class UserAgentStrictnessTest {
    private static final Duration T1 = Duration.ofMillis(50);

    private final Violations violations = new Violations();
    private final CompletableFuture<UaCall> incoming = new CompletableFuture<>();
    private ScriptedPeer peer;
    private UserAgent agent;
    private InetSocketAddress address;

    @BeforeEach
    void open() throws Exception {
        peer = new ScriptedPeer(Transport.UDP);
        agent = new UserAgent("alice", T1, violations, incoming::complete, (sent, message) -> {});
        Wire wire = Wire.listen(
                Transport.UDP, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), agent.receiver());
        agent.run(() -> agent.attach(wire));
        address = wire.local();
    }

    @AfterEach
    void close() {
        agent.close();
        peer.close();
    }

    private UaCall callPeer() {
        return agent.placeCall(peer.address(), "sip:alice@example.com", "sip:bob@example.com", Optional.empty());
    }

    private void send(SipMessage message) throws Exception {
        peer.send(message, address);
    }

    private void sendRaw(String text) throws Exception {
        try (java.net.DatagramSocket socket = new java.net.DatagramSocket()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            socket.send(new java.net.DatagramPacket(bytes, bytes.length, address));
        }
    }

    private void isHeldAgainstThePeer(String sentence) {
        await().untilAsserted(() -> assertThat(violations.all()).anyMatch(v -> v.contains(sentence)));
    }

    /** An INVITE that came in, answered with 200 and acknowledged. */
    private SipMessage establishedByPeer() throws Exception {
        send(peer.invite("call-1", "a"));
        UaCall call = incoming.get(10, TimeUnit.SECONDS);
        call.answer();
        SipMessage ok = peer.next("200 OK");
        send(inside(ok, "ACK", 1));
        call.established().get(10, TimeUnit.SECONDS);
        return ok;
    }

    private SipMessage inside(SipMessage ok, String method, long cseq) {
        return peer.request(method, "call-1", method + cseq, cseq, ok.required("To"));
    }

    // --- nothing wrong -------------------------------------------------------------------------------------------

    @Test
    void aCallByTheRulesIsNotHeldAgainstAnybody() throws Exception {
        SipMessage ok = establishedByPeer();
        send(inside(ok, "INFO", 2));
        peer.next("200 OK");
        send(inside(ok, "BYE", 3));
        peer.next("200 OK");

        assertThat(incoming.get().ended().get(10, TimeUnit.SECONDS)).isEqualTo(UaCall.End.HUNG_UP_THERE);
        assertThat(violations.all()).isEmpty();
    }

    @Test
    void aRetransmissionGetsTheSameAnswerAndIsNotHeldAgainstAnybody() throws Exception {
        send(peer.invite("call-1", "a"));
        incoming.get(10, TimeUnit.SECONDS).refuse(486, "Busy Here");
        SipMessage first = peer.next("486 Busy Here");
        send(peer.invite("call-1", "a"));

        assertThat(peer.next("486 Busy Here")).hasToString(first.toString());
        send(peer.request("ACK", "call-1", "a", 1, first.required("To")));
        assertThat(violations.all()).isEmpty();
    }

    @Test
    void twoXxIsSentAgainUntilItIsAcknowledged() throws Exception {
        send(peer.invite("call-1", "a"));
        incoming.get(10, TimeUnit.SECONDS).answer();
        String first = peer.next("200 OK").toString();

        assertThat(peer.next("200 OK")).hasToString(first);
        assertThat(peer.next("200 OK")).hasToString(first);
    }

    @Test
    void aRequestIsSentAgainUntilItIsAnswered() throws Exception {
        UaCall call = callPeer();
        String first = peer.next("INVITE").toString();
        SipMessage again = peer.next("INVITE");
        assertThat(again).hasToString(first);
        peer.respond(again, 486, "Busy Here");
        peer.next("ACK");

        assertThat(call.outcome().get(10, TimeUnit.SECONDS)).isEqualTo(486);
    }

    @Test
    void silenceEndsACall() throws Exception {
        assertThat(callPeer().outcome().get(10, TimeUnit.SECONDS)).isZero();
    }

    // --- requests ------------------------------------------------------------------------------------------------

    @Test
    void somethingThatIsNotSip() throws Exception {
        sendRaw("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
        isHeldAgainstThePeer("not SIP");
    }

    @Test
    void aPushParameter() throws Exception {
        send(peer.invite("call-1", "a").set("X-Uri", "<sip:alice@example.com;pn-prid=00aa>"));
        isHeldAgainstThePeer("shows a push parameter, pn-prid");
    }

    @Test
    void pushParametersInAHeader() throws Exception {
        send(peer.invite("call-1", "a").with("x-p-push", "device-os=ios;allow-call-push=true"));
        isHeldAgainstThePeer("in a header x-p-push");
    }

    @Test
    void thePurrIsNoSecret() throws Exception {
        send(peer.invite("call-1", "a").set("Contact", "<sip:bob@127.0.0.1;pn-purr=x1y2>"));
        incoming.get(10, TimeUnit.SECONDS);
        assertThat(violations.all()).isEmpty();
    }

    @Test
    void aNotifyThatNobodySubscribedTo() throws Exception {
        send(peer.request("NOTIFY", "call-1", "a", 1, "<sip:alice@example.com>")
                .with("Contact", "<sip:peer@127.0.0.1>"));
        peer.next("481 Not Wanted");
        isHeldAgainstThePeer("nobody subscribed to");
    }

    @Test
    void aForeignVia() throws Exception {
        send(peer.invite("call-1", "a").with("Via", "SIP/2.0/UDP pbx.example.com;branch=z9hG4bKx"));
        isHeldAgainstThePeer("carries 2 Via headers");
    }

    @Test
    void aContentLengthThatIsWrong() throws Exception {
        sendRaw(peer.invite("call-1", "a").toString().replaceAll("Content-Length: \\d+", "Content-Length: 3"));
        isHeldAgainstThePeer("Content-Length");
    }

    @Test
    void aRequestWithoutMaxForwards() throws Exception {
        send(peer.without(peer.invite("call-1", "a"), "Max-Forwards"));
        isHeldAgainstThePeer("INVITE has no Max-Forwards");
    }

    @Test
    void anOldBranch() throws Exception {
        SipMessage invite = peer.invite("call-1", "a");
        send(invite.set("Via", invite.required("Via").replace("z9hG4bK", "")));
        isHeldAgainstThePeer("z9hG4bK");
    }

    @Test
    void aRequestWithoutAFromTag() throws Exception {
        send(peer.invite("call-1", "a").set("From", "<sip:bob@example.com>"));
        isHeldAgainstThePeer("no tag in From");
    }

    @Test
    void anInviteWithoutContact() throws Exception {
        send(peer.without(peer.invite("call-1", "a"), "Contact"));
        isHeldAgainstThePeer("0 Contacts");
    }

    @Test
    void theSameInviteTwiceIsRefusedAsMerged() throws Exception {
        send(peer.invite("call-1", "a"));
        incoming.get(10, TimeUnit.SECONDS);
        send(peer.invite("call-1", "b"));

        peer.next("482 Merged Request");
        isHeldAgainstThePeer("came twice");
    }

    @Test
    void aCancelForNothing() throws Exception {
        send(peer.request("CANCEL", "call-1", "a", 1, "<sip:alice@example.com>"));
        peer.next("481 Call/Transaction Does Not Exist");
        isHeldAgainstThePeer("A CANCEL came for no INVITE");
    }

    @Test
    void anAckForNothing() throws Exception {
        send(peer.request("ACK", "call-1", "a", 1, "<sip:alice@example.com>;tag=x"));
        isHeldAgainstThePeer("An ACK came for no INVITE");
    }

    @Test
    void anAckWithASecondAnswer() throws Exception {
        send(peer.invite("call-1", "a"));
        incoming.get(10, TimeUnit.SECONDS).answer();
        SipMessage ok = peer.next("200 OK");
        send(inside(ok, "ACK", 1).withBody("application/sdp", "v=0\r\n"));
        isHeldAgainstThePeer("second answer");
    }

    @Test
    void aByeForAnUnknownDialog() throws Exception {
        send(peer.request("BYE", "call-1", "a", 2, "<sip:alice@example.com>;tag=x"));
        peer.next("481 Call/Transaction Does Not Exist");
        isHeldAgainstThePeer("A BYE came for an unknown dialog");
    }

    @Test
    void aCseqThatDoesNotGoUp() throws Exception {
        SipMessage ok = establishedByPeer();
        send(inside(ok, "INFO", 1));
        peer.next("500 CSeq Out Of Order");
        isHeldAgainstThePeer("CSeq of a INFO");
    }

    @Test
    void anAnswerThatIsNeverAcknowledged() throws Exception {
        send(peer.invite("call-1", "a"));
        incoming.get(10, TimeUnit.SECONDS).answer();
        isHeldAgainstThePeer("200 OK to an INVITE was never acknowledged");
    }

    // --- responses -----------------------------------------------------------------------------------------------

    private SipMessage invited() throws Exception {
        callPeer();
        return peer.next("INVITE");
    }

    private void accept(SipMessage invite, UnaryOperator<SipMessage> change) throws Exception {
        peer.respond(invite, 200, "OK", r -> change.apply(peer.accepted(r)));
    }

    @Test
    void aResponseToNothing() throws Exception {
        SipMessage invite = invited();
        peer.respond(invite, 180, "Ringing", r -> r.set("Via", r.required("Via").replace("z9hG4bK", "z9hG4bKx")));
        isHeldAgainstThePeer("180 Ringing answers a INVITE that was never sent");
    }

    @Test
    void aProvisionalAfterTheFinal() throws Exception {
        SipMessage invite = invited();
        accept(invite, r -> r);
        peer.next("ACK");
        peer.respond(invite, 180, "Ringing");
        isHeldAgainstThePeer("Provisional 180 Ringing came after the final 200 OK");
    }

    @Test
    void aSecondFinal() throws Exception {
        SipMessage invite = invited();
        accept(invite, r -> r);
        peer.next("ACK");
        peer.respond(invite, 480, "Temporarily Unavailable");
        isHeldAgainstThePeer("A second final response, 480");
    }

    @Test
    void aSecondAnswerByAnotherFork() throws Exception {
        SipMessage invite = invited();
        accept(invite, r -> r);
        peer.next("ACK");
        accept(invite, r -> r.set("To", "<sip:bob@example.com>;tag=other"));
        isHeldAgainstThePeer("A second final response, 200");
    }

    @Test
    void aRepeatedAnswerIsAcknowledgedAgainButMustBeTheSame() throws Exception {
        SipMessage invite = invited();
        accept(invite, r -> r);
        peer.next("ACK");
        accept(invite, r -> r);
        peer.next("ACK");
        assertThat(violations.all()).isEmpty();

        accept(invite, r -> r.with("X-More", "1"));
        isHeldAgainstThePeer("repeated, but not the same");
    }

    @Test
    void anAnswerWithoutContact() throws Exception {
        accept(invited(), r -> peer.without(r, "Contact"));
        isHeldAgainstThePeer("no Contact");
    }

    @Test
    void anAnswerWithoutATag() throws Exception {
        accept(invited(), r -> r.set("To", "<sip:bob@example.com>"));
        isHeldAgainstThePeer("no tag in To");
    }

    @Test
    void anAnswerWithoutABody() throws Exception {
        peer.respond(
                invited(),
                200,
                "OK",
                r -> r.with("Contact", "<sip:peer@" + UserAgent.hostAndPort(peer.address()) + ">"));
        isHeldAgainstThePeer("brings no answer");
    }

    @Test
    void aCancelThatIsNeverAnswered() throws Exception {
        UaCall call = callPeer();
        peer.respond(peer.next("INVITE"), 180, "Ringing");
        await().until(() -> call.statuses().contains(180));
        call.cancel();
        peer.next("CANCEL");
        isHeldAgainstThePeer("A CANCEL was never answered");
    }

    @Test
    void aCancelThatIsRefused() throws Exception {
        UaCall call = callPeer();
        peer.respond(peer.next("INVITE"), 180, "Ringing");
        await().until(() -> call.statuses().contains(180));
        call.cancel();
        peer.respond(peer.next("CANCEL"), 500, "Server Internal Error");
        isHeldAgainstThePeer("A CANCEL was answered with 500");
    }

    @Test
    void aReInviteWaitsForTheAckOfTheOther() throws Exception {
        SipMessage ok = establishedByPeer();
        send(inside(ok, "INVITE", 2).with("Contact", "<sip:peer@" + UserAgent.hostAndPort(peer.address()) + ">"));
        SipMessage again = peer.next("200 OK");
        CompletableFuture<Integer> status = incoming.get().reInvite();
        assertThat(peer.next())
                .as("before its ACK, nothing but the answer again")
                .hasToString(again.toString());
        send(inside(ok, "ACK", 2));
        accept(peer.next("INVITE"), r -> r);

        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(violations.all()).isEmpty();
    }

    @Test
    void aReInviteThatCrossesAnotherIsRefused() throws Exception {
        SipMessage ok = establishedByPeer();
        CompletableFuture<Integer> status = incoming.get().reInvite();
        SipMessage offered = peer.next("INVITE");
        send(inside(ok, "INVITE", 2).with("Contact", "<sip:peer@" + UserAgent.hostAndPort(peer.address()) + ">"));
        peer.next("491 Request Pending");
        send(inside(ok, "ACK", 2).set("Via", inside(ok, "INVITE", 2).required("Via")));
        peer.respond(offered, 491, "Request Pending");

        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(491);
        assertThat(violations.all()).isEmpty();
    }

    // --- crossing ------------------------------------------------------------------------------------------------

    @Test
    void anAnswerThatCrossesACancelIsAcknowledgedAndEnded() throws Exception {
        UaCall call = callPeer();
        SipMessage invite = peer.next("INVITE");
        call.cancel(); // nothing provisional has come: the CANCEL has to wait
        accept(invite, r -> r);

        peer.next("ACK");
        peer.respond(peer.next("BYE"), 200, "OK");
        assertThat(violations.all()).isEmpty();
    }
}
