package org.pushbridge.sip.stack;

import gov.nist.core.Host;
import gov.nist.core.HostPort;
import gov.nist.core.NameValue;
import gov.nist.javax.sip.address.AddressImpl;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.AddressParametersHeader;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.ContactList;
import gov.nist.javax.sip.header.Expires;
import gov.nist.javax.sip.header.ParametersHeader;
import gov.nist.javax.sip.header.Protocol;
import gov.nist.javax.sip.header.RecordRoute;
import gov.nist.javax.sip.header.RecordRouteList;
import gov.nist.javax.sip.header.RequestLine;
import gov.nist.javax.sip.header.Route;
import gov.nist.javax.sip.header.RouteList;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.StatusLine;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.header.ViaList;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.util.Locale;
import java.util.Set;
import javax.sip.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the headers that nearly every message has, in the form that nearly every message has them in, in one pass: makes
 * of them what JAIN-SIP's parser makes of them, in a fraction of its time. Everything else is not plain, and is left to
 * that parser: names in odd capitals, lists, escapes, IPv6 addresses, telephone numbers, passwords, white space in odd
 * places. What is read here is certain to be read again after it was written.
 *
 * <p>Addresses are shared by the messages that have the same, and must not be changed: clone them.
 */
public final class PlainText {
    private static final int LAST_PORT = 65_535;
    private static final int MOST_DIGITS = 9;

    private static final byte ALPHANUMERIC = 1;
    private static final byte HOST = 2;
    private static final byte USER = 4;
    private static final byte TOKEN = 8;
    private static final byte CALL_ID = 16;
    private static final byte[] KINDS = new byte[128];

    private static final Recent<AddressImpl> ADDRESSES = new Recent<>();
    private static final Recent<SipUri> URIS = new Recent<>();

    /** JAIN-SIP takes some other words for names of headers. */
    private static final Set<String> METHODS = Set.of(
            "INVITE",
            "ACK",
            "BYE",
            "CANCEL",
            "REGISTER",
            "OPTIONS",
            "PRACK",
            "UPDATE",
            "INFO",
            "REFER",
            "SUBSCRIBE",
            "NOTIFY",
            "MESSAGE",
            "PUBLISH");

    static {
        for (char c = 0; c < KINDS.length; c++) {
            boolean alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (alphanumeric) {
                KINDS[c] = ALPHANUMERIC | HOST | USER | TOKEN | CALL_ID;
            }
        }
        add(HOST, "-.");
        add(USER, "-._+~*");
        add(TOKEN, "-._+~*!%");
        add(CALL_ID, "-._+~*!%=:/@");
    }

    private static void add(byte kind, String characters) {
        characters.chars().forEach(c -> KINDS[c] |= kind);
    }

    private final String text;
    private final int end;
    private int at;

    private PlainText(String text, int from, int to) {
        this.text = text;
        this.at = from;
        this.end = to;
    }

    /** A message with its start line alone; null if that is not plain. */
    static @Nullable SIPMessage startLine(String line) {
        return line.startsWith("SIP/") ? statusLine(line) : requestLine(line);
    }

    private static @Nullable SIPMessage requestLine(String line) {
        PlainText text = new PlainText(line, 0, line.length());
        String method = text.word(ALPHANUMERIC);
        if (!METHODS.contains(method) || !text.skip(' ')) {
            return null;
        }
        SipUri uri = text.uri(line.indexOf(' ', text.at));
        if (uri == null || !line.startsWith(" SIP/2.0", text.at) || text.at + 8 != text.end) {
            return null;
        }
        RequestLine start = new RequestLine();
        start.setMethod(SIPRequest.getCannonicalName(method));
        start.setUri(uri);
        start.setSipVersion("SIP/2.0");
        SIPRequest request = Blank.request();
        request.setRequestLine(start);
        return request;
    }

    private static @Nullable SIPMessage statusLine(String line) {
        PlainText text = new PlainText(line, 8, line.length());
        int status = line.startsWith("SIP/2.0 ") ? text.number() : -1;
        if (status < 100 || status > 699 || text.at != 11 || !text.skip(' ')) {
            return null;
        }
        StatusLine start = new StatusLine();
        start.setSipVersion("SIP/2.0");
        start.setStatusCode(status);
        start.setReasonPhrase(Words.part(line, text.at, text.end).trim());
        SIPResponse response = Blank.response();
        response.setStatusLine(start);
        return response;
    }

