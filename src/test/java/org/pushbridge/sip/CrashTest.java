package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.sip.stack.Transport;

/** The edge dies in the middle of calls, and another goes on with them. */
class CrashTest {
    private static final String PUSH =
            ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + "ab".repeat(32);

    private Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    private void crash() {
        edge = edge.crash();
    }

    private void startWithSilenceLimit() {
        edge.close();
        edge = Edge.startWithSilenceLimit(Duration.ofMillis(200));
    }

    /** What a phone asks after its REGISTER is looked at when that has had all its consequences. */
    private static void isDealtWith(Party phone) {
        phone.send(phone.request("OPTIONS", "sip:example.com", ""));
        phone.expect("SIP/2.0 200");
    }

    private void ended() {
        await().until(() -> edge.sip.callKeys() == 0 && edge.disk.calls() == 0);
    }

    private String parkedCall() {
        Party asleep = edge.stranger("alice", Transport.TCP);
        asleep.register(PUSH);
        edge.drop(asleep);
        String call = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        edge.pbx.expect("SIP/2.0 182");
        return call;
    }

    @Test
    void aParkedCallIsDeliveredToThePhoneThatWakes() {
        parkedCall();
        crash();
        Party phone = edge.stranger("alice", Transport.TCP);
        phone.register(PUSH);
        String invite = phone.expect("INVITE ");
        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expectAfterProvisionals("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        Edge.hangUp(caller, Dialogue.ofCallee(phone, invite, answer));
    }

    @Test
    void damagedCallsAreForgottenAndTheOthersGoOn() {
        String first = parkedCall();
        for (int i = 1; i < 9; i++) {
            edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
            edge.pbx.expect("SIP/2.0 182");
        }
        await().until(edge.disk::idle);
        edge.disk.damageEveryThirdCall();
        crash();
        assertThat(edge.sip.calls()).isEqualTo(6);
        await().until(() -> edge.disk.calls() == 6);
        edge.pbx.cancel(first);
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(first, edge.pbx.expectAfterProvisionals("SIP/2.0 487"));
        await().until(() -> edge.sip.calls() == 5 && edge.disk.calls() == 5);
    }

    @Test
    void theCancelOfAParkedCallMatches() {
        String call = parkedCall();
        crash();
        edge.pbx.cancel(call);
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(call, edge.pbx.expectAfterProvisionals("SIP/2.0 487"));
        ended();
    }

    @Test
    void aPushThatWasNotConfirmedGoesOutAgain() {
        parkedCall();
        assertThat(edge.pushes).hasSize(1);
        crash();
        await().until(() -> edge.pushes.size() == 1);
    }

    @Test
    void aRingingPhoneIsAskedAgainInTheSameTransactionAndMayAnswer() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        crash();
        phone.expectAgain(invite);
        phone.answer(invite, 200, "");
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
    }

