package org.pushbridge.sip.stack;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
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

    private static final List<KnownHeader> NEEDED =
            List.of(KnownHeader.FROM, KnownHeader.TO, KnownHeader.CALL_ID, KnownHeader.CSEQ, KnownHeader.VIA);
    /** Into the answer to a request that does not get as far as the parser; Via is, too. */
    private static final List<KnownHeader> COPIED =
            List.of(KnownHeader.FROM, KnownHeader.TO, KnownHeader.CALL_ID, KnownHeader.CSEQ);

    private static final Pattern DEVICE_TOKEN =
            Pattern.compile("[;:\\s](pn-prid|pn-tok|device-uid)\\s*=", Pattern.CASE_INSENSITIVE);

    private String startLine = "";
    private String method = "";
    private boolean response;
    private final List<HeaderLine> headerLines = new ArrayList<>(16);
    private final Set<KnownHeader> singles = EnumSet.noneOf(KnownHeader.class);
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
        head.readLines(
                new String(data, from, to - from, StandardCharsets.UTF_8), mayHoldControlCharacter(data, from, to));
        if (head.fault.isEmpty()) {
            head.checkPresence();
        }
        return head;
    }

    /** @param suspect whether a line may hold a control character */
    private void readLines(String text, boolean suspect) {
        boolean first = true;
        int count = 0;
        String line = "";
        int lineFrom = -1; // no line is under way
        int lineTo = -1;
        for (int at = 0; at < text.length(); ) {
            int newline = text.indexOf('\n', at);
            int end = newline < 0 ? text.length() : newline;
            int from = at;
            int to = end > at && text.charAt(end - 1) == '\r' ? end - 1 : end;
            at = end + 1;
            if (suspect && hasControlCharacter(text, from, to)) {
                lengthInDoubt = true;
                fail(Fault.bad("Control Character in Header", explanation(text.substring(from, to))));
                if (first) {
                    return;
                }
                if (lineFrom >= 0) {
                    readHeader(line, lineFrom, lineTo);
                }
                lineFrom = -1; // The others are still wanted for the answer.
            } else if (first) {
                readStartLine(text.substring(from, to));
                first = false;
            } else if (from == to) {
                break;
            } else if (text.charAt(from) == ' ' || text.charAt(from) == '\t') {
                line = (lineFrom < 0 ? "" : line.substring(lineFrom, lineTo)) + " "
                        + text.substring(from, to).strip();
                lineFrom = 0;
                lineTo = line.length();
            } else {
                if (lineFrom >= 0) {
                    readHeader(line, lineFrom, lineTo);
                }
                line = text;
                lineFrom = from;
                lineTo = to;
                if (++count > MAX_HEADERS) {
                    lengthInDoubt = true;
                    fail(Fault.bad("Too Many Headers", "More than " + MAX_HEADERS + " header lines are not taken"));
                    return;
                }
            }
        }
        if (lineFrom >= 0) {
            readHeader(line, lineFrom, lineTo);
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
        int uriFrom = line.indexOf(' ') + 1;
        int uriTo = line.indexOf(' ', uriFrom);
        method = uriFrom == 0 ? line : Words.part(line, 0, uriFrom - 1);
        boolean isThreeParts = uriFrom > 0 && uriTo > uriFrom && line.indexOf(' ', uriTo + 1) < 0;
        if (!isThreeParts || !isToken(method)) {
            lengthInDoubt |= !line.toUpperCase(Locale.ROOT).endsWith("SIP/2.0");
            fail(badRequestLine());
            return;
        }
        String uri = line.substring(uriFrom, uriTo);
        boolean known = line.length() == uriTo + 8 && line.regionMatches(true, uriTo + 1, "SIP/2.0", 0, 7);
        if (!known && !VERSION.matcher(line.substring(uriTo + 1)).matches()) {
            lengthInDoubt = true;
            fail(badRequestLine());
        } else if (!known) {
            fail(new Fault(505, "Version Not Supported"));
        } else if (hasLowerCase(method)) {
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
        } else if (hasMoreSeparators(uri, 0, uri.length(), 64)) {
            fail(Fault.bad("Too Many URI Parameters", "The Request-URI has too many parameters"));
        }
    }

    private void readHeader(String text, int from, int to) {
        int found = text.indexOf(':', from);
        int colon = found >= to ? -1 : found;
        KnownHeader usual = colon < 0 ? null : KnownHeader.usual(text, from, colon);
        KnownHeader known = usual;
        String spelled = "";
        if (usual == null) {
            spelled = colon < 0 ? "" : text.substring(from, colon).strip().toLowerCase(Locale.ROOT);
            known = KnownHeader.named(spelled);
        }
        boolean isHeader = usual != null || (isToken(spelled) && text.charAt(from) != ' ');
        HeaderLine line = new HeaderLine(text, from, to, colon, isHeader ? known : null, usual != null);
        headerLines.add(line);
        if (!isHeader) {
            fail(Fault.bad("Bad Header Line", "A header line is a name, a colon and a value"));
            return;
        }
        if (hasMoreSeparators(text, colon + 1, to, MAX_SEPARATORS)) {
            fail(Fault.bad(
                    "Too Many Parameters",
                    (known == null ? title(spelled) : known.title()) + " has too many parameters or elements"));
        }
        if (known == null || !known.isSingle()) {
            return;
        }
        if (!singles.add(known)) {
            lengthInDoubt |= known == KnownHeader.CONTENT_LENGTH;
            fail(Fault.bad("More Than One " + known.title(), known.title() + " may stand in a message once only"));
            return;
        }
        readSingle(known, line);
    }

    private void readSingle(KnownHeader name, HeaderLine line) {
        String text = line.text();
        int from = line.valueFrom();
        int to = Math.max(from, line.valueTo());
        switch (name) {
            case CONTENT_LENGTH -> {
                if (from == to || to - from > 10 || !isDigits(text, from, to)) {
                    lengthInDoubt = true;
                    fail(Fault.bad("Bad Content-Length", "Content-Length is a number of bytes"));
                } else {
                    contentLength = (int) Math.min(Integer.MAX_VALUE, Long.parseLong(text, from, to, 10));
                }
            }
            case CSEQ -> {
                int blank = firstBlank(text, from, to);
                int named = blank;
                while (named < to && Character.isWhitespace(text.charAt(named))) {
                    named++;
                }
                if (!isSequenceNumber(text, from, blank) || !isToken(text, named, to)) {
                    fail(Fault.bad("Bad CSeq", "CSeq is a number below 2147483648, a space and a method"));
                } else if (!response && !(method.length() == to - named && text.startsWith(method, named))) {
                    fail(Fault.bad("CSeq Method Mismatch", "CSeq names another method than the start line"));
                }
            }
            case MAX_FORWARDS -> {
                if (!isSequenceNumber(text, from, to) || Long.parseLong(text, from, to, 10) > 255) {
                    fail(Fault.bad("Bad Max-Forwards", "Max-Forwards is a number from 0 to 255"));
                }
            }
            case RSEQ -> {
                if (!isSequenceNumber(text, from, to)) {
                    fail(Fault.bad("Bad RSeq", "RSeq is a number below 2147483648"));
                }
            }
            case RACK -> {
                Matcher rack = RACK.matcher(line.value());
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
        for (KnownHeader name : NEEDED) {
            HeaderLine line = first(name);
            if (line == null || line.isEmpty()) {
                fail(Fault.bad("Missing " + name.title(), "Every message needs " + name.title()));
                return;
            }
        }
    }

    private @Nullable HeaderLine first(KnownHeader name) {
        for (HeaderLine line : headerLines) {
            if (line.name() == name) {
                return line;
            }
        }
        return null;
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

    /** The value of the first header of that name, which may list several; empty if it is not there. */
    String value(KnownHeader name) {
        HeaderLine line = first(name);
        return line == null ? "" : line.value();
    }

    String startLine() {
        return startLine;
    }

    /** Each header, lines that continue it included. */
    List<HeaderLine> headerLines() {
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
        if (response
                || method.isEmpty()
                || method.equals("ACK")
                || first(KnownHeader.VIA) == null
                || !isToken(method)) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder(512);
        text.append("SIP/2.0 ")
                .append(to.status())
                .append(' ')
                .append(to.reason())
                .append("\r\n");
        boolean top = true;
        for (HeaderLine line : headerLines) {
            if (line.name() == KnownHeader.VIA) {
                text.append("Via: ")
                        .append(top ? stamped(line.value(), source) : line.value())
                        .append("\r\n");
                top = false;
            }
        }
        for (KnownHeader name : COPIED) {
            HeaderLine line = first(name);
            if (line == null || line.isEmpty()) {
                return Optional.empty();
            }
            String value = line.value();
            text.append(name.title()).append(": ").append(value);
            if (name == KnownHeader.TO && !value.toLowerCase(Locale.ROOT).contains(";tag=")) {
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
        return isSequenceNumber(value, 0, value.length());
    }

    private static boolean isSequenceNumber(String text, int from, int to) {
        return from < to
                && to - from <= 10
                && isDigits(text, from, to)
                && Long.parseLong(text, from, to, 10) <= Integer.MAX_VALUE;
    }

    private static boolean isDigits(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    private static boolean isToken(String value) {
        return isToken(value, 0, value.length());
    }

    private static boolean isToken(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!TOKEN.get(text.charAt(i))) {
                return false;
            }
        }
        return from < to;
    }

    private static boolean hasLowerCase(String token) {
        for (int i = 0; i < token.length(); i++) {
            if (token.charAt(i) >= 'a' && token.charAt(i) <= 'z') {
                return true;
            }
        }
        return false;
    }

    private static boolean isStatusLine(String line) {
        return line.regionMatches(true, 0, "SIP/2.0 ", 0, 8)
                && line.length() >= 11
                && line.charAt(8) >= '1'
                && line.charAt(8) <= '6'
                && isDigits(line, 9, 11)
                && (line.length() == 11 || line.charAt(11) == ' ');
    }

    /** {@code to} if there is none. */
    private static int firstBlank(String text, int from, int to) {
        int at = from;
        while (at < to && text.charAt(at) != ' ' && text.charAt(at) != '\t') {
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

    /** False for nearly every message, at the first glance: then no line of it has to be looked at. */
    private static boolean mayHoldControlCharacter(byte[] data, int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = data[i];
            boolean endsLine = b == '\n' || (b == '\r' && i + 1 < to && data[i + 1] == '\n');
            if (b == 0x7f || (b >= 0 && b < ' ' && b != '\t' && !endsLine)) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasControlCharacter(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if ((c < ' ' && c != '\t') || c == 0x7f) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasMoreSeparators(String text, int from, int to, int most) {
        if (to - from <= most) {
            return false;
        }
        int found = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c == ';' || c == ',' || c == '&') {
                found++;
            }
        }
        return found > most;
    }

    private static String title(String name) {
        StringBuilder title = new StringBuilder(name);
        for (int i = 0; i < title.length(); i++) {
            if (i == 0 || title.charAt(i - 1) == '-') {
                title.setCharAt(i, Character.toUpperCase(title.charAt(i)));
            }
        }
        return title.toString();
    }
}
