package org.pushbridge.sip.stack;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.handler.timeout.WriteTimeoutHandler;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;
import org.pushbridge.sip.stack.SipStackSettings.StreamLimits;

/**
 * All TCP connections: those accepted, within their bounds, and those opened to peers that listen, one for each peer
 * however many send at once.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written or closed shows as a closed channel.
final class Connections {
    private static final Logger LOG = LogManager.getLogger(Connections.class);
    private static final QuietLog REFUSED = new QuietLog(LOG, Level.WARN);
    private static final AttributeKey<TcpListener> LISTENER = AttributeKey.valueOf(Connections.class, "listener");

    /** How often the threads that serve connections show that they come round. */
    private static final long BEAT_NANOS = 50_000_000;

    private record Peer(InetSocketAddress local, InetSocketAddress remote) {}

    private final StreamLimits limits;
    private final Reception reception;
    private final SipCounters counters;
    private final EventLoopGroup loops = new NioEventLoopGroup(
            Runtime.getRuntime().availableProcessors(), new DefaultThreadFactory("sip-tcp", true));
    /** When each of them is to show up next. */
    private final List<AtomicLong> due = new CopyOnWriteArrayList<>();

    private final Map<Long, TcpConnection> open = new ConcurrentHashMap<>();
    private final Map<Peer, TcpConnection> outgoing = new ConcurrentHashMap<>();
    private final Map<InetAddress, Integer> accepted = new ConcurrentHashMap<>();
    private final AtomicInteger acceptedInAll = new AtomicInteger();
    /** Starts anywhere, so that no flow of an earlier run can be taken for one of this run. */
    private final AtomicLong nextId = new AtomicLong(Tokens.number());

    Connections(StreamLimits limits, Reception reception, SipCounters counters) {
        this.limits = limits;
        this.reception = reception;
        this.counters = counters;
    }

    StreamLimits limits() {
        return limits;
    }

    Reception reception() {
        return reception;
    }

    private void watch() {
        if (due.isEmpty()) {
            for (EventExecutor loop : loops) {
                AtomicLong next = new AtomicLong(System.nanoTime() + BEAT_NANOS);
                due.add(next);
                loop.scheduleWithFixedDelay(
                        () -> next.set(System.nanoTime() + BEAT_NANOS), BEAT_NANOS, BEAT_NANOS, TimeUnit.NANOSECONDS);
            }
        }
    }

    /** How long what came over the connections of one thread waits for it, at least: what waits does so in the system. */
    long delayNanos() {
        long now = System.nanoTime();
        long longest = 0;
        for (AtomicLong next : due) {
            longest = Math.max(longest, now - next.get());
        }
        return longest;
    }

    /** Runs what must not run on the caller's thread. */
    Executor elsewhere() {
        return loops;
    }

    int size() {
        return open.size();
    }

    private long newId() {
        long id = nextId.incrementAndGet();
        return id == 0 ? nextId.incrementAndGet() : id;
    }

    /** Binds; connections are not accepted before {@link #accepting}. */
    TcpListener bind(JainStack stack, ListenAddress listen) throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        ChannelFuture bound = bootstrap.bind(listen.address()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(bound.cause());
        }
        watch();
        return new TcpListener(stack, listen, bound.channel(), this, limits.maxMessageBytes());
    }

    void accepting(Channel server, TcpListener listener) {
        server.attr(LISTENER).set(listener);
        server.config().setAutoRead(true);
    }

    private WriteBufferWaterMark waterMark() {
        return new WriteBufferWaterMark(limits.maxUnsentBytes() / 2, limits.maxUnsentBytes());
    }

    private void accept(Channel channel) {
        TcpListener listener = channel.parent().attr(LISTENER).get();
        InetSocketAddress remote = (InetSocketAddress) channel.remoteAddress();
        if (remote == null || !admit(remote.getAddress())) {
            counters.connectionsRefused.increment();
            REFUSED.log(() -> "Too many connections, one is refused; peer="
                    + (remote == null ? "?" : Hosts.text(remote)) + " open=" + acceptedInAll);
            channel.close();
            return;
        }
        channel.closeFuture().addListener(closed -> release(remote.getAddress()));
        addHandlers(channel.pipeline(), new TcpConnection(this, listener, remote, newId()), true);
    }

    private boolean admit(InetAddress address) {
        if (acceptedInAll.incrementAndGet() > limits.maxConnections()) {
            acceptedInAll.decrementAndGet();
            return false;
        }
        if (accepted.merge(address, 1, Integer::sum) > limits.maxConnectionsPerAddress()) {
            release(address);
            counters.connectionsRefusedPerAddress.increment();
            return false;
        }
        return true;
    }

    private void release(InetAddress address) {
        acceptedInAll.decrementAndGet();
        accepted.computeIfPresent(address, (key, count) -> count == 1 ? null : count - 1);
    }

    private void addHandlers(ChannelPipeline pipeline, TcpConnection connection, boolean theirs) {
        SipFraming framing = new SipFraming(reception, limits, connection.remote(), theirs);
        pipeline.addLast(new IdleStateHandler(limits.idleTimeout().toMillis(), 0, 0, TimeUnit.MILLISECONDS));
        pipeline.addLast(new WriteTimeoutHandler(limits.messageTimeout().toMillis(), TimeUnit.MILLISECONDS));
        pipeline.addLast(framing);
        pipeline.addLast(connection);
    }

    /** The connection opened to that peer, or one being opened from now on. */
    TcpConnection to(InetSocketAddress remote, TcpListener listener) {
        Peer peer = new Peer(listener.bound(), remote);
        TcpConnection fresh = new TcpConnection(this, listener, remote, newId());
        TcpConnection known =
                outgoing.compute(peer, (key, before) -> before != null && before.isOpen() ? before : fresh);
        if (known == fresh) {
            connect(fresh);
        }
        return known;
    }

    private void connect(TcpConnection connection) {
        Bootstrap bootstrap = new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        limits.connectTimeout().toMillis())
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        addHandlers(channel.pipeline(), connection, false);
                    }
                });
        InetAddress local = connection.listener().bound().getAddress();
        ChannelFuture connected = local.isAnyLocalAddress()
                ? bootstrap.connect(connection.remote())
                : bootstrap.connect(connection.remote(), new InetSocketAddress(local, 0));
        connected.addListener(done -> {
            if (!done.isSuccess()) {
                connection.close(String.valueOf(done.cause().getMessage()));
            }
        });
    }

    Optional<TcpConnection> find(Flow flow) {
        return Optional.ofNullable(open.get(flow.connection())).filter(TcpConnection::isOpen);
    }

    void opened(TcpConnection connection) {
        counters.connectionsOpened.increment();
        open.put(connection.id(), connection);
    }

    void closed(TcpConnection connection, boolean wasOpen) {
        outgoing.remove(new Peer(connection.listener().bound(), connection.remote()), connection);
        if (wasOpen) {
            open.remove(connection.id());
            counters.connectionsClosed.increment();
            reception.flowClosed(connection.flow());
        }
    }

    void slowReader(InetSocketAddress remote) {
        REFUSED.log(() -> "A peer does not read what it is sent, its connection is closed; peer=" + Hosts.text(remote));
    }

    void trouble(InetSocketAddress remote, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("A connection broke; peer={} cause={}", Hosts.text(remote), cause.getMessage());
        } else {
            REFUSED.log(() -> "A connection failed and is closed; peer=" + Hosts.text(remote) + " cause=" + cause);
        }
    }

    void stop() {
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
    }
}
