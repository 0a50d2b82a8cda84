package org.pushbridge.call;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pushbridge.call.Call.CallerAt;
import org.pushbridge.call.Call.PendingBye;
import org.pushbridge.call.Call.Phase;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.CallPlan.Reach;

/**
 * The rules: what each event does to a call. An instance lives for one step; a handler for each event, and below them
 * what they share. Not final and not private where a test plants a bug to show that the simulation finds it.
 *
 * <p>Numbers in comments are the invariants of {@link org.pushbridge.call}'s design: (1) one prompt final response,
 * (2) at most one leg answered, (3) one VoIP push a device and none after the end, (4) a verdict for each pushed
 * device, (5) one INVITE a device, (6) nothing left behind.
 */
class CallRules {
    private static final int RINGING = 180;
    private static final int TEMPORARILY_UNAVAILABLE = 480;
    private static final int DOES_NOT_EXIST = 481;
    private static final int REQUEST_TERMINATED = 487;
    private static final int REQUEST_PENDING = 491;
    private static final int SERVER_ERROR = 500;
    /** A second copy of a request the device already has (RFC 3261 section 8.2.2.2). */
    private static final int MERGED_REQUEST = 482;
    /** Flow Failed (RFC 5626 section 11.5): an edge proxy lost the device's connection. */
    private static final int FLOW_FAILED = 430;
    /** Requests other than INVITE must be answered before their sender gives up, after 64*T1 (RFC 8599 section 6.2). */
    private static final Duration LONGEST_NON_INVITE_HOLD = Duration.ofSeconds(15);

    final CallPlan plan;
    final Map<LegId, Leg> legs;
    final List<CallAction> actions = new ArrayList<>();
    Phase phase;
    private final Map<ExchangeId, Exchange> exchanges;
    final Set<PendingBye> byes;
    final Map<Timer, Integer> timers;
    Optional<LegDialog> answered;
    Optional<Ending> ending;
    Optional<Verdict> verdict;
    private boolean told;
    CallerAt callerAt;
    private int generation;

    CallRules(Call call) {
        plan = call.plan();
        phase = call.phase();
        legs = new LinkedHashMap<>(call.legs());
        exchanges = new LinkedHashMap<>(call.exchanges());
        answered = call.answered();
        byes = new HashSet<>(call.byes());
        ending = call.ending();
        verdict = call.verdict();
        told = call.told();
        callerAt = call.callerAt();
        timers = new HashMap<>(call.timers());
        generation = call.generation();
    }

    /** Applies one event. A finished call ignores all events. */
    static Step step(Call call, CallEvent event) {
        return new CallRules(call).apply(call, event);
    }

    final Step apply(Call call, CallEvent event) {
        if (call.isFinished() && !(event instanceof CallEvent.Resumed)) {
            return new Step(call, List.of());
        }
        event.applyTo(this);
        if (phase == Phase.RINGING) {
            pushToSpared();
            failIfHopeless();
        }
        if (phase == Phase.RINGING) {
            tellParked();
        }
        Call next = new Call(
                plan, phase, legs, exchanges, answered, byes, ending, verdict, told, callerAt, timers, generation);
        if (next.isFinished()) {
            actions.add(new CallAction.Finish(ending.orElseThrow()));
        }
        return new Step(next, actions);
    }

    // --- the beginning -------------------------------------------------------------------------------------------

    void onBegun() {
        if (phase != Phase.NEW) {
            return;
        }
        phase = Phase.RINGING;
        startTimer(Timer.RING_LIMIT, plan.ringLimit());
        for (CallPlan.Candidate candidate : plan.candidates()) {
            Leg leg = Leg.of(candidate.leg(), candidate.pushes());
            if (candidate.reach() == Reach.CONNECTED) {
                invite(leg);
            } else if (candidate.reach() == Reach.BUSY) {
                put(leg.failed(486, Optional.empty()).withRefused().withInformed());
            } else if (leg.pushes().sparing()) {
                put(leg.in(Leg.State.SPARED));
            } else if (leg.pushable()) {
                push(leg);
            } else {
                put(leg.failed(TEMPORARILY_UNAVAILABLE, Optional.empty()));
            }
        }
    }

    void onResumed(CallEvent.Resumed event) {
        new Resuming(this, event).resume();
    }

    // --- devices -------------------------------------------------------------------------------------------------

