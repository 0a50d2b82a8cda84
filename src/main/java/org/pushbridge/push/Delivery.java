package org.pushbridge.push;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.PushToken;

/**
 * One push from the first request to its outcome: the retries that Apple's answers allow.
 *
 * <p>When a request is sent again:
 *
 * <table>
 * <caption>Resends</caption>
 * <tr><th>what happened</th><th>a ringing push</th><th>others</th></tr>
 * <tr><td>APNs has not processed it (no connection, REFUSED_STREAM, above GOAWAY's last stream)</td>
 *     <td colspan="2">again at once, then with growing pauses up to 1 s, until the deadline</td></tr>
 * <tr><td>the connection was lost, or no answer came, after it was written</td>
 *     <td>never: it could ring twice</td><td>alerts, backed off; their collapse-id makes two into one</td></tr>
 * <tr><td>500, 503</td><td>once, quickly</td><td>alerts, backed off; a background push once</td></tr>
 * <tr><td>429</td><td colspan="2">backed off until the deadline</td></tr>
 * <tr><td>403 ExpiredProviderToken</td><td colspan="2">once, on a new connection with a new JWT</td></tr>
 * </table>
 *
 * <p>All but {@link #objection()} runs on the sender's one thread; {@code objection} also on network threads.
 */
final class Delivery {
    private static final Logger LOG = LogManager.getLogger(Delivery.class);
    private static final Duration LONGEST_PAUSE_UNPROCESSED = Duration.ofSeconds(1);
    private static final Duration FIRST_PAUSE_UNPROCESSED = Duration.ofMillis(50);

    private final Push push;
    private final PushRule rule;
    private final PushToken token;
    private final String topic;
    private final PayloadTemplate template;
    private final ApnsLink link;
    private final PushSettings.Limits limits;
    private final Clock clock;
    private final ScheduledExecutorService thread;

    private final UUID apnsId;
    private final CompletableFuture<PushOutcome> outcome = new CompletableFuture<>();

    private String payload = "";
    private Instant sentAt = Instant.MIN;
    private @Nullable Attempt attempt;
    private ApnsLink.@Nullable Client on;
    private @Nullable Future<?> timer;
    private boolean probe;
    private boolean jwtRenewed;
    private boolean quickRetryUsed;
    private int unprocessed;
    private int throttled;
    private int backedOff;
    private volatile PushOutcome trouble = new PushOutcome.Unavailable("the deadline passed before it was sent", false);

    Delivery(
            Push push,
            PushRule rule,
            PushToken token,
            PushSettings.App app,
            ApnsLink link,
            PushSettings.Limits limits,
            Clock clock,
            ScheduledExecutorService thread) {
        this.push = push;
        this.rule = rule;
        this.token = token;
        this.apnsId = push.apnsId();
        this.topic = rule.topic(app.bundleId());
        this.template = app.payloads().template(rule);
        this.link = link;
        this.limits = limits;
        this.clock = clock;
        this.thread = thread;
    }

    CompletableFuture<PushOutcome> outcome() {
        return outcome;
    }

    void begin() {
        Optional<String> rendered = template.render(push.facts());
        if (rendered.isEmpty()) {
            LOG.error(
                    "The payload for call={} device={} exceeds {} bytes even with the caller's name left out; check"
                            + " the app's payload template",
                    push.facts().callId(),
                    push.device(),
                    rule.payloadLimit());
            end(new PushOutcome.OurFault(413, "the payload exceeds " + rule.payloadLimit() + " bytes"));
            return;
        }
        payload = rendered.get();
        send();
    }

    /** Nothing more is tried; an attempt that is written gets its answer if it comes before {@link #abandon}. */
    void wrapUp() {
        if (attempt == null || attempt.revoke()) {
            attempt = null;
            abandon();
        }
    }

    /** Ends it now. */
    void abandon() {
        end(new PushOutcome.Unavailable("the bridge is shutting down", attempt != null && !attempt.revoke()));
    }

