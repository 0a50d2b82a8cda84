package org.pushbridge.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.CallPlan.Candidate;
import org.pushbridge.call.CallPlan.Reach;

/**
 * Tells a call event by event, and what it does after each. The {@link CallChecker} watches too: a story also fails
 * where it breaks an invariant that it does not mention.
 */
final class CallStory {
    /** What a message carries in a story. */
    record Words(String words) implements Content {}

    private record Running(int generation, long due) {}

    private final CallChecker checker;
    private final Map<Timer, Running> timers = new HashMap<>();
    private Call call;
    private List<CallAction> deeds = List.of();
    private long now;
    private long cseq;
    /** What the checker knows is not what the rules know then. */
    private boolean restarted;

    private CallStory(CallPlan plan) {
        call = Call.planned(plan);
        checker = new CallChecker(plan, new Coverage());
        on(new CallEvent.Begun());
    }

    /**
     * A call that has begun: ring limit 45 s, silence limit 4 s, hold limit 30 s, 182 while parked, 603 declines for
     * all.
     */
    static CallStory to(Candidate... candidates) {
        return of(Optional.empty(), candidates);
    }

    /** The same, by a device. */
    static CallStory from(String caller, Candidate... candidates) {
        return of(Optional.of(new LegId(caller)), candidates);
    }

    private static CallStory of(Optional<LegId> caller, Candidate... candidates) {
        return new CallStory(new CallPlan(
                new CallId(new UUID(0, 1)),
                caller,
                List.of(candidates),
                Duration.ofSeconds(45),
                Duration.ofSeconds(4),
                Duration.ofHours(4),
                Duration.ofSeconds(30),
                182,
                Set.of(603)));
    }

    static Candidate asleep(String name) {
        return new Candidate(new LegId(name), Reach.ASLEEP, Pushes.USUAL);
    }

    /** Asleep, and its app wants no push while another device has the call. */
    static Candidate sparing(String name) {
        return new Candidate(new LegId(name), Reach.ASLEEP, new Pushes(true, true, false));
    }

    /** Asleep, and its app handles a VoIP push that ends a call. */
    static Candidate endable(String name) {
        return new Candidate(new LegId(name), Reach.ASLEEP, new Pushes(true, false, true));
    }

    static Candidate connected(String name) {
        return new Candidate(new LegId(name), Reach.CONNECTED, Pushes.USUAL);
    }

    static Candidate busy(String name) {
        return new Candidate(new LegId(name), Reach.BUSY, Pushes.USUAL);
    }

    /** A trunk, or a desk phone: connected, and no push wakes it. */
    static Candidate trunk(String name) {
        return new Candidate(new LegId(name), Reach.CONNECTED, Pushes.NONE);
    }

    static LegDialog dialog(String leg) {
        return dialog(leg, "a");
    }

    static LegDialog dialog(String leg, String tag) {
        return new LegDialog(new LegId(leg), tag);
    }

    static Content words(String words) {
        return new Words(words);
    }

    // --- what happens ----------------------------------------------------------------------------------------------

    CallStory on(CallEvent event) {
        Step step = CallRules.step(call, event);
        call = step.call();
        for (CallAction action : step.actions()) {
            if (action instanceof CallAction.StartTimer start) {
                timers.put(
                        start.timer(),
                        new Running(start.generation(), now + start.after().toMillis()));
            } else if (action instanceof CallAction.StopTimer stop) {
                timers.remove(stop.timer());
            }
        }
        deeds = step.actions().stream()
                .filter(a -> !(a instanceof CallAction.StartTimer) && !(a instanceof CallAction.StopTimer))
                .toList();
        if (!restarted) {
            checker.check(now, event, step.actions());
        }
        return this;
    }

    /** Time in which nothing happens. */
    CallStory after(int seconds) {
        now += seconds * 1000L;
        return this;
    }

    /** The bridge crashes and is started anew at once, and reaches these as before; a caller that is no device, too. */
    CallStory restarts(String... reachable) {
        restarted = true;
        call = call.remembered();
        timers.clear();
        Set<LegId> legs = Arrays.stream(reachable).map(LegId::new).collect(Collectors.toSet());
        boolean callerReachable = call.plan().caller().map(legs::contains).orElse(true);
        return on(new CallEvent.Resumed(Duration.ofMillis(now), legs, callerReachable));
    }

