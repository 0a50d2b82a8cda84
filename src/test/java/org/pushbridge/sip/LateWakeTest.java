package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.sip.stack.Transport;

/** A phone that wakes after its call has ended. */
class LateWakeTest {
    private static final String PUSH =
            ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + "ab".repeat(32);

    private final Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    private Party phone() {
        Party phone = edge.stranger("alice", Transport.TCP);
        phone.register(PUSH);
        return phone;
    }

    @Test
    void whatTellsOfTheEndIsACopyOfTheInviteThatMayStillArrive() {
        Party suspended = phone();
        String call = edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String lost = suspended.expect("INVITE ");
        suspended.close();
        edge.pbx.expect("SIP/2.0 182");
        edge.pbx.cancel(call);
        edge.pbx.expect("SIP/2.0 200");
        edge.pbx.acknowledgeFailure(call, edge.pbx.expect("SIP/2.0 487"));

        Party awake = phone();
        String told = awake.expect("INVITE ");

        assertThat(Wire.header(told, "Call-ID")).isEqualTo(Wire.header(lost, "Call-ID"));
        assertThat(Wire.header(told, "From")).isEqualTo(Wire.header(lost, "From"));
        assertThat(Wire.header(told, "CSeq")).isEqualTo(Wire.header(lost, "CSeq"));
        awake.answer(told, 180, "");
        assertThat(Wire.header(awake.expect("CANCEL "), "Reason")).contains("cause=487");
    }
}
