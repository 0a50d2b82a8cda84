package org.pushbridge.sip.stack;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pushbridge.device.TokenReading;

/**
 * The start line and headers of a message, looked at once and cheaply before JAIN-SIP's parser sees it: finds where
 * the message ends and everything that parser would let pass, choke on, or take quadratic time over.
 *
 * <p>Knows enough of a bad request to answer it.
 */
final class MessageHead {
    private static final int MAX_URI = 2048;
    private static final int MAX_HEADERS = 256;
    /** JAIN-SIP's parameter lists take quadratic time; no honest header line has so many. */
    private static final int MAX_SEPARATORS = 400;

    private static final BitSet TOKEN = tokenCharacters();
    private static final Pattern VERSION = Pattern.compile("SIP/\\d+\\.\\d+", Pattern.CASE_INSENSITIVE);
    private static final Pattern RACK = Pattern.compile("(\\d{1,10})\\s+(\\d{1,10})\\s+[A-Za-z0-9.!%*_+`'~-]+");
    private static final Pattern BARE_IPV6 =
            Pattern.compile("sips?:([^@]*@)?[0-9a-f]*:[0-9a-f]*:", Pattern.CASE_INSENSITIVE);
    private static final Pattern RPORT = Pattern.compile(";\\s*rport(?=\\s*(;|,|$))", Pattern.CASE_INSENSITIVE);

    private static final Map<String, String> COMPACT = Map.ofEntries(
            Map.entry("i", "call-id"),
            Map.entry("m", "contact"),
            Map.entry("e", "content-encoding"),
            Map.entry("l", "content-length"),
            Map.entry("c", "content-type"),
            Map.entry("f", "from"),
            Map.entry("s", "subject"),
            Map.entry("k", "supported"),
            Map.entry("t", "to"),
            Map.entry("v", "via"),
            Map.entry("o", "event"),
            Map.entry("r", "refer-to"),
            Map.entry("x", "session-expires"));

    /** Headers of which there can be one only; a second may be an attempt to slip something past somebody. */
    private static final Set<String> SINGLE = Set.of(
            "call-id",
            "content-length",
            "content-type",
            "cseq",
            "event",
            "expires",
            "from",
            "max-forwards",
            "min-se",
            "rack",
            "refer-to",
            "replaces",
            "rseq",
            "session-expires",
            "to");

    /** Names as nearly everybody spells them, in lower case. */
    private static final Map<String, String> USUAL_NAMES = usualNames();

    private static final Pattern DEVICE_TOKEN =
            Pattern.compile("[;:\\s](pn-prid|pn-tok|device-uid)\\s*=", Pattern.CASE_INSENSITIVE);

    private String startLine = "";
    private String method = "";
    private boolean response;
    private final List<String> headerLines = new ArrayList<>(16);
    private final List<String> vias = new ArrayList<>(2);
    private final Map<String, String> singles = new HashMap<>();
    private int contentLength = -1;
    private boolean lengthInDoubt;
    private Optional<Fault> fault = Optional.empty();
    private final int length;

    private MessageHead(int length) {
        this.length = length;
    }

    private static BitSet tokenCharacters() {
        BitSet characters = new BitSet(128);
        characters.set('0', '9' + 1);
        characters.set('A', 'Z' + 1);
        characters.set('a', 'z' + 1);
        ".!%*_+`'~-".chars().forEach(characters::set);
        return characters;
    }

    private static Map<String, String> usualNames() {
        Map<String, String> names = new HashMap<>();
        for (String name : SINGLE) {
            names.put(title(name), name);
        }
        for (String name : List.of(
                "allow",
                "authorization",
                "contact",
                "record-route",
                "require",
                "route",
                "server",
                "subject",
                "supported",
                "user-agent",
                "via")) {
            names.put(title(name), name);
        }
        return Map.copyOf(names);
    }

    /**
     * Where the head ends, including the empty line; -1 if that is not in {@code data[from, to)}.
     *
     * @param seen how far it is known not to end; makes repeated calls on a growing buffer cheap
     */
    static int end(byte[] data, int from, int seen, int to) {
        for (int i = Math.max(from, seen - 3); i < to; i++) {
            if (data[i] == '\n') {
                if (i + 1 < to && data[i + 1] == '\n') {
                    return i + 2;
                }
                if (i + 2 < to && data[i + 1] == '\r' && data[i + 2] == '\n') {
                    return i + 3;
                }
            }
        }
        return -1;
    }

