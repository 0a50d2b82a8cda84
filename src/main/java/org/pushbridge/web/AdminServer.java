package org.pushbridge.web;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * What operators ask over HTTP/1.1: {@code /metrics}, which needs the key as a bearer token, and {@code /healthz}, which
 * does not. Plain HTTP: meant for this machine, or for behind a proxy. Bounded like {@link VerdictServer}. Started and
 * closed by the wiring; all else happens on its own threads.
 */
public final class AdminServer implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(AdminServer.class);
    private static final int THREADS = 6;
    private static final int MOST_CONNECTIONS = 50;
    private static final int LONGEST_HEAD = 4096;
    private static final Duration REQUEST_WITHIN = Duration.ofSeconds(10);
    private static final Duration FAREWELL = Duration.ofSeconds(1);
    private static final String BEARER = "Bearer ";

    private final byte[] key;
    private final Map<String, Supplier<Answer>> paths;
    private final Server server;
    private final InetSocketAddress address;

    private record Answer(int status, String type, String body) {
        static Answer text(int status, String body) {
            return new Answer(status, "text/plain; charset=utf-8", body);
        }
    }

    private AdminServer(InetSocketAddress listen, String key, Supplier<String> metrics, BooleanSupplier takesCalls) {
        this.key = key.getBytes(StandardCharsets.UTF_8);
        this.paths = Map.of(
                "/metrics", () -> new Answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics.get()),
                "/healthz",
                        () -> takesCalls.getAsBoolean()
                                ? Answer.text(200, "ok\n")
                                : Answer.text(503, "takes no new calls at the moment\n"));
        QueuedThreadPool threads = new QueuedThreadPool(THREADS, 3, 60_000);
        threads.setName("admin-http");
        threads.setDaemon(true);
        server = new Server(threads);
        HttpConfiguration http = new HttpConfiguration();
        http.setRequestHeaderSize(LONGEST_HEAD);
        http.setSendServerVersion(false);
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost(listen.getAddress().getHostAddress());
        connector.setPort(listen.getPort());
        connector.setIdleTimeout(REQUEST_WITHIN.toMillis());
        connector.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, connector));
        connector.addBean(new ConnectionGuard(
                MOST_CONNECTIONS, REQUEST_WITHIN, address -> false, connector.getScheduler(), () -> {}));
        server.addConnector(connector);
        server.setStopTimeout(FAREWELL.toMillis());
        server.setErrorHandler(new ProblemErrors());
        server.setHandler(new Paths());
        try {
            server.start();
        } catch (Exception e) {
            stop();
            throw new WebServerException(
                    "The admin HTTP server cannot listen on " + listen + " (admin.http.listen); is the port in use, or"
                            + " below 1024, or the address another machine's? (" + e.getMessage() + ")",
                    e);
        }
        address = new InetSocketAddress(listen.getAddress(), connector.getLocalPort());
    }

    /**
     * Starts to serve.
     *
     * @param key what {@code /metrics} asks for
     * @param metrics makes the text of {@code /metrics}
     * @param takesCalls what {@code /healthz} tells: 200 or 503
     * @return stops when closed
     * @throws WebServerException if the address cannot be listened on
     */
    public static AdminServer start(
            InetSocketAddress listen, String key, Supplier<String> metrics, BooleanSupplier takesCalls) {
        return new AdminServer(listen, key, metrics, takesCalls);
    }

    /** Where it listens, with the port that the system chose. */
    public InetSocketAddress address() {
        return address;
    }

    private final class Paths extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            String path = Request.getPathInContext(request);
            if (path.equals("/healthz")) {
                answer(path, request, response, callback);
            } else if (!isAllowed(request)) {
                // Also for what is not there: a stranger learns nothing of what is.
                response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer realm=\"pushbridge-admin\"");
                write(
                        Answer.text(
                                401,
                                "Send the key in the header Authorization: Bearer <key>. It is in the file that"
                                        + " admin.http.key-file names.\n"),
                        response,
                        callback);
            } else {
                answer(path, request, response, callback);
            }
            return true;
        }
    }

    private void answer(String path, Request request, Response response, Callback callback) {
        Supplier<Answer> asked = paths.get(path);
        if (asked == null) {
            write(Answer.text(404, "There are /metrics and /healthz.\n"), response, callback);
        } else if (!HttpMethod.GET.is(request.getMethod()) && !HttpMethod.HEAD.is(request.getMethod())) {
            response.getHeaders().put(HttpHeader.ALLOW, "GET, HEAD");
            write(Answer.text(405, "Use GET.\n"), response, callback);
        } else {
            write(asked.get(), response, callback);
        }
    }

    /** Takes the same time whatever was sent. */
    private boolean isAllowed(Request request) {
        String sent = request.getHeaders().get(HttpHeader.AUTHORIZATION);
        String offered = sent != null && sent.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? sent.substring(BEARER.length()).strip()
                : "";
        return MessageDigest.isEqual(key, offered.getBytes(StandardCharsets.UTF_8));
    }

    private static void write(Answer answer, Response response, Callback callback) {
        response.setStatus(answer.status());
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, answer.type());
        response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
        response.write(true, ByteBuffer.wrap(answer.body().getBytes(StandardCharsets.UTF_8)), callback);
    }

    @Override
    public void close() {
        stop();
    }

    private void stop() {
        try {
            server.stop();
        } catch (Exception e) {
            LOG.info("Requests to the admin HTTP server that were under way were cut off: {}", e.toString());
        }
    }
}
