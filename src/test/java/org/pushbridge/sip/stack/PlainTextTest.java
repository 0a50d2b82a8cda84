package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;

import gov.nist.javax.sip.address.AddressFactoryImpl;
import gov.nist.javax.sip.address.AddressImpl;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.ExtensionHeaderImpl;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.To;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read quickly is what JAIN-SIP's parser would have read. */
class PlainTextTest {
    private static final AddressFactoryImpl ADDRESSES = new AddressFactoryImpl();

    private static final List<String> USUAL = List.of(
            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2-3;rport",
            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2-3;rport=40000;received=192.0.2.4",
            "Via: SIP/2.0/TLS proxy.example.com;branch=z9hG4bK74bf9;received=192.0.2.4;Alias",
            "v: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKa",
            "From: \"PBX\" <sip:1000@192.0.2.2>;tag=1pbx2",
            "From: <sip:alice@example.com>",
            "From: <sips:alice.b_c+d~e*f@example.com:5061;transport=TLS;lr>;tag=a;X-other=1",
            "To: \"Bob, of <Bob>: \" <sip:bob@Example.com;user=phone>",
            "t: <sip:example.com>;tag=76341",
            "Call-ID: a84b4c76e66710@pc33.example.com",
            "i: 1-2@192.0.2.1",
            "Call-ID: 7f00-1:2/3=4",
            "CSeq: 314159 INVITE",
            "CSeq: 1 ack",
            "Contact: <sip:1000@192.0.2.2:7000;transport=UDP>",
            "Contact:  "
                    + " <sip:bob@192.0.2.3:5070;pn-provider=apns;pn-param=TEAM123456.org.example.phone.voip;pn-prid=00ff>"
                    + ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1;expires=3600;q=0.7",
            "m: <sip:bob@192.0.2.3>;expires=\"\"",
            "Route: <sip:192.0.2.9;lr>",
            "Record-Route: <sip:192.0.2.9:5060;lr=on;ftag=abc>",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "l:120",
            "Content-Type: application/sdp",
            "c: application/dialog-info+xml",
            "Expires: 3600",
            "INVITE sip:user1@example.com SIP/2.0",
            "REGISTER sip:example.com;a=b;c SIP/2.0",
            "ACK sip:bob@192.0.2.3:5070;transport=udp SIP/2.0",
            "SIP/2.0 180 Ringing",
            "SIP/2.0 200 OK and  more ",
            "SIP/2.0 486 ");

    /** What may be set into a line to make it odd. */
    private static final String ODD = "\"<>;:,=@?&%[]()\\ \tazZ09.-_~!*+'`/|{}^$#é\u0001";

