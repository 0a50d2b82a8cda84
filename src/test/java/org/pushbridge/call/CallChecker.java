package org.pushbridge.call;

import static org.pushbridge.call.Invariant.ALERT;
import static org.pushbridge.call.Invariant.CANCELLED;
import static org.pushbridge.call.Invariant.END_PUSH;
import static org.pushbridge.call.Invariant.EXCHANGE;
import static org.pushbridge.call.Invariant.FINISH;
import static org.pushbridge.call.Invariant.HANG_UP;
import static org.pushbridge.call.Invariant.HELD;
import static org.pushbridge.call.Invariant.ONE_ANSWER;
import static org.pushbridge.call.Invariant.ONE_FINAL_RESPONSE;
import static org.pushbridge.call.Invariant.ONE_INVITE;
import static org.pushbridge.call.Invariant.ONE_PUSH;
import static org.pushbridge.call.Invariant.PROMPT;
import static org.pushbridge.call.Invariant.SPARED;
import static org.pushbridge.call.Invariant.TIMERS;
import static org.pushbridge.call.Invariant.VERDICT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.CallPlan.Candidate;
import org.pushbridge.call.CallPlan.Reach;
import org.pushbridge.call.Coverage.Situation;
import org.pushbridge.call.LegView.Attempt;

/**
 * Watches one call from outside: knows the plan, the events that went in and the actions that came out, and from these
 * alone, never from the rules' own state, what had to happen. Times are virtual, in milliseconds since the call began.
 */
final class CallChecker {
    private static final int MERGED = 482;
    private static final int FLOW_FAILED = 430;
    private static final int UNREACHED = 480;
    private static final long LONGEST_HOLD_OF_OTHERS = 15_000;

    private final CallPlan plan;
    private final Coverage coverage;
    private final Map<LegId, LegView> legs = new LinkedHashMap<>();
    private final Map<LegDialog, Confirmed> confirmed = new LinkedHashMap<>();
    private final Map<ExchangeId, ExchangeView> exchanges = new LinkedHashMap<>();
    private final Map<Timer, Integer> timers = new HashMap<>();
    private long now;
    private boolean begun;
    private boolean callerWaits;
    private boolean callerHeardOfParking;
    private boolean callerHeard;
    private Optional<LegDialog> answered = Optional.empty();
    private long answeredAt;
    private boolean callerAcknowledged;
    private boolean hungUp;
    private boolean finished;
    private Optional<Verdict> verdict = Optional.empty();
    private boolean callerLost;
    /** Since when the caller's final response waits for the caller's return. */
    private Optional<Long> callerHeldSince = Optional.empty();

    // What the event of this step asks for.
    private Optional<Verdict> endDue = Optional.empty();
    private int statusDue;
    private int finalStatus;
    private Set<Side> byesDue = EnumSet.noneOf(Side.class);
    private boolean hangUpDue;
    private boolean nothingDue;
    private Optional<LegDialog> dismissalDue = Optional.empty();
    private Optional<CallEvent.Provisional> provisionalDue = Optional.empty();
    private Optional<ExchangeId> requestDue = Optional.empty();
    private Optional<Integer> replyDue = Optional.empty();
    private boolean forwardDue;
    private Optional<LegId> inviteDue = Optional.empty();
    private boolean exchangeAckDue;
    private Optional<LegId> goneDue = Optional.empty();
    private Optional<LegId> alertingDue = Optional.empty();
    private boolean alertingMay;
    private boolean repeatFinalDue;
    private Optional<LegId> callerBuryDue = Optional.empty();
    private final Set<LegId> holdOverBuryDue = new HashSet<>();
    private final Set<ExchangeId> holdOverReplyDue = new HashSet<>();
    private final Set<HeldBye> byesAgainDue = new HashSet<>();
    private final Set<ExchangeId> forwardsAgainDue = new HashSet<>();
    private Optional<LegId> pushForRequestDue = Optional.empty();
    private final Map<LegId, Hint> pushEndDue = new HashMap<>();
    private final Map<LegId, Set<Hint>> pushEndAllowed = new HashMap<>();
    private final Set<AttemptId> cancelAgainDue = new HashSet<>();
    private Optional<LegId> lateBuryDue = Optional.empty();

    /** How a device may be told by a push that the call is over. */
    private record Hint(Verdict verdict, boolean voip) {}

    private record HeldBye(Side to, LegDialog dialog) {}

    private record AttemptId(LegId leg, int attempt) {}

    /** A dialog whose 2xx came. */
    private static final class Confirmed {
        int acks;
        final Set<Side> byeSent = EnumSet.noneOf(Side.class);
        final Set<Side> byePending = EnumSet.noneOf(Side.class);
        final Set<Side> byeReceived = EnumSet.noneOf(Side.class);
        /** Those that have registered since their BYE was sent. */
        final Set<Side> byeOvertaken = EnumSet.noneOf(Side.class);

        final Map<Side, Long> byeHeldSince = new HashMap<>();
    }

    private static final class ExchangeView {
        final String method;
        boolean forwarded;
        boolean owed;
        boolean replied;
        boolean awaitingAck;
        int acksDue;
        int acks;
        Optional<Long> heldSince = Optional.empty();

        ExchangeView(String method) {
            this.method = method;
        }

        boolean isOpenInvite() {
            return method.equals("INVITE") && forwarded && (owed || awaitingAck);
        }
    }

    CallChecker(CallPlan plan, Coverage coverage) {
        this.plan = plan;
        this.coverage = coverage;
    }

    /** One step of the rules: what went in and what came out. */
    void check(long time, CallEvent event, List<CallAction> actions) {
        now = time;
        boolean waited = callerWaits;
        boolean wasFinished = finished;
        clearDues();
        note(event);
        for (CallAction action : actions) {
            require(!finished, FINISH, "after Finish came ", action);
            require(!wasFinished, FINISH, "a finished call did ", action);
            require(!nothingDue, TIMERS, "a stale timer led to ", action);
            check(action, event);
        }
        if (wasFinished) {
            coverage.saw(Situation.EVENT_AFTER_FINISH);
            return;
        }
        checkCaller(waited || event instanceof CallEvent.Begun);
        checkLegs();
        checkSpared();
        checkHeld();
        checkDialogs();
        checkExchanges();
        checkTimers();
        boolean over = begun && !callerWaits && (answered.isEmpty() || hungUp);
        boolean owed = somethingIsOwed();
        if (finished && (!over || owed)) {
            throw new InvariantBroken(FINISH, "finished though something is owed: " + owedThings());
        }
        require(finished || !over || owed, FINISH, "nothing is owed, but the call does not finish");
    }

    /** Nothing will happen any more. */
    void drained() {
        if (!finished) {
            throw new InvariantBroken(
                    FINISH, "nothing more will happen, but the call has not finished; owed: " + owedThings());
        }
    }

    boolean callerIsWaiting() {
        return callerWaits;
    }

    /** Whether a device was called so that it has to hear the end: pushed to, or known to have the INVITE. */
    boolean wasCalled(LegId id) {
        LegView leg = legs.get(id);
        return leg != null && leg.wasCalled();
    }

    /** What the app of a device is told over HTTP. */
    void asked(LegId id, Optional<Verdict> end) {
        boolean over = !callerWaits && (answered.isEmpty() || hungUp);
        boolean inIt = answered.isPresent()
                && (plan.caller().equals(Optional.of(id))
                        || answered.get().leg().equals(id));
        Optional<Verdict> right;
        LegView leg = legs.get(id);
        if (leg != null && leg.refused) {
            right = Optional.of(Verdict.DECLINED_HERE);
        } else if (callerWaits) {
            right = Optional.empty();
        } else if (inIt) {
            right = over ? Optional.of(Verdict.HUNG_UP) : Optional.empty();
        } else {
            right = verdict;
        }
        require(end.equals(right), VERDICT, id, " asks over HTTP and hears ", end, " where ", right, " is right");
    }