    /** Behind the last whole line of {@code data[0, to)}; what is cut off within a line must not be believed. */
    static int lastLineEnd(byte[] data, int to) {
        int end = to;
        while (end > 0 && data[end - 1] != '\n') {
            end--;
        }
        return end;
    }

    /** Looks at {@code data[from, to)}, which ends behind the empty line or is cut off where the data ends. */
    static MessageHead read(byte[] data, int from, int to) {
        MessageHead head = new MessageHead(to - from);
        head.readLines(new String(data, from, to - from, StandardCharsets.UTF_8));
        if (head.fault.isEmpty()) {
            head.checkPresence();
        }
        return head;
    }

    private void readLines(String text) {
        boolean first = true;
        int count = 0;
        String line = null;
        for (int at = 0; at < text.length(); ) {
            int newline = text.indexOf('\n', at);
            int end = newline < 0 ? text.length() : newline;
            int trimmed = end > at && text.charAt(end - 1) == '\r' ? end - 1 : end;
            String next = text.substring(at, trimmed);
            at = end + 1;
            if (hasControlCharacter(next)) {
                lengthInDoubt = true;
                fail(Fault.bad("Control Character in Header", explanation(next)));
                if (first) {
                    return;
                }
                if (line != null) {
                    readHeader(line);
                }
                line = null; // The others are still wanted for the answer.
            } else if (first) {
                readStartLine(next);
                first = false;
            } else if (next.isEmpty()) {
                break;
            } else if (next.charAt(0) == ' ' || next.charAt(0) == '\t') {
                line = (line == null ? "" : line) + " " + next.strip();
            } else {
                if (line != null) {
                    readHeader(line);
                }
                line = next;
                if (++count > MAX_HEADERS) {
                    lengthInDoubt = true;
                    fail(Fault.bad("Too Many Headers", "More than " + MAX_HEADERS + " header lines are not taken"));
                    return;
                }
            }
        }
        if (line != null) {
            readHeader(line);
        }
    }

    private void readStartLine(String line) {
        startLine = line;
        if (line.regionMatches(true, 0, "SIP/", 0, 4)) {
            response = true;
            if (!isStatusLine(line)) {
                fail(Fault.bad("Bad Status Line", "A status line is SIP/2.0, three digits and a phrase"));
            }
            return;
        }
        String[] parts = line.split(" ", -1);
        if (parts.length != 3 || !isToken(parts[0]) || parts[1].isEmpty()) {
            method = parts[0];
            lengthInDoubt |= !line.toUpperCase(Locale.ROOT).endsWith("SIP/2.0");
            fail(badRequestLine());
            return;
        }
        method = parts[0];
        String uri = parts[1];
        boolean known = parts[2].equalsIgnoreCase("SIP/2.0");
        if (!known && !VERSION.matcher(parts[2]).matches()) {
            lengthInDoubt = true;
            fail(badRequestLine());
        } else if (!known) {
            fail(new Fault(505, "Version Not Supported"));
        } else if (method.chars().anyMatch(Character::isLowerCase)) {
            // JAIN-SIP would write it in capitals, which makes another method of it (RFC 3261 section 7.1).
            fail(new Fault(501, "Not Implemented"));
        } else if (uri.length() > MAX_URI) {
            fail(new Fault(414, "Request-URI Too Long"));
        } else if (uri.indexOf('<') >= 0 || uri.indexOf('>') >= 0 || uri.indexOf('"') >= 0) {
            fail(Fault.bad("Bad Request-URI", "The Request-URI holds angle brackets or quotes"));
        } else if (uri.regionMatches(true, 0, "sip", 0, 3) && uri.indexOf('?', uri.lastIndexOf('@')) >= 0) {
            // RFC 3261 section 19.1.1: no headers in a Request-URI.
            fail(Fault.bad("Headers in Request-URI", "The Request-URI must not hold headers"));
        } else if (uri.indexOf(':') != uri.lastIndexOf(':')
                && BARE_IPV6.matcher(uri).lookingAt()) {
            fail(Fault.bad("Bad Request-URI", "An IPv6 address in the Request-URI needs square brackets"));
        } else if (separators(uri, 0) > 64) {
            fail(Fault.bad("Too Many URI Parameters", "The Request-URI has too many parameters"));
        }
    }

