package org.pushbridge.app;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.Tombstones;
import org.pushbridge.device.User;
import org.pushbridge.push.PushSender;
import org.pushbridge.push.PushSettings;
import org.pushbridge.push.PushSettingsException;
import org.pushbridge.sip.SipEdge;
import org.pushbridge.sip.registrar.DigestAuthenticator;
import org.pushbridge.sip.registrar.Ha1;
import org.pushbridge.sip.registrar.Registrar;
import org.pushbridge.sip.stack.SipStackException;
import org.pushbridge.store.Store;
import org.pushbridge.store.StoreException;
import org.pushbridge.web.AdminServer;
import org.pushbridge.web.VerdictServer;
import org.pushbridge.web.VerdictTokens;
import org.pushbridge.web.WebServerException;

/**
 * The running server: makes the parts of a configuration's values, connects them, and takes them down in reverse.
 */
public final class Server implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(Server.class);
    private static final Duration PURGE_EVERY = Duration.ofHours(1);
    private static final Duration DRAIN_LOOK = Duration.ofMillis(50);
    private static final Duration DRAIN_WORD_EVERY = Duration.ofSeconds(5);
    /** For the responses to the calls that are ended, and their pushes. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final Deque<Part> parts = new ArrayDeque<>();
    private final SipEdge sip;
    private final Optional<VerdictServer> verdictApi;
    private final Optional<AdminServer> adminHttp;
    private final Duration drainLimit;

    /** Something to close, and its name for the log. */
    private record Part(String name, AutoCloseable closing) {}

    private Server(Config config, Clock clock) {
        drainLimit = config.calls().drainLimit();
        try {
            Store store = opened("database", Store.open(Settings.store(config)));
            DeviceDirectory directory = DeviceDirectory.load(store);
            Tombstones tombstones = Tombstones.load(store, config.calls().tombstoneLife(), clock);
            purgeNowAndThen(tombstones);
            Optional<InnerApns> simulated = config.apns().simulated()
                    ? Optional.of(opened("simulated APNs", InnerApns.start(config)))
                    : Optional.empty();
            PushSettings pushSettings = simulated.map(InnerApns::settings).orElseGet(() -> Settings.push(config));
            PushSender pushes = opened("push sender", new PushSender(pushSettings, clock));
            var unused = pushes.warmUp(); // the log tells what came of it
            PushBudget budget = PushBudget.load(
                    store,
                    config.calls().pushBudget().wastedLimit(),
                    config.calls().pushBudget().pause());
            Optional<VerdictLinks> verdicts = config.http()
                    .listen()
                    .flatMap(listen -> config.http().publicUrl())
                    .map(url -> new VerdictLinks(url, verdictTokens(store)));
            DigestAuthenticator digest = new DigestAuthenticator(Settings.digest(config), directory, clock);
            Registrar registrar =
                    new Registrar(Settings.registrar(config, pushSettings.apps()), directory, digest, clock);
            sip = opened(
                    "SIP edge",
                    SipEdge.start(
                            Settings.sip(config),
                            Settings.stack(config),
                            Settings.engine(config),
                            directory,
                            registrar,
                            digest,
                            new PushWaker(
                                    pushes,
                                    directory,
                                    budget,
                                    clock,
                                    verdicts,
                                    target -> simulated.ifPresent(apns -> apns.adopt(target))),
                            tombstones,
                            store,
                            store.secret("dialogs", SipEdge::freshSecret),
                            clock));
            verdictApi = verdicts.map(links -> opened(
                    "verdict API",
                    VerdictServer.start(Settings.web(config), links.tokens(), new SipDesk(sip.callStates()))));
            Metrics metrics = opened(
                    "metrics",
                    new Metrics(
                            config, sip, digest, pushes, directory, tombstones, Metrics.Writer.of(store), verdictApi));
            adminHttp = config.admin()
                    .http()
                    .listen()
                    .map(listen -> opened("admin HTTP server", admin(config, metrics, listen)));
            opened(
                    "admin socket",
                    AdminSocket.open(
                            config.admin().socket(),
                            new DirectoryUsers(directory, clock, sip.stack()::isAlive, Optional.of(budget), () -> {})));
            LOG.info(
                    "Ready: listening on {}; {} users, {} apps, {} trunks",
                    sip.stack().listeners(),
                    directory.userCount(),
                    config.apps().size(),
                    config.trunks().size());
        } catch (StoreException
                | PushSettingsException
                | SipStackException
                | WebServerException
                | IllegalArgumentException e) {
            // Each says what is wrong and what to do; an IllegalArgumentException is a part's word on its settings.
            close();
            throw new CannotStart(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Starts the server.
     *
     * @return stops it when closed
     * @throws CannotStart if it cannot start as configured
     */
    public static Server start(Config config) {
        return new Server(config, Clock.systemUTC());
    }

    /**
     * Takes no new calls, and waits until none rings or waits any more; those that do at {@code calls.drain-limit} are
     * ended. Established calls are left as they are. To be followed by {@link #close}.
     *
     * @param hurry whether to end the wait now; asked all the time
     */
    void drain(BooleanSupplier hurry) throws InterruptedException {
        sip.drain(drainLimit);
        long end = System.nanoTime() + drainLimit.toNanos();
        if (wait(end, hurry)) {
            return;
        }
        LOG.warn("Stopping: calls that nobody has answered are ended: {}", sip.unanswered());
        try {
            sip.endUnanswered().toCompletableFuture().get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("Stopping: not all of them could be told; those that the journal has are told at the next start");
        }
    }

    /** Returns whether no call rings or waits any more. */
    private boolean wait(long end, BooleanSupplier hurry) throws InterruptedException {
        long nextWord = System.nanoTime();
        for (int left = sip.unanswered(); left > 0; left = sip.unanswered()) {
            long now = System.nanoTime();
            if (now >= end || hurry.getAsBoolean()) {
                return false;
            }
            if (now >= nextWord) {
                LOG.info(
                        "Stopping: calls that ring or wait: {}; at most {} s more",
                        left,
                        (end - now + 999_999_999) / 1_000_000_000);
                nextWord += DRAIN_WORD_EVERY.toNanos();
            }
            TimeUnit.NANOSECONDS.sleep(Math.min(end - now, DRAIN_LOOK.toNanos()));
        }
        return true;
    }

    /** The SIP edge, for its listeners and counts. */
    public SipEdge sip() {
        return sip;
    }

    /** The verdict API, for its address; empty if it is not served. */
    public Optional<VerdictServer> verdictApi() {
        return verdictApi;
    }

    /** The admin HTTP server, for its address; empty if it is not served. */
    public Optional<AdminServer> adminHttp() {
        return adminHttp;
    }

    /** The tokens outlive a restart, and servers on one database take each other's: so their secret is kept in it. */
    private static VerdictTokens verdictTokens(Store store) {
        return new VerdictTokens(store.secret("verdict-tokens", VerdictTokens::freshSecret));
    }

    private AdminServer admin(Config config, Metrics metrics, InetSocketAddress listen) {
        Path keyFile = config.admin().http().keyFile();
        AdminServer server = AdminServer.start(listen, AdminKey.in(keyFile), metrics::text, sip::takesCalls);
        LOG.info(
                "Metrics are at http://{}:{}/metrics, for who has the key in the file={}",
                listen.getAddress().getHostAddress(),
                server.address().getPort(),
                keyFile.toAbsolutePath().normalize());
        if (!listen.getAddress().isLoopbackAddress()) {
            LOG.warn(
                    "Metrics and their key cross the network unencrypted; admin.http.listen = {} would keep them on this"
                            + " machine",
                    listen.getPort());
        }
        return server;
    }

    private <P extends AutoCloseable> P opened(String name, P part) {
        parts.push(new Part(name, part));
        return part;
    }

    private void purgeNowAndThen(Tombstones tombstones) {
        ScheduledExecutorService purge = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "tombstone-purge");
            thread.setDaemon(true);
            return thread;
        });
        var unused = purge.scheduleWithFixedDelay(
                () -> tombstones.purge().exceptionally(fault -> {
                    LOG.warn("Old tombstones could not be removed; tried again in {}", PURGE_EVERY, fault);
                    return null;
                }),
                0,
                PURGE_EVERY.toSeconds(),
                TimeUnit.SECONDS);
        opened("tombstone purge", purge::shutdownNow);
    }

    /** Takes the parts down in reverse order; goes on when one of them fails. */
    @Override
    public void close() {
        while (!parts.isEmpty()) {
            Part part = parts.pop();
            try {
                part.closing().close();
            } catch (Exception e) {
                LOG.warn("The {} did not close properly", part.name(), e);
            }
        }
    }

    /**
     * Opens the users, in the running server if there is one, else in the database.
     *
     * @throws CommandFailed if neither is possible
     */
    static Users users(Config config) {
        Optional<AdminClient> server = AdminClient.find(config.admin().socket());
        if (server.isPresent()) {
            return server.get();
        }
        try {
            Store store = Store.openBeside(Settings.store(config));
            return new DirectoryUsers(DeviceDirectory.load(store), Clock.systemUTC(), store::close);
        } catch (StoreException e) {
            throw new CommandFailed(String.valueOf(e.getMessage()));
        }
    }

    /** The user with that password, of which only the digest's hashes are kept. */
    static User withPassword(Aor aor, char[] password) {
        return Ha1.of(aor, password);
    }
}