    // --- what goes in --------------------------------------------------------------------------------------------

    private void clearDues() {
        endDue = Optional.empty();
        byesDue = EnumSet.noneOf(Side.class);
        hangUpDue = false;
        nothingDue = false;
        dismissalDue = Optional.empty();
        provisionalDue = Optional.empty();
        requestDue = Optional.empty();
        replyDue = Optional.empty();
        forwardDue = false;
        inviteDue = Optional.empty();
        exchangeAckDue = false;
        goneDue = Optional.empty();
        alertingDue = Optional.empty();
        alertingMay = false;
        repeatFinalDue = false;
        callerBuryDue = Optional.empty();
        holdOverBuryDue.clear();
        holdOverReplyDue.clear();
        byesAgainDue.clear();
        forwardsAgainDue.clear();
        pushForRequestDue = Optional.empty();
        pushEndDue.clear();
        pushEndAllowed.clear();
        cancelAgainDue.clear();
        lateBuryDue = Optional.empty();
    }

    private void note(CallEvent event) {
        if (finished) {
            return;
        }
        if (event instanceof CallEvent.Begun) {
            noteBegun();
        } else if (event instanceof CallEvent.DeviceRegistered e) {
            noteRegistered(e);
        } else if (event instanceof CallEvent.PushFailed e) {
            LegView leg = leg(e.leg());
            leg.pushFailed |= !leg.asked;
            if (callerWaits && leg.pushFailed && !leg.registeredSincePush) {
                coverage.saw(Situation.PUSH_FAILED_WHILE_ASLEEP);
            }
        } else if (event instanceof CallEvent.AppGone e) {
            LegView leg = leg(e.leg());
            if (callerWaits && leg.isAsleep() && !leg.ringsForAnOldCopy() && !leg.any(Attempt::mayBeWithTheDevice)) {
                goneDue = Optional.of(e.leg());
                coverage.saw(Situation.APP_GONE);
            }
            leg.gone |= callerWaits && leg.isAsleep();
            leg.pushFailed |= !leg.asked;
        } else if (event instanceof CallEvent.PushAccepted e) {
            leg(e.leg()).pushAccepted = true;
            coverage.saw(Situation.PUSH_ACCEPTED);
        } else if (event instanceof CallEvent.AppAwake e) {
            noteAwake(e.leg());
        } else if (event instanceof CallEvent.Alerting e) {
            noteAwake(e.leg());
            noteAlerting(e.leg());
        } else if (event instanceof CallEvent.Declined e) {
            noteAwake(e.leg());
            noteDeclined(e);
        } else if (event instanceof CallEvent.Provisional e) {
            noteProvisional(e);
        } else if (event instanceof CallEvent.Answered e) {
            noteAnswered(e);
        } else if (event instanceof CallEvent.LegFailed e) {
            noteFailed(e);
        } else if (event instanceof CallEvent.FlowLost e) {
            noteFlowLost(e);
        } else if (event instanceof CallEvent.CallerCancelled) {
            if (callerWaits) {
                end(Verdict.CALLER_GAVE_UP, 487);
                coverage.saw(Situation.CANCELLED);
            } else if (answered.isPresent()) {
                coverage.saw(Situation.CANCEL_CROSSED_ANSWER);
            }
        } else if (event instanceof CallEvent.CallerAcknowledged e) {
            if (answered.equals(Optional.of(e.dialog())) && !hungUp) {
                callerAcknowledged = true;
            }
        } else if (event instanceof CallEvent.CallerAckMissing) {
            if (answered.isPresent() && !callerAcknowledged && !hungUp) {
                hangUp(EnumSet.allOf(Side.class));
                coverage.saw(Situation.ACK_MISSING);
            }
        } else if (event instanceof CallEvent.TimerFired e) {
            noteTimer(e);
        } else {
            noteInDialog(event);
        }
    }

    private void noteBegun() {
        begun = true;
        callerWaits = true;
        for (Candidate candidate : plan.candidates()) {
            LegView leg = new LegView(candidate.leg(), candidate.pushes());
            legs.put(candidate.leg(), leg);
            leg.spared = candidate.reach() == Reach.ASLEEP && candidate.pushes().sparing();
            if (candidate.reach() == Reach.BUSY) {
                leg.refused = true;
                leg.refusedStatus = 486;
                leg.told = true;
            } else if (candidate.reach() == Reach.CONNECTED) {
                leg.registeredSinceInvite = true;
            }
        }
    }

    private void noteAwake(LegId id) {
        LegView leg = legs.get(id);
        if (leg != null && leg.isAsleep()) {
            leg.asked = true;
            coverage.saw(Situation.AWAKE_OVER_HTTP);
        }
    }

    private void noteAlerting(LegId id) {
        LegView leg = legs.get(id);
        if (!callerWaits || leg == null || leg.refused || leg.alerting) {
            return;
        }
        alertingMay = true;
        boolean rang = leg.any(a -> a.rung);
        if (leg.isHopeful() && !rang) {
            alertingDue = Optional.of(id);
            coverage.saw(Situation.ALERTING_OVER_HTTP);
        }
        leg.alerting |= leg.isHopeful();
    }

    private void noteDeclined(CallEvent.Declined e) {
        LegView leg = legs.get(e.leg());
        if (!callerWaits || leg == null || leg.refused) {
            return;
        }
        coverage.saw(leg.attempts.isEmpty() ? Situation.DECLINED_BEFORE_INVITE : Situation.DECLINED_OVER_HTTP);
        leg.refused = true;
        leg.refusedStatus = e.status();
        leg.told = true;
        leg.spared = false;
        if (plan.declinesAll().contains(e.status())) {
            end(Verdict.DECLINED_ELSEWHERE, e.status());
        }
    }

    private void noteRegistered(CallEvent.DeviceRegistered e) {
        noteWhatWaitedFor(e.leg());
        if (plan.caller().equals(Optional.of(e.leg()))) {
            callerLost = false;
            repeatFinalDue = callerHeldSince.isPresent();
            callerHeldSince = Optional.empty();
            return;
        }
        if (!callerWaits) {
            LegView leg = legs.get(e.leg());
            if (leg != null) {
                noteRegisteredLate(leg);
                coverage.saw(Situation.REGISTERED_AFTER_THE_END);
                require(
                        !leg.needsVerdict() || leg.awaitsAnEnd(),
                        VERDICT,
                        "a late ",
                        e.leg(),
                        " found no tombstone and has no INVITE under way");
            }
            return;
        }
        boolean known = legs.containsKey(e.leg());
        if (!known) {
            legs.put(e.leg(), new LegView(e.leg(), e.pushes()));
            coverage.saw(Situation.JOINED_LATE);
        }
        LegView leg = leg(e.leg());
        if (now >= plan.ringLimit().toMillis()) {
            coverage.saw(Situation.REGISTERED_AT_RING_LIMIT);
        }
        if (leg.isAsleep()) {
            coverage.saw(Situation.WOKEN_AND_INVITED);
        }
        if (leg.any(a -> a.isOpen() && a.flowLost)) {
            coverage.saw(Situation.CAME_BACK_AFTER_FLOW_LOST);
        }
        leg.registeredSincePush = true;
        leg.gone = false; // it has the app again
        leg.registeredSinceInvite = true;
        if (leg.refused) {
            return;
        }
        boolean anyMayWork = leg.ringsForAnOldCopy()
                || leg.any(a -> a.isOpen() && !a.flowLost && (a.responded || !silentTooLong(leg, a)));
        if (leg.spared) {
            coverage.saw(Situation.SPARED_AND_INVITED);
        }
        if (anyMayWork) {
            coverage.saw(Situation.REGISTERED_WHILE_INVITED);
        } else {
            inviteDue = Optional.of(e.leg());
        }
    }