    private void readHeader(String line) {
        headerLines.add(line);
        int colon = line.indexOf(':');
        String spelled = colon < 0 ? "" : line.substring(0, colon);
        String name = USUAL_NAMES.get(spelled);
        if (name == null) {
            name = spelled.strip().toLowerCase(Locale.ROOT);
            if (!isToken(name) || line.charAt(0) == ' ') {
                fail(Fault.bad("Bad Header Line", "A header line is a name, a colon and a value"));
                return;
            }
            name = COMPACT.getOrDefault(name, name);
        }
        if (separators(line, colon + 1) > MAX_SEPARATORS) {
            fail(Fault.bad("Too Many Parameters", title(name) + " has too many parameters or elements"));
        }
        boolean via = name.equals("via");
        if (!via && !SINGLE.contains(name)) {
            return;
        }
        String value = line.substring(colon + 1).strip();
        if (via) {
            vias.add(value);
            return;
        }
        if (singles.putIfAbsent(name, value) != null) {
            lengthInDoubt |= name.equals("content-length");
            fail(Fault.bad("More Than One " + title(name), title(name) + " may stand in a message once only"));
            return;
        }
        readSingle(name, value);
    }

    private void readSingle(String name, String value) {
        switch (name) {
            case "content-length" -> {
                if (value.isEmpty() || value.length() > 10 || !isDigits(value)) {
                    lengthInDoubt = true;
                    fail(Fault.bad("Bad Content-Length", "Content-Length is a number of bytes"));
                } else {
                    contentLength = (int) Math.min(Integer.MAX_VALUE, Long.parseLong(value));
                }
            }
            case "cseq" -> {
                int blank = firstBlank(value);
                String named = value.substring(blank).strip();
                if (!isSequenceNumber(value.substring(0, blank)) || !isToken(named)) {
                    fail(Fault.bad("Bad CSeq", "CSeq is a number below 2147483648, a space and a method"));
                } else if (!response && !named.equals(method)) {
                    fail(Fault.bad("CSeq Method Mismatch", "CSeq names another method than the start line"));
                }
            }
            case "max-forwards" -> {
                if (!isSequenceNumber(value) || Long.parseLong(value) > 255) {
                    fail(Fault.bad("Bad Max-Forwards", "Max-Forwards is a number from 0 to 255"));
                }
            }
            case "rseq" -> {
                if (!isSequenceNumber(value)) {
                    fail(Fault.bad("Bad RSeq", "RSeq is a number below 2147483648"));
                }
            }
            case "rack" -> {
                Matcher rack = RACK.matcher(value);
                if (!rack.matches() || !isSequenceNumber(rack.group(1)) || !isSequenceNumber(rack.group(2))) {
                    fail(Fault.bad("Bad RAck", "RAck is two numbers below 2147483648 and a method"));
                }
            }
            default -> {
                // Left to the parser.
            }
        }
    }

    private void checkPresence() {
        for (String name : List.of("from", "to", "call-id", "cseq")) {
            if (singles.getOrDefault(name, "").isEmpty()) {
                fail(Fault.bad("Missing " + title(name), "Every message needs " + title(name)));
                return;
            }
        }
        if (vias.isEmpty() || vias.get(0).isEmpty()) {
            fail(Fault.bad("Missing Via", "Every message needs Via"));
        }
    }

    /** The first fault counts. */
    private void fail(Fault what) {
        if (fault.isEmpty()) {
            fault = Optional.of(what);
        }
    }

    Optional<Fault> fault() {
        return fault;
    }

    boolean isResponse() {
        return response;
    }

    /** Empty for a response. */
    String method() {
        return method;
    }

    String startLine() {
        return startLine;
    }

    /** Each header, lines that continue it included. */
    List<String> headerLines() {
        return headerLines;
    }

    /** In bytes, the empty line included. */
    int length() {
        return length;
    }

    /** -1 if there is no Content-Length, or none that can be believed. */
    int contentLength() {
        return lengthInDoubt ? -1 : contentLength;
    }

    /** Whether it cannot be told where the next message on the same connection begins. */
    boolean isUnframed() {
        return lengthInDoubt || (fault.isPresent() && contentLength < 0);
    }

