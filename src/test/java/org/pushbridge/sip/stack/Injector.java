package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPMessage;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/** Feeds a running stack as if a datagram had come, on the caller's thread, so that what is thrown can be seen. */
public final class Injector {
    private final Reception reception;
    private final JainStack jain;
    private final UdpListener udp;

    public Injector(SipStack stack) {
        reception = (Reception) field(stack, "reception");
        jain = (JainStack) field(stack, "jain");
        udp = ((List<?>) field(stack, "listeners"))
                .stream()
                        .filter(UdpListener.class::isInstance)
                        .map(UdpListener.class::cast)
                        .findFirst()
                        .orElseThrow();
    }

    private static Object field(SipStack stack, String name) {
        try {
            Field field = SipStack.class.getDeclaredField(name);
            field.setAccessible(true);
            return field.get(stack);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name, e);
        }
    }

    /** One datagram from there; throws what the stack throws. */
    public void datagram(byte[] data, InetSocketAddress from) {
        reception.datagram(data, data.length, 8192, udp, from);
    }

    /** Everything that has to be gone when all is quiet. */
    public int held() {
        return jain.serverTransactions() + jain.clientTransactions() + jain.remembered();
    }

    /** Requests of the bridge's own that are under way. */
    public int clientTransactions() {
        return jain.clientTransactions();
    }

    /** The message as the stack reads it; empty if it is refused. */
    public static Optional<SIPMessage> parse(byte[] data) {
        int end = MessageHead.end(data, 0, 0, data.length);
        if (end < 0) {
            return Optional.empty();
        }
        MessageHead head = MessageHead.read(data, 0, end);
        if (head.fault().isPresent()) {
            return Optional.empty();
        }
        try {
            int body = head.contentLength() < 0 ? data.length - end : Math.min(head.contentLength(), data.length - end);
            return Optional.of(MessageParser.parse(data, 0, end, body));
        } catch (MessageParser.Malformed refused) {
            return Optional.empty();
        }
    }
}
