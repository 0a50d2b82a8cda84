package org.pushbridge.sip.stack;

/** An ACK that was sent, to be sent again: its bytes alone, for a parsed message is many times their size. */
public final class SentAck {
    private final byte[] bytes;
    private final Transport transport;

    SentAck(byte[] bytes, Transport transport) {
        this.bytes = bytes;
        this.transport = transport;
    }

    /** The same ACK again, its Via naming the transport that it takes now. */
    byte[] bytes(Transport now) {
        if (now == transport) {
            return bytes;
        }
        try {
            return Encoding.bytes(MessageParser.parse(bytes), now);
        } catch (MessageParser.Malformed e) {
            throw new IllegalStateException("An ACK that was sent cannot be read", e);
        }
    }
}
