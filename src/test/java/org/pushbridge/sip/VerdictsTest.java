package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;
import org.pushbridge.sip.CallStates.CallState;
import org.pushbridge.sip.stack.Transport;

/** What a device is told of calls that it was late for, or lost, over real sockets. */
class VerdictsTest {
    private static final String URI = "sip:alice@example.com";
    private static final String TARGET = ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=";
    private static final String PUSHED = TARGET + "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    private static final String OTHER = TARGET + "11fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

    private final Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    /** A phone that has registered and whose app sleeps now: its connection is gone. */
    private void asleep(String user, String target) {
        Party phone = awake(user, target);
        edge.drop(phone);
    }

    private Party awake(String user, String target) {
        Party phone = edge.stranger(user, Transport.TCP);
        phone.register(target);
        return phone;
    }

    /** The PBX calls alice, who is pushed to, and gives up. */
    private UUID callInVain() {
        int before = edge.pushes.size();
        String invite = edge.pbx.send(edge.pbx.invite(URI));
        edge.pbx.expect("SIP/2.0 182");
        await().until(() -> edge.pushes.size() > before);
        giveUp(invite);
        return edge.pushes.get(before).call().value();
    }

    private void giveUp(String invite) {
        edge.pbx.cancel(invite);
        edge.pbx.expect("SIP/2.0 200");
        String terminated = edge.pbx.expect("SIP/2.0 487");
        edge.pbx.acknowledgeFailure(invite, terminated);
    }

    private DeviceId alicesPhone() {
        return edge.directory.devices(Aor.parse("alice@example.com")).get(0).id();
    }

    private void awaitTold() {
        await().until(() -> edge.tombstones.untold(alicesPhone()).isEmpty());
    }

    // --- INVITE and CANCEL ---------------------------------------------------------------------------------------

    @Test
    void aStockPhoneThatWakesTooLateGetsTheCallItWasPushedForAndItsEnd() {
        asleep("alice", PUSHED);
        UUID call = callInVain();

        Party phone = awake("alice", PUSHED);

        String invite = phone.expect("INVITE ");
        Waker.Wake announced = edge.pushes.get(0);
        assertThat(Wire.header(invite, "Call-ID")).isEqualTo(announced.sipCallId());
        assertThat(Wire.header(invite, "X-Pushbridge-Call-UUID"))
                .isEqualTo(announced.callKitUuid().toString());
        assertThat(Wire.header(invite, "From")).startsWith("\"Some One\" <sip:pbx@example.com>");
        assertThat(Wire.header(invite, "Content-Type")).isEqualTo("application/sdp");
        assertThat(invite).doesNotContain("pn-");
        phone.answer(invite, 180, "");
        String cancel = phone.expect("CANCEL ");
        assertThat(Wire.header(cancel, "Reason")).isEqualTo("SIP;cause=487;text=\"Caller gave up\"");
        assertThat(Wire.header(cancel, "Via")).isEqualTo(Wire.header(invite, "Via"));
        phone.answer(cancel, 200, "");
        phone.answer(invite, 487, "");
        phone.expect("ACK ");
        awaitTold();
        assertThat(edge.tombstones.find(call, alicesPhone())).isPresent();
    }

    @Test
    void aPhoneThatWasToldIsNotToldAgain() {
        asleep("alice", PUSHED);
        callInVain();
        Party phone = awake("alice", PUSHED);
        phone.answer(phone.expect("INVITE "), 486, "");
        phone.expect("ACK ");
        awaitTold();
        edge.drop(phone);

        Party again = awake("alice", PUSHED);

        String next = edge.pbx.send(edge.pbx.invite(URI));
        // The first thing it hears is the next call.
        assertThat(Wire.header(again.expect("INVITE "), "Call-ID"))
                .isNotEqualTo(edge.pushes.get(0).sipCallId());
        giveUp(next);
    }

    @Test
    void aPhoneThatIsSilentIsToldAtItsNextRegistrationWithTheSameRequest() {
        asleep("alice", PUSHED);
        callInVain();
        Party deaf = awake("alice", PUSHED);
        String unheard = deaf.expect("INVITE ");
        edge.drop(deaf);

        Party phone = awake("alice", PUSHED);

        String invite = phone.expect("INVITE ");
        for (String header : List.of("Call-ID", "From", "CSeq")) {
            assertThat(Wire.header(invite, header)).isEqualTo(Wire.header(unheard, header));
        }
        phone.answer(invite, 482, "");
        awaitTold();
    }

