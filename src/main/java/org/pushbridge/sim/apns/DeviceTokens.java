package org.pushbridge.sim.apns;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The device tokens that were issued, the phones behind them, and what is kept for those that are away.
 *
 * <p>Apple keeps one notification for an app on a device, usually the latest, and VoIP pushes apart from regular ones:
 * that is one for each token. Thread-safe; phones are called on the delivery thread only.
 */
final class DeviceTokens implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger();

    private final Clock clock;
    private final Delay deliveryDelay;
    private final Duration lateVoipWindow;
    private final int limit;
    private final PushLedger ledger;
    private final Random random;
    private final Map<String, Registration> registrations = new HashMap<>();
    private final ScheduledThreadPoolExecutor executor;

    private static final class Registration {
        final String bundleId;
        final TokenKind kind;
        final Environment environment;
        Optional<Answer.Rejected> dead = Optional.empty();
        boolean blocked;
        boolean online = true;

        @Nullable
        DeviceListener listener;

        @Nullable
        Pending slot;

        Registration(String bundleId, TokenKind kind, Environment environment) {
            this.bundleId = bundleId;
            this.kind = kind;
            this.environment = environment;
        }
    }

    /** An accepted push and until when it is worth keeping. */
    private record Pending(DeliveredPush push, Instant keepUntil) {
        Pending late() {
            return new Pending(
                    new DeliveredPush(
                            push.apnsId(),
                            push.token(),
                            push.type(),
                            push.payload(),
                            push.collapseId(),
                            push.acceptedAt(),
                            true),
                    keepUntil);
        }
    }

    DeviceTokens(SimulatedApnsSettings settings, PushLedger ledger) {
        this.clock = settings.clock();
        this.deliveryDelay = settings.deliveryDelay();
        this.lateVoipWindow = settings.lateVoipWindow();
        this.limit = settings.maxDeviceTokens();
        this.ledger = ledger;
        this.random = new Random(settings.seed());
        this.executor = new ScheduledThreadPoolExecutor(1, work -> {
            Thread thread = new Thread(work, "simulated-apns-delivery");
            thread.setDaemon(true);
            return thread;
        });
        this.executor.setRemoveOnCancelPolicy(true);
    }

    synchronized String issue(String bundleId, TokenKind kind, Environment environment) {
        if (registrations.size() >= limit) {
            throw new IllegalStateException(
                    "All " + limit + " device tokens have been issued; raise maxDeviceTokens for more");
        }
        byte[] bytes = new byte[32 + random.nextInt(49)];
        String token;
        do {
            random.nextBytes(bytes);
            token = HexFormat.of().formatHex(bytes);
        } while (registrations.containsKey(token));
        registrations.put(token, new Registration(bundleId, kind, environment));
        return token;
    }

    /** Takes a token for issued that came from elsewhere; nothing changes for one that is known. */
    synchronized void adopt(String token, String bundleId, TokenKind kind, Environment environment) {
        if (registrations.size() < limit) {
            registrations.putIfAbsent(token, new Registration(bundleId, kind, environment));
        }
    }

    /** Why a push to this token is refused, if it is. */
    synchronized Optional<Answer.Rejected> refusal(Environment environment, String topic, String token) {
        Registration registration = registrations.get(token);
        if (registration == null || registration.environment != environment) {
            return Optional.of(new Answer.Rejected(400, "BadDeviceToken"));
        }
        if (!registration.kind.topic(registration.bundleId).equals(topic)) {
            return Optional.of(new Answer.Rejected(400, "DeviceTokenNotForTopic"));
        }
        return registration.dead;
    }

    void kill(String token, String reason, Instant since) {
        change(
                token,
                registration -> registration.dead = Optional.of(new Answer.Rejected(410, reason, Optional.of(since))));
    }

    void revive(String token) {
        change(token, registration -> registration.dead = Optional.empty());
        ledger.forgetDeath(normalised(token));
    }

    void block(String token, boolean blocked) {
        change(token, registration -> registration.blocked = blocked);
    }

    void attach(String token, DeviceListener listener) {
        change(token, registration -> registration.listener = listener);
        releaseKept(normalised(token));
    }

    void detach(String token) {
        change(token, registration -> registration.listener = null);
    }

    void setOnline(String token, boolean online) {
        change(token, registration -> registration.online = online);
        if (online) {
            releaseKept(normalised(token));
        }
    }

    private synchronized void change(String token, Consumer<Registration> change) {
        Registration registration = registrations.get(normalised(token));
        if (registration == null) {
            throw new IllegalArgumentException(
                    "The token " + PushLedger.abbreviated(token) + " was not issued by this server");
        }
        change.accept(registration);
    }

    private static String normalised(String token) {
        return token.toLowerCase(Locale.ROOT);
    }

    /** Takes an accepted push for delivery. An expiration of 0 asks for a single attempt. */
    void accept(DeliveredPush push, Optional<Instant> expiration) {
        Instant keepUntil = expiration
                .map(at -> at.equals(Instant.EPOCH) ? keepUndying(push) : at)
                .orElse(Instant.MAX);
        schedule(new Pending(push, keepUntil));
    }

    /** Apple may go on trying over other interfaces: seen in the field for VoIP pushes, which came 20-30 s late. */
    private Instant keepUndying(DeliveredPush push) {
        return push.type() == PushType.VOIP ? push.acceptedAt().plus(lateVoipWindow) : Instant.MIN;
    }

    private void schedule(Pending pending) {
        try {
            Duration delay;
            synchronized (this) {
                delay = deliveryDelay.draw(random);
            }
            var unused = executor.schedule(() -> deliver(pending), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug(
                    "Push {} is not delivered: the server is closing",
                    pending.push().apnsId());
        }
    }

    private void releaseKept(String token) {
        Pending pending;
        synchronized (this) {
            Registration registration = registrations.get(token);
            if (registration == null
                    || registration.slot == null
                    || registration.listener == null
                    || !registration.online) {
                return;
            }
            pending = registration.slot;
            registration.slot = null;
        }
        schedule(pending);
    }

    private void deliver(Pending pending) {
        DeliveredPush push = pending.push();
        DeviceListener listener = null;
        Pending replaced = null;
        String discarded = "";
        synchronized (this) {
            Registration registration = registrations.get(push.token());
            if (registration == null || registration.dead.isPresent()) {
                discarded = "the token is no longer valid";
            } else if (registration.blocked) {
                discarded = "the app no longer gets pushes of this kind";
            } else if (push.late() && pending.keepUntil().isBefore(clock.instant())) {
                discarded = "it has expired";
            } else if (registration.listener != null && registration.online) {
                listener = registration.listener;
            } else if (pending.keepUntil().isBefore(clock.instant())) {
                discarded = "the phone cannot be reached and the push is not to be kept";
            } else {
                replaced = registration.slot;
                registration.slot = pending.late();
            }
        }
        if (!discarded.isEmpty()) {
            ledger.discarded(push, discarded);
        } else if (listener == null) {
            if (replaced != null) {
                ledger.discarded(replaced.push(), "a later one took its place");
            }
            ledger.kept(push);
        } else {
            ledger.delivered(push);
            try {
                listener.onPush(push);
            } catch (RuntimeException e) {
                LOG.error(
                        "The phone behind {} failed on push {}",
                        PushLedger.abbreviated(push.token()),
                        push.apnsId(),
                        e);
            }
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
        try {
            if (!executor.awaitTermination(5, TimeUnit.SECONDS)) {
                LOG.warn("A phone is still busy with its last push 5 s after the simulated APNs was closed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