    private void send() {
        if (outcome.isDone()) {
            return;
        }
        Optional<PushOutcome> against = objection();
        if (against.isPresent()) {
            end(against.get());
            return;
        }
        Instant now = clock.instant();
        switch (link.circuit().admit(now)) {
            case REFUSED -> {
                end(new PushOutcome.CredentialsWrong(link.circuit().refusal().orElse("refused before")));
                return;
            }
            case PROBE -> {
                probe = true;
                // A new connection, and with it a new JWT.
                link.replace(link.client());
            }
            case GO -> {}
        }
        Attempt sending = new Attempt(
                apnsId,
                rule,
                token,
                topic,
                rule.expiration(push, now),
                rule.collapseId(push.facts()),
                payload,
                this::objection);
        attempt = sending;
        sentAt = now;
        on = link.send(sending);
        CompletionStage<Attempt.Result> result = sending.result();
        result.whenComplete((how, failure) -> run(() -> ended(sending, how)));
        Duration patience = min(limits.answerWithin(), Duration.between(now, push.deadline()));
        timer = after(patience, () -> unanswered(sending));
    }

    /** Why the push must not go now. Called on network threads too. */
    private Optional<PushOutcome> objection() {
        if (!wanted()) {
            return Optional.of(new PushOutcome.NoLongerWanted());
        }
        return clock.instant().isBefore(push.deadline()) ? Optional.empty() : Optional.of(trouble);
    }

    private boolean wanted() {
        try {
            return push.stillWanted().getAsBoolean();
        } catch (RuntimeException e) {
            LOG.error(
                    "Asking whether the push for call={} is still wanted failed; it is not sent",
                    push.facts().callId(),
                    e);
            return false;
        }
    }

    private void ended(Attempt ended, Attempt.Result how) {
        if (outcome.isDone() || ended != attempt) {
            return;
        }
        stopTimer();
        attempt = null;
        if (how instanceof Attempt.Answered answer) {
            link.reached();
            answered(answer);
        } else if (how instanceof Attempt.HeldBack held) {
            end(held.why());
        } else if (how instanceof Attempt.NotProcessed failed) {
            notProcessed(failed);
        } else if (how instanceof Attempt.Unknown lost) {
            mayHaveArrived(
                    "the connection to APNs was lost before the answer came: " + ApnsLink.describe(lost.cause()));
        }
    }

    private void answered(Attempt.Answered answer) {
        ApnsAnswer meaning = ApnsAnswer.of(answer.status(), answer.reason());
        String reason = answer.reason().isEmpty() ? "status " + answer.status() : answer.reason();
        if (meaning != ApnsAnswer.CREDENTIALS_WRONG
                && meaning != ApnsAnswer.NEW_JWT
                && meaning != ApnsAnswer.KEEP_JWT
                && meaning != ApnsAnswer.TRY_AGAIN) {
            credentialsWork();
        }
        switch (meaning) {
            case ACCEPTED -> end(new PushOutcome.Accepted(apnsId));
            case TOKEN_DEAD ->
                end(new PushOutcome.TokenDead(reason, answer.invalidSince().orElse(sentAt), token));
            case TARGET_WRONG ->
                end(new PushOutcome.TargetWrong(
                        reason, ApnsAnswer.explainTarget(reason, link.environment(), topic), sentAt, token));
            case OUR_FAULT -> {
                LOG.error(
                        "APNs says the request is wrong: {} {} for rule={} topic={} call={} device={} apns-id={};"
                                + " check the app's bundle identifier and payload template, else report a bug",
                        answer.status(),
                        reason,
                        rule,
                        topic,
                        push.facts().callId(),
                        push.device(),
                        apnsId);
                end(new PushOutcome.OurFault(answer.status(), reason));
            }
            case NEW_JWT -> {
                if (jwtRenewed) {
                    credentialsWrong(reason);
                } else {
                    jwtRenewed = true;
                    retire();
                    send();
                }
            }
            case CREDENTIALS_WRONG -> credentialsWrong(reason);
            case KEEP_JWT -> {
                LOG.warn("APNs finds that the provider token changes too often, {}; keeping it", link.label());
                throttled(reason);
            }
            case SLOW_DOWN -> throttled(reason);
            case TRY_AGAIN -> {
                if (reason.equals("Shutdown")) {
                    retire();
                }
                unavailable("APNs answered " + answer.status() + " " + reason);
            }
        }
    }