    void onDeviceRegistered(LegId id, Pushes pushes) {
        deliverHeld(id);
        if (plan.caller().equals(Optional.of(id))) {
            callerIsBack();
            return;
        }
        Leg leg = legs.get(id);
        if (phase != Phase.RINGING) {
            if (leg != null && leg.state() == Leg.State.CANCELLING) {
                cancelOnFreshFlow(leg);
            }
            return; // else the tombstone tells a late device its verdict (4)
        }
        if (leg == null) {
            invite(Leg.of(id, pushes)); // it came up while the call rings: it joins
            return;
        }
        leg = leg.with(pushes);
        if (leg.wasPushed()) {
            leg = leg.with(Leg.Wake.WOKEN);
            put(leg);
        }
        switch (leg.state()) {
            // A lost device that has kept the call through the loss refuses this copy as merged, and rings on.
            case SPARED, UNREACHED, LOST -> invite(leg);
            case INVITED -> {
                boolean silentForTooLong = leg.pushable() && !timers.containsKey(Timer.silence(id));
                if (silentForTooLong) {
                    invite(leg);
                } else {
                    // The INVITE may have gone out on the flow it had before. Sending another now could make it ring
                    // twice (5): wait for the first to be answered or to fail.
                    put(leg.withFreshFlow());
                }
            }
            case TRYING, RINGING -> put(leg.withFreshFlow());
            case CANCELLING, ANSWERED -> {}
            case DONE -> {
                if (leg.wasMissed()) {
                    invite(leg);
                }
            }
        }
    }

    /** Its CANCEL went to a connection that it does not use any more. */
    private void cancelOnFreshFlow(Leg leg) {
        if (leg.heardOn() != 0) {
            leg.cancelled().stream()
                    .sorted()
                    .forEach(attempt ->
                            actions.add(new CallAction.CancelAgain(leg.id(), attempt, verdict.orElseThrow())));
        } else if (leg.wantsVerdict()) {
            bury(leg); // it never had the INVITE
        }
    }

    void onPushAccepted(LegId id) {
        Leg leg = legs.get(id);
        if (leg != null && leg.wake() == Leg.Wake.PUSHED) {
            put(leg.with(Leg.Wake.ACCEPTED));
        }
    }

    void onAppAwake(LegId id) {
        Leg leg = legs.get(id);
        if (leg != null && leg.mayStillWake()) {
            put(leg.with(Leg.Wake.WOKEN));
        }
    }

    void onAlerting(LegId id) {
        onAppAwake(id);
        Leg leg = legs.get(id);
        if (phase != Phase.RINGING || leg == null || !leg.isHopeful() || leg.alerting()) {
            return;
        }
        put(leg.withAlerting());
        told = true;
        actions.add(new CallAction.RespondToCaller(RINGING, Optional.empty(), Optional.empty(), Optional.empty()));
    }

    void onDeclined(LegId id, int status) {
        onAppAwake(id);
        Leg leg = legs.get(id);
        if (phase == Phase.RINGING && leg != null && (leg.isHopeful() || leg.wasMissed())) {
            refused(leg.withInformed(), status, Optional.empty());
        }
    }

    void onPushFailed(LegId id) {
        wakeFailed(id, Leg.Wake.FAILED);
    }

    private void wakeFailed(LegId id, Leg.Wake how) {
        Leg leg = legs.get(id);
        if (phase != Phase.RINGING || leg == null || !leg.mayStillWake()) {
            return;
        }
        leg = leg.with(how);
        if (leg.state() != Leg.State.UNREACHED) {
            put(leg);
        } else if (leg.mayHaveTheInvite()) {
            put(leg.in(Leg.State.LOST));
        } else if (leg.open().isEmpty()) {
            put(leg.failed(TEMPORARILY_UNAVAILABLE, Optional.empty()));
        } else {
            put(leg.in(Leg.State.INVITED)); // an INVITE that met silence may still be answered
        }
    }

    void onAppGone(LegId id) {
        Leg leg = legs.get(id);
        if (phase == Phase.RINGING && leg != null && leg.mayStillWake() && !leg.hasTheInvite()) {
            // An INVITE that met silence went to where the app was.
            Leg gone = leg.with(Leg.Wake.GONE).failed(TEMPORARILY_UNAVAILABLE, Optional.empty());
            put(gone);
            cancelOpenAttempts(gone, Verdict.FAILED);
        } else {
            wakeFailed(id, Leg.Wake.GONE);
        }
    }

    void onFlowLost(LegId id) {
        if (plan.caller().equals(Optional.of(id)) && callerAt == CallerAt.REACHABLE) {
            callerAt = CallerAt.LOST;
        }
        Leg leg = legs.get(id);
        if (leg == null) {
            return;
        }
        boolean silent = leg.state() == Leg.State.INVITED;
        if (!silent && !leg.hasTheInvite()) {
            return;
        }
        stopTimer(Timer.silence(id));
        if (leg.freshFlow()) {
            invite(leg); // it was back before its old flow was seen to be gone
        } else if (silent && leg.pushable() && !leg.wasPushed()) {
            push(leg); // nothing can come back any more
        } else {
            put(leg.in(Leg.State.LOST));
        }
    }

