package org.pushbridge.app;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.push.CallFacts;
import org.pushbridge.push.Push;
import org.pushbridge.push.PushKind;
import org.pushbridge.push.PushOutcome;
import org.pushbridge.push.PushSender;
import org.pushbridge.sip.Waker;

/**
 * Joins the SIP edge to the Apple edge: sends a call's pushes and says what their outcomes mean for the call and for
 * the directory. Safe for any thread.
 */
final class PushWaker implements Waker {
    private static final Logger LOG = LogManager.getLogger(PushWaker.class);
    /** An alert about a missed call is still worth delivering a day later. */
    private static final Duration ALERT_LIFE = Duration.ofHours(24);
    /** How long a background push may still tell a device that its call is over; CallKit gives up about then, too. */
    private static final Duration END_LIFE = Duration.ofSeconds(60);
    /** A VoIP push that ends a call is not stored by APNs; this is for reaching APNs. */
    private static final Duration END_BY_VOIP_LIFE = Duration.ofSeconds(5);

    /** How the identity of a device with a {@code +sip.instance} begins. */
    private static final String INSTANCE = "instance:";

    private final PushSender sender;
    private final DeviceDirectory directory;
    private final PushBudget budget;
    private final Clock clock;
    private final Optional<VerdictLinks> verdicts;

    private final Consumer<PushTarget> beforePush;
    /**
     * Grows with each push, of whatever call, and over restarts, too: nothing need be remembered of a call. It follows
     * the clock so far as pushes are not made faster than one in a millisecond.
     */
    private final AtomicLong sequence = new AtomicLong();

    /**
     * @param verdicts what pushes say about the verdict API, if that is served
     * @param beforePush told of each target before it is pushed to: a simulated APNs must know its tokens
     */
    PushWaker(
            PushSender sender,
            DeviceDirectory directory,
            PushBudget budget,
            Clock clock,
            Optional<VerdictLinks> verdicts,
            Consumer<PushTarget> beforePush) {
        this.verdicts = verdicts;
        this.beforePush = beforePush;
        this.budget = budget;
        this.sender = sender;
        this.directory = directory;
        this.clock = clock;
    }

    @Override
    public void wake(Wake wake, BooleanSupplier stillWanted, Consumer<Accepted> accepted, Consumer<Failure> failed) {
        Optional<PushTarget> target = wake.device().target();
        if (target.isEmpty()) {
            failed.accept(new Failure("it has no push target", false));
            return;
        }
        if (!sender.ringsByVoip(target.get().bundleId())) {
            ring(PushKind.VOIP, wake, target.get(), stillWanted, accepted, failed, () -> {});
            return;
        }
        DeviceId device = wake.device().id();
        Optional<PushToken> regular = target.get().regular();
        if (target.get().voip().isEmpty() && regular.isPresent()) {
            ring(PushKind.RING_ALERT, wake, target.get(), stillWanted, accepted, failed, () -> {});
            return;
        }
        Instant now = clock.instant();
        // One that is repeated was paid for.
        PushBudget.Ruling ruling = wake.repeated() ? PushBudget.Ruling.RING : budget.take(device, now);
        if (ruling == PushBudget.Ruling.PAUSE_BEGINS) {
            LOG.warn(
                    "device={} of {} did not register after its last {} VoIP pushes and gets none until {}, so that iOS"
                            + " does not stop delivering them; it is rung {}",
                    device,
                    wake.device().aor(),
                    budget.state(device, now).wasted(),
                    budget.state(device, now).pausedUntil().orElse(now),
                    regular.isPresent() ? "by alert" : "not at all, as it gave no token for alerts");
        }
        if (ruling == PushBudget.Ruling.RING) {
            Runnable unused = () -> budget.notPushed(device, now);
            ring(PushKind.VOIP, wake, target.get(), stillWanted, accepted, failed, unused);
        } else if (regular.isPresent()) {
            ring(PushKind.RING_ALERT, wake, target.get(), stillWanted, accepted, failed, () -> {});
        } else {
            failed.accept(new Failure("push budget", false));
        }
    }

    private void ring(
            PushKind kind,
            Wake wake,
            PushTarget target,
            BooleanSupplier stillWanted,
            Consumer<Accepted> accepted,
            Consumer<Failure> failed,
            Runnable notSent) {
        beforePush.accept(target);
        DeviceId device = wake.device().id();
        CallFacts facts = facts(wake, wake.sentAt(), wake.expiresAt(), Optional.empty());
        sender.send(new Push(kind, device, target, facts, stillWanted, wake.expiresAt(), apnsId(kind, wake, target)))
                .whenComplete((outcome, fault) -> {
                    if (fault != null) {
                        LOG.error("The push of call={} to device={} failed inside", wake.call(), device, fault);
                        failed.accept(new Failure("internal fault", false));
                        return;
                    }
                    note(outcome, device);
                    if (!mayHaveArrived(outcome)) {
                        notSent.run();
                    }
                    if (outcome instanceof PushOutcome.Accepted) {
                        accepted.accept(new Accepted(kind == PushKind.VOIP && sender.ringsByVoip(target.bundleId())));
                    } else {
                        why(outcome).ifPresent(failed);
                    }
                });
    }

