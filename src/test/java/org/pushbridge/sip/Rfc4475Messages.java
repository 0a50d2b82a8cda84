package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.sip.TortureOutcome.answered;
import static org.pushbridge.sip.TortureOutcome.dropped;
import static org.pushbridge.sip.TortureOutcome.heard;
import static org.pushbridge.sip.TortureOutcome.ignored;
import static org.pushbridge.sip.TortureOutcome.refused;
import static org.pushbridge.sip.TortureOutcome.registers;
import static org.pushbridge.sip.TortureOutcome.rings;
import static org.pushbridge.sip.TortureOutcome.ringsAndCarriesBody;

import java.util.List;
import java.util.Locale;

/**
 * The hazards of RFC 4475, in its order and under its names, each in a message of our own. Where the RFC leaves a choice,
 * the reason says which the bridge takes.
 */
final class Rfc4475Messages {
    private Rfc4475Messages() {}

    private static final String AUDIO = """
            v=0
            o=- 7011 7011 IN IP4 192.0.2.40
            s=-
            c=IN IP4 192.0.2.40
            t=0 0
            m=audio 40400 RTP/AVP 0 8 101
            a=rtpmap:101 telephone-event/8000
            """;

    /** The headers a request has beside its start line, From and To. */
    private static String usual(String method) {
        return """
                Via: SIP/2.0/{proto} {me};branch=z9hG4bKhard{id};rport
                Max-Forwards: 70
                Call-ID: hard{id}@caller.example.net
                CSeq: 5 %s
                """.formatted(method);
    }