    void onProvisional(LegDialog dialog, int attempt, int status, Content content) {
        Leg leg = legs.get(dialog.leg());
        if (leg == null || !leg.awaitsEndOf(attempt)) {
            return;
        }
        if (phase != Phase.RINGING || !leg.open().contains(attempt)) {
            if (!leg.wasHeard()) {
                put(leg.withHeardOn(attempt)); // it is cancelled already, but may have to be told (4)
            }
            return;
        }
        stopTimer(Timer.silence(leg.id()));
        if (status == 100) {
            if (!leg.hasTheInvite()) {
                put(leg.withHeardOn(attempt).in(Leg.State.TRYING));
            }
            return;
        }
        put(leg.withHeardOn(attempt).withAlerting().in(Leg.State.RINGING));
        told = true;
        actions.add(
                new CallAction.RespondToCaller(status, Optional.empty(), Optional.of(dialog), Optional.of(content)));
    }

    void onAnswered(LegDialog dialog, int attempt, int status, Content content) {
        Leg leg = legs.get(dialog.leg());
        if (leg == null) {
            return;
        }
        leg = leg.ended(attempt).withInformed();
        put(leg);
        if (phase != Phase.RINGING) {
            dismiss(leg, dialog);
            return;
        }
        phase = Phase.ANSWERED;
        answered = Optional.of(dialog);
        stopTimer(Timer.silence(leg.id()));
        stopTimer(Timer.RING_LIMIT);
        startTimer(Timer.DURATION_LIMIT, plan.durationLimit());
        put(leg.in(Leg.State.ANSWERED));
        actions.add(new CallAction.AnswerCaller(dialog, status, content));
        cancelOpenAttempts(leg, Verdict.ANSWERED_ELSEWHERE);
        endRinging(Verdict.ANSWERED_ELSEWHERE);
    }

    /** A 2xx that came too late: acknowledged, then ended (2). */
    void dismiss(Leg leg, LegDialog dialog) {
        if (answered.equals(Optional.of(dialog)) || byeTo(Side.LEG, dialog).isPresent()) {
            return;
        }
        if (leg.state() == Leg.State.CANCELLING && leg.awaitsNoEnd()) {
            put(leg.in(Leg.State.DONE));
        }
        actions.add(new CallAction.Acknowledge(dialog, Optional.empty()));
        bye(Side.LEG, dialog, Optional.empty());
    }

    void onLegFailed(LegId id, int attempt, Failure failure, int status, Optional<Content> content) {
        Leg leg = legs.get(id);
        if (leg == null || !leg.awaitsEndOf(attempt)) {
            return;
        }
        if (phase == Phase.RINGING && leg.cancelled().contains(attempt)) {
            put(leg.ended(attempt)); // what it says on this copy was settled when that was cancelled
            return;
        }
        boolean connectionBroke = failure == Failure.TRANSPORT || status == FLOW_FAILED;
        boolean merged = status == MERGED_REQUEST && leg.attempt() > 1;
        // It says so of a CANCEL: the INVITE was never sent, or the answer to it went to a bridge that is no more.
        boolean unknown = status == DOES_NOT_EXIST && leg.cancelled().contains(attempt);
        boolean arrived = failure == Failure.REFUSED && !connectionBroke && !merged && !unknown;
        leg = leg.ended(attempt);
        if (arrived) {
            leg = leg.withInformed();
        } else if (merged) {
            leg = leg.withHeardOnAnother();
        }
        put(leg);
        if (phase != Phase.RINGING) {
            if (leg.awaitsNoEnd()) {
                noMoreAwaited(leg);
            }
        } else if (arrived) {
            refused(leg, status, content);
        } else if (merged && (!leg.open().isEmpty() || leg.awaitsNoEnd())) {
            // It has another copy of the INVITE and rings for that one; if the bridge has given that copy up, its 2xx
            // still comes, as a stray one.
            stopTimer(Timer.silence(id));
            put(leg.in(Leg.State.RINGING));
        } else if (leg.lostTheOneItHad(attempt) && leg.open().contains(leg.attempt())) {
            awaitAnswer(leg); // it rang for an older copy; the newest has not been answered yet
        } else if (leg.dependedOn(attempt)) {
            notReached(leg, connectionBroke);
        }
    }

    /** The last INVITE of a leg that is not wanted any more has ended. */
    void noMoreAwaited(Leg leg) {
        if (leg.state() == Leg.State.CANCELLING) {
            put(leg.in(Leg.State.DONE));
        }
        if (leg.wantsVerdict()) {
            bury(leg); // the CANCEL did not arrive
        }
    }

    /** A final answer that the far side gave on purpose. */
    void refused(Leg leg, int status, Optional<Content> content) {
        stopTimer(Timer.silence(leg.id()));
        put(leg.failed(status, content).withRefused());
        // Another copy of the INVITE may still reach it: it must neither ring nor be shown as a missed call.
        cancelOpenAttempts(leg, Verdict.DECLINED_ELSEWHERE);
        if (plan.declinesAll().contains(status)) {
            endUnanswered(status, new Ending(Ending.Cause.DECLINED, status), Verdict.DECLINED_ELSEWHERE, content);
        }
    }