    CallStory registers(String leg) {
        LegId id = new LegId(leg);
        Pushes pushes = call.plan().candidates().stream()
                .filter(candidate -> candidate.leg().equals(id))
                .map(Candidate::pushes)
                .findFirst()
                .orElse(Pushes.USUAL);
        return on(new CallEvent.DeviceRegistered(id, pushes));
    }

    CallStory pushIsAccepted(String leg) {
        return on(new CallEvent.PushAccepted(new LegId(leg)));
    }

    CallStory asksOverHttp(String leg) {
        return on(new CallEvent.AppAwake(new LegId(leg)));
    }

    CallStory alertsOverHttp(String leg) {
        return on(new CallEvent.Alerting(new LegId(leg)));
    }

    CallStory declinesOverHttp(String leg, int status) {
        return on(new CallEvent.Declined(new LegId(leg), status));
    }

    CallStory pushFails(String leg) {
        return on(new CallEvent.PushFailed(new LegId(leg)));
    }

    CallStory appIsGone(String leg) {
        return on(new CallEvent.AppGone(new LegId(leg)));
    }

    CallStory isTrying(String leg, int attempt) {
        return on(new CallEvent.Provisional(dialog(leg, ""), attempt, 100, words("100")));
    }

    CallStory rings(String leg, int attempt) {
        return on(new CallEvent.Provisional(dialog(leg), attempt, 180, words("180")));
    }

    CallStory answers(String leg, int attempt) {
        return answers(dialog(leg), attempt);
    }

    CallStory answers(LegDialog dialog, int attempt) {
        return on(new CallEvent.Answered(dialog, attempt, 200, words("200")));
    }

    CallStory refuses(String leg, int attempt, int status) {
        return on(new CallEvent.LegFailed(
                new LegId(leg), attempt, Failure.REFUSED, status, Optional.of(words("" + status))));
    }

    CallStory timesOut(String leg, int attempt) {
        return on(new CallEvent.LegFailed(new LegId(leg), attempt, Failure.TIMEOUT, 408, Optional.empty()));
    }

    CallStory breaks(String leg, int attempt) {
        return on(new CallEvent.LegFailed(new LegId(leg), attempt, Failure.TRANSPORT, 503, Optional.empty()));
    }

    CallStory flowIsLost(String leg) {
        return on(new CallEvent.FlowLost(new LegId(leg)));
    }

    CallStory callerCancels() {
        return on(new CallEvent.CallerCancelled());
    }

    CallStory callerAcknowledges(String leg) {
        return on(new CallEvent.CallerAcknowledged(dialog(leg), words("ACK")));
    }

    CallStory asks(Side from, LegDialog dialog, String method) {
        return on(new CallEvent.RequestReceived(new ExchangeId(from, dialog, ++cseq), method, words(method)));
    }

    CallStory isTold(ExchangeId exchange, int status) {
        return on(new CallEvent.ResponseReceived(exchange, status, Optional.of(words("" + status))));
    }

    CallStory hangsUp(Side from, LegDialog dialog) {
        return on(new CallEvent.ByeReceived(new ExchangeId(from, dialog, ++cseq), words("BYE")));
    }

    CallStory byeIsAnswered(Side to, LegDialog dialog) {
        return on(new CallEvent.ByeCompleted(to, dialog));
    }

    CallStory byeDoesNotArrive(Side to, LegDialog dialog) {
        return on(new CallEvent.ByeUndelivered(to, dialog));
    }

    CallStory doesNotArrive(ExchangeId exchange) {
        return on(new CallEvent.RequestUndelivered(exchange));
    }

    CallStory holdLimitPasses(String party) {
        return runsOut(Timer.hold(new LegId(party)));
    }

    CallStory briefHoldLimitPasses(String party) {
        return runsOut(Timer.holdBriefly(new LegId(party)));
    }

    /** In milliseconds since the call began. */
    long now() {
        return now;
    }

    CallStory ringLimitPasses() {
        return runsOut(Timer.RING_LIMIT);
    }

    CallStory staysSilent(String leg) {
        return runsOut(Timer.silence(new LegId(leg)));
    }

    CallStory lingersOn() {
        return runsOut(Timer.LINGER);
    }

    CallStory durationLimitPasses() {
        return runsOut(Timer.DURATION_LIMIT);
    }

    private CallStory runsOut(Timer timer) {
        Running running = timers.remove(timer);
        if (running == null) {
            throw new AssertionError(timer + " does not run");
        }
        now = running.due();
        return on(new CallEvent.TimerFired(timer, running.generation()));
    }