    /** The call has ended, and its CANCEL may have gone to a connection of old. */
    private void noteRegisteredLate(LegView leg) {
        boolean waits = !leg.told && !answered.map(LegDialog::leg).equals(Optional.of(leg.id));
        for (Map.Entry<Integer, Attempt> entry : leg.attempts.entrySet()) {
            if (waits && !entry.getValue().ended && entry.getValue().cancelledAtTheEnd) {
                if (leg.rang) {
                    cancelAgainDue.add(new AttemptId(leg.id, entry.getKey()));
                } else if (leg.pushed && !leg.buried) {
                    lateBuryDue = Optional.of(leg.id);
                }
            }
        }
    }

    /** A device has a connection again. */
    private void noteWhatWaitedFor(LegId party) {
        confirmed.forEach((dialog, state) -> {
            for (Side to : state.byePending) {
                if (!party(to, dialog).equals(Optional.of(party)) || state.byeReceived.contains(to)) {
                    continue;
                }
                if (state.byeHeldSince.containsKey(to)) {
                    byesAgainDue.add(new HeldBye(to, dialog));
                    coverage.saw(Situation.BYE_DELIVERED_LATE);
                } else {
                    state.byeOvertaken.add(to);
                }
            }
        });
        exchanges.forEach((id, exchange) -> {
            if (exchange.heldSince.isPresent()
                    && party(id.from().other(), id.dialog()).equals(Optional.of(party))) {
                forwardsAgainDue.add(id);
                coverage.saw(Situation.REQUEST_DELIVERED_LATE);
            }
        });
    }

    /** The device at one end of a dialog; empty for a caller that is none. */
    private Optional<LegId> party(Side side, LegDialog dialog) {
        return side == Side.CALLER ? plan.caller() : Optional.of(dialog.leg());
    }

    private boolean silentTooLong(LegView leg, Attempt attempt) {
        return leg.pushable
                && !attempt.responded
                && now > attempt.silentSince + plan.silenceLimit().toMillis();
    }

    private void noteProvisional(CallEvent.Provisional e) {
        LegView leg = leg(e.dialog().leg());
        Attempt attempt = attempt(leg, e.attempt());
        if (attempt.ended) {
            return;
        }
        leg.rang = true;
        if (attempt.cancelled) {
            return;
        }
        boolean trying = e.status() == 100;
        if (trying) {
            coverage.saw(Situation.TRYING);
            if (leg.any(Attempt::mayBeWithTheDevice)) {
                return;
            }
        }
        attempt.rung |= !trying;
        leg.lastRang = e.attempt();
        leg.someCopy = false;
        leg.lost = false;
        attempt.responded = true;
        // Should it not know the copies for what they are, the last that it rang for counts.
        leg.attempts.values().forEach(a -> a.flowLost |= a.responded);
        attempt.flowLost = false;
        if (callerWaits && !leg.refused && !trying) {
            provisionalDue = Optional.of(e);
        }
    }

    private void noteAnswered(CallEvent.Answered e) {
        LegView leg = leg(e.dialog().leg());
        Attempt attempt = attempt(leg, e.attempt());
        if (attempt.ended && confirmed.keySet().stream().noneMatch(d -> d.leg().equals(leg.id))) {
            coverage.saw(Situation.ANSWER_ON_AN_ENDED_ATTEMPT);
        }
        attempt.ended = true;
        attempt.responded = true;
        leg.told = true;
        confirmed.put(e.dialog(), new Confirmed());
        if (callerWaits) {
            endDue = Optional.of(Verdict.ANSWERED_ELSEWHERE);
            statusDue = e.status();
        } else {
            dismissalDue = Optional.of(e.dialog());
            coverage.saw(
                    answered.map(LegDialog::leg).equals(Optional.of(leg.id))
                            ? Situation.SECOND_2XX_OF_A_FORK
                            : Situation.LATE_2XX_DISMISSED);
        }
    }

    private void noteFailed(CallEvent.LegFailed e) {
        LegView leg = leg(e.leg());
        Attempt attempt = attempt(leg, e.attempt());
        require(!attempt.ended, EXCHANGE, "the simulation itself ended an INVITE twice: ", e);
        Attempt newest = attempt(leg, leg.attempts.size());
        if (attempt.mayBeWithTheDevice() && attempt != newest && !leg.someCopy) {
            newest.silentSince = now; // it rang for an older copy: only now is the newest waited for
            newest.responded = false;
            newest.flowLost = false;
        }
        attempt.ended = true;
        leg.lost = false;
        boolean merged = e.failure() == Failure.REFUSED && e.status() == MERGED && leg.attempts.size() > 1;
        boolean broke = e.failure() == Failure.TRANSPORT || e.status() == FLOW_FAILED;
        leg.anyBroke |= broke;
        if (e.attempt() == leg.attempts.size()) {
            leg.newestBroke = broke;
        }
        if (merged) {
            // It refuses this copy because it has another: the one that it rang for, else nobody can know which.
            Attempt last = leg.attempts.get(leg.lastRang);
            if (callerWaits && attempt.cancelled) {
                return;
            }
            leg.rang = true;
            leg.keepsACopy = callerWaits && !leg.refused && !leg.awaitsAnEnd();
            if (leg.keepsACopy) {
                leg.flowOfCopyLost = false;
                coverage.saw(Situation.RINGS_FOR_AN_OLD_COPY);
            }
            leg.someCopy = last == null || !last.isOpen();
            leg.attempts.values().stream()
                    .filter(a -> leg.someCopy || a == last)
                    .forEach(a -> {
                        a.responded = true;
                        a.flowLost = false;
                    });
            coverage.saw(Situation.MERGED);
        } else if (e.failure() == Failure.REFUSED && !broke) {
            if (callerWaits && attempt.cancelled) {
                return; // this copy was given up before
            }
            attempt.responded = true;
            if (callerWaits && !leg.refused) {
                leg.refusedStatus = e.status();
                leg.refused = true;
                if (plan.declinesAll().contains(e.status())) {
                    end(Verdict.DECLINED_ELSEWHERE, e.status());
                    coverage.saw(Situation.DECLINED_FOR_ALL);
                }
            }
            leg.told = true;
        } else if (attempt.cancelled) {
            coverage.saw(Situation.CANCEL_UNDELIVERED);
        }
    }

    private void noteFlowLost(CallEvent.FlowLost e) {
        if (plan.caller().equals(Optional.of(e.leg()))) {
            callerLost = true;
            return;
        }
        LegView leg = legs.get(e.leg());
        if (leg == null) {
            return;
        }
        Attempt newest = leg.attempts.get(leg.attempts.size());
        if (leg.ringsForAnOldCopy() || leg.any(Attempt::mayBeWithTheDevice)) {
            leg.attempts.values().forEach(a -> a.flowLost = a.everLost = true);
            leg.flowOfCopyLost = true;
            if (callerWaits) {
                leg.lost = !leg.registeredSinceInvite;
                coverage.saw(Situation.FLOW_LOST_WHILE_RINGING);
            }
        } else if (!leg.lost && newest != null && newest.isOpen() && !newest.responded) {
            newest.flowLost = true;
            newest.lostInSilence = true; // nothing can come back any more
            if (callerWaits && leg.pushable && !leg.pushed) {
                coverage.saw(Situation.PUSHED_AS_THE_FLOW_WAS_LOST);
            }
        }
    }

    private void noteTimer(CallEvent.TimerFired e) {
        Integer running = timers.get(e.timer());
        if (running == null || running != e.generation()) {
            nothingDue = true;
            coverage.saw(Situation.STALE_TIMER);
            return;
        }
        timers.remove(e.timer());
        if (e.timer().kind() == Timer.Kind.RING_LIMIT) {
            if (callerWaits) {
                end(Verdict.RING_LIMIT, 480);
                coverage.saw(Situation.RING_LIMIT);
            }
        } else if (e.timer().kind() == Timer.Kind.HOLD || e.timer().kind() == Timer.Kind.HOLD_BRIEFLY) {
            noteHoldOver(e.timer());
        } else if (e.timer().kind() == Timer.Kind.DURATION_LIMIT) {
            if (answered.isPresent() && !hungUp) {
                hangUp(EnumSet.allOf(Side.class));
                coverage.saw(Situation.DURATION_LIMIT);
            }
        }
    }

