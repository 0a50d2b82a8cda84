package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes and reads SIP messages as text, without the stack under test. */
final class Messages {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private Messages() {}

    /** A well-formed request, to be altered with {@link String#replace}. */
    static String request(String method, Peer from) {
        int number = NUMBER.incrementAndGet();
        return method + " sip:alice@example.com SIP/2.0\r\n"
                + "Via: SIP/2.0/" + from.transport() + " " + from.hostPort() + ";branch=z9hG4bKtest" + number
                + ";rport\r\n"
                + "Max-Forwards: 70\r\n"
                + "From: <sip:bob@example.com>;tag=from" + number + "\r\n"
                + "To: <sip:alice@example.com>\r\n"
                + "Call-ID: call" + number + "@example.com\r\n"
                + "CSeq: 1 " + method + "\r\n"
                + "Contact: <sip:bob@" + from.hostPort() + ">\r\n"
                + "Content-Length: 0\r\n\r\n";
    }

    static String invite(Peer from) {
        return request("INVITE", from);
    }

    /** The CANCEL for that INVITE. */
    static String cancel(String invite) {
        return invite.replace("INVITE sip:", "CANCEL sip:")
                .replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL")
                .replaceFirst("Contact: .*\r\n", "");
    }

    /** The ACK for a failure of that INVITE (same branch). */
    static String ack(String invite, String response) {
        return invite.replace("INVITE sip:", "ACK sip:")
                .replace("CSeq: 1 INVITE", "CSeq: 1 ACK")
                .replaceFirst(
                        "To: .*\r\n",
                        Matcher.quoteReplacement("To: " + header(response, "To").orElseThrow()) + "\r\n")
                .replaceFirst("Contact: .*\r\n", "");
    }

    /** A response as a user agent makes it from the request's text. */
    static String response(String request, int status, String toTag, String... more) {
        StringBuilder text = new StringBuilder("SIP/2.0 " + status + " Whatever\r\n");
        for (String via : headers(request, "Via")) {
            text.append("Via: ").append(via).append("\r\n");
        }
        for (String name : List.of("From", "To", "Call-ID", "CSeq")) {
            text.append(name).append(": ").append(header(request, name).orElseThrow());
            if (name.equals("To") && !toTag.isEmpty()) {
                text.append(";tag=").append(toTag);
            }
            text.append("\r\n");
        }
        for (String line : more) {
            text.append(line).append("\r\n");
        }
        return text.append("Content-Length: 0\r\n\r\n").toString();
    }

    static Optional<String> header(String message, String name) {
        return headers(message, name).stream().findFirst();
    }

    static List<String> headers(String message, String name) {
        List<String> found = new ArrayList<>();
        Matcher matcher = Pattern.compile("(?mi)^" + Pattern.quote(name) + "\\s*:\\s*(.*?)\r?$")
                .matcher(message);
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }

    static int status(String response) {
        Matcher matcher = Pattern.compile("SIP/2\\.0 (\\d{3}) ").matcher(response);
        if (!matcher.lookingAt()) {
            throw new AssertionError("Not a response: " + response);
        }
        return Integer.parseInt(matcher.group(1));
    }

    static String firstLine(String message) {
        return message.lines().findFirst().orElse("");
    }

    /** A request of the bridge's own, without Via. */
    static SIPRequest outgoing(String method) {
        int number = NUMBER.incrementAndGet();
        String text = method + " sip:alice@phone.example.com SIP/2.0\r\n"
                + "From: <sip:bob@example.com>;tag=out" + number + "\r\n"
                + "To: <sip:alice@example.com>\r\n"
                + "Call-ID: out" + number + "@bridge.example.com\r\n"
                + "CSeq: 1 " + method + "\r\n"
                + "Route: <sip:edge.example.com;lr>\r\n"
                + "Contact: <sip:bridge.example.com>\r\n"
                + "Content-Length: 0\r\n\r\n";
        try {
            return (SIPRequest)
                    new StringMsgParser().parseSIPMessage(text.getBytes(StandardCharsets.UTF_8), true, false, null);
        } catch (ParseException e) {
            throw new AssertionError(e);
        }
    }
}