    /** The INVITE that mattered came to nothing: try the ways that are left. */
    private void notReached(Leg leg, boolean connectionBroke) {
        if (leg.state() == Leg.State.UNREACHED) {
            return; // pushed to already
        }
        stopTimer(Timer.silence(leg.id()));
        if (leg.freshFlow()) {
            invite(leg);
        } else if (leg.pushable() && !leg.wasPushed()) {
            push(leg);
        } else if (leg.mayStillWake() || (leg.wake() == Leg.Wake.WOKEN && connectionBroke)) {
            put(leg.in(Leg.State.UNREACHED)); // still to wake; or it woke and lost its connection, and will come again
        } else if (leg.open().isEmpty()) {
            put(leg.failed(TEMPORARILY_UNAVAILABLE, Optional.empty()));
        } else {
            put(leg.in(Leg.State.LOST)); // an older copy may still be answered; should it come back, it is invited
        }
    }

    // --- the caller ----------------------------------------------------------------------------------------------

    void onCallerCancelled() {
        if (phase == Phase.NEW || phase == Phase.RINGING) {
            endUnanswered(
                    REQUEST_TERMINATED,
                    new Ending(Ending.Cause.CALLER_GAVE_UP, REQUEST_TERMINATED),
                    Verdict.CALLER_GAVE_UP,
                    Optional.empty());
        }
    }

    private void callerIsBack() {
        if (callerAt == CallerAt.LOST_AND_ANSWERED) {
            stopTimer(Timer.hold(plan.caller().orElseThrow()));
            actions.add(new CallAction.RepeatFinal());
        }
        callerAt = CallerAt.REACHABLE;
    }

    /** The final response cannot have arrived: the caller's screen is ended as that of any lost device. */
    void callerIsLost(Verdict why) {
        LegId caller = plan.caller().orElseThrow();
        callerAt = CallerAt.LOST_AND_ANSWERED;
        startTimer(Timer.hold(caller), plan.holdLimit());
        actions.add(new CallAction.Bury(caller, why, true));
        actions.add(new CallAction.PushEnd(caller, why, false));
    }

    void onCallerAcknowledged(LegDialog dialog, Content content) {
        if (phase == Phase.ANSWERED && answered.equals(Optional.of(dialog))) {
            phase = Phase.ESTABLISHED;
            actions.add(new CallAction.Acknowledge(dialog, Optional.of(content)));
        }
    }

    void onCallerAckMissing() {
        if (phase == Phase.ANSWERED) {
            hangUp(Set.of(Side.CALLER, Side.LEG), Ending.Cause.ACK_MISSING, Optional.empty());
        }
    }

    // --- inside a dialog -----------------------------------------------------------------------------------------

    void onByeReceived(ExchangeId exchange, Content content) {
        if (phase == Phase.RINGING && exchange.from() == Side.CALLER) {
            reply(exchange, 200); // RFC 3261 section 15: a caller may end an early dialog so; it wants no other
            onCallerCancelled();
            return;
        }
        boolean hangsUp = phase != Phase.ENDED && answered.equals(Optional.of(exchange.dialog()));
        Optional<PendingBye> crossed = byeTo(exchange.from(), exchange.dialog());
        // One that was answered may not have heard that before the bridge was started anew.
        boolean ofTheCall = answered.map(exchange.dialog()::equals).orElse(exchange.from() == Side.CALLER);
        boolean repeated = timers.containsKey(Timer.LINGER) && ofTheCall;
        reply(exchange, hangsUp || crossed.isPresent() || repeated ? 200 : DOES_NOT_EXIST);
        crossed.ifPresent(bye -> {
            if (bye.state() == PendingBye.State.HELD) {
                forget(bye);
            } else {
                put(bye, PendingBye.State.CROSSED);
            }
        });
        if (hangsUp) {
            Side sender = exchange.from();
            hangUp(
                    Set.of(sender.other()),
                    sender == Side.CALLER ? Ending.Cause.CALLER_HUNG_UP : Ending.Cause.CALLEE_HUNG_UP,
                    Optional.of(content));
        }
    }

    void onByeCompleted(Side to, LegDialog dialog) {
        byeTo(to, dialog).ifPresent(this::forget);
    }

    void onByeUndelivered(Side to, LegDialog dialog) {
        Optional<PendingBye> pending = byeTo(to, dialog).filter(bye -> bye.state() != PendingBye.State.HELD);
        if (pending.isEmpty()) {
            return;
        }
        PendingBye bye = pending.get();
        Optional<LegId> party = party(to, dialog);
        if (bye.state() == PendingBye.State.OVERTAKEN) {
            sendAgain(bye);
        } else if (party.isPresent() && bye.state() != PendingBye.State.CROSSED) {
            put(bye, PendingBye.State.HELD);
            startHold(Timer.hold(party.get()), plan.holdLimit());
            actions.add(new CallAction.PushEnd(party.get(), wordFor(party.get()), false));
        } else {
            forget(bye);
        }
    }

