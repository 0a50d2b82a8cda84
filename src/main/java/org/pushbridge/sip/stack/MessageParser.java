package org.pushbridge.sip.stack;

import gov.nist.javax.sip.address.AddressFactoryImpl;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.AddressParametersHeader;
import gov.nist.javax.sip.header.CSeq;
import gov.nist.javax.sip.header.CallID;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.ContentLength;
import gov.nist.javax.sip.header.From;
import gov.nist.javax.sip.header.MaxForwards;
import gov.nist.javax.sip.header.RAck;
import gov.nist.javax.sip.header.RSeq;
import gov.nist.javax.sip.header.RecordRoute;
import gov.nist.javax.sip.header.RequestLine;
import gov.nist.javax.sip.header.Route;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.StatusLine;
import gov.nist.javax.sip.header.To;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.header.ViaList;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.parser.ParseExceptionListener;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.sip.address.Address;
import org.jspecify.annotations.Nullable;

/** Turns bytes that {@link MessageHead} found no fault with into a JAIN-SIP message. Safe for any thread. */
final class MessageParser {
    /** A message with one of these unreadable is refused; with any other, it is taken without that header. */
    private static final Map<Class<?>, String> ESSENTIAL = Map.ofEntries(
            Map.entry(CSeq.class, "CSeq"),
            Map.entry(CallID.class, "Call-ID"),
            Map.entry(Contact.class, "Contact"),
            Map.entry(ContentLength.class, "Content-Length"),
            Map.entry(From.class, "From"),
            Map.entry(MaxForwards.class, "Max-Forwards"),
            Map.entry(RAck.class, "RAck"),
            Map.entry(RSeq.class, "RSeq"),
            Map.entry(RecordRoute.class, "Record-Route"),
            Map.entry(RequestLine.class, "The Request-URI"),
            Map.entry(Route.class, "Route"),
            Map.entry(StatusLine.class, "The status line"),
            Map.entry(To.class, "To"),
            Map.entry(Via.class, "Via"));

    private static final int LAST_PORT = 65_535;
    private static final Pattern PORT = Pattern.compile("\\d{1,5}");

    /** How the names of headers with addresses begin, and their compact forms. */
    private static final String MAY_BE_ADDRESS = "FfTtCcMmRr";

    private static final AddressFactoryImpl ADDRESSES = new AddressFactoryImpl();

    static {
        StringMsgParser.setComputeContentLengthFromMessage(false);
    }

    private MessageParser() {}

    /** An app's device token may have made it unreadable; the registrar can tell the app's developer what is wrong. */
    private static boolean isContactOfRegister(@Nullable Class<?> header, SIPMessage message) {
        return header == Contact.class
                && message instanceof SIPRequest request
                && "REGISTER".equals(request.getMethod());
    }

    /** Decides which headers a message can do without, and remembers the one it cannot. */
    private static final class Judge {
        private String unreadable = "A header";

        void judge(ParseException problem, SIPMessage message, @Nullable Class<?> header, String text)
                throws ParseException {
            String name = header == null ? null : ESSENTIAL.get(header);
            if (name != null && !isContactOfRegister(header, message)) {
                unreadable = name;
                throw problem;
            }
            message.addUnparsed(text);
        }
    }

    /** Thrown for a message the parser or the rules refuse. */
    static final class Malformed extends Exception {
        private final transient Fault fault;

        Malformed(Fault fault) {
            super(fault.reason());
            this.fault = fault;
        }

        Fault fault() {
            return fault;
        }

        /** One is thrown for each bad message an attacker sends: keep it cheap. */
        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    /** JAIN-SIP's parser, for the lines that are not plain. */
    private static final class LineParser extends StringMsgParser {
        private static final byte[] NOTHING = {};

        private final ParseExceptionListener listener;
        /** Whether it read an address, which may be one that could not be read again. */
        private boolean readAddress;

        LineParser(ParseExceptionListener listener) {
            this.listener = listener;
        }

        SIPMessage parse(MessageHead head) throws ParseException {
            SIPMessage plain = PlainText.startLine(head.startLine());
            SIPMessage message =
                    plain == null ? processFirstLine(trimEndOfLine(head.startLine()), listener, NOTHING) : plain;
            for (HeaderLine line : head.headerLines()) {
                SIPHeader header = PlainText.header(line);
                if (header == null) {
                    String trimmed = trimEndOfLine(line.toString());
                    readAddress |= MAY_BE_ADDRESS.indexOf(trimmed.charAt(0)) >= 0;
                    processHeader(trimmed, message, listener, NOTHING);
                } else {
                    message.attachHeader(header, false);
                }
            }
            return message;
        }
    }

