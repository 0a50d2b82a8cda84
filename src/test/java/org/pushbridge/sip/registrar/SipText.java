package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;

/** Requests as they come off the wire, read by the parser that reads them in the server. */
final class SipText {
    private SipText() {}

    static SIPRequest parse(String... lines) {
        byte[] bytes = (String.join("\r\n", lines) + "\r\nContent-Length: 0\r\n\r\n").getBytes(StandardCharsets.UTF_8);
        try {
            return (SIPRequest) new StringMsgParser()
                    .parseSIPMessage(
                            bytes, false, false, (problem, message, header, text, whole) -> message.addUnparsed(text));
        } catch (ParseException e) {
            throw new IllegalArgumentException("The test's own message cannot be parsed: " + e.getMessage(), e);
        }
    }
}