    void onRequestUndelivered(ExchangeId id) {
        Exchange exchange = exchanges.get(id);
        Optional<LegId> party = party(id.from().other(), id.dialog());
        if (exchange == null || party.isEmpty()) {
            return;
        }
        if (exchange.state() == Exchange.State.ORPHANED) {
            exchanges.remove(id);
        } else if (exchange.state() == Exchange.State.FORWARDED) {
            exchanges.put(id, exchange.in(Exchange.State.HELD));
            if (exchange.isInvite()) {
                startHold(Timer.hold(party.get()), plan.holdLimit());
            } else {
                boolean tooLong = plan.holdLimit().compareTo(LONGEST_NON_INVITE_HOLD) > 0;
                startHold(Timer.holdBriefly(party.get()), tooLong ? LONGEST_NON_INVITE_HOLD : plan.holdLimit());
            }
            actions.add(new CallAction.PushForRequest(party.get()));
        }
    }

    /** What comes second waits no longer than what came first. */
    void startHold(Timer hold, Duration limit) {
        if (!timers.containsKey(hold)) {
            startTimer(hold, limit);
        }
    }

    /** What a device is told whose BYE did not arrive: unless it took the call, it was too late for that. */
    private Verdict wordFor(LegId party) {
        boolean tookIt = answered.map(LegDialog::leg).equals(Optional.of(party));
        return tookIt || plan.caller().equals(Optional.of(party)) ? Verdict.HUNG_UP : verdict.orElseThrow();
    }

    /** A device has a connection again: it gets what waited for that. */
    void deliverHeld(LegId party) {
        for (PendingBye bye : List.copyOf(byes)) {
            if (!party(bye.to(), bye.dialog()).equals(Optional.of(party))) {
                continue;
            }
            switch (bye.state()) {
                case HELD -> sendAgain(bye);
                case SENT -> put(bye, PendingBye.State.OVERTAKEN);
                case OVERTAKEN, CROSSED -> {}
            }
        }
        for (Exchange exchange : heldFor(party)) {
            exchanges.put(exchange.id(), exchange.in(Exchange.State.FORWARDED));
            actions.add(new CallAction.Forward(exchange.id(), exchange.method(), exchange.content()));
        }
        stopHoldIfIdle(party);
    }

    private void onHoldOver(LegId party) {
        boolean byeHeld = byes.removeIf(bye -> bye.state() == PendingBye.State.HELD
                && party(bye.to(), bye.dialog()).equals(Optional.of(party)));
        if (byeHeld) {
            actions.add(new CallAction.Bury(party, wordFor(party), true));
        }
        giveUpHeld(party, true);
        if (callerAt == CallerAt.LOST_AND_ANSWERED && plan.caller().equals(Optional.of(party))) {
            callerAt = CallerAt.LOST;
        }
    }

    void giveUpHeld(LegId party, boolean invites) {
        for (Exchange exchange : heldFor(party)) {
            if (exchange.isInvite() == invites) {
                exchanges.remove(exchange.id());
                reply(exchange.id(), TEMPORARILY_UNAVAILABLE);
            }
        }
    }

    private List<Exchange> heldFor(LegId party) {
        return exchanges.values().stream()
                .filter(e -> e.state() == Exchange.State.HELD)
                .filter(e -> party(e.id().from().other(), e.id().dialog()).equals(Optional.of(party)))
                .toList();
    }

    /** The device at one end of a dialog; empty for a caller that is none. */
    Optional<LegId> party(Side side, LegDialog dialog) {
        return side == Side.CALLER ? plan.caller() : Optional.of(dialog.leg());
    }

    private Optional<PendingBye> byeTo(Side to, LegDialog dialog) {
        return byes.stream()
                .filter(bye -> bye.to() == to && bye.dialog().equals(dialog))
                .findFirst();
    }

    private void put(PendingBye bye, PendingBye.State state) {
        byes.remove(bye);
        byes.add(new PendingBye(bye.to(), bye.dialog(), bye.content(), state));
    }

    private void sendAgain(PendingBye bye) {
        put(bye, PendingBye.State.SENT);
        actions.add(new CallAction.Bye(bye.to(), bye.dialog(), bye.content()));
    }

    private void forget(PendingBye bye) {
        byes.remove(bye);
        party(bye.to(), bye.dialog()).ifPresent(this::stopHoldIfIdle);
    }

    private void stopHoldIfIdle(LegId party) {
        boolean byeHeld = byes.stream()
                .anyMatch(bye -> bye.state() == PendingBye.State.HELD
                        && party(bye.to(), bye.dialog()).equals(Optional.of(party)));
        boolean callerHeld =
                callerAt == CallerAt.LOST_AND_ANSWERED && plan.caller().equals(Optional.of(party));
        if (!byeHeld && !callerHeld && heldFor(party).stream().noneMatch(Exchange::isInvite)) {
            stopTimer(Timer.hold(party));
        }
        if (heldFor(party).stream().allMatch(Exchange::isInvite)) {
            stopTimer(Timer.holdBriefly(party));
        }
    }