    /**
     * A call rings a device by one push. Should it be sent again, because the bridge died before it knew what became of it,
     * it is the same one.
     */
    private static UUID apnsId(PushKind kind, Wake wake, PushTarget target) {
        String push = kind + " " + wake.call() + " " + wake.device().id() + " "
                + target.voip().map(PushToken::hex).orElse("") + " "
                + target.regular().map(PushToken::hex).orElse("");
        return UUID.nameUUIDFromBytes(push.getBytes(StandardCharsets.UTF_8));
    }

    /** Why the push will not wake the device; empty if it may, or if nobody waits for it any more. */
    private static Optional<Failure> why(PushOutcome outcome) {
        if (outcome instanceof PushOutcome.NoLongerWanted || mayHaveArrived(outcome)) {
            return Optional.empty();
        }
        boolean appGone = outcome instanceof PushOutcome.TokenDead || outcome instanceof PushOutcome.TargetWrong;
        return Optional.of(new Failure(outcome.name(), appGone));
    }

    private static boolean mayHaveArrived(PushOutcome outcome) {
        return outcome instanceof PushOutcome.Accepted
                || (outcome instanceof PushOutcome.Unavailable unavailable && unavailable.mayHaveArrived());
    }

    /** A dead token is forgotten under Apple's time stamp rule, whatever push found it out. */
    private void note(PushOutcome outcome, DeviceId device) {
        if (outcome instanceof PushOutcome.TokenDead dead) {
            directory.tokenDied(
                    device, dead.token(), dead.since(), dead.reason() + ": the app was removed, or its token replaced");
        } else if (outcome instanceof PushOutcome.TargetWrong wrong) {
            directory.tokenDied(device, wrong.token(), wrong.sentAt(), wrong.reason() + ": " + wrong.explanation());
        }
    }

    @Override
    public void alertMissedCall(Wake wake) {
        Instant deadline = clock.instant().plus(ALERT_LIFE);
        tell(
                PushKind.MISSED_CALL_ALERT,
                wake,
                deadline,
                facts(wake, wake.sentAt(), wake.expiresAt(), Optional.empty()));
    }

    @Override
    public void endByBackground(Wake wake, String reason) {
        tellNow(PushKind.BACKGROUND_END, wake, atLeast(wake.expiresAt(), END_LIFE), Optional.of(reason));
    }

    @Override
    public void endByVoip(Wake wake, String reason) {
        tellNow(PushKind.END_VOIP, wake, clock.instant().plus(END_BY_VOIP_LIFE), Optional.of(reason));
    }

    @Override
    public void awake(Device device) {
        budget.registered(device.id(), clock.instant());
    }

    @Override
    public void wakeForRequest(Wake wake) {
        tellNow(PushKind.REQUEST_WAITING, wake, wake.expiresAt(), Optional.empty());
    }

    /** The ring deadline, or later if that is near or over: a call that was answered ends long after it. */
    private Instant atLeast(Instant deadline, Duration life) {
        Instant least = clock.instant().plus(life);
        return deadline.isAfter(least) ? deadline : least;
    }

    /** A push about what is so now: an app that looks at its age must not take it for the call's first. */
    private void tellNow(PushKind kind, Wake wake, Instant deadline, Optional<String> reason) {
        tell(kind, wake, deadline, facts(wake, clock.instant(), deadline, reason));
    }

    private void tell(PushKind kind, Wake wake, Instant deadline, CallFacts facts) {
        DeviceId device = wake.device().id();
        wake.device().target().ifPresent(target -> {
            beforePush.accept(target);
            sender.send(new Push(kind, device, target, facts, () -> true, deadline))
                    .whenComplete((outcome, fault) -> {
                        if (fault != null) {
                            LOG.error(
                                    "The push {} of call={} to device={} failed inside",
                                    kind,
                                    wake.call(),
                                    device,
                                    fault);
                        } else {
                            note(outcome, device);
                        }
                    });
        });
    }

    private CallFacts facts(Wake wake, Instant sentAt, Instant expiresAt, Optional<String> reason) {
        Optional<String> instance = Optional.of(wake.device().identity())
                .filter(identity -> identity.startsWith(INSTANCE))
                .map(identity -> identity.substring(INSTANCE.length()));
        return new CallFacts(
                wake.call().value(),
                wake.callKitUuid(),
                wake.sipCallId(),
                wake.fromUri(),
                wake.displayName(),
                wake.device().aor().toString(),
                sentAt,
                expiresAt,
                sequence.updateAndGet(last -> Math.max(last + 1, clock.millis())),
                wake.video(),
                verdicts.map(links -> links.url(wake.call())),
                verdicts.map(links -> links.token(wake.call(), wake.device().id())),
                instance,
                reason);
    }
}