    /** A header from its whole line; null if it is not plain. */
    static @Nullable SIPHeader header(HeaderLine line) {
        KnownHeader name = line.name();
        if (name == null || !line.isUsual()) {
            return null;
        }
        int end = line.to();
        while (line.text().charAt(end - 1) == ' ' || line.text().charAt(end - 1) == '\t') {
            end--; // ends at the colon at the latest
        }
        PlainText value = new PlainText(line.text(), line.colon() + 1, end);
        value.skipBlanks();
        try {
            return switch (name) {
                case VIA -> value.via();
                case FROM -> value.party(Blank.from());
                case TO -> value.party(Blank.to());
                case CALL_ID -> value.callId();
                case CSEQ -> value.cseq();
                case CONTACT -> value.contact();
                case ROUTE -> value.route();
                case RECORD_ROUTE -> value.recordRoute();
                case MAX_FORWARDS -> value.maxForwards();
                case CONTENT_LENGTH -> value.contentLength();
                case CONTENT_TYPE -> value.contentType();
                case EXPIRES -> value.expires();
                default -> null;
            };
        } catch (IllegalArgumentException | InvalidArgumentException e) {
            return null;
        }
    }

    /** A SIP URI that is the whole text; null if it is not plain. It is shared, and must not be changed. */
    public static @Nullable SipUri uri(String text) {
        PlainText plain = new PlainText(text, 0, text.length());
        return plain.uri(plain.end);
    }

    /**
     * A name in quotes, if there is one, and a SIP URI in angle brackets, that are the whole text; null if not plain. It is
     * shared, and must not be changed.
     */
    public static @Nullable AddressImpl address(String text) {
        PlainText plain = new PlainText(text, 0, text.length());
        AddressImpl address = plain.address();
        return plain.at == plain.end ? address : null;
    }

    // --- headers -------------------------------------------------------------------------------------------------

    private @Nullable SIPHeader via() {
        if (!text.startsWith("SIP/2.0/", at)) {
            return null;
        }
        at += 8;
        String transport = word(ALPHANUMERIC);
        if (transport.isEmpty() || !skip(' ')) {
            return null;
        }
        HostPort sentBy = hostPort();
        if (sentBy == null) {
            return null;
        }
        Via via = Blank.via();
        Protocol protocol = new Protocol();
        protocol.setProtocolName("SIP");
        protocol.setProtocolVersion("2.0");
        protocol.setTransport(transport);
        via.setSentProtocol(protocol);
        via.setSentBy(sentBy);
        while (skip(';')) {
            String name = word(TOKEN).toLowerCase(Locale.ROOT);
            String value = skip('=') ? word(TOKEN) : null;
            if (name.isEmpty() || (value != null && value.isEmpty()) || (name.equals("branch") && value == null)) {
                return null;
            }
            if (name.equals("rport") && value != null && !isPort(value)) {
                return null;
            }
            via.setParameter(new NameValue(name, value));
        }
        ViaList list = new ViaList();
        list.add(via);
        return at == end ? list : null;
    }

    private <H extends AddressParametersHeader> @Nullable H party(H header) {
        AddressImpl address = address();
        if (address == null) {
            return null;
        }
        header.setAddress(address);
        return parameters(header) && at == end ? header : null;
    }

    private @Nullable SIPHeader contact() {
        Contact contact = party(Blank.contact());
        if (contact == null) {
            return null;
        }
        ContactList list = new ContactList();
        list.add(contact);
        return list;
    }

    private @Nullable SIPHeader route() {
        Route route = party(Blank.route());
        if (route == null) {
            return null;
        }
        RouteList list = new RouteList();
        list.add(route);
        return list;
    }

    private @Nullable SIPHeader recordRoute() {
        RecordRoute route = party(Blank.recordRoute());
        if (route == null) {
            return null;
        }
        RecordRouteList list = new RecordRouteList();
        list.add(route);
        return list;
    }

    private @Nullable SIPHeader callId() {
        String word = word(CALL_ID);
        if (word.isEmpty()
                || at != end
                || word.indexOf('@') != word.lastIndexOf('@')
                || word.startsWith("@")
                || word.endsWith("@")) {
            return null;
        }
        return Blank.callId(word);
    }

    private @Nullable SIPHeader cseq() {
        int number = number();
        if (number < 0 || !skip(' ')) {
            return null;
        }
        String method = word(ALPHANUMERIC);
        return METHODS.contains(method) && at == end ? Blank.cseq(number, method) : null;
    }

    private @Nullable SIPHeader maxForwards() {
        int hops = number();
        return hops < 0 || at != end ? null : Blank.maxForwards(hops);
    }

    private @Nullable SIPHeader contentLength() {
        int bytes = number();
        return bytes < 0 || at != end ? null : Blank.contentLength(bytes);
    }

    private @Nullable SIPHeader expires() throws InvalidArgumentException {
        int seconds = number();
        if (seconds < 0 || at != end) {
            return null;
        }
        Expires expires = new Expires();
        expires.setExpires(seconds);
        return expires;
    }

    private @Nullable SIPHeader contentType() {
        String type = word(TOKEN);
        if (type.isEmpty() || !skip('/')) {
            return null;
        }
        String subtype = word(TOKEN);
        return subtype.isEmpty() || at != end ? null : Blank.contentType(type, subtype);
    }