    void onRequestReceived(ExchangeId id, String method, Content content) {
        Exchange known = exchanges.get(id);
        if (known != null) {
            return; // a retransmission that slipped through
        }
        if (!isTalking(id.dialog())) {
            reply(id, DOES_NOT_EXIST);
        } else if (method.equals("INVITE") && mayNotReInvite(id)) {
            // RFC 3261 section 14.2: 491 against the other side's re-INVITE, 500 against one's own.
            boolean ownPending = exchanges.values().stream().anyMatch(e -> e.isInvite() && e.id().from() == id.from());
            reply(id, ownPending ? SERVER_ERROR : REQUEST_PENDING);
        } else {
            exchanges.put(id, new Exchange(id, method, content, Exchange.State.FORWARDED));
            actions.add(new CallAction.Forward(id, method, content));
        }
    }

    private boolean isTalking(LegDialog dialog) {
        return switch (phase) {
            case NEW, ENDED -> false;
            case ANSWERED, ESTABLISHED -> answered.equals(Optional.of(dialog));
            case RINGING -> {
                Leg leg = legs.get(dialog.leg());
                yield leg != null && leg.state() == Leg.State.RINGING;
            }
        };
    }

    boolean mayNotReInvite(ExchangeId id) {
        return phase != Phase.ESTABLISHED
                || exchanges.values().stream()
                        .anyMatch(e -> e.isInvite() && e.id().dialog().equals(id.dialog()));
    }

    void onResponseReceived(ExchangeId id, int status, Optional<Content> content) {
        Exchange exchange = exchanges.get(id);
        if (exchange == null
                || exchange.state() == Exchange.State.AWAITING_ACK
                || exchange.state() == Exchange.State.HELD) {
            return;
        }
        boolean orphaned = exchange.state() == Exchange.State.ORPHANED;
        if (status < 200) {
            if (!orphaned) {
                actions.add(new CallAction.Reply(id, status, content));
            }
            return;
        }
        boolean answeredReInvite = exchange.isInvite() && status < 300;
        if (orphaned) {
            exchanges.remove(id);
            if (answeredReInvite) {
                actions.add(new CallAction.AcknowledgeExchange(id, Optional.empty()));
            }
            return;
        }
        if (answeredReInvite) {
            exchanges.put(id, exchange.in(Exchange.State.AWAITING_ACK));
        } else {
            exchanges.remove(id);
        }
        actions.add(new CallAction.Reply(id, status, content));
    }

    void onExchangeAcknowledged(ExchangeId id, Content content) {
        Exchange exchange = exchanges.get(id);
        if (exchange != null && exchange.state() == Exchange.State.AWAITING_ACK) {
            exchanges.remove(id);
            actions.add(new CallAction.AcknowledgeExchange(id, Optional.of(content)));
        }
    }

    void onExchangeAckMissing(ExchangeId id) {
        Exchange exchange = exchanges.get(id);
        if (exchange == null || exchange.state() != Exchange.State.AWAITING_ACK) {
            return;
        }
        exchanges.remove(id);
        actions.add(new CallAction.AcknowledgeExchange(id, Optional.empty()));
        if (phase == Phase.ESTABLISHED) {
            // RFC 3261 section 13.3.1.4: no ACK for 64*T1 ends the dialog.
            hangUp(Set.of(Side.CALLER, Side.LEG), Ending.Cause.ACK_MISSING, Optional.empty());
        }
    }

    void onExchangeCancelled(ExchangeId id) {
        Exchange exchange = exchanges.get(id);
        if (exchange == null || !exchange.isInvite()) {
            return;
        }
        if (exchange.state() == Exchange.State.FORWARDED) {
            actions.add(new CallAction.CancelExchange(id));
        } else if (exchange.state() == Exchange.State.HELD) {
            exchanges.remove(id);
            reply(id, REQUEST_TERMINATED);
            party(id.from().other(), id.dialog()).ifPresent(this::stopHoldIfIdle);
        }
    }

    // --- time ----------------------------------------------------------------------------------------------------

    void onTimerFired(Timer timer, int firedGeneration) {
        Integer running = timers.get(timer);
        if (running == null || running != firedGeneration) {
            return;
        }
        timers.remove(timer);
        switch (timer.kind()) {
            case RING_LIMIT -> onRingLimit();
            case SILENCE -> onSilence(timer.leg());
            case HOLD -> onHoldOver(timer.leg());
            case HOLD_BRIEFLY -> giveUpHeld(timer.leg(), false);
            case LINGER -> {} // the call is finished, if nothing else holds it
            case DURATION_LIMIT -> {
                if (phase == Phase.ANSWERED || phase == Phase.ESTABLISHED) {
                    hangUp(Set.of(Side.CALLER, Side.LEG), Ending.Cause.DURATION_LIMIT, Optional.empty());
                }
            }
        }
    }

