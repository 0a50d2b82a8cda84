package org.pushbridge.sim.ua;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A SIP message as it stands on the wire: start line, headers in their order, body. Immutable. Header names are kept in
 * their long form; values are kept as text and read by those who ask.
 */
public final class SipMessage {
    private static final Map<String, String> COMPACT_NAMES = Map.ofEntries(
            Map.entry("i", "Call-ID"),
            Map.entry("m", "Contact"),
            Map.entry("e", "Content-Encoding"),
            Map.entry("l", "Content-Length"),
            Map.entry("c", "Content-Type"),
            Map.entry("f", "From"),
            Map.entry("s", "Subject"),
            Map.entry("k", "Supported"),
            Map.entry("t", "To"),
            Map.entry("v", "Via"),
            Map.entry("o", "Event"),
            Map.entry("u", "Allow-Events"),
            Map.entry("r", "Refer-To"),
            Map.entry("x", "Session-Expires"));
    private static final Pattern HEADER = Pattern.compile("([^\\s:]+)\\s*:\\s*(.*)", Pattern.DOTALL);

    private record Header(String name, String value) {}

    private final String startLine;
    private final List<Header> headers;
    private final String body;

    private SipMessage(String startLine, List<Header> headers, String body) {
        this.startLine = startLine;
        this.headers = List.copyOf(headers);
        this.body = body;
    }

    static SipMessage request(String method, String uri) {
        return new SipMessage(method + " " + uri + " SIP/2.0", List.of(), "");
    }

    /** A response with what must be copied from the request (RFC 3261 section 8.2.6.2), its To as it is there. */
    static SipMessage response(SipMessage request, int status, String reason) {
        SipMessage response = new SipMessage("SIP/2.0 " + status + " " + reason, List.of(), "");
        for (Header header : request.headers) {
            if (List.of("Via", "From", "To", "Call-ID", "CSeq", "Record-Route").contains(header.name)) {
                response = response.with(header.name, header.value);
            }
        }
        return response;
    }

    /**
     * Reads one message.
     *
     * @param bytes a datagram, or one framed message of a stream
     * @throws IllegalArgumentException if it is not one
     */
    public static SipMessage parse(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        int end = text.indexOf("\r\n\r\n");
        if (end < 0) {
            throw new IllegalArgumentException("No empty line ends the headers");
        }
        String[] lines = text.substring(0, end).replaceAll("\r\n[ \t]+", " ").split("\r\n", -1);
        boolean understood = lines[0].matches("SIP/2\\.0 \\d{3} .*") || lines[0].matches("[A-Z]+ \\S+ SIP/2\\.0");
        if (!understood) {
            throw new IllegalArgumentException("Not a start line of SIP: " + lines[0]);
        }
        List<Header> headers = new ArrayList<>();
        for (int i = 1; i < lines.length; i++) {
            Matcher header = HEADER.matcher(lines[i]);
            if (!header.matches()) {
                throw new IllegalArgumentException("Not a header: " + lines[i]);
            }
            String name = header.group(1);
            headers.add(new Header(
                    COMPACT_NAMES.getOrDefault(name.toLowerCase(Locale.ROOT), name),
                    header.group(2).strip()));
        }
        return new SipMessage(lines[0], headers, text.substring(end + 4));
    }

