package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What crosses the bridge, and what does not. */
class CarriedTest {
    private static final String EVERY_BYTE = everyByte();
    private static final String MULTIPART = String.join(
            "\r\n",
            "--frontier",
            "Content-Type: application/sdp",
            "",
            "v=0",
            "--frontier",
            "Content-Type: application/isup",
            "",
            "\u0000\u0001\u00ff",
            "--frontier--",
            "");

    private final Edge edge = Edge.start();
    private final Party pbx = edge.pbx;

    @AfterEach
    void stop() {
        edge.close();
    }

    private static String everyByte() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** The INVITE that alice's phone gets when this caller calls her with these headers. */
    private String received(Party caller, String... headers) {
        Party phone = edge.phone("alice");
        caller.send(caller.invite("sip:alice@example.com", headers));
        return phone.expect("INVITE ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Subject: Lunch",
                "Alert-Info: <http://example.com/ring.wav>",
                "Call-Info: <http://example.com/photo.jpg>;purpose=icon",
                "User-to-User: 56a390f3d2b7310023a2;encoding=hex",
                "Identity: eyJhbGciOiJFUzI1NiJ9..sig;info=<https://example.com/cert>;alg=ES256",
                "Diversion: <sip:first@example.com>;reason=no-answer;counter=1",
                "Privacy: header",
                "Session-Expires: 1800;refresher=uac",
                "Min-SE: 90",
                "Priority: urgent",
                "Accept-Contact: *;audio",
                "Allow: INVITE",
                "X-Anything: goes = \"here\" ; and <there>"
            })
    void aHeaderThatIsNotAboutOneLegCrosses(String header) {
        String invite = received(pbx, header);
        String name = header.substring(0, header.indexOf(':'));
        assertThat(Wire.header(invite, name)).isEqualTo(header.substring(header.indexOf(':') + 2));
    }

    @Test
    void severalOfOneHeaderCrossInTheirOrder() {
        String invite = received(
                pbx,
                "X-Anything: one",
                "History-Info: <sip:first@example.com>;index=1",
                "X-Anything: two",
                "History-Info: <sip:second@example.com>;index=1.1",
                "Diversion: <sip:a@example.com>",
                "Diversion: <sip:b@example.com>",
                "Diversion: <sip:c@example.com>",
                "X-Anything: three");
        assertThat(Wire.list(invite, "X-Anything")).containsExactly("one", "two", "three");
        assertThat(Wire.list(invite, "History-Info"))
                .containsExactly("<sip:first@example.com>;index=1", "<sip:second@example.com>;index=1.1");
        assertThat(Wire.list(invite, "Diversion"))
                .containsExactly("<sip:a@example.com>", "<sip:b@example.com>", "<sip:c@example.com>");
    }

    @Test
    void theCallersNameAndTheCalledAddressCross() {
        Party phone = edge.phone("alice");
        pbx.send(pbx.invite("sip:alice@example.com")
                .replace("\"Some One\" <sip:pbx@example.com>", "\"Bob Builder\" <sip:+15551234@carrier.example>")
                .replace("To: <sip:alice@example.com>", "To: \"Reception\" <sip:100@pbx.example>"));
        String invite = phone.expect("INVITE ");
        assertThat(Wire.header(invite, "From")).startsWith("\"Bob Builder\" <sip:+15551234@carrier.example>;tag=");
        assertThat(Wire.header(invite, "To")).isEqualTo("\"Reception\" <sip:100@pbx.example>");
    }

    @Test
    void optionsThatHoldFromEndToEndCrossAndOthersDoNot() {
        String invite = received(pbx, "Supported: 100rel, timer, path, outbound, gruu", "Require: 100rel, timer");
        assertThat(Wire.list(invite, "Supported")).containsExactlyInAnyOrder("100rel", "timer");
        assertThat(Wire.list(invite, "Require")).containsExactlyInAnyOrder("100rel", "timer");
    }

    @Test
    void whatBelongsToOneLegStaysThere() {
        Party phone = edge.phone(
                "alice", ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + "0f".repeat(32));
        String sent = pbx.send(pbx.invite(
                "sip:alice@example.com;pn-provider=apns",
                "Record-Route: <sip:" + pbx.hostPort() + ";lr>",
                "Route: <sip:" + edge.hostPort() + ";lr>",
                "User-Agent: Old PBX",
                "Authorization: Digest username=\"pbx\", realm=\"pbx\", nonce=\"n\", uri=\"sip:x\", response=\"r\"",
                "P-Charging-Vector: icid-value=1",
                "X-Pushbridge-Call-UUID: forged",
                "X-Pushbridge-Other: forged"));
        String invite = phone.expect("INVITE ");
        assertThat(Wire.headers(invite, "Via"))
                .singleElement()
                .asString()
                .startsWith("SIP/2.0/UDP " + edge.hostPort())
                .doesNotContain(pbx.hostPort());
        assertThat(Wire.headers(invite, "Contact"))
                .singleElement()
                .asString()
                .contains(edge.hostPort())
                .doesNotContain(pbx.hostPort());
        for (String name : List.of("Record-Route", "Route", "User-Agent", "Authorization", "P-Charging-Vector")) {
            assertThat(Wire.headers(invite, name)).as(name).isEmpty();
        }
        assertThat(invite).doesNotContain("pn-").doesNotContain("Old PBX").doesNotContain("forged");
        assertThat(Wire.headers(invite, "X-Pushbridge-Call-UUID")).hasSize(1);
        assertThat(Wire.header(invite, "Max-Forwards")).isEqualTo("69");
        assertThat(Wire.header(invite, "Call-ID")).isNotEqualTo(Wire.header(sent, "Call-ID"));
        assertThat(Wire.tag(Wire.header(invite, "From"))).isNotEqualTo(Wire.tag(Wire.header(sent, "From")));
    }

