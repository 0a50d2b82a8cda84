package org.pushbridge.call;

import static org.pushbridge.call.Invariant.CANCELLED;
import static org.pushbridge.call.Invariant.EXCHANGE;
import static org.pushbridge.call.Invariant.FINISH;
import static org.pushbridge.call.Invariant.HANG_UP;
import static org.pushbridge.call.Invariant.ONE_ANSWER;
import static org.pushbridge.call.Invariant.ONE_FINAL_RESPONSE;
import static org.pushbridge.call.Invariant.ONE_INVITE;
import static org.pushbridge.call.Invariant.ONE_PUSH;
import static org.pushbridge.call.Invariant.PROMPT;
import static org.pushbridge.call.Invariant.TIMERS;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.Coverage.Situation;

/**
 * Watches one call over crashes of the bridge: what its parties got, which no crash undoes, and what the bridge knew
 * when it last wrote its journal, as only that can be asked of it afterwards. Less strict than the {@link CallChecker},
 * which watches up to the first crash. Times are virtual, in milliseconds since the call began.
 */
final class CallWitness {
    private static final int MERGED = 482;
    private static final int FLOW_FAILED = 430;
    /** What the disk may take. */
    private static final long SLACK = 2_000;

    private final CallPlan plan;
    private final Coverage coverage;
    private final Set<LegId> called = new HashSet<>();
    /** Those that ever said something of the INVITE. */
    private final Set<LegId> heard = new HashSet<>();

    private final Set<CallAction.Invite> ended = new HashSet<>();
    private final Map<ExchangeId, CallEvent> asked = new HashMap<>();
    private Optional<String> got = Optional.empty();
    private Known known = new Known();
    private long resumedAt;
    /** Whether somebody had hung up before the crash. */
    private boolean wasOver;

    /** What the bridge knows, as far as it has to. */
    static final class Known {
        private Optional<String> decided = Optional.empty();
        private Optional<LegDialog> answered = Optional.empty();
        private boolean acknowledged;
        private boolean hungUp;
        private final Map<LegId, Integer> attempts = new HashMap<>();
        /** Whether it is known what became of the push. */
        private final Map<LegId, Boolean> pushes = new HashMap<>();

        /** Those that were pushed to and have not shown up since. */
        private final Set<LegId> asleep = new HashSet<>();

        private final Set<LegId> refused = new HashSet<>();
        /** BYEs that are not over, and whether they wait for a connection. */
        private final Map<Bye, Boolean> byes = new HashMap<>();

        Known copy() {
            Known copy = new Known();
            copy.decided = decided;
            copy.answered = answered;
            copy.acknowledged = acknowledged;
            copy.hungUp = hungUp;
            copy.attempts.putAll(attempts);
            copy.pushes.putAll(pushes);
            copy.asleep.addAll(asleep);
            copy.refused.addAll(refused);
            copy.byes.putAll(byes);
            return copy;
        }
    }

    private record Bye(Side to, LegDialog dialog) {}

    CallWitness(CallPlan plan, Coverage coverage) {
        this.plan = plan;
        this.coverage = coverage;
    }

    Known known() {
        return known;
    }

    /** The bridge knows again what it knew when it wrote its journal. */
    void resumes(Known then) {
        known = then.copy();
    }

    boolean callerIsWaiting() {
        return known.decided.isEmpty();
    }

    boolean callerGotFinal() {
        return got.isPresent();
    }

    boolean callerGotAnswer() {
        return got.filter(what -> !Character.isDigit(what.charAt(0))).isPresent();
    }

    /** Whether a device was pushed to, or the bridge ever heard that it has the INVITE. */
    boolean wasCalled(LegId id) {
        return called.contains(id);
    }

    // --- one step ------------------------------------------------------------------------------------------------

