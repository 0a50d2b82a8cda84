package org.pushbridge.app;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.pushbridge.config.Config;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.Tombstones;
import org.pushbridge.push.PushSender;
import org.pushbridge.push.PushStatistics;
import org.pushbridge.sip.CallRefusal;
import org.pushbridge.sip.SipEdge;
import org.pushbridge.sip.registrar.DigestAuthenticator;
import org.pushbridge.sip.stack.SipCounters;
import org.pushbridge.store.Store;
import org.pushbridge.web.VerdictServer;

/**
 * What the server counts, in the format of Prometheus: for each of its bounds how full it is, how much fits, and what was
 * refused. {@code sip-config/metrics.md} has the list. Nothing but delays is counted here: each figure is asked for when it
 * is read.
 */
final class Metrics implements AutoCloseable {
    /** How the names begin; the rest of a name is its words, joined by dots. */
    private static final String OURS = "pushbridge.";

    private static final double[] MILLIS_OF_DELAYS = {
        0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12.5, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000,
        5000
    };

    private static final List<String> PUSH_OUTCOMES = List.of(
            "accepted",
            "token-dead",
            "target-wrong",
            "our-fault",
            "credentials-wrong",
            "throttled",
            "unavailable",
            "overloaded",
            "no-longer-wanted",
            "no-token",
            "app-unknown",
            "switched-off");

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    /** A counter holds what it reads but weakly. */
    private final List<DoubleSupplier> kept = new ArrayList<>();

    /**
     * What the database's writer has to do.
     *
     * @param waiting writes that wait
     * @param seconds how long the oldest of them has waited
     * @param failed writes that were not done in time
     * @param refused those among them that were refused because too many waited
     * @param away whether the database is away: 1 or 0
     * @param journalled calls in the journal
     */
    record Writer(
            DoubleSupplier waiting,
            DoubleSupplier seconds,
            DoubleSupplier failed,
            DoubleSupplier refused,
            DoubleSupplier away,
            DoubleSupplier journalled) {
        static Writer of(Store store) {
            return new Writer(
                    store::waitingWrites,
                    () -> store.oldestWait().toNanos() / 1e9,
                    store::failedWrites,
                    store::refusedWrites,
                    () -> store.isAway() ? 1 : 0,
                    store::journalledCalls);
        }
    }

    Metrics(
            Config config,
            SipEdge sip,
            DigestAuthenticator digest,
            PushSender pushes,
            DeviceDirectory directory,
            Tombstones tombstones,
            Writer writer,
            Optional<VerdictServer> verdictApi) {
        calls(config, sip);
        sip(config, sip);
        pushes(config, pushes);
        counter("passwords.wrong", "Wrong passwords, of names that are no user's too", digest::wrongPasswords);
        counter(
                "passwords.refused",
                "Passwords that were not looked at, for too many were wrong",
                digest::refusedPasswords);
        Timer push = delay(
                "push.delay", "From an INVITE's arrival until a push for it is about to be written", MILLIS_OF_DELAYS);
        sip.delays().onPush(nanos -> push.record(nanos, TimeUnit.NANOSECONDS));
        Timer wake = delay(
                "wake.delay",
                "From the arrival of a woken phone's REGISTER until its INVITE was sent",
                MILLIS_OF_DELAYS);
        sip.delays().onInvite(nanos -> wake.record(nanos, TimeUnit.NANOSECONDS));
        gauge("users", "Users", directory::userCount);
        gauge("tombstones", "Ends of calls that are remembered", tombstones::count);
        gauge("database.writes.waiting", "Writes that wait for the database", writer.waiting);
        gauge(
                "database.writes.waiting.limit",
                "database.max-waiting",
                () -> config.database().maxWaiting());
        gauge("database.writes.delay.seconds", "How long the oldest of them has waited", writer.seconds);
        counter("database.writes.failed", "Writes that were not done in time", writer.failed);
        counter("database.writes.refused", "Those refused because too many waited", writer.refused);
        gauge("journal.calls", "Calls in the journal", writer.journalled);
        gauge("database.away", "Whether the database is away", writer.away);
        verdictApi.ifPresent(api -> http(config, api));
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
    }

    private Timer delay(String name, String description, double[] millis) {
        return Timer.builder(OURS + name)
                .description(description)
                .serviceLevelObjectives(Arrays.stream(millis)
                        .mapToObj(each -> Duration.ofNanos((long) (each * 1_000_000)))
                        .toArray(Duration[]::new))
                .register(registry);
    }

