package org.pushbridge.push;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.PushToken;

/**
 * Sends pushes through APNs.
 *
 * <p>Apps share connections where environment and credentials are the same. Safe for any thread. {@link #send} never
 * blocks; stages complete on the sender's one thread, so what hangs on them must be quick or use the {@code Async}
 * methods. Owned by the wiring, which calls {@link #close}.
 */
public final class PushSender implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(PushSender.class);
    private static final int NETWORK_THREADS = 2;

    private record LinkKey(ApnsEnvironment environment, ApnsCredential credential) {}

    private final PushSettings settings;
    private final Clock clock;
    private final Map<ApnsCredential, LoadedCredential> credentials;
    private final EventLoopGroup network;
    private final ScheduledThreadPoolExecutor thread;
    private final Map<LinkKey, ApnsLink> links = new ConcurrentHashMap<>();
    private final Set<Delivery> underWay = ConcurrentHashMap.newKeySet();
    private final Map<String, LongAdder> outcomes = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /**
     * Reads all keys and certificates; does not connect yet.
     *
     * @throws PushSettingsException if one of them cannot be used
     */
    public PushSender(PushSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.credentials = load(settings, clock);
        this.network = new NioEventLoopGroup(NETWORK_THREADS, new DefaultThreadFactory("apns", true));
        this.thread = new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("push", true));
        thread.setRemoveOnCancelPolicy(true);
    }

    private static Map<ApnsCredential, LoadedCredential> load(PushSettings settings, Clock clock) {
        Map<ApnsCredential, LoadedCredential> loaded = new ConcurrentHashMap<>();
        settings.apps().values().stream()
                .sorted(Comparator.comparing(PushSettings.App::bundleId))
                .forEach(app -> loaded.computeIfAbsent(
                        app.credential(),
                        credential -> LoadedCredential.load(app.bundleId(), credential, clock.instant())));
        return loaded;
    }

    /**
     * What opening a connection came to.
     *
     * @param link credentials and host, without a secret
     * @param failure why there is no connection, if there is none
     */
    public record Warmth(String link, Optional<String> failure) {}

    /**
     * Opens a connection for each set of credentials in each app's default environment, so that the first call need
     * not wait for TLS. Logs what fails.
     *
     * @return what came of each; never completes exceptionally, and does within {@link
     *     PushSettings.Limits#answerWithin}
     */
    public CompletionStage<List<Warmth>> warmUp() {
        List<CompletableFuture<Warmth>> all = settings.apps().values().stream()
                .map(app -> link(app.defaultEnvironment(), app.credential()))
                .distinct()
                .map(this::warm)
                .toList();
        return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]))
                .thenApply(done -> all.stream().map(CompletableFuture::join).toList());
    }

    private CompletableFuture<Warmth> warm(ApnsLink link) {
        return link.connect()
                .completeOnTimeout(
                        Optional.of("no connection within " + settings.limits().answerWithin()),
                        settings.limits().answerWithin().toMillis(),
                        TimeUnit.MILLISECONDS)
                .exceptionally(failure -> Optional.of(ApnsLink.describe(failure)))
                .thenApply(failure -> {
                    failure.ifPresentOrElse(
                            why -> LOG.warn(
                                    "No connection to APNs yet, {}: {}; trying again with each push",
                                    link.label(),
                                    why),
                            () -> LOG.info("Connected to APNs, {}", link.label()));
                    return new Warmth(link.label(), failure);
                });
    }

    /**
     * Sends a push, and again where Apple's answers allow it.
     *
     * @return completes with the outcome, never exceptionally, by {@link Push#deadline()} at the latest
     */
    public CompletionStage<PushOutcome> send(Push push) {
        PushSettings.App app = settings.apps().get(push.target().bundleId());
        if (app == null) {
            return instantly(push, new PushOutcome.AppUnknown(push.target().bundleId()));
        }
        if (switchedOff(push.kind(), app)) {
            return instantly(push, new PushOutcome.SwitchedOff(push.kind()));
        }
        PushRule rule = PushRule.of(push.kind(), app.ringsBy());
        Optional<PushToken> token = rule.token(push.target());
        if (token.isEmpty()) {
            return instantly(push, new PushOutcome.NoToken(rule.tokenName()));
        }
        if (closed) {
            return instantly(push, new PushOutcome.Unavailable("the bridge is shutting down", false));
        }
        ApnsLink link = link(push.target().environment(), app.credential());
        if (!link.enter(rule.rings())) {
            return instantly(push, new PushOutcome.Overloaded(link.inFlight()));
        }
        Delivery delivery = new Delivery(push, rule, token.get(), app, link, settings.limits(), clock, thread);
        underWay.add(delivery);
        CompletionStage<PushOutcome> outcome = delivery.outcome().whenComplete((how, failure) -> {
            underWay.remove(delivery);
            link.leave();
            count(how);
        });
        try {
            thread.execute(delivery::begin);
        } catch (RejectedExecutionException e) {
            delivery.abandon();
        }
        return outcome;
    }

    private static boolean switchedOff(PushKind kind, PushSettings.App app) {
        return switch (kind) {
            case MISSED_CALL_ALERT -> !app.missedCallAlert();
            case END_VOIP -> app.ringsBy() != RingsBy.VOIP;
            case VOIP, RING_ALERT, BACKGROUND_END, REQUEST_WAITING -> false;
        };
    }

    /** Whether a ringing push to this app is a VoIP push. */
    public boolean ringsByVoip(String bundleId) {
        PushSettings.App app = settings.apps().get(bundleId);
        return app != null && app.ringsBy() == RingsBy.VOIP;
    }

    /** What was done so far. */
    public PushStatistics statistics() {
        Map<String, Long> counts = new TreeMap<>();
        outcomes.forEach((name, count) -> counts.put(name, count.sum()));
        return new PushStatistics(
                counts,
                links.values().stream()
                        .map(link -> new PushStatistics.Link(
                                link.label(), link.inFlight(), link.circuit().refusal()))
                        .sorted(Comparator.comparing(PushStatistics.Link::label))
                        .toList());
    }

    /**
     * Ends all pushes: those that wait for a retry at once, those on their way when their answer comes or {@link
     * PushSettings.Limits#closeWithin} is over. Then closes the connections. Blocks for that time and about two
     * seconds at most.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        thread.execute(() -> List.copyOf(underWay).forEach(Delivery::wrapUp));
        List<CompletableFuture<?>> answers = new ArrayList<>();
        underWay.forEach(delivery -> answers.add(delivery.outcome()));
        await(answers, settings.limits().closeWithin().toMillis());
        thread.execute(() -> List.copyOf(underWay).forEach(Delivery::abandon));
        thread.shutdown();
        List<CompletableFuture<?>> closing = new ArrayList<>();
        links.values().forEach(link -> closing.add(link.close()));
        await(closing, 1000);
        network.shutdownGracefully(0, 500, TimeUnit.MILLISECONDS).awaitUninterruptibly(1000);
        thread.shutdownNow();
    }

    private static void await(List<CompletableFuture<?>> all, long millis) {
        try {
            CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.debug("Closing goes on without waiting: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private CompletionStage<PushOutcome> instantly(Push push, PushOutcome outcome) {
        count(outcome);
        LOG.info(
                "Push {} for call={} device={}: outcome={}, not tried",
                push.kind(),
                push.facts().callId(),
                push.device(),
                outcome.name());
        return CompletableFuture.completedStage(outcome);
    }

    private void count(PushOutcome outcome) {
        outcomes.computeIfAbsent(outcome.name(), name -> new LongAdder()).increment();
    }

    private ApnsLink link(ApnsEnvironment environment, ApnsCredential credential) {
        return links.computeIfAbsent(new LinkKey(environment, credential), key -> {
            LoadedCredential loaded = credentials.get(credential);
            if (loaded == null) {
                throw new IllegalStateException("All credentials were loaded in the constructor");
            }
            return new ApnsLink(environment, loaded, settings.endpoint(environment), settings.limits(), network);
        });
    }
}