    void check(long now, CallEvent event, List<CallAction> actions) {
        boolean waited = known.decided.isEmpty();
        boolean wasHungUp = known.hungUp;
        boolean comesAgain = event instanceof CallEvent.ByeReceived e && asked.containsKey(e.exchange());
        note(event);
        if (event instanceof CallEvent.Resumed e) {
            resumedAt = now;
            wasOver = known.hungUp;
            checkResumed(e, actions);
        }
        for (CallAction action : actions) {
            check(action, event);
        }
        boolean decided = known.decided.isPresent();
        if (event instanceof CallEvent.CallerCancelled) {
            require(decided, PROMPT, "the caller cancelled and waits on");
        } else if (event instanceof CallEvent.Answered e) {
            boolean dismissed = actions.contains(new CallAction.Bye(Side.LEG, e.dialog(), Optional.empty()))
                    && actions.contains(new CallAction.Acknowledge(e.dialog(), Optional.empty()));
            boolean ours = known.answered.equals(Optional.of(e.dialog()));
            require(decided, PROMPT, "answered, but the caller waits");
            require(
                    ours || dismissed || known.byes.containsKey(new Bye(Side.LEG, e.dialog())),
                    ONE_ANSWER,
                    "neither taken nor ended: ",
                    e);
            require(ours != dismissed || !waited, ONE_ANSWER, "taken and ended: ", e);
        } else if (event instanceof CallEvent.ByeReceived e) {
            checkBye(e.exchange(), wasHungUp, comesAgain, actions);
        }
    }

    private void note(CallEvent event) {
        if (event instanceof CallEvent.PushAccepted e) {
            known.pushes.replace(e.leg(), true);
        } else if (event instanceof CallEvent.PushFailed e) {
            known.pushes.replace(e.leg(), true);
        } else if (event instanceof CallEvent.AppGone e) {
            known.asleep.remove(e.leg()); // it was not pushed to after all
            if (!heard.contains(e.leg())) {
                called.remove(e.leg());
            }
            known.pushes.replace(e.leg(), true);
        } else if (event instanceof CallEvent.AppAwake e) {
            known.asleep.remove(e.leg());
            known.pushes.replace(e.leg(), true);
        } else if (event instanceof CallEvent.Alerting e) {
            known.asleep.remove(e.leg());
            known.pushes.replace(e.leg(), true);
        } else if (event instanceof CallEvent.DeviceRegistered e) {
            known.asleep.remove(e.leg());
            known.pushes.replace(e.leg(), true);
        } else if (event instanceof CallEvent.Declined e) {
            known.pushes.replace(e.leg(), true);
            if (known.decided.isEmpty() && (known.attempts.containsKey(e.leg()) || known.pushes.containsKey(e.leg()))) {
                known.refused.add(e.leg());
            }
        } else if (event instanceof CallEvent.Provisional e) {
            if (!ended.contains(new CallAction.Invite(e.dialog().leg(), e.attempt()))) {
                known.pushes.replace(e.dialog().leg(), true);
                called.add(e.dialog().leg());
                heard.add(e.dialog().leg());
            }
        } else if (event instanceof CallEvent.LegFailed e) {
            if (e.status() == MERGED) {
                heard.add(e.leg());
            }
            ended.add(new CallAction.Invite(e.leg(), e.attempt()));
            known.pushes.computeIfPresent(
                    e.leg(),
                    (leg, settled) -> settled || (e.failure() == Failure.REFUSED && e.status() != FLOW_FAILED));
        } else if (event instanceof CallEvent.Answered e) {
            heard.add(e.dialog().leg());
            known.pushes.replace(e.dialog().leg(), true);
        } else if (event instanceof CallEvent.CallerAcknowledged e) {
            known.acknowledged |= known.answered.equals(Optional.of(e.dialog()));
        } else {
            noteBye(event);
        }
    }

    private void noteBye(CallEvent event) {
        if (event instanceof CallEvent.ByeCompleted e) {
            known.byes.remove(new Bye(e.to(), e.dialog()));
        } else if (event instanceof CallEvent.ByeUndelivered e) {
            Bye bye = new Bye(e.to(), e.dialog());
            boolean crossed = asked.keySet().stream()
                    .anyMatch(id -> asked.get(id) instanceof CallEvent.ByeReceived
                            && id.from() == e.to()
                            && id.dialog().equals(e.dialog()));
            if (party(bye).isEmpty() || crossed) {
                known.byes.remove(bye);
            } else {
                known.byes.replace(bye, true);
            }
        } else if (event instanceof CallEvent.ByeReceived e) {
            asked.put(e.exchange(), e);
            known.byes.remove(new Bye(e.exchange().from(), e.exchange().dialog()), true);
        } else if (event instanceof CallEvent.TimerFired e && e.timer().kind() == Timer.Kind.HOLD) {
            known.byes
                    .entrySet()
                    .removeIf(bye -> bye.getValue()
                            && party(bye.getKey()).equals(Optional.of(e.timer().leg())));
        }
    }

    private Optional<LegId> party(Bye bye) {
        return bye.to() == Side.CALLER
                ? plan.caller()
                : Optional.of(bye.dialog().leg());
    }