    byte[] encode() {
        StringBuilder text = new StringBuilder(startLine).append("\r\n");
        for (Header header : headers) {
            if (!header.name.equalsIgnoreCase("Content-Length")) {
                text.append(header.name).append(": ").append(header.value).append("\r\n");
            }
        }
        text.append("Content-Length: ").append(bodyLength()).append("\r\n\r\n").append(body);
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    int bodyLength() {
        return body.getBytes(StandardCharsets.UTF_8).length;
    }

    /** With one more header, at the end. */
    SipMessage with(String name, String value) {
        List<Header> more = new ArrayList<>(headers);
        more.add(new Header(name, value));
        return new SipMessage(startLine, more, body);
    }

    /** With this header in the place of all of its name. */
    SipMessage set(String name, String value) {
        List<Header> changed = new ArrayList<>();
        boolean placed = false;
        for (Header header : headers) {
            if (!header.name.equalsIgnoreCase(name)) {
                changed.add(header);
            } else if (!placed) {
                changed.add(new Header(name, value));
                placed = true;
            }
        }
        if (!placed) {
            changed.add(new Header(name, value));
        }
        return new SipMessage(startLine, changed, body);
    }

    SipMessage withBody(String contentType, String content) {
        return new SipMessage(startLine, set("Content-Type", contentType).headers, content);
    }

    public boolean isRequest() {
        return !startLine.startsWith("SIP/2.0 ");
    }

    /** The method of a request, or of the request that a response answers. */
    public String method() {
        String cseq = required("CSeq");
        return isRequest()
                ? startLine.substring(0, startLine.indexOf(' '))
                : cseq.substring(cseq.indexOf(' ') + 1).strip();
    }

    /** The Request-URI. */
    public String uri() {
        return startLine.split(" ", 3)[1];
    }

    /** Whether it is a request inside a dialog. */
    public boolean isInsideDialog() {
        return isRequest() && toTag().isPresent();
    }

    /** The status of a response. */
    public int status() {
        return Integer.parseInt(startLine.substring(8, 11));
    }

    /** What to call it in one or two words: the method, or the status with its phrase. */
    public String title() {
        return isRequest() ? method() : startLine.substring(8).strip();
    }

    /** The first value of a header. */
    public Optional<String> header(String name) {
        return headers.stream()
                .filter(h -> h.name.equalsIgnoreCase(name))
                .map(Header::value)
                .findFirst();
    }

    /** All values of a header, those in one line apart. */
    public List<String> headers(String name) {
        return headers.stream()
                .filter(h -> h.name.equalsIgnoreCase(name))
                .flatMap(h -> split(h.value).stream())
                .toList();
    }

    public String body() {
        return body;
    }

    String required(String name) {
        return header(name).orElseThrow(() -> new IllegalArgumentException("No " + name + " in " + startLine));
    }

    public String callId() {
        return required("Call-ID");
    }

    long cseq() {
        String cseq = required("CSeq");
        return Long.parseLong(cseq.substring(0, cseq.indexOf(' ')));
    }

    Optional<String> fromTag() {
        return parameter(required("From"), "tag");
    }

    Optional<String> toTag() {
        return parameter(required("To"), "tag");
    }

    String branch() {
        return parameter(required("Via"), "branch").orElse("");
    }

    /** A parameter of a header's value (not of the URI in it). */
    static Optional<String> parameter(String value, String name) {
        String outside = value.replaceAll("\"(?:\\\\.|[^\"\\\\])*\"", "").replaceAll("<[^>]*>", "");
        Matcher matcher = Pattern.compile(
                        ";\\s*" + Pattern.quote(name) + "\\s*(?:=\\s*([^;,\\s]*))?", Pattern.CASE_INSENSITIVE)
                .matcher(outside);
        return matcher.find()
                ? Optional.of(Optional.ofNullable(matcher.group(1)).orElse(""))
                : Optional.empty();
    }

    /** The URI of a From, To, Contact, Route or Record-Route. */
    static String uriOf(String value) {
        int open = value.indexOf('<');
        if (open >= 0) {
            return value.substring(open + 1, value.indexOf('>', open));
        }
        int semicolon = value.indexOf(';');
        return (semicolon < 0 ? value : value.substring(0, semicolon)).strip();
    }

    private static List<String> split(String value) {
        List<String> parts = new ArrayList<>();
        boolean quoted = false;
        int angle = 0;
        int start = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' && (i == 0 || value.charAt(i - 1) != '\\')) {
                quoted = !quoted;
            } else if (!quoted && c == '<') {
                angle++;
            } else if (!quoted && c == '>') {
                angle--;
            } else if (!quoted && angle == 0 && c == ',') {
                parts.add(value.substring(start, i).strip());
                start = i + 1;
            }
        }
        parts.add(value.substring(start).strip());
        return parts;
    }

    @Override
    public String toString() {
        return new String(encode(), StandardCharsets.UTF_8);
    }
}