    // --- their parts ---------------------------------------------------------------------------------------------

    /** Shared by all that have the same text. */
    private @Nullable AddressImpl address() {
        int from = at;
        int behind = text.indexOf('>', from) + 1;
        if (behind > 0 && behind <= end) {
            AddressImpl known = ADDRESSES.find(text, from, behind);
            if (known != null) {
                at = behind;
                return known;
            }
        }
        AddressImpl read = readAddress();
        if (read != null && at == behind) {
            ADDRESSES.keep(text, from, behind, read);
        }
        return read;
    }

    private @Nullable AddressImpl readAddress() {
        String name = null;
        if (skip('"')) {
            name = quoted();
            if (name == null || !skip(' ')) {
                return null;
            }
        }
        if (!skip('<')) {
            return null;
        }
        SipUri uri = readUri();
        if (uri == null || !skip('>')) {
            return null;
        }
        AddressImpl address = new AddressImpl();
        address.setAddressType(AddressImpl.NAME_ADDR);
        if (name != null) {
            address.setDisplayName(name.trim());
        }
        address.setURI(uri);
        return address;
    }

    /** Behind the first quote; goes behind the last. */
    private @Nullable String quoted() {
        int from = at;
        while (at < end) {
            char c = text.charAt(at);
            if (c == '"') {
                return text.substring(from, at++);
            }
            if (c < ' ' || c >= 127 || c == '\\') {
                return null;
            }
            at++;
        }
        return null;
    }

    /** What reaches to there; shared by all that have the same text. */
    private @Nullable SipUri uri(int to) {
        int from = at;
        if (to < from) {
            return null;
        }
        SipUri uri = URIS.find(text, from, to);
        if (uri != null) {
            at = to;
            return uri;
        }
        uri = readUri();
        if (uri == null || at != to) {
            return null;
        }
        URIS.keep(text, from, to, uri);
        return uri;
    }

    private @Nullable SipUri readUri() {
        boolean secure = text.startsWith("sips:", at);
        if (!secure && !text.startsWith("sip:", at)) {
            return null;
        }
        at += secure ? 5 : 4;
        SharedUri uri = new SharedUri();
        uri.setScheme(secure ? "sips" : "sip");
        int from = at;
        String user = word(USER);
        if (!user.isEmpty() && skip('@')) {
            uri.setUser(user);
        } else {
            at = from;
        }
        HostPort hostPort = hostPort();
        if (hostPort == null) {
            return null;
        }
        uri.setHostPort(hostPort);
        while (skip(';')) {
            String name = word(USER);
            boolean flag = !skip('=');
            String value = flag ? "" : word(USER);
            if (name.isEmpty() || (!flag && value.isEmpty())) {
                return null;
            }
            uri.setUriParameter(new NameValue(name, value, flag));
        }
        return uri.complete();
    }

    private @Nullable HostPort hostPort() {
        String host = word(HOST);
        if (host.isEmpty()) {
            return null;
        }
        HostPort hostPort = new HostPort();
        hostPort.setHost(new Host(host));
        if (skip(':')) {
            int port = number();
            if (port < 0 || port > LAST_PORT) {
                return null;
            }
            hostPort.setPort(port);
        }
        return hostPort;
    }

    private boolean parameters(ParametersHeader header) {
        while (skip(';')) {
            String name = word(TOKEN);
            if (name.isEmpty()) {
                return false;
            }
            NameValue parameter;
            if (!skip('=')) {
                parameter = new NameValue(name, "", true);
            } else if (skip('"')) {
                String value = quoted();
                if (value == null || value.isEmpty()) {
                    return false;
                }
                parameter = new NameValue(name, value);
                parameter.setQuotedValue();
            } else {
                String value = word(TOKEN);
                if (value.isEmpty()) {
                    return false;
                }
                parameter = new NameValue(name, value);
            }
            header.setParameter(parameter);
        }
        return true;
    }

    // --- characters ----------------------------------------------------------------------------------------------

    private void skipBlanks() {
        while (at < end && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
    }

    private boolean skip(char wanted) {
        if (at < end && text.charAt(at) == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private String word(byte kind) {
        int from = at;
        while (at < end && text.charAt(at) < KINDS.length && (KINDS[text.charAt(at)] & kind) != 0) {
            at++;
        }
        return from == at ? "" : Words.part(text, from, at);
    }

    private static boolean isPort(String word) {
        PlainText digits = new PlainText(word, 0, word.length());
        int port = digits.number();
        return port >= 0 && port <= LAST_PORT && digits.at == digits.end;
    }

    /** -1 if there is none, or too large a one. */
    private int number() {
        int from = at;
        int number = 0;
        while (at < end && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            if (at - from == MOST_DIGITS) {
                return -1;
            }
            number = number * 10 + text.charAt(at++) - '0';
        }
        return from == at ? -1 : number;
    }
}