    static List<TortureMessage> all() {
        return List.of(
                // --- 3.1.1 valid
                TortureMessage.of(
                        "wsinv",
                        "folded lines, odd case, compact names, white space wherever it may stand",
                        """
                        INVITE sip:alice@example.com;odd-param SIP/2.0
                        TO :
                         sip:alice@example.com ;   flag    = "off"
                        from   : "Q \\\\\\" Quote"       <sip:quincy@caller.example.net>
                          ;
                          tag = wide{id}
                        MaX-fOrWaRdS: 0069
                        Call-ID: wide.{id}@caller.example.net
                        Content-Length   : {length}
                        cseq: 0007
                          INVITE
                        Via  : SIP  /   2.0
                         /{proto}
                            {me} ; branch =  z9hG4bKwide{id} ;rport
                        s :
                        X-Nobody-Reads-This : free text : with ; odd = separators, and
                          a second line
                        Content-Type: application/sdp
                        Route:
                         <sip:hop.example.net;lr;some=thing;alone>
                        v:  SIP  / 2.0  / TCP     192.0.2.41   ;
                          branch  =   z9hG4bKbelow ,
                         SIP  /    2.0   / UDP  192.0.2.42:5080   ; branch=
                          z9hG4bKlowest
                        m:"Q \\"\\\\ Quote" <sip:quincy@{me}> ; extra =
                          thing ;
                          more ; q = 0.5

                        """ + AUDIO,
                        ringsAndCarriesBody(486),
                        "all of it is allowed by the grammar"),
                TortureMessage.of(
                        "intmeth",
                        "every character a token, a user part and a word may have",
                        """
                        !odd-Method9876543210_*+`.%mid'~ sip:0alice-_.!~*'()&=+$,;?/%3b:&x=+$,@example.com SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bK-.!%*_+`'~{id};rport
                        To: "quoted: \\x \\\" да" <sip:0_wide.!~*'()@example.com>
                        From: token1~` token2'+_ token3*%!.- <sip:alice@example.com>;tag=_odd'~!tag{id}
                        Call-ID: word%Y*-!.{id}_+'@all.word.`~)(><:\\/"][?}{
                        CSeq: 139122385 !odd-Method9876543210_*+`.%mid'~
                        Max-Forwards: 255
                        extensionHeader-!.%*+_`'~: да
                        Content-Length: 0

                        """,
                        answered(501, answer -> {
                            assertThat(Wire.header(answer, "Call-ID"))
                                    .startsWith("word%Y*-!.")
                                    .endsWith("][?}{");
                            assertThat(Wire.header(answer, "CSeq"))
                                    .isEqualTo("139122385 !odd-Method9876543210_*+`.%mid'~");
                            assertThat(Wire.header(answer, "From")).contains(";tag=_odd'~!tag");
                        }),
                        "a method nobody knows is no method of the bridge's; what has to be echoed is, to the letter"),
                TortureMessage.of(
                                "intmeth, with control characters",
                                "quoted pairs of BEL and DEL",
                                "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: "BEL:\\{bel} DEL:\\{del}" <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=ctl{id}
                        Content-Length: 0

                        """,
                                dropped(),
                                "allowed in quotes, and of use to nobody but who wants to write into logs")
                        .udpOnly(),
                TortureMessage.of(
                        "esc01",
                        "escapes that stand for letters, in user, parameter names and values",
                        "INVITE sip:%61lice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:%61lice@example.com
                        From: <sip:with%20blanks@caller.example.net>;tag=esc{id}
                        Contact: <sip:cal%6Cer@{me};%6C%72;n%61me=v%61lue%25%34%31>
                        Content-Length: 0

                        """,
                        rings(invite -> assertThat(Wire.header(invite, "From")).contains("with%20blanks")),
                        "%61lice is alice; what is not the bridge's to read crosses as it came"),
                TortureMessage.of(
                        "escnull",
                        "escaped NULs in users",
                        "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:null-%00-null@example.com>
                        From: <sip:null-%00-null@example.com>;tag=nul{id}
                        Contact: <sip:%00@caller.example.net>
                        Contact: <sip:%00%00@caller.example.net>
                        Content-Length: 0

                        """,
                        refused(400, "To"),
                        "sound, but no user of the bridge has control characters in the name, and none gets into a log"),
                TortureMessage.of(
                        "esc02",
                        "percent signs that escape nothing",
                        """
                        RE%47IST%45R sip:registrar.example.com SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bKpercent{id};rport
                        To: "%Y%46" <sip:alice@example.com>
                        From: "%Y%46" <sip:alice@example.com>;tag=f%32{id}
                        Max-Forwards: 70
                        Call-ID: esc02.%7Epercent{id}@caller.example.net
                        CSeq: 5 RE%47IST%45R
                        Contact: <sip:a%6Cias@one.example.net>
                        C%6Fntact: <sip:alias@two.example.net>
                        Contact: <sip:alias@three.example.net>
                        Content-Length: 0

                        """,
                        answered(405, answer -> {
                            assertThat(Wire.header(answer, "From"))
                                    .contains("%Y%46")
                                    .contains("tag=f%32");
                            assertThat(Wire.header(answer, "CSeq")).isEqualTo("5 RE%47IST%45R");
                        }),
                        "a method is not a URI: nothing in it is an escape, and this is not a REGISTER"),
                TortureMessage.of(
                        "lwsdisp",
                        "no space between display name and <",
                        "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: someone<sip:someone@caller.example.net>;tag=tight{id}
                        l: 0

                        """,
                        answered(200),
                        "allowed by the grammar"),
                TortureMessage.of(
                        "longreq",
                        "a header of 1,400 characters, 30 Vias, long URIs and tags",
                        """
                        INVITE sip:alice@example.com;aparam=%s SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bKlong%s{id};rport
                        %sMax-Forwards: 70
                        To: "Long %s" <sip:alice@example.com;with=%s>
                        F: "Calling %s" <sip:%s@caller.example.net>;tag=12%s
                        Call-ID: longreq.%s{id}
                        CSeq: 3882340 INVITE
                        X-Long: %s
                        Contact: <sip:amanda.%s@{me}>
                        Content-Type: application/sdp
                        l: {length}

                        """.formatted(
                                                "value".repeat(40),
                                                "0".repeat(150),
                                                "Via: SIP/2.0/TCP sip%d.example.net\n"
                                                        .formatted(30)
                                                        .repeat(30),
                                                "name".repeat(40),
                                                "x".repeat(200),
                                                "name".repeat(40),
                                                "u".repeat(200),
                                                "9".repeat(200),
                                                "c".repeat(200),
                                                "long value, ".repeat(117),
                                                "p".repeat(200))
                                + AUDIO,
                        ringsAndCarriesBody(486),
                        "long is not wrong; what is too long is a limit in the configuration"),
                TortureMessage.of(
                                "dblreq",
                                "a second request behind the first, in the same datagram",
                                "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=dbl{id}
                        Contact: <sip:alice@caller.example.net>
                        Content-Length: 0


                        INVITE sip:alice@example.com SIP/2.0
                        t: sip:alice@example.com
                        From: sip:alice@example.com;tag=second{id}
                        Call-ID: second{id}@caller.example.net
                        CSeq: 8 INVITE
                        Via: SIP/2.0/UDP {me};branch=z9hG4bKsecond{id}
                        Contact: <sip:alice@{me}>
                        Content-Length: 0

                        """,
                                answered(401),
                                "what follows Content-Length is no message on UDP")
                        .udpOnly(),
                TortureMessage.of(
                        "semiuri",
                        "a user part with a semicolon, an equals sign and an escaped @",
                        "OPTIONS sip:alice;day=tuesday;where%40work@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice;day=tuesday;where%40work@example.com
                        From: sip:someone@caller.example.net;tag=semi{id}
                        Accept: application/sdp
                        l: 0

                        """,
                        answered(
                                200,
                                answer -> assertThat(Wire.header(answer, "To"))
                                        .contains("sip:alice;day=tuesday;where%40work@example.com")),
                        "the user goes up to the @"),
                TortureMessage.of(
                        "transports",
                        "Vias with transports known and unknown",
                        """
                        OPTIONS sip:alice@example.com SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bKtrans{id};rport
                        Via: SIP/2.0/SCTP t1.example.net;branch=z9hG4bKtwo
                        Via: SIP/2.0/TLS t2.example.net;branch=z9hG4bKthree
                        Via: SIP/2.0/CARRIERPIGEON t3.example.net;branch=z9hG4bKfour
                        Via: SIP/2.0/UDP t4.example.net;branch=z9hG4bKfive
                        Max-Forwards: 70
                        To: sip:alice@example.com
                        From: <sip:someone@caller.example.net>;tag=trans{id}
                        Call-ID: transports{id}@caller.example.net
                        CSeq: 60 OPTIONS
                        l: 0

                        """,
                        answered(
                                200,
                                answer -> assertThat(Wire.list(answer, "Via"))
                                        .hasSize(5)
                                        .element(3)
                                        .asString()
                                        .contains("CARRIERPIGEON t3.example.net;branch=z9hG4bKfour")),
                        "only the top one is the bridge's business; all come back in their order"),
                TortureMessage.of(
                        "mpart01",
                        "a multipart body with bytes that are no text, in a method the bridge does not serve",
                        "MESSAGE sip:alice@example.com SIP/2.0\n" + usual("MESSAGE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=multi{id}
                        MIME-Version: 1.0
                        Content-Type: multipart/mixed;boundary=edge
                        Content-Length: {length}

                        --edge
                        Content-Type: text/plain

                        hello
                        --edge
                        Content-Type: application/octet-stream
                        Content-Transfer-Encoding: binary

                        {binary}
                        --edge--
                        """,
                        answered(405),
                        "the body is skipped by its length, whatever it holds"),
                TortureMessage.of(
                        "mpart01, as an INVITE",
                        "a multipart body with bytes that are no text",
                        "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=multi{id}
                        Contact: <sip:someone@{me}>
                        MIME-Version: 1.0
                        Content-Type: multipart/mixed;boundary=edge
                        Content-Length: {length}

                        --edge
                        Content-Type: application/sdp

                        """ + AUDIO + """
                        --edge
                        Content-Type: application/octet-stream

                        {binary}
                        --edge--
                        """,
                        ringsAndCarriesBody(488),
                        "bodies are end to end"),
                TortureMessage.of(
                                "unreason",
                                "a reason phrase of signs and Cyrillic letters",
                                """
                        SIP/2.0 200 = 5**3 * 2**4 \u0440\u0430\u0432\u043d\u043e - \u0432\u0441\u0451
                        Via: {via}
                        From: {from}
                        To: {to}
                        Call-ID: {call-id}
                        CSeq: {cseq}
                        Contact: <sip:alice@{me}>
                        Content-Length: 0

                        """,
                                heard("SIP/2.0 200"),
                                "the number decides")
                        .udpOnly(),
                TortureMessage.of(
                                "noreason",
                                "no reason phrase, only the space before it",
                                """
                        SIP/2.0 180{sp}
                        Via: {via}
                        From: {from}
                        To: {to}
                        Call-ID: {call-id}
                        CSeq: {cseq}
                        Contact: <sip:alice@{me}>
                        Content-Length: 0

                        """,
                                heard("SIP/2.0 180"),
                                "the phrase may be empty")
                        .udpOnly(),
                // --- 3.1.2 invalid
                TortureMessage.of(
                        "badinv01",
                        "separators with nothing between them in Via and Contact",
                        """
                        INVITE sip:alice@example.com SIP/2.0
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=seps{id}
                        Max-Forwards: 7
                        Call-ID: seps{id}@caller.example.net
                        CSeq: 8 INVITE
                        Via: SIP/2.0/{proto} {me};;,;,,
                        Contact: "" <> ;,"Sam" <sip:sam@caller.example.net>;;,,;;
                        Content-Length: {length}
                        Content-Type: application/sdp

                        """ + AUDIO,
                        refused(400, "Via"),
                        "a Via that cannot be read has no branch to go by"),
                TortureMessage.of(
                                "clerr",
                                "Content-Length larger than the datagram",
                                "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=clerr{id}
                        Contact: <sip:someone@{me}>
                        Content-Type: application/sdp
                        Content-Length: 9999

                        """ + AUDIO,
                                refused(400, "Content-Length"),
                                "half an offer is none; on TCP the rest might still come")
                        .udpOnly(),
                TortureMessage.of(
                                "ncl",
                                "a negative Content-Length",
                                "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=ncl{id}
                        Contact: <sip:someone@{me}>
                        Content-Type: application/sdp
                        Content-Length: -444

                        """ + AUDIO,
                                refused(400, "Content-Length"),
                                "nothing has that length; on TCP the connection is lost with it")
                        .udpOnly(),
                TortureMessage.of(
                        "scalar02",
                        "numbers too large in CSeq, Max-Forwards, Expires and a Contact's expires",
                        """
                        REGISTER sip:example.com SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bKscalar{id};rport
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=scalar{id}
                        Call-ID: scalar{id}@caller.example.net
                        CSeq: 70368744177664000000 REGISTER
                        Max-Forwards: 400
                        Expires: 10000000000000000000000000000000000
                        Contact: <sip:alice@caller.example.net>
                          ;expires=380297596632815
                        Content-Length: 0

                        """,
                        refused(400, "CSeq"),
                        "a CSeq that does not fit cannot be counted on"),
                TortureMessage.of(
                                "scalarlg",
                                "numbers too large in a response's CSeq, Retry-After and Warning",
                                """
                        SIP/2.0 503 Service Unavailable
                        Via: {via}
                        From: {from}
                        To: {to}
                        Call-ID: {call-id}
                        CSeq: 9292394834772304023312 INVITE
                        Retry-After: 849302838503028349304023988
                        Warning: 1712 somewhere "Too Long"
                        Content-Length: 0

                        """,
                                ignored(),
                                "it answers no request of the bridge's")
                        .udpOnly(),
                TortureMessage.of(
                        "quotbal",
                        "a quoted display name that does not end",
                        "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: "A. Somebody <sip:alice@example.com>
                        From: sip:someone@caller.example.net;tag=quot{id}
                        Contact: <sip:someone@{me}>
                        Content-Type: application/sdp
                        Content-Length: {length}

                        """ + AUDIO,
                        refused(400, "To"),
                        "where the address begins would be a guess"),
                TortureMessage.of(
                        "ltgtruri",
                        "a Request-URI in angle brackets",
                        "INVITE <sip:alice@example.com> SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=ltgt{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        refused(400, "Request-URI"),
                        "not allowed in a start line"),
                TortureMessage.of(
                        "lwsruri",
                        "a space inside the Request-URI",
                        "INVITE sip:alice@example.com; lr SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=lws{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        refused(400, "start line"),
                        "a start line has three parts and two spaces"),
                TortureMessage.of(
                        "lwsstart",
                        "several spaces in the start line",
                        "INVITE  sip:alice@example.com  SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=start{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        refused(400, "start line"),
                        "a start line has three parts and two spaces"),
                TortureMessage.of(
                                "trws",
                                "spaces behind the start line",
                                "OPTIONS sip:alice@example.com SIP/2.0{sp}{sp}\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=trws{id}
                        Content-Length: 0

                        """,
                                refused(400, "start line"),
                                "harmless, and still not what the grammar says; over UDP, as TCP loses the connection")
                        .udpOnly(),
                TortureMessage.of(
                        "escruri",
                        "headers in a SIP Request-URI",
                        "INVITE sip:alice@example.com?Route=%3Csip:elsewhere.example.net%3E SIP/2.0\n" + usual("INVITE")
                                + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=hdrs{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        refused(400, "Request-URI"),
                        "a header must not come in by the back door"),
                TortureMessage.of(
                        "baddate",
                        "a Date that is not in GMT",
                        "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=date{id}
                        Date: Mon, 04 Oct 2021 16:00:00 EST
                        Contact: <sip:someone@{me}>
                        Content-Type: application/sdp
                        Content-Length: {length}

                        """ + AUDIO,
                        ringsAndCarriesBody(486),
                        "a bad header nobody needs does not cost the call"),
                TortureMessage.of(
                                "regbadct",
                                "a Contact URI with headers and no angle brackets",
                                "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=regbad{id}
                        Contact: sip:alice@caller.example.net?Route=%3Csip:hop.example.net%3E
                        Content-Length: 0

                        """,
                                registers(answer -> assertThat(answer).contains("?Route=%3Csip:hop.example.net%3E>")),
                                "read as if the brackets were there, which the RFC lets a reader do")
                        .udpOnly(),
                TortureMessage.of(
                        "badaspec",
                        "spaces within the angle brackets of To",
                        "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: "Somebody, A." < sip:alice@example.com >
                        From: sip:someone@caller.example.net;tag=spec{id}
                        Content-Length: 0

                        """,
                        answered(200),
                        "what is meant is plain; the RFC lets it pass"),
                TortureMessage.of(
                        "baddn",
                        "a comma in a display name without quotes",
                        "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: Somebody, A <sip:someone@caller.example.net>;tag=dn{id}
                        Content-Length: 0

                        """,
                        answered(200),
                        "read as if the quotes were there, which the RFC lets a reader do"),
                TortureMessage.of(
                        "baddn, as an INVITE",
                        "a comma in a display name without quotes",
                        "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: Somebody, A <sip:someone@caller.example.net>;tag=dn{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        rings(invite ->
                                assertThat(Wire.header(invite, "From")).matches("(\"Somebody, A\" |\"A\" )?<sip:.*")),
                        "the phone gets a From that keeps to the grammar"),
                TortureMessage.of(
                        "badvers",
                        "version 7.0",
                        "OPTIONS sip:alice@example.com SIP/7.0\n"
                                + usual("OPTIONS").replace("SIP/2.0", "SIP/7.0")
                                + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=vers{id}
                        Content-Length: 0

                        """,
                        answered(505),
                        "there is no telling what another version means"),
                TortureMessage.of(
                        "mismatch01",
                        "the CSeq of another method",
                        "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=mis{id}
                        Content-Length: 0

                        """,
                        refused(400, "CSeq"),
                        "its answer would match neither"),
                TortureMessage.of(
                        "mismatch02",
                        "an unknown method, and INVITE in the CSeq",
                        "FRESHMETHOD sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=mis{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: {length}
                        Content-Type: application/sdp

                        """ + AUDIO,
                        refused(400, "CSeq"),
                        "the fault of form comes before the question of the method"),
                TortureMessage.of(
                                "bigcode",
                                "a status code of more than three digits",
                                """
                        SIP/2.0 8589934793 too large
                        Via: {via}
                        From: {from}
                        To: {to}
                        Call-ID: {call-id}
                        CSeq: {cseq}
                        Content-Length: 0

                        """,
                                ignored(),
                                "cut to its low bits it would be a 201")
                        .udpOnly(),
                // --- 3.2 transactions
                TortureMessage.of(
                        "badbranch",
                        "a branch of the magic cookie alone",
                        """
                        OPTIONS sip:alice@example.com SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bK;rport
                        Max-Forwards: 70
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=branch{id}
                        Call-ID: branch{id}@caller.example.net
                        CSeq: 8 OPTIONS
                        l: 0

                        """,
                        refused(400, "branch"),
                        "all such requests of a peer would be one transaction"),
                // --- 3.3 the layers above
                TortureMessage.of(
                                "insuf",
                                "no Call-ID, From and To",
                                """
                        INVITE sip:alice@example.com SIP/2.0
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bKinsuf{id};rport
                        CSeq: 193942 INVITE
                        Max-Forwards: 95
                        Content-Type: application/sdp
                        l: {length}

                        """ + AUDIO,
                                dropped(),
                                "a response has to copy what is not there")
                        .udpOnly(),
                TortureMessage.of(
                        "unkscm",
                        "a Request-URI with a scheme that nobody knows",
                        "OPTIONS nobodysScheme:somethingopaque SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=scheme{id}
                        Content-Length: 0

                        """,
                        answered(416),
                        "not an address the bridge could answer for"),
                TortureMessage.of(
                        "novelsc",
                        "a Request-URI with a scheme known for other things",
                        "OPTIONS soap.beep://192.0.2.43:3003 SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=novel{id}
                        Content-Length: 0

                        """,
                        answered(416),
                        "not an address the bridge could answer for"),
                TortureMessage.of(
                        "unksm2",
                        "To, From and Contact with schemes that are not SIP's",
                        "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: isbn:9780306406157
                        From: <http://caller.example.net>;tag=scheme{id}
                        Contact: <name:Some_Body>
                        l: 0

                        """,
                        refused(400, "To"),
                        "a book registers nowhere"),
                TortureMessage.of(
                        "bext01",
                        "Require and Proxy-Require of extensions that do not exist",
                        "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=ext{id}
                        Require: nobodyHasThis, norThis
                        Proxy-Require: nobodyHasThis, norThisEither
                        Content-Length: 0

                        """,
                        answered(
                                420,
                                answer -> assertThat(Wire.list(answer, "Unsupported"))
                                        .map(tag -> tag.toLowerCase(Locale.ROOT))
                                        .contains("nobodyhasthis", "northis")),
                        "required means required; each one missing is named"),
                TortureMessage.of(
                        "invut",
                        "a body of a type that nobody knows",
                        "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=type{id}
                        Contact: <sip:someone@{me}>
                        Content-Type: application/nobodysformat
                        Content-Length: {length}

                        <audio>
                         <pcmu port="443"/>
                        </audio>
                        """,
                        ringsAndCarriesBody(415),
                        "bodies are end to end: the phone says 415, and the caller hears it"),
                TortureMessage.of(
                        "regaut01",
                        "credentials of an unknown scheme",
                        "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=aut{id}
                        Contact: <sip:alice@{me}>
                        Authorization: NobodysScheme hidden-data=here
                        Content-Length: 0

                        """,
                        answered(
                                401,
                                answer -> assertThat(Wire.headers(answer, "WWW-Authenticate"))
                                        .isNotEmpty()),
                        "as good as none: the challenge says what would be taken"),
                TortureMessage.of(
                        "multi01",
                        "two each of Call-ID, To, From, Max-Forwards and CSeq",
                        """
                        INVITE sip:alice@example.com SIP/2.0
                        CSeq: 5 INVITE
                        Via: SIP/2.0/{proto} {me};branch=z9hG4bKmulti{id};rport
                        Max-Forwards: 70
                        CSeq: 59 OPTIONS
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=one{id}
                        From: sip:other@caller.example.net;tag=two{id}
                        Call-ID: one{id}@caller.example.net
                        Call-ID: two{id}@caller.example.net
                        To: sip:bob@example.com
                        Max-Forwards: 5
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        refused(400, "CSeq"),
                        "two readers could take it for two different requests"),
                TortureMessage.of(
                                "mcl01",
                                "two Content-Lengths that differ",
                                "OPTIONS sip:alice@example.com SIP/2.0\n" + usual("OPTIONS") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=mcl{id}
                        Content-Length: 13
                        Content-Length: 5
                        Content-Type: text/plain

                        eighteen bytes now
                        """,
                                refused(400, "Content-Length"),
                                "where the next message begins cannot be told; TCP loses the connection")
                        .udpOnly(),
                TortureMessage.of(
                                "bcast",
                                "a response whose second Via is the broadcast address",
                                """
                        SIP/2.0 200 OK
                        Via: {via}
                        Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKall
                        From: {from}
                        To: {to}
                        Call-ID: {call-id}
                        CSeq: {cseq}
                        Contact: <sip:alice@{me}>
                        Content-Length: 0

                        """,
                                ignored(),
                                "a response to the bridge has its own Via and no other (RFC 3261 section 8.1.3.3)")
                        .udpOnly(),
                TortureMessage.of(
                        "zeromf",
                        "Max-Forwards of 0",
                        "OPTIONS sip:alice@example.com SIP/2.0\n"
                                + usual("OPTIONS").replace("Max-Forwards: 70", "Max-Forwards: 0")
                                + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=zero{id}
                        Content-Length: 0

                        """,
                        answered(200),
                        "the bridge answers itself, so it forwards nothing"),
                TortureMessage.of(
                        "zeromf, as an INVITE",
                        "Max-Forwards of 0",
                        "INVITE sip:alice@example.com SIP/2.0\n"
                                + usual("INVITE").replace("Max-Forwards: 70", "Max-Forwards: 0")
                                + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=zero{id}
                        Contact: <sip:someone@{me}>
                        Content-Length: 0

                        """,
                        answered(483),
                        "it would go on to the phone, and perhaps round and round"),
                TortureMessage.of(
                                "cparam01",
                                "a parameter behind a Contact without angle brackets",
                                "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=cp{id}
                        Contact: sip:+491111@gw{id}.example.net;nobodysparam
                        Expires: 600
                        Content-Length: 0

                        """,
                                registers(answer ->
                                        assertThat(answer).contains("@gw").contains(">;nobodysparam")),
                                "it belongs to the header, not to the URI")
                        .udpOnly(),
                TortureMessage.of(
                                "cparam02",
                                "a parameter within the angle brackets",
                                "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=cp{id}
                        Contact: <sip:+491112@gw{id}.example.net;nobodysparam>
                        Expires: 600
                        Content-Length: 0

                        """,
                                registers(answer -> assertThat(answer).contains(".example.net;nobodysparam>")),
                                "it belongs to the URI")
                        .udpOnly(),
                TortureMessage.of(
                                "regescrt",
                                "a Contact URI with a header in it",
                                "REGISTER sip:example.com SIP/2.0\n" + usual("REGISTER") + """
                        To: <sip:alice@example.com>
                        From: <sip:alice@example.com>;tag=rt{id}
                        Contact: <sip:alice@rt{id}.example.net?Route=%3Csip:hop.example.net%3E>
                        Expires: 600
                        Content-Length: 0

                        """,
                                registers(answer -> assertThat(answer).contains("?Route=%3Csip:hop.example.net%3E>")),
                                "kept as it is; an INVITE to it goes over the flow and carries no such header")
                        .udpOnly(),
                TortureMessage.of(
                        "sdp01",
                        "an Accept of nothing the bridge has ever heard of",
                        "INVITE sip:alice@example.com SIP/2.0\n" + usual("INVITE") + """
                        To: sip:alice@example.com
                        From: sip:someone@caller.example.net;tag=acc{id}
                        Contact: <sip:someone@{me}>
                        Accept: text/nobodysText
                        Content-Type: application/sdp
                        Content-Length: {length}

                        """ + AUDIO,
                        rings(invite ->
                                assertThat(Wire.header(invite, "Accept")).isEqualTo("text/nobodysText")),
                        "whether that can be answered is the phone's to say"),
                // --- 3.4 the old SIP
                TortureMessage.of(
                                "inv2543",
                                "an INVITE as before RFC 3261: no branch, no tag, no Max-Forwards, no Content-Length",
                                """
                        INVITE sip:alice@example.com SIP/2.0
                        Via: SIP/2.0/UDP {me}
                        From: <sip:someone@caller.example.net>
                        To: <sip:alice@example.com>
                        Call-ID: old{id}@caller.example.net
                        CSeq: 1 INVITE
                        Contact: <sip:someone@{me}>
                        Content-Type: application/sdp

                        """ + AUDIO,
                                refused(400, "branch"),
                                "SIP without branches is refused by design: its transactions can be found by scanning alone")
                        .udpOnly());
    }
}
