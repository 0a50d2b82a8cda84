package org.pushbridge.sim.apns;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * A strict stand-in for Apple's push service: HTTP/2 over TLS on loopback, one port for production and one for the
 * sandbox.
 *
 * <p>It answers as Apple does, and it keeps a list of {@linkplain #violations() violations}: what a well-behaved server
 * would not have done, even where Apple lets it pass. Accepted pushes reach the phones that are {@linkplain #attach
 * attached}. All methods may be called from any thread; nobody but the caller of {@link #start} closes it.
 */
public final class SimulatedApns implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger();

    private final SimulatedApnsSettings settings;
    private final PushLedger ledger;
    private final DeviceTokens deviceTokens;
    private final Faults faults = new Faults();
    private final ApnsService service;
    private final NioEventLoopGroup eventLoops;
    private final Map<Environment, Channel> listening = new EnumMap<>(Environment.class);
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private final AtomicInteger connectionNumbers = new AtomicInteger();
    private volatile boolean refusing;

    private SimulatedApns(SimulatedApnsSettings settings) {
        this.settings = settings;
        this.ledger = new PushLedger(settings.clock(), settings.history());
        this.deviceTokens = new DeviceTokens(settings, ledger);
        this.service = new ApnsService(settings, ledger, deviceTokens, faults);
        this.eventLoops = new NioEventLoopGroup(2, new DefaultThreadFactory("simulated-apns", true));
    }

    /** Starts a server on two free loopback ports. The first one in a process takes most of a second. */
    public static SimulatedApns start(SimulatedApnsSettings settings) {
        SimulatedApns apns = new SimulatedApns(settings);
        try {
            SslContext tls = serverTls();
            for (Environment environment : Environment.values()) {
                apns.listen(environment, tls);
            }
            return apns;
        } catch (SSLException | RuntimeException e) {
            apns.close();
            throw new IllegalStateException("The simulated APNs cannot listen on loopback", e);
        }
    }

    private static SslContext serverTls() throws SSLException {
        TlsIdentity identity = TlsIdentity.ofLocalhost();
        return SslContextBuilder.forServer(identity.privateKey(), identity.certificate())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                // Any certificate passes the handshake, so that an unknown one can be answered with BadCertificate.
                .clientAuth(ClientAuth.OPTIONAL)
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        ApplicationProtocolNames.HTTP_2))
                .build();
    }

    private void listen(Environment environment, SslContext tls) {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(eventLoops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        onConnection(environment, tls, channel);
                    }
                });
        listening.put(
                environment,
                bootstrap
                        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .syncUninterruptibly()
                        .channel());
    }

    @SuppressWarnings("FutureReturnValueIgnored")
    private void onConnection(Environment environment, SslContext tls, Channel channel) {
        if (refusing) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            channel.close();
            return;
        }
        connections.add(channel);
        ledger.connected();
        int number = connectionNumbers.incrementAndGet();
        // A client that takes no part in ALPN is taken at its word: it knows that this is HTTP/2.
        Http2FrameCodec codec = Http2FrameCodecBuilder.forServer()
                .initialSettings(Http2Settings.defaultSettings()
                        .maxConcurrentStreams(
                                Math.min(settings.streamsBeforeAuthentication(), service.maxConcurrentStreams()))
                        .maxHeaderListSize(8000))
                .decoupleCloseAndGoAway(true)
                .build();
        channel.pipeline()
                .addLast(tls.newHandler(channel.alloc()))
                .addLast(codec)
                .addLast(new ApnsConnection(service, environment, number, codec));
    }

    /** The host name that the certificate is for. */
    public String host() {
        return "localhost";
    }

    /** The port of one of the two services. */
    public int port(Environment environment) {
        Channel channel = listening.get(environment);
        if (channel == null) {
            throw new IllegalStateException("The simulated APNs does not serve " + environment);
        }
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    /** What a client must trust. */
    public X509Certificate trustedCertificate() {
        return TlsIdentity.ofLocalhost().certificate();
    }

    /** The same, as PEM text. */
    public String trustedCertificatePem() {
        return TlsIdentity.ofLocalhost().certificatePem();
    }

    /**
     * A new device token: 64 to 160 hex digits, lower case. The phone behind it cannot be reached until it is attached.
     *
     * @throws IllegalStateException if the settings allow no more
     */
    public String issueToken(String bundleId, TokenKind kind, Environment environment) {
        return deviceTokens.issue(bundleId, kind, environment);
    }

    /**
     * Takes a token that some app made up for one of its own, as a server that is tried out without Apple needs.
     * Nothing changes for a token that is known.
     */
    public void adopt(String token, String bundleId, TokenKind kind, Environment environment) {
        deviceTokens.adopt(token, bundleId, kind, environment);
    }

    /**
     * The app was removed from the phone: from now on 410 Unregistered.
     *
     * @throws IllegalArgumentException if this server did not issue the token; so for every method that takes one
     */
    public void unregister(String token, Instant since) {
        deviceTokens.kill(token, "Unregistered", since);
    }

    /** The token has been replaced: from now on 410 ExpiredToken. */
    public void expire(String token, Instant since) {
        deviceTokens.kill(token, "ExpiredToken", since);
    }

    /** The phone got the same token again: it is as good as new. */
    public void reissue(String token) {
        deviceTokens.revive(token);
    }

    /** A phone connects, and gets what was kept for it. */
    public void attach(String token, DeviceListener listener) {
        deviceTokens.attach(token, listener);
    }

    /** A phone is gone; pushes are kept for it as for one in flight mode. */
    public void detach(String token) {
        deviceTokens.detach(token);
    }

    /** Flight mode and back; both tokens of a phone have to be set. */
    public void setOnline(String token, boolean online) {
        deviceTokens.setOnline(token, online);
    }

    /** PushKit no longer delivers to this app: pushes are accepted and never arrive. */
    public void block(String token) {
        deviceTokens.block(token, true);
    }

    /** The app was installed anew, which is the only cure. */
    public void unblock(String token) {
        deviceTokens.block(token, false);
    }

    /** From now on, something goes wrong with the requests aimed at. Earlier faults strike first. */
    public void inject(Aim aim, Fault fault) {
        faults.inject(aim, fault);
    }

    /** Nothing goes wrong any more. */
    public void clearFaults() {
        faults.clear();
    }

    /** Connections are reset as soon as they are made, or no longer; those that are up stay up. */
    public void refuseConnections(boolean refuse) {
        refusing = refuse;
    }

    /** Ends all connections as a failing network does. */
    public void dropConnections() {
        connections.forEach(ApnsConnection::cut);
    }

    /** Asks all clients to leave: GOAWAY that names everything sent so far as processed, and the end once it is. */
    public void goAway() {
        onEachConnection((context, connection) -> {
            connection.goAwayAfterAll(context);
            context.flush();
        });
    }

    /** Grants each connection so many requests at a time from now on. */
    public void setMaxConcurrentStreams(int streams) {
        if (streams < 1) {
            throw new IllegalArgumentException("A connection needs at least one stream, not " + streams);
        }
        service.setMaxConcurrentStreams(streams);
        onEachConnection((context, connection) -> {
            connection.allowStreams(context);
            context.flush();
        });
    }

    private void onEachConnection(BiConsumer<ChannelHandlerContext, ApnsConnection> action) {
        for (Channel channel : connections) {
            channel.eventLoop().execute(() -> {
                ChannelHandlerContext context = channel.pipeline().context(ApnsConnection.class);
                if (context != null) {
                    action.accept(context, (ApnsConnection) context.handler());
                }
            });
        }
    }

    /** How many connections are up. */
    public int openConnections() {
        return connections.size();
    }

    /** The last requests, oldest first. */
    public List<ReceivedPush> received() {
        return ledger.received();
    }

    /** What clients did that a well-behaved server would not do, oldest first, as sentences. */
    public List<String> violations() {
        return ledger.violations();
    }

    /** Totals since the start. */
    public ApnsCounts counts() {
        return ledger.counts();
    }

    /** Tells of everything that happens, on the server's own threads: hand over, do not wait. */
    public void listen(Consumer<ApnsEvent> listener) {
        ledger.listen(listener);
    }

    /** Ends all connections and threads; returns when that is done. What was kept for phones is lost. */
    @Override
    public void close() {
        if (eventLoops.isShuttingDown()) {
            return;
        }
        listening.values().forEach(channel -> channel.close().syncUninterruptibly());
        connections.forEach(ApnsConnection::cut);
        var unused = eventLoops.shutdownGracefully(0, 5, TimeUnit.SECONDS);
        try {
            if (!eventLoops.awaitTermination(10, TimeUnit.SECONDS)) {
                LOG.warn("Threads of the simulated APNs are still busy 10 s after it was closed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        deviceTokens.close();
    }
}