    @Test
    void aPhoneThatWasPushedToForItsSilenceMayStillAnswerTheInviteItHas() {
        startWithSilenceLimit();
        Party phone = edge.stranger("alice", Transport.UDP);
        phone.register(PUSH);
        isDealtWith(phone);
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        edge.pbx.expect("SIP/2.0 182");
        assertThat(edge.pushes).hasSize(1);
        await().until(edge.disk::idle);
        crash();
        phone.expectAgain(invite);
        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expectAfterProvisionals("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        Edge.hangUp(caller, Dialogue.ofCallee(phone, invite, answer));
    }

    @Test
    void aCancelReachesAPhoneThatRings() {
        Party phone = edge.phone("alice");
        String call = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        crash();
        phone.expectAgain(invite);
        phone.answer(invite, 180, "");
        edge.pbx.cancel(call);
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
        phone.answer(phone.expect("CANCEL "), 200, "");
        phone.answer(invite, 487, "");
        phone.expect("ACK ");
        edge.pbx.acknowledgeFailure(call, edge.pbx.expectAfterProvisionals("SIP/2.0 487"));
        ended();
    }

    @Test
    void anEstablishedCallGoesOnAndTheCallerHangsUp() {
        Edge.Established talk = edge.establish();
        crash();
        info(talk.caller(), talk.callee(), 2);
        info(talk.callee(), talk.caller(), 1);
        Edge.hangUp(talk.caller(), talk.callee());
        ended();
    }

    @Test
    void theInviteOfAnEstablishedCallIsNoNewCallWhenItComesAgain() {
        Party phone = edge.phone("alice");
        String call = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expectAfterProvisionals("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        await().until(edge.disk::idle);
        crash();
        edge.pbx.send(call);
        Edge.hangUp(caller, Dialogue.ofCallee(phone, invite, answer));
        ended();
    }

    @Test
    void anEstablishedCallGoesOnAndTheCalleeHangsUp() {
        Edge.Established talk = edge.establish();
        info(talk.caller(), talk.callee(), 2);
        crash();
        info(talk.caller(), talk.callee(), 3);
        Edge.hangUp(talk.callee(), talk.caller());
        ended();
    }

    @Test
    void anAnswerThatComesAgainIsAcknowledgedAgain() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        String ack = phone.expect("ACK ");
        await().until(edge.disk::idle);
        crash();
        phone.send(answer);
        assertThat(Wire.header(phone.expect("ACK "), "CSeq")).isEqualTo(Wire.header(ack, "CSeq"));
    }

    @Test
    void aReInviteUnderWayGoesOn() {
        Edge.Established talk = edge.establish();
        String reInvite = talk.caller().send("INVITE", "");
        Party phone = talk.callee().party;
        String passedOn = phone.expect("INVITE ");
        crash();
        String answer = phone.answer(passedOn, 200, "");
        edge.pbx.send(reInvite);
        phone.expectAgain(passedOn);
        phone.send(answer);
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 200"), "CSeq")).endsWith("INVITE");
        talk.caller().send("ACK", Wire.cseq(reInvite), "");
        assertThat(Wire.cseq(phone.expect("ACK "))).isEqualTo(Wire.cseq(passedOn));
    }

    @Test
    void aReInviteThatWasToldToWaitGoesOn() {
        Edge.Established talk = edge.establish();
        String reInvite = talk.caller().send("INVITE", "");
        Party phone = talk.callee().party;
        String passedOn = phone.expect("INVITE ");
        edge.pbx.expectTrying();
        crash();
        phone.expectAgain(passedOn);
        phone.answer(passedOn, 200, "");
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 200"), "CSeq")).endsWith("INVITE");
        talk.caller().send("ACK", Wire.cseq(reInvite), "");
        assertThat(Wire.cseq(phone.expect("ACK "))).isEqualTo(Wire.cseq(passedOn));
        Edge.hangUp(talk.callee(), talk.caller());
        ended();
    }

    @Test
    void aReInviteShowsThatTheAnswerWasAcknowledged() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 200, "");
        String heard = edge.pbx.expect("SIP/2.0 200");
        crash();
        edge.pbx.expectAgain(heard);
        Dialogue caller = Dialogue.ofCaller(edge.pbx, heard);
        caller.send("INVITE", "");
        phone.expect("ACK ");
        phone.answer(phone.expect("INVITE "), 200, "");
        assertThat(Wire.cseq(edge.pbx.expect("SIP/2.0 200"))).isEqualTo(6);
    }

    @Test
    void aRequestWithoutAnAnswerIsRepeatedWithTheNumberItHad() {
        Edge.Established talk = edge.establish();
        String info = talk.caller().send("INFO", "");
        String first = talk.callee().party.expect("INFO ");
        crash();
        edge.pbx.send(info);
        talk.callee().party.expectAgain(first);
        talk.callee().party.answer(first, 200, "");
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
    }

    @Test
    void anAnswerInsideADialogThatDidNotArriveIsGivenAgain() {
        Edge.Established talk = edge.establish();
        String info = talk.caller().send("INFO", "");
        Party phone = talk.callee().party;
        phone.answer(phone.expect("INFO "), 200, "");
        String answer = edge.pbx.expect("SIP/2.0 200");
        crash();
        edge.pbx.send(info);
        edge.pbx.expectAgain(answer);
        info(talk.caller(), talk.callee(), 3);
        Edge.hangUp(talk.caller(), talk.callee());
        ended();
    }

    @Test
    void aRequestThatIsNotTheOneThatWasAnsweredIsOutOfOrder() {
        Edge.Established talk = edge.establish();
        info(talk.caller(), talk.callee(), 2);
        crash();
        talk.caller().send("INFO", talk.caller().cseq(), "");
        edge.pbx.expect("SIP/2.0 500");
    }

    @Test
    void aReInviteThatWasAnsweredIsAnsweredAgainUntilItsAckComes() {
        Edge.Established talk = edge.establish();
        String reInvite = talk.caller().send("INVITE", "");
        Party phone = talk.callee().party;
        String passedOn = phone.expect("INVITE ");
        edge.pbx.expectTrying();
        String offer = phone.answer(passedOn, 200, "v=0\r\n");
        String answer = edge.pbx.expect("SIP/2.0 200");
        crash();
        edge.pbx.expectAgain(answer);
        phone.send(offer); // its ACK has not come yet, and has to bring the caller's word
        edge.pbx.expectAgain(answer);
        talk.caller().send("ACK", Wire.cseq(reInvite), "v=1\r\n");
        String ack = phone.expect("ACK ");
        assertThat(Wire.cseq(ack)).isEqualTo(Wire.cseq(passedOn));
        assertThat(ack).endsWith("v=1\r\n");
        Edge.hangUp(talk.callee(), talk.caller());
        ended();
    }

    @Test
    void aReInviteFromLongAgoLeavesNothingBehind() {
        edge.close();
        edge = Edge.startWithT1(Duration.ofMillis(20)); // 64*T1 is 1.3 s
        Edge.Established talk = edge.establish();
        String reInvite = talk.caller().send("INVITE", "");
        Party phone = talk.callee().party;
        phone.answer(phone.expect("INVITE "), 200, "");
        edge.pbx.expect("SIP/2.0 200");
        talk.caller().send("ACK", Wire.cseq(reInvite), "");
        phone.expect("ACK ");
        Instant answered = Instant.now();
        await().until(() -> Instant.now().isAfter(answered.plusMillis(1500)));
        crash();
        await().until(() -> edge.sip.calls() == 1 && edge.sip.stack().serverTransactions() == 0);
        info(talk.callee(), talk.caller(), 1);
    }

    @Test
    void aReInviteThatWasRefusedIsRefusedAgain() {
        Edge.Established talk = edge.establish();
        String reInvite = talk.caller().send("INVITE", "");
        Party phone = talk.callee().party;
        String passedOn = phone.expect("INVITE ");
        edge.pbx.expectTrying();
        phone.answer(passedOn, 488, "");
        phone.expect("ACK ");
        String refusal = edge.pbx.expect("SIP/2.0 488");
        crash();
        edge.pbx.expectAgain(refusal);
        edge.pbx.acknowledgeFailure(reInvite, refusal);
        Edge.hangUp(talk.caller(), talk.callee());
        ended();
    }

    @Test
    void anAnswerThatWasNotAcknowledgedIsRepeated() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        String answer = phone.answer(invite, 200, "");
        String heard = edge.pbx.expect("SIP/2.0 200");
        crash();
        edge.pbx.expectAgain(heard);
        Dialogue caller = Dialogue.ofCaller(edge.pbx, heard);
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        Edge.hangUp(Dialogue.ofCallee(phone, invite, answer), caller);
        ended();
    }

    @Test
    void aRefusalThatWasNotAcknowledgedIsRepeated() {
        String call = parkedCall();
        edge.pbx.cancel(call);
        edge.pbx.expect("SIP/2.0 200");
        String refusal = edge.pbx.expect("SIP/2.0 487");
        crash();
        edge.pbx.expectAgain(refusal);
        edge.pbx.acknowledgeFailure(call, refusal);
        await().until(() -> edge.disk.calls() == 0 || edge.sip.calls() == 1);
    }

    @Test
    void aCallThatIsOverIsTakenUpOnceAndNotForEver() {
        edge.close();
        edge = Edge.startWithT1(Duration.ofMillis(20)); // 64*T1 is 1.3 s
        String call = parkedCall();
        edge.pbx.cancel(call);
        edge.pbx.expect("SIP/2.0 200");
        String refusal = edge.pbx.expect("SIP/2.0 487");
        await().until(edge.disk::idle);
        crash();
        edge.pbx.expectAgain(refusal);
        for (int crashes = 2; edge.sip.calls() > 0; crashes++) {
            assertThat(crashes).isLessThan(100);
            await().until(edge.disk::idle);
            crash();
        }
        await().until(() -> edge.disk.calls() == 0);
    }

    @Test
    void aByeThatWasAnsweredIsAnsweredAgain() {
        Edge.Established talk = edge.establish();
        String bye = talk.caller().send("BYE", "");
        String passedOn = talk.callee().party.expect("BYE ");
        String answer = edge.pbx.expect("SIP/2.0 200");
        crash();
        edge.pbx.send(bye);
        edge.pbx.expectAgain(answer);
        talk.callee().party.expectAgain(passedOn);
        talk.callee().party.answer(passedOn, 200, "");
    }

    @Test
    void aCallerWhoseConnectionDiedWithTheEdgeHearsTheAnswerOnItsNextOne() {
        Party alice = edge.stranger("alice", Transport.TCP);
        alice.register(PUSH);
        alice.inviteWithCredentials("sip:9123@example.com");
        String invite = edge.pbx.expect("INVITE ");
        edge.pbx.answer(invite, 180, "");
        alice.expect("SIP/2.0 180");
        crash();
        edge.pbx.expectAgain(invite);
        String answer = edge.pbx.answer(invite, 200, "");
        Party back = edge.stranger("alice", Transport.TCP);
        back.register(PUSH);
        Dialogue caller = Dialogue.ofCaller(back, back.expectAfterProvisionals("SIP/2.0 200"));
        caller.send("ACK", 6, "");
        edge.pbx.expect("ACK ");
        Edge.hangUp(Dialogue.ofCallee(edge.pbx, invite, answer), caller);
        ended();
    }

    @Test
    void aPhoneWhoseConnectionDiedWithTheEdgeIsInvitedOnItsNextOne() {
        Party phone = edge.stranger("alice", Transport.TCP);
        phone.register(PUSH);
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        crash();
        Party back = edge.stranger("alice", Transport.TCP);
        back.register(PUSH);
        String again = back.expect("INVITE ");
        assertThat(Wire.header(again, "Call-ID")).isEqualTo(Wire.header(invite, "Call-ID"));
        assertThat(Wire.header(again, "From")).isEqualTo(Wire.header(invite, "From"));
        back.answer(again, 200, "");
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
    }

    @Test
    void aCallThatEndedWhileTheEdgeDiedHasItsVerdict() {
        String call = parkedCall();
        edge.pbx.cancel(call);
        edge.pbx.expect("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(call, edge.pbx.expect("SIP/2.0 487"));
        crash();
        Party phone = edge.stranger("alice", Transport.TCP);
        phone.register(PUSH);
        phone.answer(phone.expect("INVITE "), 180, "");
        phone.expect("CANCEL ");
    }

    @Test
    void aPhoneThatIsBeingToldHowItsCallEndedDoesNotRingForEver() {
        Party asleep = edge.stranger("alice", Transport.TCP);
        asleep.register(PUSH);
        edge.drop(asleep);
        String call = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        edge.pbx.expect("SIP/2.0 182");
        edge.pbx.cancel(call);
        edge.pbx.expectAfterProvisionals("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(call, edge.pbx.expectAfterProvisionals("SIP/2.0 487"));
        Party phone = edge.stranger("alice", Transport.UDP);
        phone.register(PUSH);
        String invite = phone.expect("INVITE ");
        crash();
        phone.expectAgain(invite);
        phone.answer(invite, 180, "");
        String cancel = phone.expect("CANCEL ");
        assertThat(Wire.header(cancel, "Via")).isEqualTo(Wire.header(invite, "Via"));
        phone.answer(cancel, 200, "");
        phone.answer(invite, 487, "");
        phone.expect("ACK ");
        await().until(() -> edge.tombstones.untold().isEmpty());
        await().until(edge.disk::idle);
        crash();
        assertThat(edge.tombstones.untold()).isEmpty();
    }

    @Test
    void nothingIsSaidBeforeTheCallIsOnDisk() {
        Party phone = edge.phone("alice");
        edge.disk.stall();
        String call = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        await().until(() -> edge.disk.waiting() > 0);
        edge.disk.fail();
        String refusal = edge.pbx.expect("SIP/2.0 503");
        assertThat(Wire.header(refusal, "Retry-After")).isEqualTo("5");
        edge.pbx.acknowledgeFailure(call, refusal);
        assertThat(edge.sip.refusals(CallRefusal.NOT_STORED)).isEqualTo(1);
        edge.disk.resume();
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.expect("INVITE ");
    }

    @Test
    void aPhoneIsNotTakenToBeSilentBeforeItsInviteHasLeft() {
        startWithSilenceLimit();
        Party phone = edge.stranger("alice", Transport.UDP);
        phone.register(PUSH);
        isDealtWith(phone);
        edge.disk.stall();
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        await().until(() -> edge.disk.waiting() > 0);
        assertThat(phone.listen()).isEmpty(); // for more than twice the silence limit
        edge.disk.resume();
        phone.answer(phone.expect("INVITE "), 180, "");
        edge.pbx.expect("SIP/2.0 180");
        assertThat(edge.pushes).isEmpty();
    }

    @Test
    void aCallGoesOnThatCannotBeWrittenDownAnyMore() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        edge.disk.stall();
        phone.answer(invite, 200, "");
        await().until(() -> edge.disk.waiting() > 0);
        edge.disk.fail();
        edge.pbx.expect("SIP/2.0 200");
    }

    private void info(Dialogue from, Dialogue to, long number) {
        from.send("INFO", "");
        String info = to.party.expect("INFO ");
        assertThat(Wire.cseq(info)).isEqualTo(number);
        to.party.answer(info, 200, "");
        assertThat(Wire.header(from.party.expect("SIP/2.0 200"), "CSeq")).endsWith("INFO");
    }
}
