package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the two dialogs of a call act as one: what one end sends is answered by the other. */
class BridgingTest {
    private static final String SDP = "Content-Type: application/sdp";
    private static final String OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=offer\r\n";
    private static final String ANSWER = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=answer\r\n";

    private Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    private void restartWithT1(Duration t1) {
        edge.close();
        edge = Edge.startWithT1(t1);
    }

    private static void assertInDialogOf(Dialogue receiver, String request) {
        assertThat(Wire.header(request, "Call-ID")).isEqualTo(receiver.callId);
        assertThat(Wire.header(request, "From")).isEqualTo(receiver.remote);
        assertThat(Wire.header(request, "To")).isEqualTo(receiver.local);
    }

    /** A request crosses with all it carries, and so does its answer. */
    private void crosses(Dialogue from, Dialogue to, String method) {
        String sent = from.send(
                method,
                "what\u0000\u00ff",
                "Content-Type: application/x-bytes",
                "X-Anything: there",
                "X-Pushbridge-Other: forged",
                "Event: refer",
                "Subscription-State: active",
                "Refer-To: <sip:carol@example.com>",
                "Info-Package: x");
        String got = to.party.expect(method + " sip:");
        assertInDialogOf(to, got);
        assertThat(Wire.body(got)).isEqualTo("what\u0000\u00ff");
        assertThat(Wire.header(got, "X-Anything")).isEqualTo("there");
        assertThat(Wire.header(got, "Refer-To")).isEqualTo("<sip:carol@example.com>");
        assertThat(Wire.header(got, "Event")).isEqualTo("refer");
        assertThat(Wire.header(got, "Subscription-State")).isEqualTo("active");
        assertThat(Wire.header(got, "Info-Package")).isEqualTo("x");
        assertThat(got).doesNotContain("forged").doesNotContain(from.party.hostPort());

        to.party.answer(got, 202, "back", "Content-Type: text/plain", "X-Anything: back");

        String answer = from.party.expect("SIP/2.0 202");
        assertThat(Wire.header(answer, "CSeq")).isEqualTo(Wire.header(sent, "CSeq"));
        assertThat(Wire.header(answer, "Call-ID")).isEqualTo(from.callId);
        assertThat(Wire.header(answer, "X-Anything")).isEqualTo("back");
        assertThat(Wire.body(answer)).isEqualTo("back");
    }

    @ParameterizedTest
    @ValueSource(strings = {"INFO", "MESSAGE", "REFER", "NOTIFY", "OPTIONS", "UPDATE"})
    void aRequestInTheDialogCrossesBothWays(String method) {
        Edge.Established call = edge.establish();
        crosses(call.caller(), call.callee(), method);
        crosses(call.callee(), call.caller(), method);
        Edge.hangUp(call.callee(), call.caller());
    }

    @Test
    void aRefusalInTheDialogCrosses() {
        Edge.Established call = edge.establish();
        call.caller().send("INFO", "");
        Party phone = call.callee().party;
        phone.answer(phone.expect("INFO "), 415, "", "Accept: text/plain");
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 415"), "Accept")).isEqualTo("text/plain");
    }

    @Test
    void aRequestInAnUnknownDialogIsAnsweredSo() {
        Edge.Established call = edge.establish();
        edge.pbx.send(edge.pbx
                .request("INFO", "sip:" + edge.hostPort(), "")
                .replace("To: <sip:alice@example.com>", "To: <sip:alice@example.com>;tag=nobody"));
        edge.pbx.expect("SIP/2.0 481");
        // The right Call-ID with another tag is another dialog.
        edge.pbx.send(edge.pbx
                .request("BYE", "sip:" + edge.hostPort(), "")
                .replace("To: <sip:alice@example.com>", "To: <sip:alice@example.com>;tag=nobody")
                .replaceFirst("Call-ID: .*", "Call-ID: " + call.caller().callId));
        edge.pbx.expect("SIP/2.0 481");
        crosses(call.caller(), call.callee(), "INFO");
    }

    @Test
    void aRequirementThatCannotBeCarriedIsRefusedInsideADialogToo() {
        Edge.Established call = edge.establish();
        call.caller().send("INFO", "", "Require: foo");
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 420"), "Unsupported")).isEqualTo("foo");
        crosses(call.caller(), call.callee(), "INFO");
    }

    @Test
    void aRequestWithAnOlderNumberIsOutOfOrder() {
        Edge.Established call = edge.establish();
        crosses(call.caller(), call.callee(), "INFO");
        call.caller().send("INFO", 4, "");
        edge.pbx.expect("SIP/2.0 500");
        crosses(call.callee(), call.caller(), "INFO");
        call.callee().send("INFO", 99, "");
        call.callee().party.expect("SIP/2.0 500");
    }