    private void noteHoldOver(Timer timer) {
        boolean brief = timer.kind() == Timer.Kind.HOLD_BRIEFLY;
        LegId party = timer.leg();
        exchanges.forEach((id, exchange) -> {
            if (exchange.heldSince.isPresent()
                    && exchange.method.equals("INVITE") != brief
                    && party(id.from().other(), id.dialog()).equals(Optional.of(party))) {
                holdOverReplyDue.add(id);
                coverage.saw(Situation.REQUEST_HELD_IN_VAIN);
            }
        });
        if (brief) {
            return;
        }
        confirmed.forEach((dialog, state) -> {
            for (Side to : List.copyOf(state.byeHeldSince.keySet())) {
                if (party(to, dialog).equals(Optional.of(party))) {
                    state.byeHeldSince.remove(to);
                    state.byePending.remove(to);
                    holdOverBuryDue.add(party);
                    coverage.saw(Situation.BYE_BURIED);
                }
            }
        });
        if (plan.caller().equals(Optional.of(party))) {
            callerHeldSince = Optional.empty();
        }
    }

    private void noteByeUndelivered(CallEvent.ByeUndelivered e) {
        Confirmed dialog = confirmed(e.dialog());
        if (!dialog.byePending.contains(e.to())) {
            return;
        }
        Optional<LegId> party = party(e.to(), e.dialog());
        if (dialog.byeReceived.contains(e.to()) || party.isEmpty()) {
            dialog.byePending.remove(e.to()); // it has hung up itself: nothing has to reach it
        } else if (dialog.byeOvertaken.contains(e.to())) {
            byesAgainDue.add(new HeldBye(e.to(), e.dialog()));
        } else {
            dialog.byeHeldSince.put(e.to(), now);
            pushEndDue.put(party.get(), new Hint(wordFor(party.get()), false));
            coverage.saw(Situation.BYE_HELD);
        }
    }

    /** What a device is told of a dialog that is over. */
    private Verdict wordFor(LegId party) {
        boolean wasInIt = plan.caller().equals(Optional.of(party))
                || answered.map(LegDialog::leg).equals(Optional.of(party));
        return wasInIt ? Verdict.HUNG_UP : verdict.orElseThrow();
    }

    private void noteRequestUndelivered(ExchangeId id) {
        ExchangeView exchange = exchange(id);
        if (exchange.replied) {
            exchange.owed = false;
        } else if (exchange.owed) {
            exchange.heldSince = Optional.of(now);
            pushForRequestDue = party(id.from().other(), id.dialog());
            coverage.saw(Situation.REQUEST_HELD);
        }
    }

    private void noteInDialog(CallEvent event) {
        if (event instanceof CallEvent.ByeReceived e) {
            noteBye(e.exchange());
        } else if (event instanceof CallEvent.ByeCompleted e) {
            confirmed(e.dialog()).byePending.remove(e.to());
        } else if (event instanceof CallEvent.ByeUndelivered e) {
            noteByeUndelivered(e);
        } else if (event instanceof CallEvent.RequestUndelivered e) {
            noteRequestUndelivered(e.exchange());
        } else if (event instanceof CallEvent.RequestReceived e) {
            noteRequest(e);
        } else if (event instanceof CallEvent.ResponseReceived e) {
            ExchangeView exchange = exchange(e.exchange());
            if (!exchange.owed || e.status() < 200) {
                return;
            }
            exchange.owed = false;
            if (exchange.method.equals("INVITE") && e.status() < 300) {
                exchange.acksDue++;
                exchange.awaitingAck = !exchange.replied;
                exchangeAckDue = exchange.replied;
                coverage.saw(Situation.RE_INVITE_ACCEPTED);
            }
            if (!exchange.replied) {
                requestDue = Optional.of(e.exchange());
                replyDue = Optional.of(e.status());
            }
        } else if (event instanceof CallEvent.ExchangeAcknowledged e) {
            noteExchangeAck(e.exchange());
        } else if (event instanceof CallEvent.ExchangeAckMissing e) {
            if (noteExchangeAck(e.exchange()) && !hungUp) {
                hangUp(EnumSet.allOf(Side.class));
                coverage.saw(Situation.RE_INVITE_ACK_MISSING);
            }
        } else if (event instanceof CallEvent.ExchangeCancelled e) {
            ExchangeView exchange = exchange(e.exchange());
            if (exchange.owed && !exchange.replied) {
                coverage.saw(Situation.RE_INVITE_CANCELLED);
            }
            if (exchange.heldSince.isPresent()) {
                requestDue = Optional.of(e.exchange());
                replyDue = Optional.of(487);
                coverage.saw(Situation.HELD_RE_INVITE_CANCELLED);
            }
        }
    }

    private boolean noteExchangeAck(ExchangeId id) {
        ExchangeView exchange = exchange(id);
        boolean awaited = exchange.awaitingAck;
        exchangeAckDue = awaited;
        exchange.awaitingAck = false;
        return awaited;
    }

    private void noteBye(ExchangeId id) {
        Side sender = id.from();
        exchanges.put(id, new ExchangeView("BYE"));
        requestDue = Optional.of(id);
        if (callerWaits && sender == Side.CALLER) {
            replyDue = Optional.of(200);
            end(Verdict.CALLER_GAVE_UP, 487);
            coverage.saw(Situation.ENDED_BY_EARLY_BYE);
            return;
        }
        Confirmed dialog = confirmed.get(id.dialog());
        if (dialog != null && dialog.byePending.contains(sender)) {
            dialog.byeReceived.add(sender);
            if (dialog.byeHeldSince.remove(sender) != null) {
                dialog.byePending.remove(sender);
            }
            replyDue = Optional.of(200);
            coverage.saw(Situation.BYES_CROSSED);
        } else if (answered.equals(Optional.of(id.dialog())) && !hungUp) {
            confirmed(id.dialog()).byeReceived.add(sender);
            replyDue = Optional.of(200);
            if (!callerAcknowledged) {
                coverage.saw(Situation.HUNG_UP_BEFORE_ACK);
            }
            if (exchanges.values().stream().anyMatch(ExchangeView::isOpenInvite)) {
                coverage.saw(Situation.BYE_CROSSED_RE_INVITE);
            }
            hangUp(EnumSet.of(sender.other()));
        } else {
            replyDue = Optional.of(481);
        }
    }

    private void noteRequest(CallEvent.RequestReceived e) {
        ExchangeId id = e.exchange();
        if (exchanges.containsKey(id)) {
            return; // a retransmission: no answer of its own is due, and none may be given
        }
        exchanges.put(id, new ExchangeView(e.method()));
        requestDue = Optional.of(id);
        boolean talking = answered.equals(Optional.of(id.dialog())) && !hungUp;
        LegView leg = legs.get(id.dialog().leg());
        boolean early = callerWaits && leg != null && !leg.refused && (leg.hasOpenAttempt() || leg.keepsACopy);
        boolean invite = e.method().equals("INVITE");
        if (!talking && !early) {
            replyDue = Optional.of(481);
            coverage.saw(Situation.REQUEST_OUTSIDE_ANY_DIALOG);
        } else if (early && leg != null) {
            // Whether it crosses a lost flow or a second attempt is not looked at: it gets some answer.
            if (leg.attempts.size() == 1
                    && leg.attempts.values().stream().allMatch(a -> a.mayBeWithTheDevice() && a.rung && !a.everLost)
                    && !invite) {
                forwardDue = true;
                coverage.saw(Situation.EARLY_DIALOG_REQUEST);
            }
        } else if (invite) {
            Optional<ExchangeId> pending = exchanges.entrySet().stream()
                    .filter(x -> x.getKey().dialog().equals(id.dialog())
                            && x.getValue().isOpenInvite())
                    .map(Map.Entry::getKey)
                    .findFirst();
            if (pending.isPresent()) {
                boolean own = pending.get().from() == id.from();
                replyDue = Optional.of(own ? 500 : 491);
                coverage.saw(own ? Situation.OWN_GLARE_500 : Situation.GLARE_491);
            } else if (!callerAcknowledged) {
                replyDue = Optional.of(491);
            } else {
                forwardDue = true;
            }
        } else {
            forwardDue = true;
        }
    }

