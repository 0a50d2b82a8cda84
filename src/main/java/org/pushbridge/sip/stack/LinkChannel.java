package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.stack.MessageChannel;
import gov.nist.javax.sip.stack.MessageProcessor;
import gov.nist.javax.sip.stack.RawMessageChannel;
import gov.nist.javax.sip.stack.SIPTransactionStack;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a JAIN-SIP transaction sends through: a {@link Link} in JAIN-SIP's clothes. One for each transaction. */
final class LinkChannel extends MessageChannel implements RawMessageChannel {
    private static final byte[] NOTHING = {};

    private final SIPTransactionStack stack;
    private volatile Link link;
    private volatile Consumer<String> onFailure = why -> {};
    private volatile boolean mute;
    private @Nullable SIPMessage encoded;
    private byte[] bytes = NOTHING;
    private @Nullable SIPMessage prepared;
    private byte[] preparedBytes = NOTHING;

    LinkChannel(SIPTransactionStack stack, MessageProcessor processor, Link link) {
        this.stack = stack;
        this.link = link;
        this.messageProcessor = processor;
    }

    Link link() {
        return link;
    }

    /** What is sent from here on takes another way. */
    void moveTo(Link other) {
        link = other;
    }

    /** @param handler told, on any thread, of messages that did not leave */
    void onFailure(Consumer<String> handler) {
        onFailure = handler;
    }

    /** Whether what is sent goes nowhere: it went out before. */
    void mute(boolean now) {
        mute = now;
    }

    @Override
    public void sendMessage(SIPMessage message) {
        byte[] bytesNow = encode(message);
        if (!mute) {
            link.send(bytesNow, onFailure);
        }
    }

    /** Encodes a message once, however often it is resent. */
    @SuppressWarnings("ReferenceEquality") // JAIN-SIP compares messages header by header.
    private synchronized byte[] encode(SIPMessage message) {
        if (message != encoded) {
            bytes = message == prepared ? preparedBytes : Encoding.bytes(message, link.transport());
            encoded = message;
            prepared = null;
            preparedBytes = NOTHING;
        }
        return bytes;
    }

    /** What will be sent of a message; until it is, what was sent before it is what is repeated. */
    synchronized byte[] prepare(SIPMessage message) {
        prepared = message;
        preparedBytes = Encoding.bytes(message, link.transport());
        return preparedBytes;
    }

    /** Sends what was sent last once more. */
    void repeat() {
        byte[] last;
        synchronized (this) {
            last = bytes;
        }
        if (last.length > 0) {
            link.send(last, onFailure);
        }
    }

    /** What was sent last; empty before. */
    synchronized byte[] sent() {
        return bytes;
    }

    /** Keeps the bytes alone of what was sent last: a parsed message is many times their size. */
    synchronized void keepBytesAlone() {
        encoded = null;
    }

    /** Nothing is repeated from here on. */
    synchronized void forget() {
        encoded = null;
        bytes = NOTHING;
    }

    @Override
    public void sendMessage(SIPMessage message, InetAddress address, int port) {
        sendMessage(message);
    }

    @Override
    protected void sendMessage(byte[] message, InetAddress address, int port, boolean reconnect) {
        link.send(message, onFailure);
    }

    /** JAIN-SIP would call it for what goes to one of our own addresses; we let that take the wire like the rest. */
    @Override
    public void processMessage(SIPMessage message) {
        sendMessage(message);
    }

    @Override
    public void close() {
        // Connections outlive transactions.
    }

    @Override
    public SIPTransactionStack getSIPStack() {
        return stack;
    }

    @Override
    public String getTransport() {
        return link.transport().name();
    }

    @Override
    public boolean isReliable() {
        return link.transport().isReliable();
    }

    @Override
    public boolean isSecure() {
        return false;
    }

    private InetSocketAddress remote() {
        return link.flow().remote();
    }

    /** As for the protocol; JAIN-SIP compares it with the address of each listening point each time. */
    @Override
    public String getPeerAddress() {
        return "";
    }

    @Override
    protected InetAddress getPeerInetAddress() {
        return remote().getAddress();
    }

    /** Matches no listening point, so that JAIN-SIP does not short-cut messages to ourselves. */
    @Override
    protected String getPeerProtocol() {
        return "";
    }

    @Override
    public int getPeerPort() {
        return remote().getPort();
    }

    @Override
    public int getPeerPacketSourcePort() {
        return remote().getPort();
    }

    @Override
    public InetAddress getPeerPacketSourceAddress() {
        return remote().getAddress();
    }

    @Override
    public String getKey() {
        return getKey(remote().getAddress(), remote().getPort(), getTransport()).toLowerCase(Locale.ROOT);
    }

    @Override
    public String getViaHost() {
        return messageProcessor.getIpAddress().getHostAddress();
    }

    @Override
    public int getViaPort() {
        return messageProcessor.getPort();
    }
}