    // --- early dialogs -------------------------------------------------------------------------------------------

    @Test
    void earlyMediaReachesTheCaller() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.request("INVITE", "sip:alice@example.com", OFFER, SDP));
        String invite = phone.expect("INVITE ");
        assertThat(Wire.body(invite)).isEqualTo(OFFER);
        phone.answer(invite, 183, ANSWER, SDP, "P-Early-Media: sendrecv");
        String progress = edge.pbx.expect("SIP/2.0 183");
        assertThat(Wire.body(progress)).isEqualTo(ANSWER);
        assertThat(Wire.header(progress, "P-Early-Media")).isEqualTo("sendrecv");
        assertThat(Wire.header(progress, "Contact")).contains(edge.hostPort());
        assertThat(Wire.tag(Wire.header(progress, "To"))).isNotEmpty();
    }

    @Test
    void aReliableProvisionalResponseIsAcknowledgedFromEndToEnd() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.request("INVITE", "sip:alice@example.com", OFFER, SDP, "Supported: 100rel"));
        String invite = phone.expect("INVITE ");
        String sentProgress = phone.answer(invite, 183, ANSWER, SDP, "Require: 100rel", "RSeq: 4711");
        String progress = edge.pbx.expect("SIP/2.0 183");
        assertThat(Wire.header(progress, "RSeq")).isEqualTo("4711");
        assertThat(Wire.list(progress, "Require")).containsExactly("100rel");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, progress);
        Dialogue callee = Dialogue.ofCallee(phone, invite, sentProgress);

        String prack = caller.send("PRACK", "", "RAck: 4711 5 INVITE");

        String got = phone.expect("PRACK ");
        assertInDialogOf(callee, got);
        assertThat(Wire.header(got, "RAck")).isEqualTo("4711 " + Wire.cseq(invite) + " INVITE");
        assertThat(Wire.cseq(got)).isGreaterThan(Wire.cseq(invite));
        phone.answer(got, 200, "", "X-Anything: seen");
        String confirmed = edge.pbx.expect("SIP/2.0 200");
        assertThat(Wire.header(confirmed, "CSeq")).isEqualTo(Wire.header(prack, "CSeq"));
        assertThat(Wire.header(confirmed, "X-Anything")).isEqualTo("seen");

        crosses(caller, callee, "UPDATE");
        crosses(callee, caller, "UPDATE");

        phone.answer(invite, 200, "");
        String answer = edge.pbx.expect("SIP/2.0 200");
        assertThat(Wire.header(answer, "To")).isEqualTo(caller.remote);
        caller.send("ACK", 5, "");
        assertThat(Wire.header(phone.expect("ACK "), "CSeq")).isEqualTo(Wire.cseq(invite) + " ACK");
        Edge.hangUp(caller, callee);
    }

    // --- offers in a call ----------------------------------------------------------------------------------------

    private void reInvites(Dialogue one, Dialogue other) {
        String sent = one.send("INVITE", OFFER, SDP);
        String got = other.party.expect("INVITE ");
        assertInDialogOf(other, got);
        assertThat(Wire.body(got)).isEqualTo(OFFER);
        other.party.answer(got, 200, ANSWER, SDP);
        String answer = one.party.expect("SIP/2.0 200");
        assertThat(Wire.header(answer, "CSeq")).isEqualTo(Wire.header(sent, "CSeq"));
        assertThat(Wire.body(answer)).isEqualTo(ANSWER);
        assertThat(Wire.header(answer, "Contact")).contains(edge.hostPort());
        one.send("ACK", Wire.cseq(sent), "");
        String ack = other.party.expect("ACK ");
        assertInDialogOf(other, ack);
        assertThat(Wire.cseq(ack)).isEqualTo(Wire.cseq(got));
    }

    @Test
    void eitherEndReInvites() {
        Edge.Established call = edge.establish();
        reInvites(call.caller(), call.callee());
        reInvites(call.callee(), call.caller());
        reInvites(call.caller(), call.callee());
        Edge.hangUp(call.caller(), call.callee());
    }

    @Test
    void anAnswerInTheAckCrosses() {
        Edge.Established call = edge.establish();
        for (List<Dialogue> pair :
                List.of(List.of(call.caller(), call.callee()), List.of(call.callee(), call.caller()))) {
            Dialogue one = pair.get(0);
            Dialogue other = pair.get(1);
            String sent = one.send("INVITE", "");
            String got = other.party.expect("INVITE ");
            assertThat(Wire.body(got)).isEmpty();
            other.party.answer(got, 200, OFFER, SDP);
            assertThat(Wire.body(one.party.expect("SIP/2.0 200"))).isEqualTo(OFFER);
            one.send("ACK", Wire.cseq(sent), ANSWER, SDP);
            assertThat(Wire.body(other.party.expect("ACK "))).isEqualTo(ANSWER);
        }
    }

    @Test
    void aCallWithoutOfferGetsItsAnswerInTheAck() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.answer(phone.expect("INVITE "), 200, OFFER, SDP);
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, ANSWER, SDP);
        assertThat(Wire.body(phone.expect("ACK "))).isEqualTo(ANSWER);
    }

    @Test
    void whenBothReInviteAtOnceTheSecondHasToWait() {
        Edge.Established call = edge.establish();
        Dialogue caller = call.caller();
        Dialogue callee = call.callee();
        String first = caller.send("INVITE", OFFER, SDP);
        String got = callee.party.expect("INVITE ");
        String second = callee.send("INVITE", OFFER, SDP);
        callee.party.acknowledgeFailure(second, callee.party.expect("SIP/2.0 491"));
        callee.party.answer(got, 200, ANSWER, SDP);
        edge.pbx.expect("SIP/2.0 200");
        caller.send("ACK", Wire.cseq(first), "");
        callee.party.expect("ACK ");
        reInvites(callee, caller);
    }

    @Test
    void aRefusedReInviteLeavesTheCallAlive() {
        Edge.Established call = edge.establish();
        String sent = call.callee().send("INVITE", OFFER, SDP);
        edge.pbx.answer(edge.pbx.expect("INVITE "), 488, "", "Warning: 305 pbx \"No\"");
        edge.pbx.expect("ACK ");
        String refusal = call.callee().party.expect("SIP/2.0 488");
        assertThat(Wire.header(refusal, "Warning")).isEqualTo("305 pbx \"No\"");
        call.callee().party.acknowledgeFailure(sent, refusal);
        reInvites(call.callee(), call.caller());
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aReInviteIsCancelledFromEndToEnd(boolean byCaller) {
        Edge.Established call = edge.establish();
        Dialogue one = byCaller ? call.caller() : call.callee();
        Dialogue other = byCaller ? call.callee() : call.caller();
        String sent = one.send("INVITE", OFFER, SDP);
        String got = other.party.expect("INVITE ");
        other.party.answer(got, 180, "");
        one.party.expect("SIP/2.0 180");
        one.party.cancel(sent);
        assertThat(Wire.header(one.party.expect("SIP/2.0 200"), "CSeq")).endsWith(" CANCEL");
        String cancel = other.party.expect("CANCEL ");
        assertThat(Wire.header(cancel, "Via")).isEqualTo(Wire.header(got, "Via"));
        other.party.answer(cancel, 200, "");
        other.party.answer(got, 487, "");
        other.party.expect("ACK ");
        one.party.acknowledgeFailure(sent, one.party.expect("SIP/2.0 487"));
        reInvites(one, other);
    }

    // --- answer and ACK ------------------------------------------------------------------------------------------

    @Test
    void theAnswerIsRepeatedUntilTheCallerAcknowledges() {
        restartWithT1(Duration.ofMillis(50));
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.answer(phone.expect("INVITE "), 200, "");
        String answer = edge.pbx.expect("SIP/2.0 200");
        edge.pbx.expectAgain(answer);
        edge.pbx.expectAgain(answer);
        Dialogue.ofCaller(edge.pbx, answer).send("ACK", 5, "");
        phone.expect("ACK ");
    }

    @Test
    void aPhoneThatRepeatsItsAnswerGetsTheAckAgain() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String answer = phone.answer(phone.expect("INVITE "), 200, "");
        Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200")).send("ACK", 5, "");
        String ack = phone.expect("ACK ");
        phone.repeatUntilAcknowledgedAgain(answer, ack);
        phone.repeatUntilAcknowledgedAgain(answer, ack);
    }

    @Test
    void anEndThatRepeatsItsAnswerToAReInviteGetsTheAckAgain() {
        Edge.Established call = edge.establish();
        String sent = call.callee().send("INVITE", OFFER, SDP);
        String answer = edge.pbx.answer(edge.pbx.expect("INVITE "), 200, ANSWER, SDP);
        call.callee().party.expect("SIP/2.0 200");
        call.callee().send("ACK", Wire.cseq(sent), "");
        String ack = edge.pbx.expect("ACK ");
        edge.pbx.repeatUntilAcknowledgedAgain(answer, ack);
    }

    @Test
    void anAnswerToAReInviteThatIsRepeatedBeforeTheAckIsStillAcknowledged() {
        Edge.Established call = edge.establish();
        Party phone = call.callee().party;
        String sent = call.callee().send("INVITE", OFFER, SDP);
        String answer = edge.pbx.answer(edge.pbx.expect("INVITE "), 200, ANSWER, SDP);
        phone.expect("SIP/2.0 200");
        edge.pbx.send(answer);
        // What crosses after the repetition shows that it has been dealt with.
        crosses(call.caller(), call.callee(), "INFO");
        call.callee().send("ACK", Wire.cseq(sent), "");
        edge.pbx.expect("ACK ");
        reInvites(call.callee(), call.caller());
    }

    @Test
    void aByeOvertakingTheCallersAckIsHeldBackUntilIt() {
        restartWithT1(Duration.ofMillis(50));
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        String sentAnswer = phone.answer(invite, 200, "");
        String answer = edge.pbx.expect("SIP/2.0 200");
        Dialogue.ofCallee(phone, invite, sentAnswer).send("BYE", "");
        edge.pbx.expectAgain(answer);
        edge.pbx.expectAgain(answer);
        edge.pbx.expectAgain(answer);
        Dialogue.ofCaller(edge.pbx, answer).send("ACK", 5, "");
        edge.pbx.answer(edge.pbx.expect("BYE "), 200, "");
        await().until(() -> edge.sip.calls() == 0);
    }

    // --- routes --------------------------------------------------------------------------------------------------

    @Test
    void requestsTakeTheRouteThatTheDialogsRecorded() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite(
                "sip:alice@example.com",
                "Record-Route: <sip:" + edge.pbx.hostPort() + ";lr>",
                "Record-Route: <sip:inner.example;lr>"));
        String invite = phone.expect("INVITE ");
        String sentAnswer =
                phone.answer(invite, 200, "", "Record-Route: <sip:far.example;lr>, <sip:" + phone.hostPort() + ";lr>");
        String answer = edge.pbx.expect("SIP/2.0 200");
        assertThat(Wire.list(answer, "Record-Route"))
                .containsExactly("<sip:" + edge.pbx.hostPort() + ";lr>", "<sip:inner.example;lr>");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, answer);
        caller.send("ACK", 5, "");
        assertThat(Wire.list(phone.expect("ACK "), "Route"))
                .containsExactly("<sip:" + phone.hostPort() + ";lr>", "<sip:far.example;lr>");
        Dialogue.ofCallee(phone, invite, sentAnswer).send("BYE", "");
        String bye = edge.pbx.expect("BYE sip:pbx@" + edge.pbx.hostPort());
        assertThat(Wire.list(bye, "Route"))
                .containsExactly("<sip:" + edge.pbx.hostPort() + ";lr>", "<sip:inner.example;lr>");
    }

    // --- the end -------------------------------------------------------------------------------------------------

    @Test
    void whenAllCallsAreOverNothingIsLeft() {
        restartWithT1(Duration.ofMillis(20));
        Party phone = edge.phone("alice");
        // one answered, with a re-INVITE and a PRACK
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com", "Supported: 100rel"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 183, "", "Require: 100rel", "RSeq: 1");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 183"));
        caller.send("PRACK", "", "RAck: 1 5 INVITE");
        phone.answer(phone.expect("PRACK "), 200, "");
        edge.pbx.expect("SIP/2.0 200");
        Dialogue callee = Dialogue.ofCallee(phone, invite, phone.answer(invite, 200, ""));
        edge.pbx.expect("SIP/2.0 200");
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        reInvites(callee, caller);
        Edge.hangUp(callee, caller);
        // one given up
        String givenUp = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String ringing = phone.expect("INVITE ");
        phone.answer(ringing, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        assertThat(edge.sip.calls()).isPositive();
        assertThat(edge.sip.callKeys()).isPositive();
        edge.pbx.cancel(givenUp);
        edge.pbx.expect("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(givenUp, edge.pbx.expect("SIP/2.0 487"));
        phone.answer(phone.expect("CANCEL "), 200, "");
        phone.answer(ringing, 487, "");
        phone.expect("ACK ");
        // one refused
        String refused = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.answer(phone.expect("INVITE "), 486, "");
        edge.pbx.acknowledgeFailure(refused, edge.pbx.expect("SIP/2.0 486"));

        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            assertThat(edge.sip.calls()).isZero();
            assertThat(edge.sip.callKeys()).isZero();
            assertThat(edge.sip.stack().serverTransactions()).isZero();
            assertThat(edge.sip.stack().clientTransactions()).isZero();
        });
    }
}
