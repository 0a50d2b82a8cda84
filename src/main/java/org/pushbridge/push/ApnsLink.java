package org.pushbridge.push;

import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.PushNotificationResponse;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.ApnsEnvironment;

/**
 * The connections to APNs for one environment and one set of credentials, with what their pushes share: a bound and
 * a {@link Circuit}.
 *
 * <p>Pushy mends its connections by itself, but waits up to 60 s before it connects again, and never notices one that
 * connects and then says nothing. So a client that cannot connect, or has fallen silent, is replaced by a new one.
 *
 * <p>Safe for any thread.
 */
final class ApnsLink {
    private static final Logger LOG = LogManager.getLogger(ApnsLink.class);

    /** A client that cannot connect is not replaced more often than this. */
    private static final Duration REPLACE_EVERY = Duration.ofMillis(400);

    /** Long enough for answers that are on their way when a client is retired. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    /** One Pushy client and what watches it. */
    record Client(ApnsClient apns, ApnsWire wire, long bornNanos) {}

    private final ApnsEnvironment environment;
    private final LoadedCredential credential;
    private final PushSettings.Endpoint endpoint;
    private final PushSettings.Limits limits;
    private final EventLoopGroup network;
    private final Circuit circuit;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile Client client;
    private volatile boolean unreachable;
    private volatile boolean closed;

    ApnsLink(
            ApnsEnvironment environment,
            LoadedCredential credential,
            PushSettings.Endpoint endpoint,
            PushSettings.Limits limits,
            EventLoopGroup network) {
        this.environment = environment;
        this.credential = credential;
        this.endpoint = endpoint;
        this.limits = limits;
        this.network = network;
        this.circuit = new Circuit(limits.circuitPause());
        this.client = newClient();
    }

    String label() {
        return credential.label() + " at " + endpoint.host() + " ("
                + environment.name().toLowerCase(java.util.Locale.ROOT) + ")";
    }

    ApnsEnvironment environment() {
        return environment;
    }

    /** The client that the next push goes to. */
    Client client() {
        return client;
    }

    Circuit circuit() {
        return circuit;
    }

    int inFlight() {
        return inFlight.get();
    }

    /** Takes a place among those in flight, if there is one. */
    boolean enter(boolean rings) {
        int bound = rings ? limits.maxInFlight() : Math.max(1, limits.maxInFlight() / 2);
        int before = inFlight.getAndUpdate(n -> n < bound ? n + 1 : n);
        return before < bound;
    }

    void leave() {
        inFlight.decrementAndGet();
    }

    /**
     * Hands the attempt to Pushy; {@link Attempt#result} completes on a network thread.
     *
     * @return the client it went to
     */
    Client send(Attempt attempt) {
        Client on = client;
        on.wire().watch(attempt);
        CompletionStage<Attempt.Result> result = attempt.result();
        result.whenComplete((how, failure) -> on.wire().forget(attempt));
        CompletionStage<PushNotificationResponse<Attempt>> answer = on.apns().sendNotification(attempt);
        answer.whenComplete((response, failure) -> {
            if (response != null
                    && ApnsAnswer.of(
                                    response.getStatusCode(),
                                    response.getRejectionReason().orElse(""))
                            == ApnsAnswer.NEW_JWT) {
                // Now, as Pushy closes the connection right behind this.
                on.wire().tokenExpired(attempt);
            }
            attempt.finish(response, failure);
        });
        return on;
    }

    /**
     * Opens the connections that are not there yet; Pushy would otherwise open one with each of the first pushes, and
     * make those wait for it. Completes with what went wrong, or empty.
     */
    CompletableFuture<Optional<String>> connect() {
        CompletableFuture<Optional<String>> all = CompletableFuture.completedFuture(Optional.empty());
        for (int n = 0; n < limits.connections(); n++) {
            Attempt attempt = Attempt.toConnect();
            send(attempt);
            all = all.thenCombine(attempt.result(), (before, how) -> before.or(() -> failure(how)));
        }
        return all;
    }

    private static Optional<String> failure(Attempt.Result how) {
        return how instanceof Attempt.NotProcessed failed ? Optional.of(describe(failed.cause())) : Optional.empty();
    }

    /** APNs answered something. */
    void reached() {
        if (unreachable) {
            unreachable = false;
            LOG.info("APNs can be reached again, {}", label());
        }
    }

    /** {@code on} got no connection. */
    void notReached(Client on, Throwable cause) {
        if (closed) {
            return;
        }
        if (!unreachable && on.equals(client)) {
            unreachable = true;
            LOG.warn("APNs cannot be reached, {}: {}; trying on for each push", label(), describe(cause));
        }
        if (System.nanoTime() - on.bornNanos() > REPLACE_EVERY.toNanos()) {
            replace(on);
        }
    }

    /** Retires {@code old} in good order, if it is still the one in use; the next push goes over new connections. */
    void replace(Client old) {
        Client retired = null;
        synchronized (this) {
            if (client.equals(old) && !closed) {
                client = newClient();
                retired = old;
            }
        }
        if (retired != null) {
            var unused = retired.apns().close();
        }
    }

    /** Closes the connections. Completes when they are closed, in good order or after {@link #GRACE}. */
    CompletableFuture<Void> close() {
        synchronized (this) {
            closed = true;
        }
        return client.apns().close();
    }

    /**
     * What APNs said of the certificate in the TLS handshake, if that is why there is no connection.
     */
    Optional<String> certificateRefused(Throwable cause) {
        return credential.isCertificate() ? LoadedCredential.refusalInHandshake(cause) : Optional.empty();
    }

    /** A failure in words an operator can use. */
    static String describe(Throwable cause) {
        Throwable root = cause;
        for (int depth = 0; root.getCause() != null && depth < 10; depth++) {
            root = root.getCause();
        }
        String text = root.getMessage() == null
                ? root.getClass().getSimpleName()
                : root.getClass().getSimpleName() + ": " + root.getMessage();
        return text.contains("PKIX path building failed") || text.contains("unable to find valid certification path")
                ? text + " (this Java runtime does not trust APNs: update it, or its trust store)"
                : text;
    }

    private Client newClient() {
        // The wire needs the client it belongs to, to retire it, and the client needs the wire.
        @Nullable Client[] self = new Client[1];
        ApnsWire wire = new ApnsWire(() -> {
            Client retiring = self[0];
            if (retiring != null) {
                LOG.info("APNs closes a connection (GOAWAY), {}; opening another", label());
                replace(retiring);
                var unused = connect();
            }
        });
        ApnsClientBuilder builder = new ApnsClientBuilder()
                .setApnsServer(endpoint.host(), endpoint.port())
                .setUseAlpn(true)
                .setConcurrentConnections(limits.connections())
                .setConnectionTimeout(limits.connectWithin())
                .setGracefulShutdownTimeout(GRACE)
                .setEventLoopGroup(network)
                .setFrameLogger(wire);
        if (!endpoint.trusted().isEmpty()) {
            builder.setTrustedServerCertificateChain(
                    endpoint.trusted().toArray(new java.security.cert.X509Certificate[0]));
        }
        credential.applyTo(builder);
        try {
            Client made = new Client(builder.build(), wire, System.nanoTime());
            self[0] = made;
            return made;
        } catch (IOException e) {
            throw new PushSettingsException("Cannot set up TLS for APNs, " + label() + ": " + describe(e), e);
        }
    }
}
