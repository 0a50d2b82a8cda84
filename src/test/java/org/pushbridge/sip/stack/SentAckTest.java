package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class SentAckTest {
    private static final String ACK = String.join(
            "\r\n",
            "ACK sip:a@192.0.2.1 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport",
            "From: <sip:b@192.0.2.2>;tag=1",
            "To: <sip:a@192.0.2.1>;tag=2",
            "Call-ID: 3",
            "CSeq: 1 ACK",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "",
            "");

    private final SentAck ack = new SentAck(ACK.getBytes(StandardCharsets.US_ASCII), Transport.UDP);

    @Test
    void itIsTheSameAgain() {
        assertThat(ack.bytes(Transport.UDP)).asString(StandardCharsets.US_ASCII).isEqualTo(ACK);
    }

    @Test
    void itNamesTheTransportThatItTakesNow() {
        assertThat(ack.bytes(Transport.TCP))
                .asString(StandardCharsets.US_ASCII)
                .isEqualTo(ACK.replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    }
}