    void onRingLimit() {
        if (phase == Phase.RINGING) {
            endUnanswered(
                    TEMPORARILY_UNAVAILABLE,
                    new Ending(Ending.Cause.RING_LIMIT, TEMPORARILY_UNAVAILABLE),
                    Verdict.RING_LIMIT,
                    Optional.empty());
        }
    }

    /** Not even a 100 came back: the app is probably suspended behind a flow that looks alive. */
    void onSilence(LegId id) {
        Leg leg = legs.get(id);
        if (phase != Phase.RINGING || leg == null || leg.state() != Leg.State.INVITED) {
            return;
        }
        if (leg.freshFlow()) {
            invite(leg);
        } else if (leg.pushable() && !leg.wasPushed()) {
            push(leg);
        }
    }

    // --- what they share -----------------------------------------------------------------------------------------

    void invite(Leg leg) {
        Leg invited = leg.invited();
        actions.add(new CallAction.Invite(leg.id(), invited.attempt()));
        awaitAnswer(invited);
    }

    /** Its newest INVITE is under way: it gets a while to answer something. */
    void awaitAnswer(Leg leg) {
        put(leg.in(Leg.State.INVITED));
        boolean othersAreSpared = legs.values().stream().anyMatch(other -> other.state() == Leg.State.SPARED)
                || plan.candidates().stream().anyMatch(c -> c.pushes().sparing());
        if (leg.pushable() || othersAreSpared) {
            startTimer(Timer.silence(leg.id()), plan.silenceLimit());
        }
    }

    void push(Leg leg) {
        put(leg.in(Leg.State.UNREACHED).with(Leg.Wake.PUSHED));
        actions.add(new CallAction.Push(leg.id()));
    }

    /** Devices that are asleep and want to be spared are spared only while another one has the call. */
    void pushToSpared() {
        boolean somebodyHasIt = legs.values().stream()
                .anyMatch(leg -> leg.hasTheInvite()
                        || (leg.state() == Leg.State.INVITED && timers.containsKey(Timer.silence(leg.id()))));
        if (!somebodyHasIt) {
            legs.values().stream()
                    .filter(leg -> leg.state() == Leg.State.SPARED)
                    .toList()
                    .forEach(this::push);
        }
    }

    /** The caller hears once that the call waits for a phone to wake, unless it has heard better. */
    private void tellParked() {
        boolean onlyParked =
                legs.values().stream().filter(Leg::isHopeful).allMatch(l -> l.state() == Leg.State.UNREACHED)
                        && legs.values().stream().anyMatch(Leg::isHopeful);
        if (onlyParked && !told && plan.whileParked() != 100) {
            told = true;
            actions.add(new CallAction.RespondToCaller(
                    plan.whileParked(), Optional.empty(), Optional.empty(), Optional.empty()));
        }
    }

    /** Promptness (1): as soon as there is nothing left to wait for, the caller is told. */
    void failIfHopeless() {
        if (legs.values().stream().anyMatch(Leg::isHopeful)) {
            return;
        }
        Optional<Leg> best = legs.values().stream().min(CallRules::byUsefulness);
        int status = best.map(Leg::status).orElse(TEMPORARILY_UNAVAILABLE);
        // RFC 3261 section 16.7 step 6: a 503 speaks of one leg only and is not passed on.
        int told = status == 503 ? SERVER_ERROR : status;
        boolean refused = best.filter(l -> (l.attempt() > 0 || l.wasPushed()) && l.status() != TEMPORARILY_UNAVAILABLE)
                .isPresent();
        Ending.Cause cause = refused ? Ending.Cause.DECLINED : Ending.Cause.UNREACHABLE;
        endUnanswered(told, new Ending(cause, told), Verdict.FAILED, best.flatMap(Leg::failure));
    }

    /** RFC 3261 section 16.7 step 6: 6xx first, then the lowest class; a person's own word before a machine's. */
    private static int byUsefulness(Leg a, Leg b) {
        return Integer.compare(usefulness(a.status()), usefulness(b.status()));
    }

    private static int usefulness(int status) {
        if (status >= 600) {
            return 0;
        }
        if (status == 486) {
            return 1;
        }
        return status == TEMPORARILY_UNAVAILABLE ? 4999 : status * 10;
    }

    void endUnanswered(int status, Ending how, Verdict why, Optional<Content> content) {
        phase = Phase.ENDED;
        ending = Optional.of(how);
        stopTimer(Timer.RING_LIMIT);
        actions.add(new CallAction.RespondToCaller(status, Optional.of(why), Optional.empty(), content));
        endRinging(why);
        orphanExchanges(REQUEST_TERMINATED);
        if (callerAt == CallerAt.LOST && why != Verdict.CALLER_GAVE_UP) {
            callerIsLost(why);
        }
    }

