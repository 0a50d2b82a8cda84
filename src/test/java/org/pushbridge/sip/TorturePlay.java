package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import org.pushbridge.sip.stack.Transport;

/** One {@link TortureMessage} played against a real edge, where alice has a phone. */
final class TorturePlay {
    private final Edge edge;
    private final TortureMessage message;
    private final Transport transport;
    /** Whoever sends the message, if it is a request: the PBX for an INVITE, else alice. */
    final Party sender;
    /** The PBX, over UDP. */
    final Party caller;
    /** Alice's, registered over UDP. */
    final Party phone;
    /** The message as it was sent. */
    String sent = "";

    private String invite = "";

    TorturePlay(Edge edge, Party phone, TortureMessage message, Transport transport) {
        this.edge = edge;
        this.phone = phone;
        this.message = message;
        this.transport = transport;
        this.caller = edge.pbx;
        boolean invites = message.text().startsWith("INVITE ");
        if (message.text().contains("[::1]")) {
            this.sender = edge.strangerOverIpv6("alice", transport);
        } else if (invites) {
            this.sender = transport == Transport.UDP ? edge.pbx : edge.pbxOverTcp();
        } else {
            this.sender = edge.stranger("alice", transport);
        }
    }

    void run() {
        if (message.isResponse()) {
            caller.send(caller.invite("sip:alice@example.com"));
            invite = phone.expect("INVITE ");
            String to = Wire.header(invite, "To");
            sent = phone.send(written(phone)
                    .replace("{via}", Wire.header(invite, "Via"))
                    .replace("{from}", Wire.header(invite, "From"))
                    .replace("{to}", to + ";tag=phone")
                    .replace("{call-id}", Wire.header(invite, "Call-ID"))
                    .replace("{cseq}", Wire.header(invite, "CSeq")));
        } else {
            sent = sender.send(written(sender));
        }
        message.outcome().check(this);
        probe();
        await().untilAsserted(() -> assertThat(edge.sip.callKeys()).isZero());
    }

    private String written(Party from) {
        return message.written(transport.name(), from.hostPort(), edge.hostPort(), Party.next());
    }

    /** Whoever sent it is served as before, and nothing else came in between. */
    private void probe() {
        Party from = message.isResponse() ? caller : sender;
        String probe = from.send(from.request("OPTIONS", "sip:example.com", ""));
        String answer = from.expect("SIP/2.0 200 ");
        assertThat(Wire.header(answer, "Call-ID")).isEqualTo(Wire.header(probe, "Call-ID"));
    }

    void phoneIsBusy() {
        phone.answer(invite, 486, "");
        phone.expect("ACK ");
        acknowledge(caller, caller.expect("SIP/2.0 486 "));
    }

    void acknowledge(String failure) {
        acknowledge(sender, failure);
    }

    private static void acknowledge(Party by, String failure) {
        by.send(Wire.message(
                "ACK sip:alice@example.com SIP/2.0",
                List.of(
                        "Via: " + Wire.headers(failure, "Via").get(0).replaceAll(";(received|rport)(=[^;,]*)?", ""),
                        "Max-Forwards: 70",
                        "From: " + Wire.header(failure, "From"),
                        "To: " + Wire.header(failure, "To"),
                        "Call-ID: " + Wire.header(failure, "Call-ID"),
                        "CSeq: " + Wire.cseq(failure) + " ACK"),
                ""));
    }
}
