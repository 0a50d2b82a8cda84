package org.pushbridge.sip;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.pushbridge.engine.CallEngine;

/**
 * Whether the bridge takes new calls now. Asked for each INVITE before anything is spent on it, so that a bridge that is
 * offered more than it can do goes on with what it has begun: requests inside dialogs and responses are not asked for
 * here; for registrations see {@link RegisterAdmission}. Any thread.
 */
final class Admission {
    private static final Duration USUAL_WAIT = Duration.ofSeconds(5);

    private final CallEngine<BridgedCall> engine;
    private final Supplier<Duration> received;
    private final Lateness lateness;
    private final BooleanSupplier away;
    private final Map<CallRefusal, LongAdder> refused = new EnumMap<>(CallRefusal.class);
    private final LongAdder crowdedOut = new LongAdder();
    private volatile Optional<Duration> draining = Optional.empty();

    /**
     * @param received how long the oldest message has waited that was received and not looked at yet
     * @param away whether calls cannot be remembered now
     */
    Admission(CallEngine<BridgedCall> engine, Supplier<Duration> received, BooleanSupplier away) {
        this.away = away;
        this.received = received;
        this.engine = engine;
        this.lateness = new Lateness(engine.settings().maxDelay(), System::nanoTime);
        for (CallRefusal why : CallRefusal.values()) {
            refused.put(why, new LongAdder());
        }
    }

    /** No new calls from now on; refused callers are told to try again after this time. */
    void drain(Duration comeBack) {
        draining = Optional.of(comeBack);
    }

    /** Why a call cannot begin now, whoever calls; empty if it may. */
    Optional<CallRefusal> obstacle() {
        if (draining.isPresent()) {
            return Optional.of(CallRefusal.DRAINING);
        }
        if (away.getAsBoolean()) {
            return Optional.of(CallRefusal.DATABASE_AWAY);
        }
        if (isBehind()) {
            return Optional.of(CallRefusal.BEHIND);
        }
        if (engine.alive() >= engine.settings().maxCalls()) {
            return Optional.of(CallRefusal.CALLS);
        }
        return engine.unanswered() >= engine.settings().maxUnanswered()
                ? Optional.of(CallRefusal.UNANSWERED)
                : Optional.empty();
    }

    private boolean isBehind() {
        Duration inCalls = engine.delay();
        Duration unread = received.get();
        return lateness.isLate(inCalls.compareTo(unread) > 0 ? inCalls : unread);
    }

    /** Seconds after which to try again. */
    long retryAfter() {
        return Math.max(1, draining.orElse(USUAL_WAIT).toSeconds());
    }

    /** Counts a refusal. */
    void refused(CallRefusal why) {
        LongAdder count = refused.get(why);
        if (count != null) {
            count.increment();
        }
    }

    /** Counts a request inside a call that was refused because too many of that call waited for their answers. */
    void crowdedOut() {
        crowdedOut.increment();
    }

    /** How many of those there were. */
    long countCrowdedOut() {
        return crowdedOut.sum();
    }

    /** How many calls were refused for this reason. */
    long refusals(CallRefusal why) {
        LongAdder count = refused.get(why);
        return count == null ? 0 : count.sum();
    }
}
