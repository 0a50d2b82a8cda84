package org.pushbridge.sip.stack;

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
import gov.nist.javax.sip.header.StatusLine;
import gov.nist.javax.sip.header.To;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.parser.ParseExceptionListener;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.text.ParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import javax.sip.InvalidArgumentException;

/** Turns bytes that {@link MessageHead} found no fault with into a JAIN-SIP message. Safe for any thread. */
final class MessageParser {
    /** A message with one of these unreadable is refused; with any other, it is taken without that header. */
    private static final Set<Class<?>> ESSENTIAL = Set.of(
            CSeq.class,
            CallID.class,
            Contact.class,
            ContentLength.class,
            From.class,
            MaxForwards.class,
            RAck.class,
            RSeq.class,
            RecordRoute.class,
            RequestLine.class,
            Route.class,
            StatusLine.class,
            To.class,
            Via.class);

    private static final ParseExceptionListener LISTENER = (problem, message, header, text, whole) -> {
        if (header != null && ESSENTIAL.contains(header) && !isContactOfRegister(header, message)) {
            throw problem;
        }
        message.addUnparsed(text);
    };

    static {
        StringMsgParser.setComputeContentLengthFromMessage(false);
    }

    private MessageParser() {}

    /** An app's device token may have made it unreadable; the registrar can tell the app's developer what is wrong. */
    private static boolean isContactOfRegister(Class<?> header, SIPMessage message) {
        return header == Contact.class
                && message instanceof SIPRequest request
                && "REGISTER".equals(request.getMethod());
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

    /**
     * @param head start line, headers and the empty line
     * @param body without what does not belong to it
     */
    static SIPMessage parse(byte[] head, byte[] body) throws Malformed {
        SIPMessage message;
        try {
            message = new StringMsgParser().parseSIPMessage(head, false, false, LISTENER);
        } catch (ParseException | RuntimeException | StackOverflowError e) {
            // Among the runtime exceptions: NumberFormatException for numbers too large for JAIN-SIP.
            throw new Malformed(Fault.bad("Bad Message"));
        }
        if (message == null
                || message.getFrom() == null
                || message.getTo() == null
                || message.getCallId() == null
                || message.getCSeq() == null
                || message.getTopmostVia() == null) {
            throw new Malformed(Fault.bad("Missing Header"));
        }
        String branch = message.getTopmostVia().getBranch();
        if (branch == null
                || branch.length() <= 7
                || !branch.toLowerCase(Locale.ROOT).startsWith("z9hg4bk")) {
            // Without the cookie, transactions would have to be matched by scanning all of them (RFC 3261 17.2.3).
            throw new Malformed(Fault.bad("Branch Without Magic Cookie"));
        }
        try {
            if (message instanceof SIPRequest && message.getMaxForwards() == null) {
                MaxForwards added = new MaxForwards();
                added.setMaxForwards(70);
                message.setMaxForwards(added);
            }
        } catch (InvalidArgumentException e) {
            throw new IllegalStateException("70 is a Max-Forwards", e);
        }
        if (body.length > 0) {
            message.setMessageContent(body);
        }
        return message;
    }

    /** @see #parse(byte[], byte[]) */
    static SIPMessage parse(byte[] data, int from, int headLength, int bodyLength) throws Malformed {
        int bodyFrom = from + headLength;
        return parse(
                Arrays.copyOfRange(data, from, bodyFrom), Arrays.copyOfRange(data, bodyFrom, bodyFrom + bodyLength));
    }
}