    private void end(Verdict why, int status) {
        endDue = Optional.of(why);
        statusDue = status;
    }

    private void hangUp(Set<Side> toTell) {
        hangUpDue = true;
        byesDue = EnumSet.copyOf(toTell);
    }

    // --- what comes out ------------------------------------------------------------------------------------------

    private void check(CallAction action, CallEvent event) {
        if (action instanceof CallAction.RespondToCaller a) {
            checkResponse(a);
        } else if (action instanceof CallAction.AnswerCaller a) {
            require(callerWaits, ONE_FINAL_RESPONSE, "a final response was followed by ", a);
            require(
                    event instanceof CallEvent.Answered e && e.dialog().equals(a.dialog()) && e.status() == a.status(),
                    ONE_ANSWER,
                    a,
                    " is not what was answered");
            callerWaits = false;
            answered = Optional.of(a.dialog());
            answeredAt = now;
            verdict = Optional.of(Verdict.ANSWERED_ELSEWHERE);
            noteWhoMayBeHinted(Verdict.ANSWERED_ELSEWHERE);
            coverage.saw(Situation.ANSWERED);
        } else if (action instanceof CallAction.Invite a) {
            checkInvite(a);
        } else if (action instanceof CallAction.Cancel a) {
            checkCancel(a);
        } else if (action instanceof CallAction.Push a) {
            checkPush(a);
        } else if (action instanceof CallAction.AlertMissedCall a) {
            LegView leg = leg(a.leg());
            require(!leg.alerted, ALERT, "alerted twice: ", a);
            require(
                    verdict.equals(Optional.of(Verdict.CALLER_GAVE_UP))
                            || verdict.equals(Optional.of(Verdict.RING_LIMIT)),
                    ALERT,
                    a,
                    " though the verdict is ",
                    verdict);
            require(leg.pushable && !leg.refused, ALERT, "not a device that missed the call: ", a);
            leg.alerted = true;
            coverage.saw(Situation.MISSED_CALL_ALERT);
        } else if (action instanceof CallAction.Bury a) {
            checkBury(a);
        } else if (action instanceof CallAction.PushEnd a) {
            checkPushEnd(a);
        } else if (action instanceof CallAction.CancelAgain a) {
            checkCancelAgain(a, event);
        } else if (action instanceof CallAction.RepeatFinal) {
            require(repeatFinalDue, HELD, "no final response waits for the caller: ", action);
            repeatFinalDue = false;
            coverage.saw(Situation.FINAL_REPEATED);
        } else if (action instanceof CallAction.PushForRequest a) {
            require(pushForRequestDue.equals(Optional.of(a.leg())), HELD, "no request waits: ", a);
            pushForRequestDue = Optional.empty();
        } else if (action instanceof CallAction.Acknowledge a) {
            checkAcknowledge(a, event);
        } else if (action instanceof CallAction.Bye a) {
            checkBye(a);
        } else if (action instanceof CallAction.StartTimer a) {
            boolean atItsTime =
                    switch (a.timer().kind()) {
                        case DURATION_LIMIT -> endDue.equals(Optional.of(Verdict.ANSWERED_ELSEWHERE));
                        case HOLD, HOLD_BRIEFLY -> true; // whether they are needed is looked at after each step
                        case RING_LIMIT, SILENCE -> callerWaits;
                        case LINGER -> false; // the bridge was not started anew
                    };
            require(atItsTime, TIMERS, "this is not its time: ", a);
            require(
                    a.timer().kind() != Timer.Kind.HOLD_BRIEFLY || a.after().toMillis() <= LONGEST_HOLD_OF_OTHERS,
                    HELD,
                    "the sender gives up sooner: ",
                    a);
            timers.put(a.timer(), a.generation());
        } else if (action instanceof CallAction.StopTimer a) {
            require(timers.remove(a.timer()) != null, TIMERS, "it does not run: ", a);
        } else if (action instanceof CallAction.Finish) {
            finished = true;
        } else {
            checkExchangeAction(action, event);
        }
    }

    private void checkResponse(CallAction.RespondToCaller a) {
        require(callerWaits, ONE_FINAL_RESPONSE, "a final response was followed by ", a);
        if (a.status() >= 300) {
            callerWaits = false;
            finalStatus = a.status();
            verdict = a.reason();
            require(verdict.isPresent(), VERDICT, "a final response without a reason: ", a);
            noteWhoMayBeHinted(verdict.get());
            if (callerLost && verdict.get() != Verdict.CALLER_GAVE_UP) {
                LegId caller = plan.caller().orElseThrow();
                callerHeldSince = Optional.of(now);
                callerBuryDue = Optional.of(caller);
                pushEndDue.put(caller, new Hint(verdict.get(), false));
                coverage.saw(Situation.CALLER_LOST_AT_THE_END);
            }
            return;
        }
        callerHeard = true;
        if (a.dialog().isEmpty() && alertingMay) {
            require(a.status() == 180 && a.content().isEmpty(), ONE_FINAL_RESPONSE, "not what alerting means: ", a);
            alertingMay = false;
            alertingDue = Optional.empty();
        } else if (a.dialog().isEmpty()) {
            require(!callerHeardOfParking, ONE_FINAL_RESPONSE, "told twice that the call is parked");
            require(a.status() == plan.whileParked(), ONE_FINAL_RESPONSE, "not the status of the plan: ", a);
            callerHeardOfParking = true;
            coverage.saw(Situation.PARKED);
        } else {
            require(
                    provisionalDue
                            .filter(e -> Optional.of(e.dialog()).equals(a.dialog())
                                    && e.status() == a.status()
                                    && Optional.of(e.content()).equals(a.content()))
                            .isPresent(),
                    ONE_FINAL_RESPONSE,
                    "no device said so: ",
                    a);
            provisionalDue = Optional.empty();
        }
    }

    /** As the call ends: which devices have it on their screen and no connection to be told by. */
    private void noteWhoMayBeHinted(Verdict why) {
        Hint voip = new Hint(why, true);
        Hint background = new Hint(why, false);
        for (LegView leg : legs.values()) {
            boolean tookIt = answered.map(LegDialog::leg).equals(Optional.of(leg.id));
            boolean connected = leg.ringsForAnOldCopy() || leg.any(Attempt::mayBeWithTheDevice);
            if (leg.refused || tookIt || connected || !leg.pushable) {
                continue;
            }
            boolean byVoip = leg.pushes.end() && leg.hadThePush();
            boolean neverInvited = leg.pushed && leg.attempts.isEmpty();
            boolean lostOne = leg.any(a -> a.flowLost || a.ended);
            if (byVoip) {
                pushEndAllowed.put(leg.id, Set.of(voip));
            } else if (lostOne && why != Verdict.RING_LIMIT) {
                pushEndAllowed.put(leg.id, Set.of(background));
            }
            if (byVoip && (leg.lost || neverInvited)) {
                pushEndDue.put(leg.id, voip);
            } else if (leg.lost && why != Verdict.RING_LIMIT) {
                pushEndDue.put(leg.id, background);
            }
        }
    }

    private void checkPushEnd(CallAction.PushEnd a) {
        Hint hint = new Hint(a.verdict(), a.voip());
        boolean due = pushEndDue.remove(a.leg(), hint);
        boolean allowed = pushEndAllowed.getOrDefault(a.leg(), Set.of()).contains(hint);
        pushEndAllowed.remove(a.leg());
        require(due || allowed, END_PUSH, "it has no need of this, or may not get it: ", a);
        coverage.saw(a.voip() ? Situation.END_PUSH_BY_VOIP : Situation.END_PUSH_IN_BACKGROUND);
    }

