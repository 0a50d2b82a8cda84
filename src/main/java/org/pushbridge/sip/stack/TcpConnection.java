package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.timeout.IdleStateEvent;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.Flow;

/**
 * One connection, accepted or opened by us, from before it is open until after it is closed. What is sent before it
 * is open waits, up to the limit, and leaves in order.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written or closed shows as a closed channel.
final class TcpConnection extends SimpleChannelInboundHandler<SIPMessage> implements Link {
    private final Connections owner;
    private final TcpListener listener;
    private final InetSocketAddress remote;
    private final long id;
    private final Set<ClientTransaction> expecting = ConcurrentHashMap.newKeySet();

    private final Queue<Waiting> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private @Nullable Channel channel;
    private boolean closed;
    private String closedWhy = "";
    private volatile Flow flow;

    private record Waiting(ByteBuf message, Consumer<String> onFailure) {}

    TcpConnection(Connections owner, TcpListener listener, InetSocketAddress remote, long id) {
        super(SIPMessage.class);
        this.owner = owner;
        this.listener = listener;
        this.remote = remote;
        this.id = id;
        this.flow = new Flow(Transport.TCP.parameter(), listener.bound(), remote, id);
    }

    long id() {
        return id;
    }

    InetSocketAddress remote() {
        return remote;
    }

    TcpListener listener() {
        return listener;
    }

    @Override
    public Transport transport() {
        return Transport.TCP;
    }

    @Override
    public Flow flow() {
        return flow;
    }

    /** A connection that is still being opened is open. */
    synchronized boolean isOpen() {
        return !closed;
    }

    @Override
    public void send(byte[] message, Consumer<String> onFailure) {
        String why;
        synchronized (this) {
            if (!closed && channel != null) {
                write(channel, Unpooled.wrappedBuffer(message), onFailure);
                return;
            }
            if (!closed && waitingBytes + message.length <= owner.limits().maxUnsentBytes()) {
                waiting.add(new Waiting(Unpooled.wrappedBuffer(message), onFailure));
                waitingBytes += message.length;
                return;
            }
            why = closed ? closedWhy : "too much is waiting for the connection to open";
        }
        onFailure.accept("tcp to " + Hosts.text(remote) + ": " + why);
    }

    private void write(Channel to, ByteBuf message, Consumer<String> onFailure) {
        if (!to.isWritable()) {
            owner.slowReader(remote);
            to.close();
            onFailure.accept("tcp to " + Hosts.text(remote) + ": the peer does not read what it is sent");
            return;
        }
        ChannelFuture written = to.writeAndFlush(message);
        written.addListener(done -> {
            if (!done.isSuccess()) {
                onFailure.accept("tcp to " + Hosts.text(remote) + ": " + done.cause());
            }
        });
    }

    @Override
    public void expect(ClientTransaction transaction) {
        expecting.add(transaction);
        if (!isOpen()) {
            transaction.linkClosed(text());
            expecting.remove(transaction);
        }
    }

    @Override
    public void expectNoMore(ClientTransaction transaction) {
        expecting.remove(transaction);
    }

    private synchronized String text() {
        return "tcp to " + Hosts.text(remote) + ": " + closedWhy;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        Channel opened = context.channel();
        flow = new Flow(Transport.TCP.parameter(), (InetSocketAddress) opened.localAddress(), remote, id);
        owner.opened(this);
        synchronized (this) {
            channel = opened;
            for (Waiting next : waiting) {
                write(opened, next.message(), next.onFailure());
            }
            waiting.clear();
        }
        super.channelActive(context);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        close("the connection is closed");
        super.channelInactive(context);
    }

    /** Called when it is closed, or was never opened. */
    void close(String why) {
        Queue<Waiting> unsent;
        boolean wasOpen;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            closedWhy = why;
            wasOpen = channel != null;
            unsent = new ArrayDeque<>(waiting);
            waiting.clear();
        }
        owner.closed(this, wasOpen);
        unsent.forEach(each -> each.onFailure().accept("tcp to " + Hosts.text(remote) + ": " + why));
        expecting.forEach(each -> each.linkClosed(text()));
        expecting.clear();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, SIPMessage message) {
        owner.reception().message(message, this, remote, listener);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
        if (event instanceof IdleStateEvent) {
            context.close();
        } else {
            super.userEventTriggered(context, event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        owner.trouble(remote, cause);
        context.close();
    }
}