    private void calls(Config config, SipEdge sip) {
        gauge("calls.alive", "Calls that are not over", sip::calls);
        gauge("calls.alive.limit", "calls.max-calls", () -> config.calls().maxCalls());
        gauge("calls.unanswered", "Calls that ring or wait for a phone", sip::unanswered);
        gauge("calls.unanswered.limit", "calls.max-parked", () -> config.calls().maxParked());
        for (CallRefusal why : CallRefusal.values()) {
            counter(
                    "calls.refused",
                    "INVITEs that were refused for want of room",
                    () -> sip.refusals(why),
                    "reason",
                    why.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
        counter(
                "calls.requests.refused",
                "Requests inside calls refused with 503 because 32 of that call wait for their answers",
                sip::requestsInCallsRefused);
        gauge(
                "mailbox.waiting",
                "Pieces of work that wait for a call's thread, over all threads",
                () -> sip.engine().waiting());
        gauge(
                "mailbox.waiting.limit",
                "How many may, over all threads",
                () -> (double) sip.engine().settings().mailbox()
                        * sip.engine().settings().shards());
        gauge(
                "mailbox.delay.seconds",
                "How long the oldest of them has waited",
                () -> sip.engine().delay().toNanos() / 1e9);
        gauge(
                "mailbox.delay.limit.seconds",
                "calls.max-delay",
                () -> config.calls().maxDelay().toNanos() / 1e9);
        counter(
                "mailbox.refused",
                "Messages refused with 503 because the mailbox of their call's thread was full",
                () -> sip.engine().refused());
    }

    private void sip(Config config, SipEdge sip) {
        SipCounters counters = sip.stack().counters();
        gauge("sip.connections", "TCP connections", () -> sip.stack().openConnections());
        gauge("sip.connections.limit", "sip.max-connections", () -> config.sip().maxConnections());
        counter("sip.connections.opened", "TCP connections accepted or opened", counters::connectionsOpened);
        counter(
                "sip.connections.refused",
                "TCP connections that were turned away",
                () -> counters.connectionsRefused() - counters.connectionsRefusedPerAddress(),
                "reason",
                "all");
        counter(
                "sip.connections.refused",
                "TCP connections that were turned away",
                counters::connectionsRefusedPerAddress,
                "reason",
                "address");
        gauge(
                "sip.server.transactions",
                "Requests that are worked on, or were answered over UDP a short while ago",
                () -> sip.stack().serverTransactions());
        gauge(
                "sip.server.transactions.limit",
                "sip.max-transactions",
                () -> config.sip().maxTransactions());
        counter("sip.server.transactions.refused", "Requests refused with 503 past it", counters::overloaded);
        gauge(
                "sip.client.transactions",
                "Requests of the bridge that wait for their answer",
                () -> sip.stack().clientTransactions());
        counter("sip.messages.received", "SIP messages, whatever became of them", counters::received);
        gauge(
                "sip.received.delay.seconds",
                "How long the oldest message has waited that came in and was not looked at yet",
                () -> sip.stack().delay().toNanos() / 1e9);
        gauge(
                "registers.delay.seconds",
                "How long a REGISTER that comes now will wait, by what is in front of it",
                () -> sip.registerDelay().toNanos() / 1e9);
        gauge(
                "registers.delay.limit.seconds",
                "registrar.max-delay",
                () -> config.registrar().maxDelay().toNanos() / 1e9);
        counter("registers.refused", "REGISTERs refused with 503 past it", sip::registersRefused);
        gauge(
                "sip.datagrams.waiting.bytes",
                "UDP messages that wait to be looked at, on the fullest socket",
                () -> sip.stack().waitingBytes());
        gauge(
                "sip.datagrams.waiting.limit.bytes",
                "sip.max-waiting-size",
                () -> config.sip().maxWaitingSize());
        counter(
                "sip.datagrams.dropped",
                "UDP messages dropped unseen because too many waited",
                counters::datagramsDropped);
        counter(
                "sip.datagrams.repeated",
                "UDP messages left out because a copy of them still waited",
                counters::datagramsRepeated);
        counter("sip.messages.malformed", "Those that broke the grammar or a rule", counters::malformed);
        counter("sip.messages.too.large", "Those that were longer than a message may be", counters::tooLarge);
        counter(
                "sip.messages.flooded",
                "Requests refused with 503, or dropped, because their address sent too many",
                counters::flooded);
        counter("sip.messages.rejected", "Requests refused before any handler saw them", counters::rejected);
        counter("sip.messages.dropped", "Messages in or out that went nowhere", counters::dropped);
        counter("sip.messages.retransmitted", "Requests that were received again", counters::retransmissions);
        counter("sip.handler.failures", "Faults of the bridge while it handled a message", counters::listenerFailures);
        gauge("sip.subscriptions", "Subscriptions to dialog events", sip::subscriptions);
        gauge("sip.subscriptions.limit", "sip.max-subscriptions", sip::subscriptionLimit);
        String why = "Subscriptions refused for want of room";
        counter("sip.subscriptions.refused", why, sip::subscriptionsRefused, "reason", "all");
        counter("sip.subscriptions.refused", why, sip::subscriptionsOfUserRefused, "reason", "user");
    }

    private void pushes(Config config, PushSender pushes) {
        gauge(
                "pushes.in.flight",
                "Pushes under way, on the fullest set of connections",
                () -> pushes.statistics().links().stream()
                        .mapToInt(PushStatistics.Link::inFlight)
                        .max()
                        .orElse(0));
        gauge(
                "pushes.in.flight.limit",
                "apns.max-in-flight",
                () -> config.apns().maxInFlight());
        for (String outcome : PUSH_OUTCOMES) {
            counter(
                    "pushes",
                    "Pushes by what became of them",
                    () -> pushes.statistics().count(outcome),
                    "outcome",
                    outcome);
        }
    }

    private void http(Config config, VerdictServer api) {
        gauge("http.connections", "Connections to the verdict API", api::connections);
        gauge(
                "http.connections.limit",
                "http.max-connections",
                () -> config.http().maxConnections());
        counter("http.refused", "What the verdict API refused", api::requestsRefused, "reason", "rate");
        counter("http.refused", "What the verdict API refused", api::connectionsRefused, "reason", "address");
    }

    private void gauge(String name, String help, DoubleSupplier value) {
        Gauge.builder(OURS + name, value::getAsDouble)
                .description(help)
                .strongReference(true)
                .register(registry);
    }

    private void counter(String name, String help, DoubleSupplier value, String... tags) {
        FunctionCounter.builder(OURS + name, value, DoubleSupplier::getAsDouble)
                .description(help)
                .tags(tags)
                .register(registry);
        kept.add(value);
    }

    /** Everything, as {@code /metrics} says it. */
    String text() {
        return registry.scrape();
    }

    @Override
    public void close() {
        registry.close();
    }
}