    private void checkBury(CallAction.Bury a) {
        require(!callerWaits, VERDICT, "buried while the caller waits: ", a);
        if (holdOverBuryDue.remove(a.leg())) {
            Verdict right = wordFor(a.leg());
            require(a.verdict() == right && a.had(), VERDICT, a, " for a dialog that ended by ", right);
            return;
        }
        require(verdict.equals(Optional.of(a.verdict())), VERDICT, a, " though the verdict is ", verdict);
        if (callerBuryDue.equals(Optional.of(a.leg()))) {
            require(a.had(), VERDICT, "the caller has the call: ", a);
            callerBuryDue = Optional.empty();
            return;
        }
        LegView leg = leg(a.leg());
        require(!leg.buried, VERDICT, "buried twice: ", a);
        require(!leg.told, VERDICT, "it knows the outcome already: ", a);
        require(leg.wasCalled(), VERDICT, "it never heard of the call: ", a);
        require(a.had() == leg.rang, VERDICT, "it is wrong about whether it had the INVITE: ", a);
        leg.buried = true;
        if (lateBuryDue.equals(Optional.of(a.leg()))) {
            lateBuryDue = Optional.empty();
        }
    }

    private void checkCancelAgain(CallAction.CancelAgain a, CallEvent event) {
        Attempt attempt = attempt(leg(a.leg()), a.attempt());
        boolean cameBack =
                event instanceof CallEvent.DeviceRegistered e && e.leg().equals(a.leg());
        require(cameBack && !callerWaits, CANCELLED, "it has no fresh flow, or the caller waits: ", a);
        require(attempt.cancelled && !attempt.ended, CANCELLED, "not cancelled, or over: ", a);
        require(verdict.equals(Optional.of(a.reason())), CANCELLED, a, " though the verdict is ", verdict);
        cancelAgainDue.remove(new AttemptId(a.leg(), a.attempt()));
        coverage.saw(Situation.CANCELLED_AGAIN);
    }

    private void checkInvite(CallAction.Invite a) {
        LegView leg = leg(a.leg());
        require(callerWaits, ONE_INVITE, "invited after the final response: ", a);
        require(!leg.refused, ONE_INVITE, "invited although it gave its answer: ", a);
        require(a.attempt() == leg.attempts.size() + 1, ONE_INVITE, "not the next attempt: ", a);
        require(leg.registeredSinceInvite, ONE_INVITE, "invited again without a fresh flow: ", a);
        require(!leg.ringsForAnOldCopy(), ONE_INVITE, "it rings for a copy it has kept: ", a);
        for (Attempt earlier : leg.attempts.values()) {
            require(!earlier.mayBeWithTheDevice(), ONE_INVITE, "it rings already: ", a);
            require(
                    !earlier.isOpen()
                            || earlier.flowLost
                            || now >= earlier.silentSince + plan.silenceLimit().toMillis(),
                    ONE_INVITE,
                    "an earlier INVITE has not been silent for long enough: ",
                    a);
        }
        if (a.attempt() > 1) {
            coverage.saw(Situation.INVITED_AGAIN);
        }
        leg.registeredSinceInvite = false;
        leg.spared = false;
        leg.lost = false;
        leg.keepsACopy = false;
        leg.newestBroke = false;
        leg.anyBroke = false;
        leg.attempts.put(a.attempt(), new Attempt(now));
        if (inviteDue.equals(Optional.of(a.leg()))) {
            inviteDue = Optional.empty();
        }
    }

    private void checkCancel(CallAction.Cancel a) {
        LegView leg = leg(a.leg());
        Attempt attempt = attempt(leg, a.attempt());
        require(!attempt.ended, CANCELLED, "it has ended: ", a);
        require(!attempt.cancelled, CANCELLED, "cancelled twice: ", a);
        boolean gone = goneDue.equals(Optional.of(a.leg()));
        require(!callerWaits || leg.refused || gone, CANCELLED, "the caller still waits for it: ", a);
        require(
                Optional.of(a.reason())
                        .equals(
                                gone
                                        ? Optional.of(Verdict.FAILED)
                                        : callerWaits ? Optional.of(Verdict.DECLINED_ELSEWHERE) : verdict),
                CANCELLED,
                a,
                " though the verdict is ",
                verdict);
        attempt.cancelled = true;
        attempt.cancelledAtTheEnd = !callerWaits;
    }

    private void checkPush(CallAction.Push a) {
        LegView leg = leg(a.leg());
        require(callerWaits, ONE_PUSH, "pushed after the final response: ", a);
        require(leg.pushable, ONE_PUSH, "nobody can push to it: ", a);
        require(!leg.pushed, ONE_PUSH, "pushed twice: ", a);
        require(!leg.refused, ONE_PUSH, "it gave its answer already: ", a);
        require(!leg.ringsForAnOldCopy(), ONE_PUSH, "it rings for a copy it has kept: ", a);
        if (leg.spared) {
            require(!somebodyHasTheCall(0), SPARED, "another device has the call: ", a);
            leg.spared = false;
            coverage.saw(Situation.SPARED_AND_PUSHED);
        }
        leg.lost = false;
        require(
                leg.attempts.isEmpty() || !leg.registeredSinceInvite,
                ONE_PUSH,
                "it is awake on a flow that was not tried: ",
                a);
        for (Attempt earlier : leg.attempts.values()) {
            require(!earlier.mayBeWithTheDevice(), ONE_PUSH, "it rings already: ", a);
            if (!earlier.ended) {
                coverage.saw(Situation.PUSHED_AFTER_SILENCE);
            } else {
                coverage.saw(Situation.PUSHED_AFTER_BROKEN_CONNECTION);
            }
        }
        leg.pushed = true;
        leg.registeredSincePush = false;
    }

    private void checkAcknowledge(CallAction.Acknowledge a, CallEvent event) {
        Confirmed dialog = confirmed(a.dialog());
        require(dialog.acks == 0, ONE_ANSWER, "acknowledged twice: ", a);
        dialog.acks++;
        if (answered.equals(Optional.of(a.dialog()))) {
            boolean byTheCaller = event instanceof CallEvent.CallerAcknowledged;
            require(byTheCaller || hangUpDue, ONE_ANSWER, "the caller has not acknowledged: ", a);
            require(
                    !(event instanceof CallEvent.CallerAcknowledged e)
                            || a.content().equals(Optional.of(e.content())),
                    ONE_ANSWER,
                    "the caller's ACK lost its content: ",
                    a);
        }
    }

    private void checkBye(CallAction.Bye a) {
        Confirmed dialog = confirmed(a.dialog());
        boolean ours = answered.equals(Optional.of(a.dialog()));
        if (byesAgainDue.remove(new HeldBye(a.to(), a.dialog()))) {
            dialog.byeHeldSince.remove(a.to());
            dialog.byeOvertaken.remove(a.to());
            return;
        }
        require(dialog.acks == 1, ONE_ANSWER, "a BYE before the ACK: ", a);
        require(dialog.byeSent.add(a.to()), HANG_UP, "two BYEs: ", a);
        require(!dialog.byeReceived.contains(a.to()), HANG_UP, "it has sent a BYE itself: ", a);
        if (ours) {
            require(hangUpDue, HANG_UP, "nobody hung up: ", a);
            hungUp = true;
        } else {
            require(a.to() == Side.LEG, HANG_UP, "the caller has no such dialog: ", a);
        }
        dialog.byePending.add(a.to());
    }