    private void checkResumed(CallEvent.Resumed e, List<CallAction> actions) {
        Duration left = plan.ringLimit().minus(e.elapsed());
        boolean inTime = !left.isNegative() && !left.isZero();
        if (known.decided.isPresent() && known.answered.isEmpty()) {
            require(
                    actions.stream().anyMatch(CallAction.RespondToCaller.class::isInstance),
                    ONE_FINAL_RESPONSE,
                    "it may have been lost and is not sent again: ",
                    known.decided);
            coverage.saw(Situation.FINAL_SENT_AGAIN);
        } else if (known.answered.isPresent()) {
            require(
                    known.acknowledged || actions.contains(new CallAction.AnswerAgain(known.answered.get())),
                    ONE_FINAL_RESPONSE,
                    "it may have been lost and is not sent again: ",
                    known.answered);
            require(
                    known.hungUp
                            || runs(Timer.DURATION_LIMIT, plan.durationLimit().minus(e.elapsed()), actions),
                    TIMERS,
                    "the call may last for ever");
        } else if (inTime) {
            boolean over = actions.stream()
                    .anyMatch(a -> a instanceof CallAction.RespondToCaller response && response.status() >= 300);
            require(over || runs(Timer.RING_LIMIT, left, actions), TIMERS, "the ring limit is not what is left of it");
            known.pushes.forEach((leg, settled) -> require(
                    settled || over || known.refused.contains(leg) || actions.contains(new CallAction.Push(leg)),
                    ONE_PUSH,
                    "nobody knows whether this was pushed to: ",
                    leg));
        } else {
            require(
                    actions.stream().noneMatch(a -> a instanceof CallAction.Invite || a instanceof CallAction.Push),
                    PROMPT,
                    "the ring limit has passed, but somebody is to ring");
            require(
                    actions.stream().anyMatch(CallAction.RespondToCaller.class::isInstance),
                    PROMPT,
                    "the ring limit has passed, but the caller waits");
            coverage.saw(Situation.RING_LIMIT_PASSED_MEANWHILE);
        }
        known.byes.forEach((bye, held) -> require(
                actions.contains(new CallAction.Bye(bye.to(), bye.dialog(), Optional.empty()))
                        || party(bye)
                                .filter(p -> runs(Timer.hold(p), plan.holdLimit(), actions))
                                .isPresent(),
                HANG_UP,
                "nobody knows whether this arrived: ",
                bye));
    }

    private static boolean runs(Timer timer, Duration limit, List<CallAction> actions) {
        Duration after = limit.isNegative() ? Duration.ZERO : limit;
        return actions.stream()
                .anyMatch(a -> a instanceof CallAction.StartTimer start
                        && start.timer().equals(timer)
                        && start.after().equals(after));
    }

    private void check(CallAction action, CallEvent event) {
        boolean resuming = event instanceof CallEvent.Resumed;
        if (action instanceof CallAction.RespondToCaller a && a.status() >= 300) {
            decides(String.valueOf(a.status()), resuming);
        } else if (action instanceof CallAction.AnswerCaller a) {
            decides(a.dialog().toString(), false);
            known.answered = Optional.of(a.dialog());
        } else if (action instanceof CallAction.AnswerAgain a) {
            require(resuming && known.answered.equals(Optional.of(a.dialog())), ONE_ANSWER, "not the answer: ", a);
        } else if (action instanceof CallAction.Push a) {
            Optional<Boolean> before = Optional.ofNullable(known.pushes.get(a.leg()));
            require(known.decided.isEmpty(), ONE_PUSH, "pushed to after the end: ", a);
            require(before.isEmpty() || resuming, ONE_PUSH, "pushed twice: ", a);
            require(!before.orElse(false), ONE_PUSH, "it is known what became of its push: ", a);
            require(!known.refused.contains(a.leg()), ONE_PUSH, "it gave its answer already: ", a);
            if (before.isPresent()) {
                coverage.saw(Situation.PUSHED_ONCE_MORE);
            }
            known.pushes.put(a.leg(), false);
            known.asleep.add(a.leg());
        } else if (action instanceof CallAction.Invite a) {
            checkInvite(a, event);
        } else if (action instanceof CallAction.Cancel a) {
            int newest = known.attempts.getOrDefault(a.leg(), 0);
            require(a.attempt() <= newest, CANCELLED, "never sent: ", a);
        } else if (action instanceof CallAction.Bye a) {
            if (known.answered.equals(Optional.of(a.dialog()))) {
                known.hungUp = true;
            }
            known.byes.put(new Bye(a.to(), a.dialog()), false);
        } else if (action instanceof CallAction.Bury a) {
            require(known.decided.isPresent(), Invariant.VERDICT, "buried while the caller waits: ", a);
            boolean neverHad = known.asleep.contains(a.leg()) && !heard.contains(a.leg());
            require(!a.had() || !neverHad, Invariant.VERDICT, "it was pushed to and never had the INVITE: ", a);
        }
    }