    /** Every leg that did not take the call learns of its end: by CANCEL where it has the INVITE, else by tombstone. */
    void endRinging(Verdict why) {
        verdict = Optional.of(why);
        for (Leg leg : List.copyOf(legs.values())) {
            stopTimer(Timer.silence(leg.id()));
            if (why.isMissedCall() && leg.pushable() && (leg.isHopeful() || leg.wasMissed())) {
                actions.add(new CallAction.AlertMissedCall(leg.id()));
            }
            switch (leg.state()) {
                case SPARED -> put(leg.in(Leg.State.DONE).withInformed());
                case UNREACHED, LOST -> {
                    cancel(leg.wantsVerdict() ? bury(leg) : leg, why);
                    pushEnd(leg, why);
                }
                case INVITED, TRYING, RINGING -> {
                    boolean ringsForAnOldCopy = leg.awaitsNoEnd() && leg.wantsVerdict(); // which cannot be cancelled
                    cancel(ringsForAnOldCopy ? bury(leg) : leg, why);
                }
                case DONE -> {
                    if (leg.wantsVerdict()) {
                        bury(leg); // pushed to in vain, as far as we know: the push may still be delivered
                    }
                }
                case CANCELLING, ANSWERED -> {}
            }
        }
    }

    /** It has the call on its screen, or may have, and no connection. */
    void pushEnd(Leg leg, Verdict why) {
        if (leg.pushes().end() && leg.hadThePush()) {
            actions.add(new CallAction.PushEnd(leg.id(), why, true));
        } else if (leg.state() == Leg.State.LOST && leg.pushable() && why != Verdict.RING_LIMIT) {
            actions.add(new CallAction.PushEnd(leg.id(), why, false));
        }
    }

    void cancel(Leg leg, Verdict why) {
        put(leg.in(leg.awaitsNoEnd() ? Leg.State.DONE : Leg.State.CANCELLING));
        cancelOpenAttempts(leg, why);
    }

    void cancelOpenAttempts(Leg leg, Verdict why) {
        leg.open().stream().sorted().forEach(attempt -> actions.add(new CallAction.Cancel(leg.id(), attempt, why)));
        legs.computeIfPresent(leg.id(), (id, current) -> current.withAllCancelled());
    }

    Leg bury(Leg leg) {
        Leg buried = leg.withInformed();
        put(buried);
        actions.add(new CallAction.Bury(leg.id(), verdict.orElseThrow(), leg.had()));
        return buried;
    }

    void hangUp(Set<Side> toTell, Ending.Cause cause, Optional<Content> content) {
        LegDialog dialog = answered.orElseThrow();
        if (phase == Phase.ANSWERED) {
            // The leg's 2xx must be acknowledged, whether the caller's ACK came or not.
            actions.add(new CallAction.Acknowledge(dialog, Optional.empty()));
        }
        phase = Phase.ENDED;
        ending = Optional.of(new Ending(cause, 200));
        stopTimer(Timer.DURATION_LIMIT);
        for (Side side : List.of(Side.CALLER, Side.LEG)) {
            if (toTell.contains(side)) {
                bye(side, dialog, content);
            }
        }
        orphanExchanges(REQUEST_TERMINATED);
    }

    void bye(Side to, LegDialog dialog, Optional<Content> content) {
        byes.add(new PendingBye(to, dialog, content, PendingBye.State.SENT));
        actions.add(new CallAction.Bye(to, dialog, content));
    }

    /** The call is over: whoever still waits for an answer inside a dialog gets one. */
    void orphanExchanges(int status) {
        for (Exchange exchange : List.copyOf(exchanges.values())) {
            ExchangeId id = exchange.id();
            switch (exchange.state()) {
                case FORWARDED -> {
                    exchanges.put(id, exchange.in(Exchange.State.ORPHANED));
                    reply(id, status);
                }
                case HELD -> {
                    exchanges.remove(id);
                    reply(id, status);
                    party(id.from().other(), id.dialog()).ifPresent(this::stopHoldIfIdle);
                }
                case AWAITING_ACK -> {
                    exchanges.remove(id);
                    actions.add(new CallAction.AcknowledgeExchange(id, Optional.empty()));
                }
                case ORPHANED -> {}
            }
        }
    }

    private void reply(ExchangeId exchange, int status) {
        actions.add(new CallAction.Reply(exchange, status, Optional.empty()));
    }

    void put(Leg leg) {
        legs.put(leg.id(), leg);
    }

    void startTimer(Timer timer, Duration after) {
        timers.put(timer, ++generation);
        actions.add(new CallAction.StartTimer(timer, generation, after));
    }

    void stopTimer(Timer timer) {
        if (timers.remove(timer) != null) {
            actions.add(new CallAction.StopTimer(timer));
        }
    }
}