    private void checkExchangeAction(CallAction action, CallEvent event) {
        if (action instanceof CallAction.Forward a) {
            ExchangeView exchange = exchange(a.exchange());
            if (forwardsAgainDue.remove(a.exchange())) {
                exchange.heldSince = Optional.empty();
                return;
            }
            require(
                    requestDue.equals(Optional.of(a.exchange())) && replyDue.isEmpty(),
                    EXCHANGE,
                    "not a request to pass on: ",
                    a);
            require(!exchange.forwarded, EXCHANGE, "passed on twice: ", a);
            exchange.forwarded = true;
            exchange.owed = true;
            requestDue = Optional.empty();
            forwardDue = false;
        } else if (action instanceof CallAction.Reply a) {
            ExchangeView exchange = exchange(a.exchange());
            require(!exchange.replied, EXCHANGE, "a second answer: ", a);
            if (a.status() < 200) {
                require(event instanceof CallEvent.ResponseReceived, EXCHANGE, "nobody said so: ", a);
                return;
            }
            exchange.replied = true;
            boolean held = exchange.heldSince.isPresent();
            if (held) {
                exchange.heldSince = Optional.empty();
                exchange.owed = false;
            }
            if (holdOverReplyDue.remove(a.exchange())) {
                require(a.status() == 480, HELD, "the device did not come back: ", a);
            } else if (requestDue.equals(Optional.of(a.exchange()))) {
                require(!forwardDue, EXCHANGE, "this request had to be passed on: ", a);
                require(
                        replyDue.isEmpty() || replyDue.get() == a.status(),
                        EXCHANGE,
                        a,
                        " where ",
                        replyDue,
                        " was due");
                requestDue = Optional.empty();
            } else {
                require(hungUp || !callerWaits, EXCHANGE, "its answer is still awaited: ", a);
                require(exchange.owed || held, EXCHANGE, "nothing is asked: ", a);
            }
        } else if (action instanceof CallAction.AcknowledgeExchange a) {
            ExchangeView exchange = exchange(a.exchange());
            exchange.acks++;
            exchange.awaitingAck = false;
            require(exchange.acks <= exchange.acksDue, EXCHANGE, "one ACK too many: ", a);
            require(exchangeAckDue || hangUpDue, EXCHANGE, "nobody acknowledged: ", a);
            require(
                    !(event instanceof CallEvent.ExchangeAcknowledged e)
                            || a.content().equals(Optional.of(e.content())),
                    EXCHANGE,
                    "the ACK lost its content: ",
                    a);
        } else if (action instanceof CallAction.CancelExchange a) {
            ExchangeView exchange = exchange(a.exchange());
            require(
                    exchange.owed
                            && !exchange.replied
                            && exchange.heldSince.isEmpty()
                            && event instanceof CallEvent.ExchangeCancelled e
                            && e.exchange().equals(a.exchange()),
                    EXCHANGE,
                    "nobody cancelled: ",
                    a);
        } else {
            throw new AssertionError("An action without a check: " + action);
        }
    }

    // --- what must be true after each step -----------------------------------------------------------------------

    private void checkCaller(boolean waited) {
        if (!waited) {
            return;
        }
        if (endDue.isPresent()) {
            require(!callerWaits, PROMPT, "the call is over (", endDue.get(), "), but the caller waits");
            require(verdict.equals(endDue), VERDICT, "the verdict is ", verdict, ", not ", endDue);
            require(
                    answered.isPresent() || finalStatus == statusDue,
                    ONE_FINAL_RESPONSE,
                    finalStatus,
                    " where ",
                    statusDue,
                    " was due");
        } else {
            boolean hope = legs.values().stream().anyMatch(LegView::isHopeful);
            require(callerWaits || !hope, PROMPT, "given up although a device may still take the call");
            boolean hopeless = legs.values().stream().allMatch(LegView::isHopeless);
            require(!callerWaits || !hopeless, PROMPT, "nothing is left to wait for, but the caller waits");
            if (!callerWaits) {
                require(verdict.equals(Optional.of(Verdict.FAILED)), VERDICT, "the verdict is ", verdict);
                checkBestStatus();
                coverage.saw(Situation.FAILED_AS_HOPELESS);
            }
        }
        if (callerWaits) {
            require(now <= plan.ringLimit().toMillis(), PROMPT, "the ring limit is over, but the caller waits");
            require(provisionalDue.isEmpty(), ONE_FINAL_RESPONSE, "the caller did not hear of ", provisionalDue);
            require(alertingDue.isEmpty(), ONE_FINAL_RESPONSE, "the caller did not hear of alerting ", alertingDue);
            boolean parked = legs.values().stream()
                    .filter(LegView::isHopeful)
                    .allMatch(l -> !l.hasOpenAttempt() && !l.keepsACopy);
            require(
                    !parked || callerHeard || plan.whileParked() == 100,
                    PROMPT,
                    "the call is parked, but the caller was not told");
        }
    }

    /** Nobody took the call: the best of what the devices said (RFC 3261 section 16.7 step 6). */
    private void checkBestStatus() {
        Set<Integer> statuses = new HashSet<>();
        legs.values().forEach(leg -> statuses.add(leg.status()));
        Set<Integer> right = new HashSet<>();
        if (statuses.stream().anyMatch(s -> s >= 600)) {
            statuses.stream().filter(s -> s >= 600).forEach(right::add);
        } else if (statuses.contains(486)) {
            right.add(486);
        } else {
            Set<Integer> telling = new HashSet<>(statuses);
            telling.remove(UNREACHED);
            int bestClass = statuses.stream().mapToInt(s -> s / 100).min().orElse(4);
            telling.stream().filter(s -> s / 100 == bestClass).forEach(right::add);
            if (right.isEmpty()) {
                right.add(UNREACHED);
            }
            if (right.remove(503)) {
                right.add(500); // RFC 3261 section 16.7 step 6
            }
        }
        require(right.contains(finalStatus), ONE_FINAL_RESPONSE, finalStatus, " where one of ", right, " was due");
    }

    private void checkLegs() {
        require(inviteDue.isEmpty() || !callerWaits, ONE_INVITE, "awake, but not invited: ", inviteDue);
        for (LegView leg : legs.values()) {
            boolean over = !callerWaits || leg.refused || goneDue.equals(Optional.of(leg.id));
            for (Map.Entry<Integer, Attempt> entry : leg.attempts.entrySet()) {
                Attempt attempt = entry.getValue();
                require(
                        !over || attempt.ended || attempt.cancelled,
                        CANCELLED,
                        "attempt ",
                        entry.getKey(),
                        " of ",
                        leg.id,
                        " is not wanted any more, but goes on");
                require(
                        over
                                || !leg.pushable
                                || !(silentTooLong(leg, attempt) || (attempt.lostInSilence && !attempt.responded))
                                || !attempt.isOpen()
                                || leg.pushed
                                || leg.lost
                                || leg.any(Attempt::mayBeWithTheDevice)
                                || entry.getKey() < leg.attempts.size(),
                        ONE_PUSH,
                        leg.id,
                        " has been silent for too long, but was not pushed to");
            }
            boolean tried =
                    leg.ringsForAnOldCopy() || leg.any(a -> a.isOpen() && !a.flowLost && !silentTooLong(leg, a));
            require(
                    over || tried || !leg.registeredSinceInvite,
                    ONE_INVITE,
                    leg.id,
                    " has a flow that was not tried, but is not invited");
            require(
                    over || !leg.pushable || leg.pushed || leg.spared || leg.keepsACopy || leg.hasOpenAttempt(),
                    ONE_PUSH,
                    leg.id,
                    " could be woken, but was not pushed to");
            require(
                    callerWaits || !leg.needsVerdict() || leg.awaitsAnEnd(),
                    VERDICT,
                    leg.id,
                    " has not learned how the call ended");
            boolean missed = verdict.filter(v -> v == Verdict.CALLER_GAVE_UP || v == Verdict.RING_LIMIT)
                    .isPresent();
            require(
                    !missed || !leg.pushable || leg.refused || leg.alerted,
                    ALERT,
                    leg.id,
                    " missed the call and was not told");
        }
    }