    private static @Nullable SIPHeader header(String line) {
        int colon = line.indexOf(':');
        KnownHeader name = colon < 0 ? null : KnownHeader.usual(line, 0, colon);
        return PlainText.header(new HeaderLine(line, 0, line.length(), colon, name, name != null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2-3;rport",
                "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2-3;rport=40000;received=192.0.2.4",
                "From: \"PBX\" <sip:1000@192.0.2.2>;tag=1pbx2",
                "Contact: <sip:1000@192.0.2.2:7000;transport=UDP>",
                "CSeq: 1 INVITE",
                "Call-ID: 1-2@192.0.2.1",
                "Record-Route: <sip:192.0.2.9:5060;lr=on;ftag=abc>",
                "Content-Length: 12"
            })
    void readsWhatIsUsual(String line) {
        assertThat(header(line)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "VIA: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2-3",
                "Via: SIP/2.0/UDP a;branch=z9hG4bKa, SIP/2.0/UDP b;branch=z9hG4bKb",
                "Via: SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKa",
                "Via: SIP/2.0/UDP 192.0.2.1:70000;branch=z9hG4bK-1-2-3",
                "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2-3;rport=70000",
                "From: Alice <sip:alice@example.com>",
                "From: sip:alice@example.com;tag=1",
                "From: <sip:alice:secret@example.com>",
                "From: <tel:+49123>",
                "From: \"A \\\" B\" <sip:alice@example.com>",
                "To: <sip:alice@example.com",
                "Contact: *",
                "Contact: <sip:a@example.com>, <sip:b@example.com>",
                "Call-ID: a b",
                "CSeq: 12345678901 INVITE",
                "Content-Length: 12345678901",
                "Content-Length: 12\u2003",
                "Allow: INVITE, ACK"
            })
    void leavesWhatIsNotPlain(String line) {
        assertThat(header(line)).isNull();
    }

    @Test
    void readsAsJainSipDoes() throws ParseException {
        Random random = new Random(20_261);
        int plain = 0;
        for (int round = 0; round < 200_000; round++) {
            String line = USUAL.get(random.nextInt(USUAL.size()));
            for (int odd = random.nextInt(4); odd > 0; odd--) {
                line = changed(line, random);
            }
            plain += same(line.stripTrailing()) ? 1 : 0;
        }
        assertThat(plain).as("how many were plain").isBetween(60_000, 150_000);
    }

    private static String changed(String line, Random random) {
        int at = random.nextInt(line.length() + 1);
        int to = Math.min(line.length(), at + random.nextInt(3));
        String set = random.nextBoolean() ? "" : String.valueOf(ODD.charAt(random.nextInt(ODD.length())));
        String changed = line.substring(0, at) + set + line.substring(to);
        return changed.isEmpty() ? line : changed;
    }

    /** Whether the line is plain; fails if it is, and reads otherwise than JAIN-SIP reads it. */
    private static boolean same(String line) throws ParseException {
        if (line.startsWith("SIP/") || line.endsWith("SIP/2.0")) {
            SIPMessage plain = PlainText.startLine(line);
            if (plain == null) {
                return false;
            }
            SIPMessage stock = new StringMsgParser()
                    .parseSIPMessage(
                            (line + "\r\n\r\n").getBytes(StandardCharsets.UTF_8), false, false, (e, m, h, t, w) -> {
                                throw e;
                            });
            assertThat(plain.getFirstLine()).as(line).isEqualTo(stock.getFirstLine());
            return true;
        }
        SIPHeader plain = header(line);
        if (plain == null) {
            return false;
        }
        SIPHeader stock;
        try {
            stock = StringMsgParser.parseSIPHeader(line + "\n");
        } catch (ParseException | RuntimeException e) {
            throw new AssertionError("JAIN-SIP cannot read " + line, e);
        }
        assertThat(plain.encode()).as(line).isEqualTo(stock instanceof To ? inOrder(line) : stock.encode());
        assertThat(plain).as(line).isEqualTo(stock).isNotInstanceOf(ExtensionHeaderImpl.class);
        assertThat(plain.getClass()).as(line).isEqualTo(stock.getClass());
        return true;
    }

    /** JAIN-SIP keeps the parameters of a To in no order, unlike those of a From. */
    private static String inOrder(String to) throws ParseException {
        String from = StringMsgParser.parseSIPHeader("From" + to.substring(to.indexOf(':')) + "\n")
                .encode();
        return "To" + from.substring(from.indexOf(':'));
    }

    @Test
    void readsUrisAndAddressesAsJainSipDoes() throws ParseException {
        Random random = new Random(20_262);
        int plain = 0;
        for (int round = 0; round < 100_000; round++) {
            String uri = random.nextBoolean() ? "sip:alice@example.com:5060;transport=tcp;lr" : "sips:192.0.2.1";
            String address = (random.nextBoolean() ? "\"Alice\" " : "") + "<" + uri + ">";
            for (int odd = random.nextInt(4); odd > 0; odd--) {
                uri = changed(uri, random);
                address = changed(address, random);
            }
            SipUri plainUri = PlainText.uri(uri);
            if (plainUri != null) {
                plain++;
                assertThat(plainUri).as(uri).isEqualTo(ADDRESSES.createURI(uri));
                assertThat(plainUri).hasToString(ADDRESSES.createURI(uri).toString());
            }
            AddressImpl plainAddress = PlainText.address(address);
            if (plainAddress != null) {
                plain++;
                assertThat(plainAddress.toString())
                        .as(address)
                        .isEqualTo(ADDRESSES.createAddress(address).toString());
                assertThat(PlainText.address(plainAddress.toString()))
                        .as(address)
                        .isNotNull();
            }
        }
        assertThat(plain).as("how many were plain").isBetween(50_000, 150_000);
    }
}
