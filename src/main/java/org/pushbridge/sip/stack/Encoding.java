package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.ContentLength;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Iterator;

/** Turns JAIN-SIP's messages into bytes, with one copy where theirs makes four. Safe for any thread. */
final class Encoding {
    private static final int USUAL_HEAD = 1024;
    private static final int LARGEST_KEPT = 16 * 1024;
    private static final String LINE_END = "\r\n";

    private static final ThreadLocal<StringBuilder> HEADS =
            ThreadLocal.withInitial(() -> new StringBuilder(USUAL_HEAD));

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
        StringBuilder head = HEADS.get();
        head.setLength(0);
        head.append(
                message instanceof SIPRequest request
                        ? request.getRequestLine().encode()
                        : ((SIPResponse) message).getFirstLine());
        for (Iterator<SIPHeader> headers = message.getHeaders(); headers.hasNext(); ) {
            SIPHeader header = headers.next();
            if (!(header instanceof ContentLength)) {
                header.encode(head);
            }
        }
        byte[] body = message.getRawContent();
        int bodyLength = body == null ? 0 : body.length;
        head.append("Content-Length: ").append(bodyLength).append(LINE_END).append(LINE_END);
        byte[] headBytes = head.toString().getBytes(StandardCharsets.UTF_8);
        if (head.capacity() > LARGEST_KEPT) {
            HEADS.remove();
        }
        if (body == null || bodyLength == 0) {
            return headBytes;
        }
        byte[] whole = new byte[headBytes.length + bodyLength];
        System.arraycopy(headBytes, 0, whole, 0, headBytes.length);
        System.arraycopy(body, 0, whole, headBytes.length, bodyLength);
        return whole;
    }
}