    /** Devices that are asleep and want to be spared are spared as long as another has the call, and no longer. */
    private void checkSpared() {
        require(
                !callerWaits || legs.values().stream().noneMatch(leg -> leg.spared) || somebodyHasTheCall(1),
                SPARED,
                "nobody has the call, but a sleeping device is spared");
        if (callerWaits && legs.values().stream().anyMatch(leg -> leg.spared)) {
            coverage.saw(Situation.SPARED);
        }
    }

    private boolean somebodyHasTheCall(long slack) {
        long limit = plan.silenceLimit().toMillis() + slack;
        return legs.values().stream().anyMatch(leg -> leg.hasTheCall(now, limit));
    }

    /** What waits for a device that has no connection: neither forgotten nor kept for too long. */
    private void checkHeld() {
        require(byesAgainDue.isEmpty(), HELD, "it is back and does not get its BYE: ", byesAgainDue);
        require(forwardsAgainDue.isEmpty(), HELD, "it is back and does not get its request: ", forwardsAgainDue);
        require(holdOverBuryDue.isEmpty(), HELD, "it was not back in time and finds no tombstone: ", holdOverBuryDue);
        require(holdOverReplyDue.isEmpty(), HELD, "nobody came, but the sender waits: ", holdOverReplyDue);
        require(pushForRequestDue.isEmpty(), HELD, "a request waits, but nobody is woken: ", pushForRequestDue);
        require(!repeatFinalDue, HELD, "the caller is back and does not hear how the call ended");
        require(callerBuryDue.isEmpty(), VERDICT, "the caller is lost and finds no tombstone");
        require(pushEndDue.isEmpty(), END_PUSH, "no push hints that the call is over: ", pushEndDue);
        require(cancelAgainDue.isEmpty(), CANCELLED, "it rings on, on a fresh flow: ", cancelAgainDue);
        require(lateBuryDue.isEmpty(), VERDICT, "it has shown up and is not told: ", lateBuryDue);
        checkHolds(plan.holdLimit().toMillis());
    }

    private void checkHolds(long limit) {
        Set<Timer> needed = new HashSet<>();
        callerHeldSince.ifPresent(since -> {
            require(now <= since + limit, HELD, "the caller is waited for too long");
            needed.add(Timer.hold(plan.caller().orElseThrow()));
        });
        confirmed.forEach((dialog, state) -> state.byeHeldSince.forEach((to, since) -> {
            require(now <= since + limit, HELD, "a BYE waits too long: ", dialog);
            needed.add(Timer.hold(party(to, dialog).orElseThrow()));
        }));
        exchanges.forEach((id, exchange) -> exchange.heldSince.ifPresent(since -> {
            boolean invite = exchange.method.equals("INVITE");
            long most = invite ? limit : Math.min(limit, LONGEST_HOLD_OF_OTHERS);
            require(now <= since + most, HELD, "a request waits too long: ", id);
            LegId party = party(id.from().other(), id.dialog()).orElseThrow();
            needed.add(invite ? Timer.hold(party) : Timer.holdBriefly(party));
        }));
        for (Timer timer : timers.keySet()) {
            boolean holds = timer.kind() == Timer.Kind.HOLD || timer.kind() == Timer.Kind.HOLD_BRIEFLY;
            require(!holds || needed.remove(timer), TIMERS, "nothing waits: ", timer);
        }
        require(needed.isEmpty(), TIMERS, "it would wait for ever: ", needed);
    }

    private void checkDialogs() {
        dismissalDue.ifPresent(dialog -> require(
                confirmed(dialog).acks == 1 && confirmed(dialog).byeSent.contains(Side.LEG),
                ONE_ANSWER,
                "a late 2xx was not acknowledged and ended: ",
                dialog));
        if (hangUpDue) {
            hungUp = true;
            Confirmed dialog = confirmed(answered.orElseThrow());
            require(dialog.acks == 1, ONE_ANSWER, "the answer was never acknowledged");
            require(
                    dialog.byeSent.equals(byesDue),
                    HANG_UP,
                    "the call is over; told were ",
                    dialog.byeSent,
                    ", not ",
                    byesDue);
        }
        if (callerAcknowledged) {
            require(confirmed(answered.orElseThrow()).acks == 1, ONE_ANSWER, "the caller's ACK was not passed on");
        }
        boolean tooLong = answered.isPresent()
                && !hungUp
                && now > answeredAt + plan.durationLimit().toMillis();
        require(!tooLong, HANG_UP, "the call lasts longer than it may");
    }

    private void checkExchanges() {
        requestDue.ifPresent(id -> require(false, EXCHANGE, "neither passed on nor answered: ", id));
        boolean over = !callerWaits && (answered.isEmpty() || hungUp);
        exchanges.forEach((id, exchange) -> {
            require(!over || exchange.replied, EXCHANGE, "the call is over and this is not answered: ", id);
            boolean ackOwed = exchange.acks < exchange.acksDue && (over || !exchange.awaitingAck);
            require(!ackOwed, EXCHANGE, "its 2xx was not acknowledged: ", id);
        });
    }

    private void checkTimers() {
        require(
                timers.containsKey(Timer.RING_LIMIT) == callerWaits,
                TIMERS,
                "the ring limit ",
                (callerWaits ? "does not run" : "runs on"));
        require(
                timers.containsKey(Timer.DURATION_LIMIT) == (answered.isPresent() && !hungUp),
                TIMERS,
                "the duration limit is wrong");
        for (Timer timer : timers.keySet()) {
            if (timer.kind() == Timer.Kind.SILENCE) {
                LegView leg = leg(timer.leg());
                require(callerWaits && leg.hasOpenAttempt(), TIMERS, "nothing to wait for: ", timer);
                require(!leg.any(Attempt::mayBeWithTheDevice), TIMERS, "it is not silent: ", timer);
            }
        }
    }

    private boolean somethingIsOwed() {
        return callerHeldSince.isPresent()
                || legs.values().stream().anyMatch(LegView::awaitsAnEnd)
                || confirmed.values().stream().anyMatch(c -> !c.byePending.isEmpty())
                || exchanges.values().stream().anyMatch(e -> e.owed);
    }

    private List<String> owedThings() {
        List<String> owed = new ArrayList<>();
        callerHeldSince.ifPresent(since -> owed.add("the final response, to a caller without connection"));
        for (LegView leg : legs.values()) {
            leg.attempts.forEach((number, attempt) -> {
                if (!attempt.ended) {
                    owed.add("the end of INVITE " + number + " to " + leg.id);
                }
            });
        }
        confirmed.forEach((dialog, state) -> {
            for (Side side : state.byePending) {
                owed.add("the answer to the BYE to " + side + " in " + dialog);
            }
        });
        exchanges.forEach((id, exchange) -> {
            if (exchange.owed) {
                owed.add("the answer to " + id);
            }
        });
        return owed;
    }

    // --- look-ups ------------------------------------------------------------------------------------------------

    private LegView leg(LegId id) {
        LegView leg = legs.get(id);
        require(leg != null, ONE_INVITE, "no such leg: ", id);
        return Objects.requireNonNull(leg);
    }

    private static Attempt attempt(LegView leg, int number) {
        Attempt attempt = leg.attempts.get(number);
        require(attempt != null, ONE_INVITE, "no attempt ", number, " to ", leg.id);
        return Objects.requireNonNull(attempt);
    }

    private Confirmed confirmed(LegDialog dialog) {
        Confirmed state = confirmed.get(dialog);
        require(state != null, ONE_ANSWER, "no such answer: ", dialog);
        return Objects.requireNonNull(state);
    }

    private ExchangeView exchange(ExchangeId id) {
        ExchangeView exchange = exchanges.get(id);
        require(exchange != null, EXCHANGE, "no such request: ", id);
        return Objects.requireNonNull(exchange);
    }

    private static void require(boolean condition, Invariant invariant, Object... what) {
        if (!condition) {
            throw new InvariantBroken(
                    invariant, Arrays.stream(what).map(String::valueOf).collect(Collectors.joining()));
        }
    }
}