    /**
     * @param head without a fault
     * @param body without what does not belong to it
     */
    static SIPMessage parse(MessageHead head, byte[] body) throws Malformed {
        SIPMessage message;
        Judge judge = new Judge();
        LineParser parser = new LineParser(
                (problem, unfinished, header, text, whole) -> judge.judge(problem, unfinished, header, text));
        try {
            message = parser.parse(head);
        } catch (ParseException | RuntimeException | StackOverflowError e) {
            // Among the runtime exceptions: NumberFormatException for numbers too large for JAIN-SIP.
            throw new Malformed(Fault.bad("Bad Message", judge.unreadable + " cannot be read"));
        } finally {
            HeaderNames.forgetTooMany();
        }
        if (message.getFrom() == null
                || message.getTo() == null
                || message.getCallId() == null
                || message.getCSeq() == null
                || message.getTopmostVia() == null) {
            throw new Malformed(Fault.bad("Missing Header", "From, To, Call-ID, CSeq or Via cannot be read"));
        }
        String branch = message.getTopmostVia().getBranch();
        if (branch == null || branch.length() <= 7 || !branch.regionMatches(true, 0, "z9hG4bK", 0, 7)) {
            // Without the cookie, transactions would have to be matched by scanning all of them (RFC 3261 17.2.3).
            throw new Malformed(
                    Fault.bad("Branch Without Magic Cookie", "The branch of the first Via has to begin with z9hG4bK"));
        }
        requireSoundVias(message);
        if (parser.readAddress) {
            requireSoundAddresses(message);
        }
        if (message instanceof SIPRequest && message.getMaxForwards() == null) {
            message.setMaxForwards(Blank.maxForwards(70));
        }
        if (body.length > 0) {
            message.setMessageContent(body);
        }
        return message;
    }

    /** They are copied into the response, and that must not fail. */
    private static void requireSoundVias(SIPMessage message) throws Malformed {
        for (Via via : message.getViaHeaders()) {
            String rport = via.getParameter("rport");
            if (via.getPort() > LAST_PORT
                    || (rport != null
                            && !rport.isEmpty()
                            && !PORT.matcher(rport).matches())) {
                throw new Malformed(Fault.bad("Bad Via", "Via names a port that is none, or one above 65535"));
            }
        }
    }

    /** JAIN-SIP reads addresses in headers that it could not read again, when they are to be sent on. */
    private static void requireSoundAddresses(SIPMessage message) throws Malformed {
        requireSound("From", message.getFrom().getAddress());
        requireSound("To", message.getTo().getAddress());
        requireAllSound("Contact", message.getContactHeaders());
        requireAllSound("Record-Route", message.getRecordRouteHeaders());
        requireAllSound("Route", message.getRouteHeaders());
    }

    private static void requireAllSound(String name, @Nullable List<? extends AddressParametersHeader> headers)
            throws Malformed {
        if (headers != null) {
            for (AddressParametersHeader header : headers) {
                requireSound(name, header.getAddress());
            }
        }
    }

    private static void requireSound(String name, @Nullable Address address) throws Malformed {
        if (address == null || address.isWildcard()) {
            return;
        }
        if (address.getURI() instanceof SipUri sip && sip.getPort() > LAST_PORT) {
            throw new Malformed(Fault.bad("Bad URI", name + " names a port above 65535"));
        }
        try {
            String uri = address.getURI().toString();
            if (uri.equals(ADDRESSES.createURI(uri).toString())
                    && uri.equals(
                            ADDRESSES.createAddress(address.toString()).getURI().toString())) {
                return;
            }
        } catch (ParseException | RuntimeException unreadable) {
            // As below.
        }
        throw new Malformed(Fault.bad("Bad Address", name + " cannot be read"));
    }

    /** The first Via of a message of our own, without the rest of it; empty if that takes more than a look. */
    static Optional<Via> topVia(byte[] data) {
        for (int at = lineEnd(data, 0) + 1; at < data.length; at = lineEnd(data, at) + 1) {
            if (data[at] == 'V' || data[at] == 'v') {
                int end = lineEnd(data, at);
                String line = new String(data, at, end - at, StandardCharsets.UTF_8).stripTrailing();
                boolean folded = end + 1 < data.length && (data[end + 1] == ' ' || data[end + 1] == '\t');
                int colon = line.indexOf(':');
                KnownHeader name = colon < 0 ? null : KnownHeader.usual(line, 0, colon);
                return !folded
                                && name == KnownHeader.VIA
                                && PlainText.header(new HeaderLine(line, 0, line.length(), colon, name, true))
                                        instanceof ViaList vias
                        ? Optional.of((Via) vias.getFirst())
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static int lineEnd(byte[] data, int from) {
        int at = from;
        while (at < data.length && data[at] != '\n') {
            at++;
        }
        return at;
    }

    /** A message of our own, whole in {@code data}. */
    static SIPMessage parse(byte[] data) throws Malformed {
        int end = MessageHead.end(data, 0, 0, data.length);
        MessageHead head = MessageHead.read(data, 0, end < 0 ? data.length : end);
        if (end < 0 || head.fault().isPresent()) {
            throw new Malformed(head.fault().orElseGet(() -> Fault.bad("Bad Message", "It has no end")));
        }
        return parse(head, Arrays.copyOfRange(data, end, data.length));
    }
}
