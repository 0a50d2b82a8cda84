package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.ScriptedPeer;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Transport;

/** One phone and, in the place of the bridge, a peer that does what the test says. */
final class PhoneStage implements AutoCloseable {
    static final String UUID = "0c5f3c9e-1111-5222-8333-0123456789ab";
    static final String ALICE = "<sip:alice@example.com>";

    final ScriptedPeer bridge;
    final SimulatedIphone phone;
    final List<String> happened = new CopyOnWriteArrayList<>();

    PhoneStage(AppSettings app) throws Exception {
        bridge = new ScriptedPeer(Transport.UDP);
        IphoneSettings settings = IphoneSettings.of(
                        "Alice", Credentials.of("alice", "secret"), "example.com", bridge.address())
                .waking(new WakeTimes(1, 0.01))
                .running(app);
        phone = new SimulatedIphone(settings, SimulatedIphone.AppleConnection.none(), new SimulatedIphone.Observer() {
            @Override
            public void happened(String what) {
                happened.add(what);
            }

            @Override
            public void message(boolean sent, SipMessage message) {
                happened.add((sent ? "sent " : "got ") + message.title());
            }
        });
    }

    /** The payload of a push about the call, with more fields, each with a comma before it. */
    static String payload(String event, String more) {
        return "{\"aps\":{},\"event\":\"" + event + "\",\"uuid\":\"" + UUID
                + "\",\"sip-call-id\":\"call-1\",\"sent-at\":1700000000000,\"expires-at\":1700000045000" + more + "}";
    }

    static String incoming() {
        return payload("incoming-call", "");
    }

    static <T> T soon(CompletableFuture<T> value) throws Exception {
        return value.get(10, TimeUnit.SECONDS);
    }

    void registered() throws Exception {
        registered(phone.launch());
    }

    void registered(CompletableFuture<Integer> status) throws Exception {
        bridge.acceptRegister();
        assertThat(soon(status)).isEqualTo(200);
    }

    /** The phone was pushed to and has registered. */
    CallScreen woken() throws Exception {
        phone.voipPush(incoming());
        bridge.acceptRegister();
        return screen();
    }

    CallScreen screen() {
        await().until(() -> !phone.screens().isEmpty());
        return phone.screens().get(0);
    }

    /** The INVITE of the call, over the flow that the last message came from. */
    void invite(String branch) throws Exception {
        bridge.send(
                bridge.with(bridge.invite("call-1", branch), SimulatedIphone.UUID_HEADER, UUID), bridge.lastSender());
    }

    /** A call that the phone took and that is acknowledged; the answer. */
    SipMessage talking() throws Exception {
        invite("a");
        bridge.next("180 Ringing");
        phone.answerNow(screen());
        SipMessage ok = bridge.next("200 OK");
        bridge.send(inside(ok, "ACK", 1), bridge.lastSender());
        soon(screen().invited().get().established());
        return ok;
    }

    SipMessage inside(SipMessage ok, String method, long cseq) {
        return bridge.request(
                method, ok.callId(), method + cseq, cseq, ok.header("To").orElseThrow());
    }

    void isHeldAgainstTheBridge(String sentence) {
        await().untilAsserted(() -> assertThat(phone.violations()).anyMatch(v -> v.contains(sentence)));
    }

    @Override
    public void close() {
        phone.close();
        bridge.close();
    }
}
