package org.pushbridge.call;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pushbridge.call.Call.CallerAt;
import org.pushbridge.call.Call.PendingBye;
import org.pushbridge.call.Call.Phase;

/**
 * How a call goes on that the bridge has taken up from its journal: the first step after a restart. Transactions and
 * connections are gone, so whatever may not have arrived is sent again, in the way that its receiver takes for a
 * repetition if it did arrive; and whoever cannot be reached any more is treated as a device whose connection broke.
 */
final class Resuming {
    /** 64*T1: for so long a BYE may be repeated that was not answered (RFC 3261 section 17.1.2). */
    private static final Duration LINGER = Duration.ofSeconds(32);

    private final CallRules rules;
    private final Duration elapsed;
    private final Set<LegId> reachable;
    private final boolean callerReachable;

    Resuming(CallRules rules, CallEvent.Resumed event) {
        this.rules = rules;
        elapsed = event.elapsed();
        reachable = event.reachable();
        callerReachable = event.callerReachable();
    }

    void resume() {
        resumeCaller();
        switch (rules.phase) {
            case NEW -> rules.onBegun();
            case RINGING -> {
                Duration left = left(rules.plan.ringLimit());
                if (left.isZero()) {
                    legs().forEach(this::endTooLate);
                    rules.onRingLimit();
                } else {
                    rules.startTimer(Timer.RING_LIMIT, left);
                    legs().forEach(this::ring);
                }
            }
            case ANSWERED, ESTABLISHED -> {
                rules.startTimer(Timer.DURATION_LIMIT, left(rules.plan.durationLimit()));
                legs().forEach(this::cancelAnew);
            }
            case ENDED -> {
                rules.startTimer(Timer.LINGER, LINGER);
                legs().forEach(this::cancelAnew);
            }
        }
        List.copyOf(rules.byes).forEach(this::resumeBye);
    }

    private List<Leg> legs() {
        return List.copyOf(rules.legs.values());
    }

    private Duration left(Duration limit) {
        Duration left = limit.minus(elapsed);
        return left.isNegative() ? Duration.ZERO : left;
    }

    private boolean isReachable(Leg leg) {
        return reachable.contains(leg.id());
    }

    // --- the caller ----------------------------------------------------------------------------------------------

    /** Its final response may not have left; it takes one that comes twice for a repetition. */
    private void resumeCaller() {
        Optional<LegId> lost = rules.plan.caller().filter(caller -> !callerReachable);
        if (rules.phase == Phase.RINGING) {
            rules.callerAt = lost.isPresent() ? CallerAt.LOST : CallerAt.REACHABLE;
        } else if (rules.answered.isPresent()) {
            if (rules.phase != Phase.ESTABLISHED) {
                rules.actions.add(new CallAction.AnswerAgain(rules.answered.get()));
            }
        } else if (rules.phase == Phase.ENDED) {
            Verdict why = rules.verdict.orElseThrow();
            rules.actions.add(new CallAction.RespondToCaller(
                    rules.ending.orElseThrow().status(), rules.verdict, Optional.empty(), Optional.empty()));
            if (rules.callerAt == CallerAt.LOST_AND_ANSWERED) {
                rules.startTimer(Timer.hold(rules.plan.caller().orElseThrow()), rules.plan.holdLimit());
            } else if (lost.isPresent() && why != Verdict.CALLER_GAVE_UP) {
                rules.callerIsLost(why);
            }
        }
    }

    // --- devices -------------------------------------------------------------------------------------------------

    /** The caller waits for it, unless it gave its answer. */
    private void ring(Leg leg) {
        switch (leg.state()) {
            case SPARED, ANSWERED -> {}
            case UNREACHED -> {
                if (mayStillAnswer(leg)) {
                    rules.actions.add(new CallAction.Invite(leg.id(), leg.attempt()));
                    rules.put(leg.withNewestAlone());
                } else {
                    rules.put(leg.withoutTransactions());
                }
                if (leg.wake() == Leg.Wake.PUSHED) {
                    // Apple has not confirmed it, as far as one knows: it takes the same push for a copy.
                    rules.actions.add(new CallAction.Push(leg.id()));
                }
            }
            case INVITED, TRYING, RINGING -> {
                if (isReachable(leg)) {
                    rules.actions.add(new CallAction.Invite(leg.id(), leg.attempt()));
                    rules.awaitAnswer(leg.withNewestAlone());
                } else if (leg.pushable() && !leg.wasPushed()) {
                    rules.push(leg.withoutTransactions());
                } else {
                    rules.put(leg.withoutTransactions().in(Leg.State.LOST));
                }
            }
            case LOST -> rules.put(leg.withoutTransactions());
            case CANCELLING, DONE -> cancelAnew(leg);
        }
    }

    /** Whether it had an INVITE that met silence: that may have arrived all the same, and be answered. */
    private boolean mayStillAnswer(Leg leg) {
        return isReachable(leg) && !leg.open().isEmpty();
    }

    /** The ring limit has passed: what it has of the call is to be cancelled, and nothing is to ring any more. */
    private void endTooLate(Leg leg) {
        switch (leg.state()) {
            case INVITED, TRYING, RINGING ->
                rules.put(isReachable(leg) ? leg.withNewestAlone() : leg.withoutTransactions());
            case UNREACHED -> rules.put(mayStillAnswer(leg) ? leg.withNewestAlone() : leg.withoutTransactions());
            case SPARED, ANSWERED, LOST -> rules.put(leg.withoutTransactions());
            case CANCELLING, DONE -> cancelAnew(leg);
        }
    }

    /** How its cancelled INVITEs end is not known, and seen by cancelling them again. */
    private void cancelAnew(Leg leg) {
        if (leg.awaitsNoEnd()) {
            return;
        }
        if (isReachable(leg)) {
            Verdict why = rules.verdict.orElse(Verdict.DECLINED_ELSEWHERE);
            leg.cancelled().stream()
                    .sorted()
                    .forEach(attempt -> rules.actions.add(new CallAction.Cancel(leg.id(), attempt, why)));
        } else {
            Leg over = leg.withoutTransactions();
            rules.put(over);
            if (rules.phase != Phase.RINGING) {
                rules.noMoreAwaited(over);
            }
        }
    }

    // --- the end -------------------------------------------------------------------------------------------------

    private void resumeBye(PendingBye bye) {
        Optional<LegId> party = rules.party(bye.to(), bye.dialog());
        if (bye.state() == PendingBye.State.HELD && party.isPresent()) {
            rules.startHold(Timer.hold(party.get()), rules.plan.holdLimit());
        } else {
            rules.actions.add(new CallAction.Bye(bye.to(), bye.dialog(), bye.content()));
        }
    }
}
