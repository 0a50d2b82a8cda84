package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.sip.stack.Transport;

/**
 * Peers that do not what SIP asks of them: they never acknowledge, never answer, repeat themselves for ever. Their call
 * ends, at 64*T1 at the latest, nothing of it is left, and the next call is as any other.
 */
class MisbehavingPeersTest {
    /** 64*T1 is 1.3 s, and so are Timers B, F, H and L. */
    private static final Duration T1 = Duration.ofMillis(20);
    /** How often one repeats itself "for ever": more than any T1 allows for. */
    private static final int FOR_EVER = 500;

    private final Edge edge = Edge.startWithT1(T1);

    @AfterEach
    void stop() {
        edge.close();
    }

    /** No call, no key of one, no transaction; and a call goes through. */
    private void nothingIsLeftAndCallsGoOn() {
        await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
            assertThat(edge.sip.calls()).isZero();
            assertThat(edge.sip.callKeys()).isZero();
            assertThat(edge.sip.stack().serverTransactions()).isZero();
            assertThat(edge.sip.stack().clientTransactions()).isZero();
        });
        Party phone = edge.phone("bob");
        edge.carrier.send(edge.carrier.invite("sip:bob@example.com"));
        String invite = phone.expect("INVITE ");
        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.carrier, edge.carrier.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        Edge.hangUp(caller, Dialogue.ofCallee(phone, invite, answer));
    }

    // --- never acknowledges --------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoNeverAcknowledgesTheAnswerIsHungUpOnAndSoIsThePhone(Transport transport) {
        Party phone = edge.phone("alice");
        Party caller = edge.stranger("bob", transport);
        String invite = caller.inviteWithCredentials("sip:alice@example.com");
        String offered = phone.expect("INVITE ");
        String answer = phone.answer(offered, 200, "");
        caller.expect("SIP/2.0 200");

        // RFC 3261 section 13.3.1.4: the session is confirmed nevertheless, and ended by BYE.
        phone.expect("ACK ");
        phone.answer(phone.expect("BYE "), 200, "");
        String bye = caller.expect("BYE ");
        assertThat(Wire.header(bye, "Call-ID")).isEqualTo(Wire.header(invite, "Call-ID"));
        caller.answer(bye, 200, "");

        phone.send(answer);
        nothingIsLeftAndCallsGoOn();
    }

    @ParameterizedTest
    @ValueSource(ints = {486, 603})
    void whoNeverAcknowledgesARefusalIsForgotten(int status) {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.answer(phone.expect("INVITE "), status, "");
        phone.expect("ACK ");
        String refusal = edge.pbx.expect("SIP/2.0 " + status);
        edge.pbx.expectAgain(refusal);
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void anEndThatNeverAcknowledgesItsReInviteEndsTheCall() {
        Edge.Established call = edge.establish();
        call.caller().send("INVITE", "");
        Party phone = call.callee().party;
        phone.answer(phone.expect("INVITE "), 200, "");
        edge.pbx.expect("SIP/2.0 200");

        phone.expect("ACK ");
        phone.answer(phone.expect("BYE "), 200, "");
        edge.pbx.answer(edge.pbx.expect("BYE "), 200, "");
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void aPhoneThatAnswersEachAckIsAcknowledgedAsOftenAsItMayRepeatItself() {
        try (Edge unhurried = Edge.start()) { // T1 as everywhere
            Party phone = unhurried.phone("alice");
            unhurried.pbx.send(unhurried.pbx.invite("sip:alice@example.com"));
            String invite = phone.expect("INVITE ");
            String answer = phone.answer(invite, 200, "");
            Dialogue.ofCaller(unhurried.pbx, unhurried.pbx.expect("SIP/2.0 200"))
                    .send("ACK", 5, "");
            phone.expect("ACK ");
            for (int i = 0; i < 100; i++) {
                phone.send(answer);
            }
            Dialogue.ofCallee(phone, invite, answer).send("BYE", "");
            int acks = 0;
            String next = phone.listen().orElseThrow();
            while (next.startsWith("ACK ")) {
                acks++;
                next = phone.listen().orElseThrow();
            }
            assertThat(next).startsWith("SIP/2.0 200");
            assertThat(acks).isLessThan(20);
        }
    }

    // --- never answers -------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPhoneThatNeverAnswersItsCancelKeepsNobodyWaiting(boolean answersTheCancelAlone) {
        Party phone = edge.phone("alice");
        String invite = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.answer(phone.expect("INVITE "), 180, "");
        edge.pbx.expect("SIP/2.0 180");

        edge.pbx.cancel(invite);
        edge.pbx.expect("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(invite, edge.pbx.expect("SIP/2.0 487"));

        String cancel = phone.expect("CANCEL ");
        if (answersTheCancelAlone) {
            phone.answer(cancel, 200, "");
        } else {
            phone.expectAgain(cancel);
        }
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void aPhoneThatNeverAnswersItsByeKeepsNobodyWaitingAndIsTakenForLost() {
        Edge.Established call = edge.establish();
        call.caller().send("BYE", "");
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 200"), "CSeq")).endsWith("BYE");
        String bye = call.callee().party.expect("BYE ");
        call.callee().party.expectAgain(bye);
        await().untilAsserted(() -> assertThat(edge.ends).hasSize(1));
    }

    @Test
    void aRequestThatThePhoneNeverAnswersTimesOutAndTheCallGoesOn() {
        Edge.Established call = edge.establish();
        call.caller().send("INFO", "");
        call.callee().party.expect("INFO ");
        edge.pbx.expect("SIP/2.0 408");
        Edge.hangUp(call.callee(), call.caller());
        nothingIsLeftAndCallsGoOn();
    }

    // --- repeats itself for ever ---------------------------------------------------------------------------------

    @Test
    void whoRepeatsItsInviteForEverHasOneCallAndHearsTheSameAgain() {
        Party phone = edge.phone("alice");
        await().until(() -> edge.sip.stack().serverTransactions() == 0);
        String invite = edge.pbx.invite("sip:alice@example.com");
        for (int i = 0; i < FOR_EVER; i++) {
            edge.pbx.send(invite);
        }
        String offered = phone.expect("INVITE ");
        assertThat(edge.sip.calls()).isEqualTo(1);
        assertThat(edge.sip.stack().serverTransactions()).isEqualTo(1);
        phone.answer(offered, 486, "");
        String refusal = edge.pbx.expect("SIP/2.0 486");
        for (int i = 0; i < 5; i++) {
            edge.pbx.send(invite);
            edge.pbx.expectAgain(refusal);
        }
        await().until(() -> edge.sip.calls() == 0);
        edge.pbx.acknowledgeFailure(invite, refusal);
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void whoRepeatsItsInviteAfterTheAnswerForEverHasOneCall() {
        Party phone = edge.phone("alice");
        String invite = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String offered = phone.expect("INVITE ");
        Dialogue callee = Dialogue.ofCallee(phone, offered, phone.answer(offered, 200, ""));
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        for (int i = 0; i < FOR_EVER; i++) {
            edge.pbx.send(invite);
        }
        caller.send("INFO", "");
        phone.answer(phone.expect("INFO "), 200, "");
        edge.pbx.expect("SIP/2.0 200");
        assertThat(edge.sip.calls()).isEqualTo(1);
        Edge.hangUp(caller, callee);
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void aPhoneThatRepeatsItsAnswerForEverGetsItsAckAndNoMore() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String offered = phone.expect("INVITE ");
        String answer = phone.answer(offered, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        String ack = phone.expect("ACK ");
        int keys = edge.sip.callKeys();
        phone.repeatUntilAcknowledgedAgain(answer, ack);
        for (int i = 0; i < FOR_EVER; i++) {
            phone.send(answer);
        }
        assertThat(edge.sip.callKeys()).isEqualTo(keys);
        assertThat(edge.sip.calls()).isEqualTo(1);
        Edge.hangUp(caller, Dialogue.ofCallee(phone, offered, answer));
        // Of a call that is over, nothing is known that could be acknowledged.
        phone.send(answer);
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void aByeThatIsRepeatedForEverIsAnsweredAlikeAndCrossesOnce() {
        Edge.Established call = edge.establish();
        Party phone = call.callee().party;
        String bye = call.caller().send("BYE", "");
        phone.answer(phone.expect("BYE "), 200, "");
        String confirmed = edge.pbx.expect("SIP/2.0 200");
        for (int i = 0; i < FOR_EVER; i++) {
            edge.pbx.send(bye);
            edge.pbx.expectAgain(confirmed);
        }
        nothingIsLeftAndCallsGoOn();
        // Longer than its transaction lives (Timer J): there is no such call.
        edge.pbx.send(bye);
        edge.pbx.expect("SIP/2.0 481");
    }

    @Test
    void aPhoneThatRefusesForEverGetsAnAckForEach() {
        Party phone = edge.phone("alice");
        String invite = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String refusal = phone.answer(phone.expect("INVITE "), 603, "");
        String ack = phone.expect("ACK ");
        for (int i = 0; i < 5; i++) {
            phone.send(refusal);
            phone.expectAgain(ack);
        }
        for (int i = 0; i < FOR_EVER; i++) {
            phone.send(refusal);
        }
        edge.pbx.acknowledgeFailure(invite, edge.pbx.expect("SIP/2.0 603"));
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void aPhoneThatRingsThousandsOfTimesCanStillBeAnsweredAndCostsOneDialog() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String offered = phone.expect("INVITE ");
        phone.answer(offered, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        int keys = edge.sip.callKeys();
        for (int i = 0; i < 2_000; i++) {
            phone.answer(offered, 180, "");
        }
        String answer = phone.answer(offered, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        assertThat(edge.sip.callKeys()).isEqualTo(keys);
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        Edge.hangUp(caller, Dialogue.ofCallee(phone, offered, answer));
        nothingIsLeftAndCallsGoOn();
    }

    @Test
    void aPhoneThatForksWithoutEndMakesABoundedNumberOfDialogs() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String offered = phone.expect("INVITE ");
        String ringing = phone.answer(offered, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        for (int i = 0; i < 2_000; i++) {
            phone.send(ringing.replace(";tag=alice", ";tag=fork" + i));
        }
        String answer = phone.answer(offered, 200, "");
        String heard = edge.pbx.expect("SIP/2.0 ");
        while (heard.startsWith("SIP/2.0 180")) {
            heard = edge.pbx.expect("SIP/2.0 ");
        }
        assertThat(edge.sip.callKeys()).isLessThan(100);
        Dialogue caller = Dialogue.ofCaller(edge.pbx, heard);
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        // So many 2xx, each of a tag of its own, are none of a fork either.
        for (int i = 0; i < 2_000; i++) {
            phone.send(answer.replace(";tag=alice", ";tag=other" + i));
        }
        caller.send("INFO", "");
        String next = phone.expect("");
        while (!next.startsWith("INFO ")) {
            if (next.startsWith("BYE ")) {
                phone.answer(next, 200, "");
            }
            next = phone.expect("");
        }
        phone.answer(next, 200, "");
        edge.pbx.expect("SIP/2.0 200");
        assertThat(edge.sip.callKeys()).isLessThan(100);
        Edge.hangUp(caller, Dialogue.ofCallee(phone, offered, answer));
        nothingIsLeftAndCallsGoOn();
    }
}