    // --- what the call does ----------------------------------------------------------------------------------------

    /** All that the last event led to, in order, save timers. */
    CallStory does(CallAction... expected) {
        assertThat(deeds).containsExactly(expected);
        return this;
    }

    CallStory doesNothing() {
        return does();
    }

    /** The name of the newest request inside a dialog. */
    ExchangeId newest(Side from, LegDialog dialog) {
        return new ExchangeId(from, dialog, cseq);
    }

    static CallAction invite(String leg, int attempt) {
        return new CallAction.Invite(new LegId(leg), attempt);
    }

    static CallAction push(String leg) {
        return new CallAction.Push(new LegId(leg));
    }

    static CallAction parked() {
        return new CallAction.RespondToCaller(182, Optional.empty(), Optional.empty(), Optional.empty());
    }

    static CallAction tellsOfRinging(String leg) {
        return new CallAction.RespondToCaller(
                180, Optional.empty(), Optional.of(dialog(leg)), Optional.of(words("180")));
    }

    /** A final response of the bridge's own. */
    static CallAction refuses(int status, Verdict why) {
        return new CallAction.RespondToCaller(status, Optional.of(why), Optional.empty(), Optional.empty());
    }

    /** A final response that a device gave. */
    static CallAction passesOn(int status, Verdict why) {
        return new CallAction.RespondToCaller(
                status, Optional.of(why), Optional.empty(), Optional.of(words("" + status)));
    }

    static CallAction answersCaller(String leg) {
        return new CallAction.AnswerCaller(dialog(leg), 200, words("200"));
    }

    static CallAction cancel(String leg, int attempt, Verdict why) {
        return new CallAction.Cancel(new LegId(leg), attempt, why);
    }

    static CallAction bury(String leg, Verdict why) {
        return new CallAction.Bury(new LegId(leg), why, false);
    }

    /** For a leg that has the call by SIP. */
    static CallAction buryWhatRang(String leg, Verdict why) {
        return new CallAction.Bury(new LegId(leg), why, true);
    }

    static CallAction endByVoip(String leg, Verdict why) {
        return new CallAction.PushEnd(new LegId(leg), why, true);
    }

    static CallAction endInBackground(String leg, Verdict why) {
        return new CallAction.PushEnd(new LegId(leg), why, false);
    }

    static CallAction pushForRequest(String leg) {
        return new CallAction.PushForRequest(new LegId(leg));
    }

    static CallAction cancelAgain(String leg, int attempt, Verdict why) {
        return new CallAction.CancelAgain(new LegId(leg), attempt, why);
    }

    static CallAction answerAgain(LegDialog dialog) {
        return new CallAction.AnswerAgain(dialog);
    }

    static CallAction repeatFinal() {
        return new CallAction.RepeatFinal();
    }

    /** The bridge's own 180, because an app says that it alerts. */
    static CallAction tellsOfAlerting() {
        return new CallAction.RespondToCaller(180, Optional.empty(), Optional.empty(), Optional.empty());
    }

    static CallAction alert(String leg) {
        return new CallAction.AlertMissedCall(new LegId(leg));
    }

    /** The bridge's own ACK, which carries nothing. */
    static CallAction acknowledge(LegDialog dialog) {
        return new CallAction.Acknowledge(dialog, Optional.empty());
    }

    static CallAction passesOnAck(LegDialog dialog) {
        return new CallAction.Acknowledge(dialog, Optional.of(words("ACK")));
    }

    static CallAction bye(Side to, LegDialog dialog) {
        return new CallAction.Bye(to, dialog, Optional.empty());
    }

    static CallAction passesOnBye(Side to, LegDialog dialog) {
        return new CallAction.Bye(to, dialog, Optional.of(words("BYE")));
    }

    static CallAction forward(ExchangeId exchange, String method) {
        return new CallAction.Forward(exchange, method, words(method));
    }

    static CallAction reply(ExchangeId exchange, int status) {
        return new CallAction.Reply(exchange, status, Optional.empty());
    }

    static CallAction passesOnReply(ExchangeId exchange, int status) {
        return new CallAction.Reply(exchange, status, Optional.of(words("" + status)));
    }

    static CallAction finish(Ending.Cause cause, int status) {
        return new CallAction.Finish(new Ending(cause, status));
    }
}
