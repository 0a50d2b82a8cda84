package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.sip.TortureOutcome.answered;
import static org.pushbridge.sip.TortureOutcome.refused;
import static org.pushbridge.sip.TortureOutcome.registers;
import static org.pushbridge.sip.TortureOutcome.ringsAndCarriesBody;

import java.util.List;

/** The hazards of RFC 5118 (IPv6), in its order and under its names, each in a message of our own. */
final class Rfc5118Messages {
    private Rfc5118Messages() {}

    private static String request(String method, String uri, String to, String more) {
        return """
                %s %s SIP/2.0
                Via: SIP/2.0/{proto} {me};branch=z9hG4bKsix{id};rport
                Max-Forwards: 70
                From: <sip:alice@example.com>;tag=six{id}
                To: %s
                Call-ID: six{id}@caller.example.net
                CSeq: 5 %s
                %sContent-Length: {length}

                """.formatted(method, uri, to, method, more);
    }

    private static final String CONTACT = "Contact: \"Some One\" <sip:someone@[2001:db8:6::7]>\n";

    static List<TortureMessage> all() {
        return List.of(
                TortureMessage.of(
                        "ipv6-good",
                        "an IPv6 address as Request-URI, in Via and in Contact",
                        request("REGISTER", "sip:[::1]", "<sip:alice@example.com>", CONTACT + "Expires: 600\n"),
                        registers(answer -> assertThat(answer).contains("<sip:someone@[2001:db8:6::7]>")),
                        "the registrar is meant by the address it listens on, too"),
                TortureMessage.of(
                        "ipv6-bad",
                        "an IPv6 address without brackets as Request-URI",
                        request("REGISTER", "sip:2001:db8:6::8", "<sip:alice@example.com>", CONTACT),
                        refused(400, "Request-URI"),
                        "whether its last part is a port cannot be told"),
                TortureMessage.of(
                        "port-ambiguous",
                        "what might be meant as the port stands within the brackets",
                        request("REGISTER", "sip:[2001:db8:6::8:5080]", "<sip:alice@example.com>", CONTACT),
                        answered(404),
                        "within the brackets it is part of the address, and that is not one of the bridge's"),
                TortureMessage.of(
                        "port-unambiguous",
                        "a port behind the brackets",
                        request("REGISTER", "sip:[::1]:5080", "<sip:alice@example.com>", CONTACT + "Expires: 600\n"),
                        registers(answer -> assertThat(answer).contains("<sip:someone@[2001:db8:6::7]>")),
                        "what to register at is told by the host"),
                TortureMessage.of(
                        "via-received-param-with-delim",
                        "received in a Via, with brackets",
                        request("BYE", "sip:alice@example.com", "<sip:alice@example.com>;tag=gone{id}", "")
                                .replace(";rport", ";received=[2001:db8:6::9];rport"),
                        answered(481),
                        "not what the grammar says, but sent by many; the bridge puts its own there anyway"),
                TortureMessage.of(
                        "via-received-param-no-delim",
                        "received in a Via, without brackets",
                        request("OPTIONS", "sip:alice@example.com", "<sip:alice@example.com>", "")
                                .replace(";rport", ";received=2001:db8:6::9;rport"),
                        answered(
                                200,
                                answer -> assertThat(Wire.header(answer, "Via")).contains("received=127.0.0.1")),
                        "as the grammar says; what the bridge saw takes its place"),
                TortureMessage.of(
                        "ipv6-in-sdp",
                        "IPv6 addresses in SDP",
                        request(
                                        "INVITE",
                                        "sip:alice@example.com",
                                        "<sip:alice@example.com>",
                                        CONTACT + "Content-Type: application/sdp\n")
                                + """
                                v=0
                                o=- 9 9 IN IP6 2001:db8:6::20
                                s=-
                                c=IN IP6 2001:db8:6::20
                                t=0 0
                                m=audio 42000 RTP/AVP 2
                                a=rtpmap:2 G726-32/8000
                                m=video 42002 RTP/AVP 107
                                """,
                        ringsAndCarriesBody(486),
                        "bodies are end to end"),
                TortureMessage.of(
                        "mult-ip-in-header",
                        "Vias of both IP versions",
                        request("BYE", "sip:alice@example.com", "<sip:alice@example.com>;tag=gone{id}", "")
                                .replace("Max-Forwards", """
                                        Via: SIP/2.0/UDP 192.0.2.44;branch=z9hG4bKfour
                                        Via: SIP/2.0/TCP [2001:db8:6::21];branch=z9hG4bKsix;received=192.0.2.45
                                        Max-Forwards\
                                        """),
                        answered(
                                481,
                                answer -> assertThat(Wire.list(answer, "Via"))
                                        .hasSize(3)
                                        .element(2)
                                        .asString()
                                        .contains("[2001:db8:6::21];branch=z9hG4bKsix;received=192.0.2.45")),
                        "those below the top one come back as they are"),
                TortureMessage.of(
                        "mult-ip-in-sdp",
                        "media of both IP versions in one SDP",
                        request(
                                        "INVITE",
                                        "sip:alice@example.com",
                                        "<sip:alice@example.com>",
                                        CONTACT + "Content-Type: application/sdp\n")
                                + """
                                v=0
                                o=- 10 10 IN IP4 media.example.net
                                s=-
                                t=0 0
                                m=audio 42010 RTP/AVP 0
                                c=IN IP4 192.0.2.46
                                m=video 42012 RTP/AVP 107
                                c=IN IP6 2001:db8:6::22
                                """,
                        ringsAndCarriesBody(486),
                        "bodies are end to end"),
                TortureMessage.of(
                        "ipv4-mapped-ipv6",
                        "IPv4 addresses in the form of IPv6 ones",
                        request(
                                                "INVITE",
                                                "sip:alice@example.com",
                                                "<sip:alice@example.com>",
                                                "Contact: <sip:someone@[::ffff:192.0.2.47]>\nContent-Type: application/sdp\n")
                                        .replace(
                                                "Max-Forwards",
                                                "Via: SIP/2.0/UDP [::ffff:192.0.2.47];branch=z9hG4bKmapped\nMax-Forwards")
                                + """
                                v=0
                                o=- 11 11 IN IP6 ::ffff:192.0.2.47
                                s=-
                                c=IN IP6 ::ffff:192.0.2.47
                                t=0 0
                                m=audio 42020 RTP/AVP 0
                                """,
                        ringsAndCarriesBody(486),
                        "an address like any other"),
                TortureMessage.of(
                        "ipv6-bug-abnf-3-colons",
                        "three colons, as RFC 3261's grammar once had it",
                        request(
                                "OPTIONS",
                                "sip:alice@[2001:db8:::192.0.2.48]",
                                "<sip:alice@[2001:db8:::192.0.2.48]>",
                                ""),
                        answered(200),
                        "the RFC asks for patience; it names nobody the bridge would look up"),
                TortureMessage.of(
                        "ipv6-correct-abnf-2-colons",
                        "two colons before an embedded IPv4 address",
                        request(
                                "OPTIONS",
                                "sip:alice@[2001:db8::192.0.2.48]",
                                "<sip:alice@[2001:db8::192.0.2.48]>",
                                ""),
                        answered(200),
                        "as it should be"));
    }
}