    @Test
    void aUserWhoIsQuickerThanTheCancelIsHungUpOn() {
        asleep("alice", PUSHED);
        callInVain();
        Party phone = awake("alice", PUSHED);

        String invite = phone.expect("INVITE ");
        phone.answer(invite, 200, "");

        phone.expect("ACK ");
        phone.answer(phone.expect("BYE "), 200, "");
        awaitTold();
    }

    @Test
    void aPhoneIsNotDisturbedWhileItTalks() {
        asleep("alice", PUSHED);
        callInVain();
        // Its second registration comes over a connection of its own, after it began to talk.
        String live = edge.pbx.send(edge.pbx.invite(URI));
        edge.pbx.expect("SIP/2.0 182");
        Party phone = awake("alice", PUSHED);
        String first = phone.expect("INVITE ");
        String second = phone.expect("INVITE ");
        String dead = Wire.header(first, "Call-ID").equals(edge.pushes.get(0).sipCallId()) ? first : second;
        String alive = dead.equals(first) ? second : first;
        phone.answer(alive, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", Wire.cseq(live), "");
        phone.expect("ACK ");
        edge.drop(phone);

        Party moved = awake("alice", PUSHED);
        caller.send("BYE", "");

        // Only now: before, the BYE would not have been the first.
        moved.answer(moved.expect("BYE "), 200, "");
        edge.pbx.expect("SIP/2.0 200");
        assertThat(Wire.header(moved.expect("INVITE "), "Call-ID"))
                .isEqualTo(edge.pushes.get(0).sipCallId());
    }

    // --- outside of SIP ------------------------------------------------------------------------------------------

    @Test
    void aCallIsAliveUntilItEndsAndItsEndIsRemembered() {
        asleep("alice", PUSHED);
        String invite = edge.pbx.send(edge.pbx.invite(URI));
        edge.pbx.expect("SIP/2.0 182");
        await().until(() -> !edge.pushes.isEmpty());
        UUID call = edge.pushes.get(0).call().value();
        CallStates states = edge.sip.callStates();

        assertThat(states.of(call, alicesPhone()).flatMap(CallState::end)).isEmpty();
        giveUp(invite);

        assertThat(states.of(call, alicesPhone()).flatMap(CallState::end)).contains("caller-gave-up");
        assertThat(states.of(UUID.randomUUID(), alicesPhone())).isEmpty();
        assertThat(states.of(call, DeviceId.of(Aor.parse("bob@example.com"), "none")))
                .isEmpty();
    }

    @Test
    void anAppThatAskedIsNotToldBySip() {
        asleep("alice", PUSHED);
        UUID call = callInVain();

        await().until(() -> edge.tombstones.find(call, alicesPhone()).isPresent());
        edge.sip.callStates().asked(call, alicesPhone());

        Party phone = awake("alice", PUSHED);
        String next = edge.pbx.send(edge.pbx.invite(URI));
        assertThat(Wire.header(phone.expect("INVITE "), "Call-ID"))
                .isNotEqualTo(edge.pushes.get(0).sipCallId());
        giveUp(next);
    }

    @Test
    void whoDeclinesBeforeTheInviteEndsTheCallAtOnce() throws Exception {
        asleep("alice", PUSHED);
        String invite = edge.pbx.send(edge.pbx.invite(URI));
        edge.pbx.expect("SIP/2.0 182");
        await().until(() -> !edge.pushes.isEmpty());
        UUID call = edge.pushes.get(0).call().value();

        Optional<CallState> after = soon(edge.sip.callStates().decline(call, alicesPhone(), 603));

        assertThat(after.flatMap(CallState::end)).contains("declined-here");
        edge.pbx.acknowledgeFailure(invite, edge.pbx.expect("SIP/2.0 603"));
    }

    @Test
    void anAppThatAlertsLetsTheCallerHearItRing() throws Exception {
        asleep("alice", PUSHED);
        String invite = edge.pbx.send(edge.pbx.invite(URI));
        edge.pbx.expect("SIP/2.0 182");
        await().until(() -> !edge.pushes.isEmpty());
        UUID call = edge.pushes.get(0).call().value();

        Optional<CallState> after = soon(edge.sip.callStates().alerting(call, alicesPhone()));

        assertThat(after).isPresent();
        assertThat(after.flatMap(CallState::end)).isEmpty();
        edge.pbx.expect("SIP/2.0 180");
        giveUp(invite);
    }

    private static <T> T soon(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    // --- connections that are gone -------------------------------------------------------------------------------

    @Test
    void aPhoneThatRangAndMovedIsCancelledOverItsNewConnection() {
        Party phone = awake("alice", PUSHED);
        String call = edge.pbx.send(edge.pbx.invite(URI));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        edge.drop(phone);
        giveUp(call);

        Party moved = awake("alice", PUSHED);

        String cancel = moved.expect("CANCEL ");
        assertThat(Wire.header(cancel, "Via")).isEqualTo(Wire.header(invite, "Via"));
        moved.answer(cancel, 200, "");
        moved.answer(invite, 487, "");
        moved.expect("ACK ");
    }

    @Test
    void aPhoneThatRangAndMovedMayAnswerOverItsNewConnection() {
        Party phone = awake("alice", PUSHED);
        String call = edge.pbx.send(edge.pbx.invite(URI));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        edge.drop(phone);

        Party moved = awake("alice", PUSHED);
        String copy = moved.expect("INVITE ");
        for (String header : List.of("Call-ID", "From", "CSeq")) {
            assertThat(Wire.header(copy, header)).isEqualTo(Wire.header(invite, header));
        }
        moved.answer(copy, 482, "");
        moved.expect("ACK ");
        moved.answer(invite, 200, "");

        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", Wire.cseq(call), "");
        moved.expect("ACK ");
    }

    @Test
    void aByeForAPhoneWithoutConnectionIsAnsweredAtOnceAndWaitsForTheNext() {
        Party phone = awake("alice", PUSHED);
        String call = edge.pbx.send(edge.pbx.invite(URI));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", Wire.cseq(call), "");
        phone.expect("ACK ");
        edge.drop(phone);

        caller.send("BYE", "");
        edge.pbx.expect("SIP/2.0 200");
        await().until(() -> edge.ends.size() == 1);

        Party moved = awake("alice", PUSHED);
        String bye = moved.expect("BYE ");
        assertThat(Wire.header(bye, "Call-ID")).isEqualTo(Wire.header(invite, "Call-ID"));
        moved.answer(bye, 200, "");
        await().until(() -> edge.sip.calls() == 0);
    }

    @Test
    void aReInviteWaitsForAPhoneThatSaysItMayBeWokenForIt() {
        Party phone = awake("alice", PUSHED);
        phone.contactParameters = ";pn-purr=" + alicesPhone().purr();
        String call = edge.pbx.send(edge.pbx.invite(URI));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", Wire.cseq(call), "");
        phone.expect("ACK ");
        edge.drop(phone);

        caller.send("INVITE", "");
        await().until(() -> edge.requests.size() == 1);
        Party moved = awake("alice", PUSHED);

        String held = moved.expect("INVITE ");
        assertThat(Wire.tag(Wire.header(held, "To"))).isNotEmpty();
        moved.answer(held, 200, "");
        edge.pbx.expect("SIP/2.0 200");
    }

    @Test
    void aReInviteForAPhoneWithoutConnectionFailsAtOnceIfItMayNotBeWoken() {
        Party phone = awake("alice", PUSHED);
        String call = edge.pbx.send(edge.pbx.invite(URI));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", Wire.cseq(call), "");
        phone.expect("ACK ");
        edge.drop(phone);

        caller.send("INVITE", "");

        edge.pbx.expect("SIP/2.0 480");
        assertThat(edge.requests).isEmpty();
    }

    @Test
    void aCallerWhoLostItsConnectionGetsTheFinalResponseOverTheNext() {
        Party bob = awake("bob", OTHER);
        asleep("alice", PUSHED);
        bob.inviteWithCredentials(URI);
        bob.expect("SIP/2.0 182");
        await().until(() -> !edge.pushes.isEmpty());
        UUID call = edge.pushes.get(0).call().value();
        edge.drop(bob);
        var unused = edge.sip.callStates().decline(call, alicesPhone(), 603);
        await().until(() -> edge.ends.size() == 1);

        Party moved = awake("bob", OTHER);

        assertThat(Wire.header(moved.expect("SIP/2.0 603"), "CSeq")).endsWith("INVITE");
        assertThat(edge.pushes).hasSize(1);
    }

    @Test
    void aCallerWhoseConnectionBrokeUnderTheFinalResponseGetsItOverTheNext() {
        Party bob = awake("bob", OTHER);
        asleep("alice", PUSHED);
        bob.inviteWithCredentials(URI);
        bob.expect("SIP/2.0 182");
        await().until(() -> !edge.pushes.isEmpty());
        var unused = edge.sip.callStates().decline(edge.pushes.get(0).call().value(), alicesPhone(), 603);
        bob.expect("SIP/2.0 603"); // as far as the bridge can tell it did not arrive: no ACK follows
        await().until(() -> edge.sip.calls() == 0);
        edge.drop(bob);
        await().until(() -> edge.ends.size() == 1); // its screen is ended by a background push

        Party moved = awake("bob", OTHER);

        assertThat(Wire.header(moved.expect("SIP/2.0 603"), "CSeq")).endsWith("INVITE");
    }
}