    private void decides(String what, boolean resuming) {
        require(
                known.decided.isEmpty() || (resuming && known.decided.get().equals(what)),
                ONE_FINAL_RESPONSE,
                "after ",
                known.decided,
                " came ",
                what);
        known.decided = Optional.of(what);
    }

    private void checkInvite(CallAction.Invite a, CallEvent event) {
        int newest = known.attempts.getOrDefault(a.leg(), 0);
        require(known.decided.isEmpty(), ONE_INVITE, "invited after the end: ", a);
        require(!known.refused.contains(a.leg()), ONE_INVITE, "invited although it gave its answer: ", a);
        if (event instanceof CallEvent.Resumed e) {
            require(
                    a.attempt() == newest && e.reachable().contains(a.leg()),
                    ONE_INVITE,
                    "not the newest, or out of reach: ",
                    a);
            coverage.saw(Situation.INVITE_SENT_AGAIN);
        } else {
            require(a.attempt() == newest + 1, ONE_INVITE, "not the next attempt: ", a);
            known.pushes.replace(a.leg(), true);
        }
        ended.remove(a);
        known.attempts.put(a.leg(), a.attempt());
    }

    private void checkBye(ExchangeId id, boolean wasHungUp, boolean comesAgain, List<CallAction> actions) {
        int status = actions.stream()
                .filter(a ->
                        a instanceof CallAction.Reply reply && reply.exchange().equals(id))
                .mapToInt(a -> ((CallAction.Reply) a).status())
                .findFirst()
                .orElse(0);
        require(status != 0, EXCHANGE, "a BYE without an answer: ", id);
        if (!known.answered.equals(Optional.of(id.dialog()))) {
            return;
        }
        if (wasHungUp) {
            boolean repeated = comesAgain && wasOver;
            require(!repeated || status == 200, EXCHANGE, "it hung up and hears ", status);
            if (repeated) {
                coverage.saw(Situation.BYE_REPEATED);
            }
        } else {
            require(status == 200, HANG_UP, "it hangs up and hears ", status);
            require(
                    known.byes.containsKey(new Bye(id.from().other(), id.dialog())),
                    HANG_UP,
                    "the other side does not hear that it is over: ",
                    id);
        }
    }

    // --- what arrives --------------------------------------------------------------------------------------------

    /** An action is carried out. */
    void leaves(long now, CallAction action) {
        if (action instanceof CallAction.RespondToCaller a) {
            if (a.status() >= 300) {
                callerGets(now, String.valueOf(a.status()));
            } else {
                require(got.isEmpty(), ONE_FINAL_RESPONSE, "a final response was followed by ", a);
            }
        } else if (action instanceof CallAction.AnswerCaller a) {
            callerGets(now, a.dialog().toString());
        } else if (action instanceof CallAction.AnswerAgain a) {
            callerGets(now, a.dialog().toString());
        } else if (action instanceof CallAction.Push a) {
            called.add(a.leg());
        }
    }

    private void callerGets(long now, String what) {
        require(got.isEmpty() || got.get().equals(what), ONE_FINAL_RESPONSE, "first ", got, ", then ", what);
        require(
                got.isPresent() || now <= Math.max(plan.ringLimit().toMillis(), resumedAt) + SLACK,
                PROMPT,
                "the caller waited beyond the ring limit");
        got = Optional.of(what);
    }

    /** Nothing will happen any more. */
    void drained(Call call, boolean begun) {
        require(!begun || got.isPresent(), ONE_FINAL_RESPONSE, "the caller waits for ever");
        require(call.isFinished(), FINISH, "nothing more will happen, but the call has not finished: ", call);
    }

    private static void require(boolean condition, Invariant invariant, Object... what) {
        if (!condition) {
            throw new InvariantBroken(
                    invariant, Arrays.stream(what).map(String::valueOf).collect(Collectors.joining()));
        }
    }
}
