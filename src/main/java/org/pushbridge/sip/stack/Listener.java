package org.pushbridge.sip.stack;

import gov.nist.core.HostPort;
import gov.nist.javax.sip.stack.MessageChannel;
import gov.nist.javax.sip.stack.MessageProcessor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;

/** One address the stack listens on, as JAIN-SIP wants to see it. */
abstract class Listener extends MessageProcessor {
    private final JainStack stack;
    private final ListenAddress configured;
    private final InetSocketAddress bound;
    private final Map<InetAddress, LocalAddress> locals = new ConcurrentHashMap<>();

    /** @param bound with the actual port */
    Listener(JainStack stack, ListenAddress configured, InetSocketAddress bound) {
        super(bound.getAddress(), bound.getPort(), configured.transport().name(), stack);
        this.stack = stack;
        this.configured = configured;
        this.bound = bound;
    }

    Transport protocol() {
        return configured.transport();
    }

    ListenAddress configured() {
        return configured;
    }

    InetSocketAddress bound() {
        return bound;
    }

    /** What peers reach it at that see it at this address of ours. */
    LocalAddress local(InetAddress address) {
        return locals.computeIfAbsent(address, seen -> new LocalAddress(protocol(), Hosts.host(seen), bound.getPort()));
    }

    /** How long the oldest message has waited that came in and was not looked at yet, in nanoseconds. */
    long delayNanos() {
        return 0;
    }

    /** Bytes that came in and were not looked at yet, on the fullest socket. */
    long waitingBytes() {
        return 0;
    }

    /** A way to a peer that is not known to have a connection to us. */
    abstract Link linkTo(InetSocketAddress remote);

    @Override
    public MessageChannel createMessageChannel(HostPort target) throws IOException {
        return createMessageChannel(target.getInetAddress(), target.getPort());
    }

    @Override
    public MessageChannel createMessageChannel(InetAddress host, int port) {
        return new LinkChannel(stack, this, linkTo(new InetSocketAddress(host, port)));
    }

    @Override
    public JainStack getSIPStack() {
        return stack;
    }

    @Override
    public int getDefaultTargetPort() {
        return 5060;
    }

    @Override
    public boolean isSecure() {
        return false;
    }

    @Override
    public boolean inUse() {
        return true;
    }
}