    /**
     * An answer to a request that does not get as far as the parser: built from what could be read, with received and
     * rport (RFC 3581). Empty for responses and ACKs, and if a header that every response needs is missing.
     */
    Optional<byte[]> answer(Fault to, InetSocketAddress source, String server) {
        return answer(to, source, server, "");
    }

    /** @param more further header lines, each with its end */
    Optional<byte[]> answer(Fault to, InetSocketAddress source, String server, String more) {
        if (response || method.isEmpty() || method.equals("ACK") || vias.isEmpty() || !isToken(method)) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder(512);
        text.append("SIP/2.0 ")
                .append(to.status())
                .append(' ')
                .append(to.reason())
                .append("\r\n");
        for (int i = 0; i < vias.size(); i++) {
            text.append("Via: ")
                    .append(i == 0 ? stamped(vias.get(0), source) : vias.get(i))
                    .append("\r\n");
        }
        for (String name : List.of("from", "to", "call-id", "cseq")) {
            String value = singles.get(name);
            if (value == null || value.isEmpty()) {
                return Optional.empty();
            }
            text.append(title(name)).append(": ").append(value);
            if (name.equals("to") && !value.toLowerCase(Locale.ROOT).contains(";tag=")) {
                text.append(";tag=").append(Tokens.tag());
            }
            text.append("\r\n");
        }
        to.explanation()
                .ifPresent(sentence -> text.append("Warning: 399 pushbridge \"")
                        .append(sentence)
                        .append("\"\r\n"));
        text.append(more).append("Server: ").append(server).append("\r\nContent-Length: 0\r\n\r\n");
        return Optional.of(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String stamped(String via, InetSocketAddress source) {
        int comma = via.indexOf(',');
        String top = comma < 0 ? via : via.substring(0, comma).stripTrailing();
        String rest = comma < 0 ? "" : via.substring(comma);
        top = RPORT.matcher(top).replaceFirst(";rport=" + source.getPort());
        return top + ";received=" + Hosts.bare(source.getAddress()) + rest;
    }

    private static boolean isSequenceNumber(String value) {
        return !value.isEmpty()
                && value.length() <= 10
                && isDigits(value)
                && Long.parseLong(value) <= Integer.MAX_VALUE;
    }

    private static boolean isDigits(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < '0' || value.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    private static boolean isToken(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (!TOKEN.get(value.charAt(i))) {
                return false;
            }
        }
        return !value.isEmpty();
    }

    private static boolean isStatusLine(String line) {
        return line.regionMatches(true, 0, "SIP/2.0 ", 0, 8)
                && line.length() >= 11
                && line.charAt(8) >= '1'
                && line.charAt(8) <= '6'
                && isDigits(line.substring(9, 11))
                && (line.length() == 11 || line.charAt(11) == ' ');
    }

    /** Its length if there is none. */
    private static int firstBlank(String value) {
        int at = 0;
        while (at < value.length() && value.charAt(at) != ' ' && value.charAt(at) != '\t') {
            at++;
        }
        return at;
    }

    /** The usual cause: an app printed the bytes of its device token as text. */
    private static String explanation(String line) {
        return DEVICE_TOKEN.matcher(line).find()
                ? TokenReading.ofRawBytes().fault()
                : "A header holds a control character";
    }

    private static Fault badRequestLine() {
        return Fault.bad(
                "Bad Request Line",
                "The start line is not a method, a Request-URI and SIP/2.0 with one space between them");
    }

    private static boolean hasControlCharacter(String line) {
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if ((c < ' ' && c != '\t') || c == 0x7f) {
                return true;
            }
        }
        return false;
    }

    private static long separators(String value, int from) {
        long found = 0;
        for (int i = from; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == ';' || c == ',' || c == '&') {
                found++;
            }
        }
        return found;
    }

    private static String title(String name) {
        return switch (name) {
            case "call-id" -> "Call-ID";
            case "cseq" -> "CSeq";
            case "rack" -> "RAck";
            case "rseq" -> "RSeq";
            case "min-se" -> "Min-SE";
            default -> {
                StringBuilder title = new StringBuilder(name);
                for (int i = 0; i < title.length(); i++) {
                    if (i == 0 || title.charAt(i - 1) == '-') {
                        title.setCharAt(i, Character.toUpperCase(title.charAt(i)));
                    }
                }
                yield title.toString();
            }
        };
    }
}
