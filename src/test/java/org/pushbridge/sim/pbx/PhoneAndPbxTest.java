package org.pushbridge.sim.pbx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.IphoneSettings;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** The two stand-ins talk to each other without a bridge: the PBX says yes to every REGISTER. */
class PhoneAndPbxTest {
    private static final Duration SOON = Duration.ofMillis(30);

    private final List<AutoCloseable> open = new CopyOnWriteArrayList<>();
    private InetAddress loopback = InetAddress.getLoopbackAddress();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable part : open) {
            part.close();
        }
    }

    private SimulatedPbx pbx(Transport transport) throws Exception {
        SimulatedPbx pbx = SimulatedPbx.open(transport, new InetSocketAddress(loopback, 0), (sent, message) -> {});
        open.add(pbx);
        return pbx;
    }

    private SimulatedIphone phone(SimulatedPbx pbx) throws Exception {
        IphoneSettings settings = IphoneSettings.of(
                        "Alice", Credentials.of("alice", "secret"), "example.com", pbx.address())
                .over(pbx.transport(), loopback);
        SimulatedIphone phone =
                new SimulatedIphone(settings, SimulatedIphone.AppleConnection.none(), SimulatedIphone.Observer.none());
        open.add(phone);
        assertThat(phone.launch().get(10, TimeUnit.SECONDS)).isEqualTo(200);
        return phone;
    }

    private static UaCall call(SimulatedPbx pbx, SimulatedIphone phone) {
        InetSocketAddress address = phone.localAddress().orElseThrow();
        return pbx.call(address, "sip:bob@example.com", "sip:alice@example.com");
    }

    private static UaCall incoming(SimulatedIphone phone) throws Exception {
        await().until(() -> !phone.screens().isEmpty());
        return phone.screens().get(0).invited().get(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @EnumSource
    void aCallIsAnsweredHeldAndHungUpByTheCallee(Transport transport) throws Exception {
        SimulatedPbx pbx = pbx(transport);
        SimulatedIphone phone = phone(pbx);
        phone.onCall(Answering.answerAfter(SOON));

        UaCall atPbx = call(pbx, phone);
        assertThat(atPbx.outcome().get(10, TimeUnit.SECONDS)).isEqualTo(200);
        UaCall atPhone = incoming(phone);
        atPhone.established().get(10, TimeUnit.SECONDS);

        assertThat(atPbx.statuses()).containsExactly(100, 180, 200);
        assertThat(atPbx.remoteSdp().get()).isEqualTo(atPhone.localSdp());
        assertThat(atPhone.remoteSdp().get()).isEqualTo(atPbx.localSdp());
        assertThat(phone.screens().get(0).ringing().get()).isEqualTo(RingingEnd.ANSWERED_HERE);

        assertThat(atPhone.reInvite().get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(atPbx.reInvite().get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(atPbx.request("INFO", "application/dtmf-relay", "Signal=5\r\n")
                        .get(10, TimeUnit.SECONDS))
                .isEqualTo(200);
        assertThat(atPhone.requests()).extracting(r -> r.method()).containsExactly("INVITE", "INFO");

        assertThat(atPhone.hangUp().get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(atPbx.ended().get(10, TimeUnit.SECONDS)).isEqualTo(UaCall.End.HUNG_UP_THERE);
        assertThat(pbx.violations()).isEmpty();
        assertThat(phone.violations()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void thePhoneCallsOutAndThePbxHangsUp(Transport transport) throws Exception {
        SimulatedPbx pbx = pbx(transport);
        pbx.onCall(Answering.answerAfter(SOON));
        SimulatedIphone phone = phone(pbx);

        UaCall atPhone = phone.call("sip:5551234@example.com");
        assertThat(atPhone.outcome().get(10, TimeUnit.SECONDS)).isEqualTo(200);
        await().until(() -> pbx.received().size() == 1);
        UaCall atPbx = pbx.received().get(0);
        atPbx.established().get(10, TimeUnit.SECONDS);
        assertThat(atPbx.hangUp().get(10, TimeUnit.SECONDS)).isEqualTo(200);

        assertThat(atPhone.ended().get(10, TimeUnit.SECONDS)).isEqualTo(UaCall.End.HUNG_UP_THERE);
        assertThat(pbx.violations()).isEmpty();
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aCallGoesOverIpv6() throws Exception {
        byte[] one = new byte[16];
        one[15] = 1;
        loopback = InetAddress.getByAddress(one);
        assumeTrue(NetworkInterface.getByInetAddress(loopback) != null, "This machine has no IPv6");
        aCallIsAnsweredHeldAndHungUpByTheCallee(Transport.UDP);
        aCallIsAnsweredHeldAndHungUpByTheCallee(Transport.TCP);
    }

    @Test
    void theCallerGivesUpWhileThePhoneRings() throws Exception {
        SimulatedPbx pbx = pbx(Transport.UDP);
        SimulatedIphone phone = phone(pbx);

        UaCall atPbx = call(pbx, phone);
        await().until(() -> atPbx.statuses().contains(180));
        atPbx.cancel();

        assertThat(atPbx.outcome().get(10, TimeUnit.SECONDS)).isEqualTo(487);
        assertThat(phone.screens().get(0).ringing().get(10, TimeUnit.SECONDS)).isEqualTo(RingingEnd.CANCELLED);
        assertThat(pbx.violations()).isEmpty();
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void thePhoneDeclines() throws Exception {
        SimulatedPbx pbx = pbx(Transport.UDP);
        SimulatedIphone phone = phone(pbx);
        phone.onCall(Answering.declineEverywhereAfter(SOON));

        UaCall atPbx = call(pbx, phone);

        assertThat(atPbx.outcome().get(10, TimeUnit.SECONDS)).isEqualTo(603);
        assertThat(atPbx.statuses()).containsExactly(100, 180, 603);
        assertThat(phone.screens().get(0).ringing().get()).isEqualTo(RingingEnd.DECLINED_HERE);
    }

    @Test
    void thePhoneIsBusyWithoutARing() throws Exception {
        SimulatedPbx pbx = pbx(Transport.UDP);
        SimulatedIphone phone = phone(pbx);
        phone.onCall(new Answering.Busy());

        UaCall atPbx = call(pbx, phone);

        assertThat(atPbx.outcome().get(10, TimeUnit.SECONDS)).isEqualTo(486);
        assertThat(atPbx.statuses()).containsExactly(100, 486);
    }
}
