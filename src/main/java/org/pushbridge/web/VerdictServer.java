package org.pushbridge.web;

import io.github.bucket4j.TimeMeter;
import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.EagerContentHandler;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Serves the verdict API over HTTP/1.1, by TLS or without. Started and closed by the wiring; all else happens on its
 * own threads.
 *
 * <p>Everything a client can fill is bounded: connections, in all and of each address; the time and the bytes a request
 * may take; requests a second; threads, and what waits for them. A request takes a thread only once it is whole.
 */
public final class VerdictServer implements AutoCloseable {
    /** The request attribute with the address the request came from, the proxy's if there is one. */
    static final String PEER = "org.pushbridge.web.peer";

    private static final Logger LOG = LogManager.getLogger(VerdictServer.class);
    private static final int THREADS = 32;
    private static final int LONGEST_HEAD = 4096;
    /** Bytes of a body that are read before a thread is spent on the request; each piece that it comes in costs some. */
    private static final int MOST_RETAINED = 8 * VerdictRoutes.LARGEST_BODY;

    private static final Duration FAREWELL = Duration.ofSeconds(2);

    private final Javalin javalin;
    private final VerdictRoutes routes;
    private final LongAdder connectionsRefused = new LongAdder();
    private final Optional<RenewedCertificate> certificate;
    private final InetSocketAddress address;

    private VerdictServer(WebSettings settings, VerdictTokens tokens, CallDesk desk, TimeMeter time) {
        certificate = settings.tls().map(files -> new RenewedCertificate(files, settings.certificateLook()));
        // Its queue holds a task or two for each connection, and those are bounded.
        QueuedThreadPool threads = new QueuedThreadPool(THREADS, 4, 60_000);
        threads.setName("verdict-api");
        threads.setDaemon(true);
        routes = new VerdictRoutes(settings, tokens, desk, threads, time);
        javalin = Javalin.create(config -> configure(config, settings, threads));
        try {
            javalin.start();
        } catch (RuntimeException e) {
            certificate.ifPresent(RenewedCertificate::close);
            throw new WebServerException(
                    "The verdict API cannot listen on " + settings.listen()
                            + "; is the port in use, or below 1024, or the address another machine's? ("
                            + deepest(e).getMessage() + ")",
                    e);
        }
        address = new InetSocketAddress(settings.listen().getAddress(), javalin.port());
        LOG.info("The verdict API listens on {}, {}", address, certificate.isPresent() ? "with TLS" : "without TLS");
    }

    /**
     * Starts to serve.
     *
     * @return stops when closed
     * @throws WebServerException if the address cannot be listened on, or the TLS files are of no use
     */
    public static VerdictServer start(WebSettings settings, VerdictTokens tokens, CallDesk desk) {
        return start(settings, tokens, desk, TimeMeter.SYSTEM_NANOTIME);
    }

    /** @param time what the rates are measured by */
    static VerdictServer start(WebSettings settings, VerdictTokens tokens, CallDesk desk, TimeMeter time) {
        return new VerdictServer(settings, tokens, desk, time);
    }

    private void configure(JavalinConfig config, WebSettings settings, QueuedThreadPool threads) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.prefer405over404 = true;
        config.http.compressionStrategy = CompressionStrategy.NONE;
        config.jetty.threadPool = threads;
        config.jetty.modifyHttpConfiguration(VerdictServer::limitRequests);
        config.jetty.addConnector((server, http) -> connector(server, http, settings));
        config.jetty.modifyServer(server -> {
            server.setErrorHandler(new ProblemErrors());
            server.setStopTimeout(FAREWELL.toMillis());
            server.insertHandler(new EagerContentHandler(
                    new EagerContentHandler.RetainedContentLoaderFactory(MOST_RETAINED, -1, true)));
            server.insertHandler(new RefuseByLength());
            server.insertHandler(new GracefulHandler());
        });
        routes.addTo(config.routes);
    }

    /** Does not wait for a body that says that it is far too long; a somewhat longer one is read, and refused then. */
    private static final class RefuseByLength extends Handler.Wrapper {
        @Override
        public boolean handle(Request request, Response response, Callback callback) throws Exception {
            if (request.getLength() > MOST_RETAINED) {
                Response.writeError(request, response, callback, HttpStatus.PAYLOAD_TOO_LARGE_413);
                return true;
            }
            return super.handle(request, response, callback);
        }
    }

    private static void limitRequests(HttpConfiguration http) {
        http.setRequestHeaderSize(LONGEST_HEAD);
        http.setSendServerVersion(false);
        http.setSendDateHeader(true);
        http.setUriCompliance(UriCompliance.DEFAULT);
        http.addCustomizer((request, responseHeaders) -> {
            if (request.getConnectionMetaData().getRemoteSocketAddress() instanceof InetSocketAddress peer) {
                request.setAttribute(PEER, peer.getAddress());
            }
            return request;
        });
    }

    private ServerConnector connector(Server server, HttpConfiguration http, WebSettings settings) {
        HttpConnectionFactory plain = new HttpConnectionFactory(http);
        ConnectionFactory[] protocols = certificate
                .map(shown -> new ConnectionFactory[] {tls(shown, plain), plain})
                .orElse(new ConnectionFactory[] {plain});
        ServerConnector made = new ServerConnector(server, 1, 1, protocols);
        made.setHost(settings.listen().getAddress().getHostAddress());
        made.setPort(settings.listen().getPort());
        made.setIdleTimeout(settings.requestWithin().toMillis());
        made.addBean(new NetworkConnectionLimit(settings.maxConnections(), made));
        made.addBean(new ConnectionGuard(
                settings.maxConnectionsPerAddress(),
                settings.requestWithin(),
                settings.trustedProxy(),
                made.getScheduler(),
                connectionsRefused::increment));
        return made;
    }

    private static SslConnectionFactory tls(RenewedCertificate shown, HttpConnectionFactory plain) {
        SslConnectionFactory tls = new SslConnectionFactory(shown.context(), plain.getProtocol());
        // It would hold the Host header against the certificate: nothing here depends on that header.
        tls.setEnsureSecureRequestCustomizer(false);
        return tls;
    }

    /** Where it listens, with the port that the system chose. */
    public InetSocketAddress address() {
        return address;
    }

    /** Connections that are open. */
    public int connections() {
        int open = 0;
        for (Connector connector : javalin.jettyServer().server().getConnectors()) {
            open += connector.getConnectedEndPoints().size();
        }
        return open;
    }

    /** How many connections were closed because their address had too many. */
    public long connectionsRefused() {
        return connectionsRefused.sum();
    }

    /** How many requests were answered 429. */
    public long requestsRefused() {
        return routes.refused();
    }

    /** Answers 503 to what comes now, gives what is under way 2 s, and stops. Does nothing the second time. */
    @Override
    public void close() {
        routes.refuseNewRequests();
        try {
            // Not Javalin's own stop(), which takes a client that was cut off for an error.
            javalin.jettyServer().server().stop();
        } catch (Exception e) {
            LOG.info(
                    "Requests to the verdict API that were under way were cut off: {}",
                    deepest(e).toString());
        }
        certificate.ifPresent(RenewedCertificate::close);
    }

    private static Throwable deepest(Throwable fault) {
        Throwable deepest = fault;
        while (deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        return deepest;
    }
}
