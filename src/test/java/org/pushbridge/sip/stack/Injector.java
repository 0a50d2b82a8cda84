package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.stack.SIPTransaction;
import gov.nist.javax.sip.stack.SIPTransactionStack;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pushbridge.sip.stack.SipStackSettings.UdpLimits;

/** Feeds a running stack as if a datagram had come, on the caller's thread, so that what is thrown can be seen. */
public final class Injector {
    private final Reception reception;
    private final JainStack jain;
    private final UdpListener udp;

    public Injector(SipStack stack) {
        reception = (Reception) field(SipStack.class, stack, "reception");
        jain = (JainStack) field(SipStack.class, stack, "jain");
        udp = ((List<?>) field(SipStack.class, stack, "listeners"))
                .stream()
                        .filter(UdpListener.class::isInstance)
                        .map(UdpListener.class::cast)
                        .findFirst()
                        .orElseThrow();
    }

    private static Object field(Class<?> type, Object of, String name) {
        try {
            Field field = type.getDeclaredField(name);
            field.setAccessible(true);
            return field.get(of);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name, e);
        }
    }

    /** One datagram from there; throws what the stack throws. */
    public void datagram(byte[] data, InetSocketAddress from) {
        reception.datagram(data, data.length, UdpLimits.defaults(), udp, from, System.nanoTime());
    }

    /** Everything that has to be gone when all is quiet. */
    public List<String> held() {
        List<String> held = new ArrayList<>();
        for (String table : List.of("serverTransactionTable", "clientTransactionTable")) {
            ((Map<?, ?>) field(SIPTransactionStack.class, jain, table))
                    .values()
                    .forEach(each -> held.add(
                            ((SIPTransaction) each).getTransactionId() + " " + ((SIPTransaction) each).getState()));
        }
        if (jain.remembered() > 0) {
            held.add(jain.remembered() + " answers and merges");
        }
        return held;
    }

    /** Requests of the bridge's own that are under way. */
    public int clientTransactions() {
        return jain.clientTransactions();
    }

    /** Names of headers that are remembered. */
    public static int headerNames() {
        return HeaderNames.count();
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
            return Optional.of(MessageParser.parse(head, Arrays.copyOfRange(data, end, end + body)));
        } catch (MessageParser.Malformed refused) {
            return Optional.empty();
        }
    }
}