    private void notProcessed(Attempt.NotProcessed failed) {
        String why = ApnsLink.describe(failed.cause());
        if (failed.noConnection()) {
            Optional<String> refused = link.certificateRefused(failed.cause());
            if (refused.isPresent()) {
                credentialsWrong("TLS " + refused.get());
                return;
            }
            if (on != null) {
                link.notReached(on, failed.cause());
            }
        }
        trouble = new PushOutcome.Unavailable("no working connection to APNs: " + why, false);
        Duration pause = unprocessed == 0
                ? Duration.ZERO
                : min(FIRST_PAUSE_UNPROCESSED.multipliedBy(1L << Math.min(unprocessed, 5)), LONGEST_PAUSE_UNPROCESSED);
        unprocessed++;
        again(pause);
    }

    private void unanswered(Attempt waiting) {
        if (outcome.isDone() || waiting != attempt) {
            return;
        }
        timer = null;
        attempt = null;
        ApnsLink.Client silent = on;
        boolean neverWritten = waiting.revoke();
        if (silent != null && (neverWritten || silent.wire().answerNanos() < waiting.writtenNanos())) {
            link.replace(silent);
        }
        if (neverWritten) {
            trouble = new PushOutcome.Unavailable("no connection to APNs came about", false);
            again(Duration.ZERO);
        } else {
            mayHaveArrived("APNs did not answer in time");
        }
    }

    /** It was written and the answer is missing. */
    private void mayHaveArrived(String why) {
        if (rule == PushRule.MISSED_CALL) {
            backOff(new PushOutcome.Unavailable(why, true));
        } else {
            end(new PushOutcome.Unavailable(why, true));
        }
    }

    /** 500 or 503. */
    private void unavailable(String why) {
        PushOutcome now = new PushOutcome.Unavailable(why, false);
        if (rule == PushRule.MISSED_CALL) {
            backOff(now);
        } else if (quickRetryUsed) {
            end(now);
        } else {
            quickRetryUsed = true;
            trouble = now;
            again(limits.quickRetry());
        }
    }

    private void throttled(String reason) {
        trouble = new PushOutcome.Throttled(reason);
        again(doubled(throttled++));
    }

    private void backOff(PushOutcome now) {
        trouble = now;
        if (backedOff + 1 >= limits.alertAttempts()) {
            end(now);
        } else {
            again(doubled(backedOff++));
        }
    }

    private void credentialsWrong(String reason) {
        probe = false;
        boolean news = link.circuit().open(reason, clock.instant());
        if (news) {
            LOG.error(
                    "APNs refuses our credentials, {}: {}, {}. Pushes with them fail at once; trying again after {}",
                    link.label(),
                    reason,
                    ApnsAnswer.explainCredentials(reason),
                    limits.circuitPause());
        }
        end(new PushOutcome.CredentialsWrong(reason));
    }

    private void credentialsWork() {
        probe = false;
        if (link.circuit().close()) {
            LOG.info("APNs takes our credentials again, {}", link.label());
        }
    }

    private void retire() {
        if (on != null) {
            link.replace(on);
        }
    }

    /** Sends once more after the pause; ends now if that would be too late, as nothing is left to wait for. */
    private void again(Duration pause) {
        if (clock.instant().plus(pause).isBefore(push.deadline())) {
            timer = after(pause, this::send);
        } else {
            end(trouble);
        }
    }

    private Duration doubled(int times) {
        return limits.backOff().multipliedBy(1L << Math.min(times, 16));
    }

    private void end(PushOutcome how) {
        if (outcome.isDone()) {
            return;
        }
        stopTimer();
        if (probe) {
            link.circuit().probeSaidNothing();
        }
        LOG.info(
                "Push {} for call={} device={}: outcome={} apns-id={}",
                rule,
                push.facts().callId(),
                push.device(),
                how.name(),
                apnsId);
        outcome.complete(how);
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private @Nullable Future<?> after(Duration pause, Runnable then) {
        try {
            return thread.schedule(then, Math.max(0, pause.toNanos()), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            abandon();
            return null;
        }
    }

    private void run(Runnable then) {
        try {
            thread.execute(then);
        } catch (RejectedExecutionException e) {
            LOG.debug("A late answer for apns-id={} is dropped: the sender is closed", apnsId);
        }
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