    @Test
    void pushParametersInToDoNotCross() {
        Party phone = edge.phone("alice");
        pbx.send(pbx.invite("sip:alice@example.com")
                .replace("<sip:alice@example.com>", "<sip:alice@example.com;pn-provider=apns;pn-prid=0f0f>"));

        assertThat(Wire.header(phone.expect("INVITE "), "To")).isEqualTo("<sip:alice@example.com>");
    }

    @Test
    void whatBelongsToThePhonesLegDoesNotComeBack() {
        Party phone = edge.phone("alice");
        pbx.send(pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(
                invite,
                200,
                "",
                "X-Pushbridge-Other: forged",
                "Server: A Phone",
                "Record-Route: <sip:" + phone.hostPort() + ";lr>");
        String answer = pbx.expect("SIP/2.0 200");
        assertThat(answer).doesNotContain(phone.hostPort()).doesNotContain("forged");
        assertThat(Wire.headers(answer, "Record-Route")).isEmpty();
        assertThat(Wire.headers(answer, "Server")).containsExactly("Pushbridge");
        assertThat(Wire.tag(Wire.header(answer, "To"))).isNotEqualTo("alice");
    }

    @Test
    void aBodyOfAnyTypeCrossesByteForByteBothWays() {
        Party phone = edge.phone("alice");
        pbx.send(pbx.request(
                "INVITE",
                "sip:alice@example.com",
                MULTIPART,
                "Content-Type: multipart/mixed;boundary=frontier",
                "Content-Disposition: session;handling=optional",
                "Content-Language: en"));
        String invite = phone.expect("INVITE ");
        assertThat(Wire.body(invite)).isEqualTo(MULTIPART);
        assertThat(Wire.header(invite, "Content-Type")).isEqualTo("multipart/mixed;boundary=frontier");
        assertThat(Wire.header(invite, "Content-Disposition")).isEqualTo("session;handling=optional");

        phone.answer(invite, 200, EVERY_BYTE, "Content-Type: application/x-bytes");

        String answer = pbx.expect("SIP/2.0 200");
        assertThat(Wire.body(answer)).isEqualTo(EVERY_BYTE);
        assertThat(Wire.header(answer, "Content-Type")).isEqualTo("application/x-bytes");
    }

    @Test
    void whyADeviceRefusesReachesTheCaller() {
        Party phone = edge.phone("alice");
        String sent = pbx.send(pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 603, "no\u0000\u00ff", "Content-Type: text/plain", "Reason: Q.850;cause=21", "X-Why: tea");
        phone.expect("ACK ");
        String refusal = pbx.expect("SIP/2.0 603");
        pbx.acknowledgeFailure(sent, refusal);
        assertThat(Wire.header(refusal, "Reason")).isEqualTo("Q.850;cause=21");
        assertThat(Wire.header(refusal, "X-Why")).isEqualTo("tea");
        assertThat(Wire.body(refusal)).isEqualTo("no\u0000\u00ff");
    }

    // --- identity (RFC 3325) -------------------------------------------------------------------------------------

    @Test
    void aTrustedTrunksIdentityReachesThePhone() {
        String invite = received(pbx, "P-Asserted-Identity: <sip:+15551234@carrier.example>");
        assertThat(Wire.header(invite, "P-Asserted-Identity")).isEqualTo("<sip:+15551234@carrier.example>");
    }

    @Test
    void anIdentityThatIsToBeKeptPrivateDoesNotReachThePhone() {
        String invite = received(
                pbx, "P-Asserted-Identity: <sip:+15551234@carrier.example>", "Privacy: id", "X-Anything: here");
        assertThat(invite).doesNotContain("15551234").contains("X-Anything: here");
        assertThat(Wire.header(invite, "Privacy")).isEqualTo("id");
    }

    @Test
    void theIdentityOfATrunkThatIsNotTrustedIsDropped() {
        String invite = received(
                edge.carrier,
                "P-Asserted-Identity: <sip:+15551234@carrier.example>",
                "Remote-Party-ID: <sip:+15551234@carrier.example>");
        assertThat(invite).doesNotContain("15551234");
    }

    @Test
    void aTrustedTrunkGetsTheProvenIdentityOfAPhoneAndNotTheClaimedOne() {
        Party bob = edge.phone("bob");
        bob.inviteWithCredentials("sip:9123@example.com", "P-Asserted-Identity: <sip:ceo@example.com>");
        String invite = pbx.expect("INVITE ");
        assertThat(Wire.headers(invite, "P-Asserted-Identity")).containsExactly("<sip:bob@example.com>");
    }

    @Test
    void aTrunkThatIsNotTrustedGetsNoIdentity() {
        Party bob = edge.phone("bob");
        bob.inviteWithCredentials("sip:8123@example.com", "P-Asserted-Identity: <sip:ceo@example.com>");
        assertThat(Wire.headers(edge.carrier.expect("INVITE "), "P-Asserted-Identity"))
                .isEmpty();
    }
}
