package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.ContentLength;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Arrays;
import java.util.Iterator;

/** Turns JAIN-SIP's messages into bytes, without a copy in between where theirs makes four. Safe for any thread. */
final class Encoding {
    private static final int USUAL_HEAD = 2048;
    private static final int LARGEST_KEPT = 16 * 1024;
    private static final String LINE_END = "\r\n";
    private static final byte[] NOTHING = {};

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    /** What a thread writes heads with, one after another. */
    private static final class Scratch {
        final StringBuilder head = new StringBuilder(USUAL_HEAD);
        char[] characters = new char[USUAL_HEAD];

        /** The head, followed by room for the body; empty if there is more than ASCII in the head. */
        byte[] ascii(int bodyLength) {
            int length = head.length();
            if (length > characters.length) {
                characters = new char[head.capacity()];
            }
            head.getChars(0, length, characters, 0);
            byte[] message = new byte[length + bodyLength];
            int all = 0;
            for (int i = 0; i < length; i++) {
                message[i] = (byte) characters[i];
                all |= characters[i];
            }
            return all < 0x80 ? message : NOTHING;
        }
    }

    private Encoding() {}

    /**
     * The message as it goes over the wire.
     *
     * @param transport what its top Via is to name
     */
    static byte[] bytes(SIPMessage message, Transport transport) {
        Via via = message.getTopmostVia();
        if (via != null && !transport.name().equals(via.getTransport())) {
            try {
                via.setTransport(transport.name());
            } catch (ParseException e) {
                throw new IllegalStateException("Every transport is a token", e);
            }
        }
        Scratch scratch = SCRATCH.get();
        StringBuilder head = scratch.head;
        head.setLength(0);
        if (message instanceof SIPRequest request) {
            request.getRequestLine().encode(head);
        } else {
            head.append(((SIPResponse) message).getFirstLine());
        }
        for (Iterator<SIPHeader> headers = message.getHeaders(); headers.hasNext(); ) {
            SIPHeader header = headers.next();
            if (!(header instanceof ContentLength)) {
                header.encode(head);
            }
        }
        byte[] body = message.getRawContent();
        int bodyLength = body == null ? 0 : body.length;
        head.append("Content-Length: ").append(bodyLength).append(LINE_END).append(LINE_END);
        byte[] whole = scratch.ascii(bodyLength);
        int bodyFrom = head.length();
        if (whole.length == 0) {
            byte[] headBytes = head.toString().getBytes(StandardCharsets.UTF_8);
            whole = Arrays.copyOf(headBytes, headBytes.length + bodyLength);
            bodyFrom = headBytes.length;
            SCRATCH.remove(); // a builder that has held more than Latin-1 takes twice the room for good
        } else if (head.capacity() > LARGEST_KEPT) {
            SCRATCH.remove();
        }
        if (body != null) {
            System.arraycopy(body, 0, whole, bodyFrom, bodyLength);
        }
        return whole;
    }
}
