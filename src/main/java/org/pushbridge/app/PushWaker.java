package org.pushbridge.app;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushTarget;
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

    private static final long RING = 1;
    private static final long ALERT = 2;

    private final PushSender sender;
    private final DeviceDirectory directory;
    private final Clock clock;

    private final Consumer<PushTarget> beforePush;

    /** @param beforePush told of each target before it is pushed to: a simulated APNs must know its tokens */
    PushWaker(PushSender sender, DeviceDirectory directory, Clock clock, Consumer<PushTarget> beforePush) {
        this.beforePush = beforePush;
        this.sender = sender;
        this.directory = directory;
        this.clock = clock;
    }

    @Override
    public void wake(Wake wake, BooleanSupplier stillWanted, Consumer<Failure> failed) {
        Optional<PushTarget> target = wake.device().target();
        if (target.isEmpty()) {
            failed.accept(new Failure("it has no push target", false));
            return;
        }
        beforePush.accept(target.get());
        Push push = new Push(
                PushKind.VOIP, wake.device().id(), target.get(), facts(wake, RING), stillWanted, wake.expiresAt());
        sender.send(push).whenComplete((outcome, fault) -> {
            if (fault != null) {
                LOG.error(
                        "The push of call={} to device={} failed inside",
                        wake.call(),
                        wake.device().id(),
                        fault);
                failed.accept(new Failure("internal fault", false));
            } else {
                why(outcome, wake.device().id()).ifPresent(failed);
            }
        });
    }

    /** Why the push will not wake the device; empty if it may, or if nobody waits for it any more. */
    private Optional<Failure> why(PushOutcome outcome, DeviceId device) {
        note(outcome, device);
        if (outcome instanceof PushOutcome.Accepted || outcome instanceof PushOutcome.NoLongerWanted) {
            return Optional.empty();
        }
        if (outcome instanceof PushOutcome.Unavailable unavailable && unavailable.mayHaveArrived()) {
            return Optional.empty();
        }
        boolean appGone = outcome instanceof PushOutcome.TokenDead || outcome instanceof PushOutcome.TargetWrong;
        return Optional.of(new Failure(outcome.name(), appGone));
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
        wake.device().target().ifPresent(target -> {
            beforePush.accept(target);
            Instant deadline = clock.instant().plus(ALERT_LIFE);
            Push push = new Push(
                    PushKind.MISSED_CALL_ALERT, wake.device().id(), target, facts(wake, ALERT), () -> true, deadline);
            sender.send(push).whenComplete((outcome, fault) -> {
                if (fault != null) {
                    LOG.error(
                            "The alert of call={} to device={} failed inside",
                            wake.call(),
                            wake.device().id(),
                            fault);
                } else {
                    note(outcome, wake.device().id());
                }
            });
        });
    }

    private static CallFacts facts(Wake wake, long seq) {
        String instance = wake.device().identity();
        return new CallFacts(
                wake.call().value(),
                wake.callKitUuid(),
                wake.sipCallId(),
                wake.fromUri(),
                wake.displayName(),
                wake.device().aor().toString(),
                wake.sentAt(),
                wake.expiresAt(),
                seq,
                wake.video(),
                Optional.empty(),
                Optional.empty(),
                instance.contains("urn:uuid:") ? Optional.of(instance) : Optional.empty());
    }
}
