package org.pushbridge.call;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pushbridge.call.Coverage.Situation;
import org.pushbridge.call.SimulatedDevice.Line;

/** One call of a {@link CallSimulation}: the machine under test, its edges, its caller, and what both sides do in it. */
final class SimulatedCall {
    private static final List<String> METHODS =
            List.of("INVITE", "INVITE", "INFO", "UPDATE", "MESSAGE", "OPTIONS", "REFER", "NOTIFY");
    private static final List<String> EARLY_METHODS = List.of("PRACK", "PRACK", "INFO", "UPDATE", "INVITE");

    final Optional<SimulatedDevice> caller;
    final CallChecker checker;
    final CallPlan plan;

    private final CallSimulation world;
    private final String name;
    private final long began;
    private final Map<Timer, Integer> newestGeneration = new HashMap<>();
    private final Set<Timer> stopped = new HashSet<>();
    private final Map<ExchangeId, String> methods = new HashMap<>();
    private final Set<LegDialog> callersDialogs = new HashSet<>();
    private final Set<LegDialog> requestsPlanned = new HashSet<>();
    private final CallWitness witness;
    private final SimulatedJournal journal;
    /** Requests whose senders got no final answer yet, and when they were sent. */
    private final Map<ExchangeId, Asked> unanswered = new LinkedHashMap<>();

    private Call call;
    private long cseq = 100;
    /** Whether the bridge has forgotten the call, of which nobody ever heard. */
    private boolean forgotten;
    /** Whether the call was taken up from the journal. */
    private boolean resumed;

    private boolean cancelSent;
    private boolean talked;

    private record Asked(CallEvent event, long at) {}

    /** The answer that lies on the bridge for a caller who has no connection. */
    private Optional<LegDialog> answerWaits = Optional.empty();
    /** A hang-up that a caller without connection could not send. */
    private Optional<LegDialog> hangUpWaits = Optional.empty();

    private boolean callerAcknowledged;
    private boolean callerGotFinal;
    private boolean callerKnowsTheEnd;
    private boolean answerSent;
    private boolean finalWentAstray;
    /** Whether the edge had seen that the caller has no connection, as the rules decided on the final response. */
    private boolean lossWasReported;

    SimulatedCall(CallSimulation world, int number, CallPlan plan, Optional<SimulatedDevice> caller) {
        this.world = world;
        this.name = number == 1 ? "" : "#" + number + " ";
        this.plan = plan;
        this.caller = caller;
        this.began = world.now;
        call = Call.planned(plan);
        checker = new CallChecker(plan, world.coverage);
        witness = new CallWitness(plan, world.coverage);
        journal = new SimulatedJournal(world, engine);
    }

    void begin() {
        world.log(name + "plan", plan);
        deliver(new CallEvent.Begun());
        planCaller();
    }

    boolean callerIsWaiting() {
        return resumed ? witness.callerIsWaiting() : checker.callerIsWaiting();
    }

    boolean wasCalled(LegId id) {
        return resumed ? witness.wasCalled(id) : checker.wasCalled(id);
    }

    void isAsked(LegId id, Optional<Verdict> end) {
        if (!resumed) {
            checker.asked(id, end);
        }
    }

    void drained() {
        if (!world.journals()) {
            checker.drained();
        } else if (!forgotten) {
            witness.drained(call, journal.hasBegun());
            if (!unanswered.isEmpty()) {
                throw new InvariantBroken(Invariant.EXCHANGE, "nobody answers these: " + unanswered);
            }
        }
    }

    // --- crashes ---------------------------------------------------------------------------------------------------

    /** All is lost that the bridge had of the call in its memory. */
    void crashes() {
        if (forgotten) {
            return;
        }
        boolean begun = journal.hasBegun();
        forgotten = !begun;
        if (forgotten) {
            world.coverage.saw(Situation.CRASHED_BEFORE_THE_FIRST_WRITE);
        } else if (journal.entry().isPresent()) {
            noteCrash();
        }
        journal.crashes();
        newestGeneration.clear();
        stopped.clear();
    }

    private void noteCrash() {
        Coverage coverage = world.coverage;
        switch (call.phase()) {
            case NEW -> {}
            case RINGING -> {
                if (call.legs().values().stream().anyMatch(leg -> leg.state() == Leg.State.UNREACHED)) {
                    coverage.saw(Situation.CRASHED_WHILE_PARKED);
                }
                if (call.legs().values().stream().anyMatch(leg -> leg.state() == Leg.State.RINGING)) {
                    coverage.saw(Situation.CRASHED_WHILE_RINGING);
                }
            }
            case ANSWERED -> coverage.saw(Situation.CRASHED_BEFORE_THE_CALLERS_ACK);
            case ESTABLISHED -> {
                coverage.saw(Situation.CRASHED_WHILE_TALKING);
                if (call.exchanges().values().stream().anyMatch(Exchange::isInvite)) {
                    coverage.saw(Situation.CRASHED_DURING_A_RE_INVITE);
                }
            }
            case ENDED -> {
                coverage.saw(Situation.CRASHED_AFTER_THE_END);
                if (!call.byes().isEmpty()) {
                    coverage.saw(Situation.CRASHED_WITH_A_BYE_PENDING);
                }
            }
        }
        if (journal.holds()) {
            coverage.saw(Situation.CRASHED_WITH_ACTIONS_HELD);
        }
    }

    /** The bridge is started anew. */
    void resume() {
        if (forgotten) {
            if (!journal.isGone()) {
                journal.goes();
                if (world.fateHas(60) && callerIsConnected()) {
                    world.beginOnceMore(this);
                }
            }
            return;
        }
        Optional<SimulatedJournal.Entry> entry = journal.entry();
        if (entry.isEmpty()) {
            unanswered.clear(); // the edge itself says 481
            return;
        }
        resumed = true;
        call = entry.get().memory();
        witness.resumes(entry.get().known());
        callerAcknowledged = call.phase() == Call.Phase.ESTABLISHED;
        boolean callerReachable = caller.isEmpty() || world.reachable().contains(caller.get().id);
        world.inThisRun(() -> deliver(
                new CallEvent.Resumed(Duration.ofMillis(world.now - began), world.reachable(), callerReachable)));
        if (cancelSent && !witness.callerGotFinal() && world.fateHas(85)) {
            world.coverage.saw(Situation.CANCEL_REPEATED);
            world.after(world.fate(0, 1000), this::cancel);
        }
        new LinkedHashMap<>(unanswered).forEach(this::repeats);
    }

    /** A request comes again, unless its sender has given up. */
    private void repeats(ExchangeId id, Asked asked) {
        boolean inTime = world.now - asked.at() < CallSimulation.TRANSACTION_LIFE;
        world.after(world.fate(0, 2000), () -> {
            if (inTime && isConnected(id.from(), id.dialog()) && unanswered.containsKey(id)) {
                deliver(asked.event());
            } else {
                unanswered.remove(id);
            }
        });
    }

    // --- the bridge's side: one step, and its actions --------------------------------------------------------------

    void deliver(CallEvent event) {
        if (event instanceof CallEvent.ByeReceived e) {
            unanswered.putIfAbsent(e.exchange(), new Asked(event, world.now));
        } else if (event instanceof CallEvent.RequestReceived e && !methods.containsKey(e.exchange())) {
            methods.put(e.exchange(), e.method());
            unanswered.put(e.exchange(), new Asked(event, world.now));
        }
        forgotten |= world.down && event instanceof CallEvent.Begun; // its INVITE meets nobody
        if (world.down || forgotten || (isOfTheEdge(event) && world.isOfAnEarlierRun())) {
            return;
        }
        world.inThisRun(() -> step(event));
    }

    /** Whether an event is news of the edge's own, or a response to what the edge sent; the rest comes from the parties. */
    private static boolean isOfTheEdge(CallEvent event) {
        return !(event instanceof CallEvent.DeviceRegistered
                || event instanceof CallEvent.AppAwake
                || event instanceof CallEvent.Alerting
                || event instanceof CallEvent.Declined
                || event instanceof CallEvent.Provisional // this and the next are looked at where they are sent
                || event instanceof CallEvent.LegFailed
                || event instanceof CallEvent.Answered
                || event instanceof CallEvent.CallerCancelled
                || event instanceof CallEvent.CallerAcknowledged
                || event instanceof CallEvent.ByeReceived
                || event instanceof CallEvent.RequestReceived);
    }

    private void step(CallEvent event) {
        Step step;
        world.log(name + "  in", event);
        try {
            step = world.rules.step(call, event);
        } catch (RuntimeException e) {
            throw new InvariantBroken(Invariant.FAULT, event + " led to " + e, e);
        }
        step.actions().forEach(action -> world.log(name + " out", action));
        boolean wasFinished = call.isFinished();
        if (step.actions().stream().anyMatch(CallAction.RespondToCaller.class::isInstance)) {
            lossWasReported = caller.filter(device -> device.lossIsReported).isPresent();
        }
        call = step.call();
        if (!resumed) {
            checker.check(world.now - began, event, step.actions());
        }
        if (world.journals() && (!wasFinished || event instanceof CallEvent.Resumed)) {
            witness.check(world.now - began, event, step.actions());
        }
        if (world.crashesInThisStep()) {
            world.crash();
            return;
        }
        journal.step(call, witness.known(), step.actions());
        if (wasFinished && event instanceof CallEvent.ByeReceived e) {
            unanswered.remove(e.exchange()); // the edge itself says 481
        } else if (wasFinished && event instanceof CallEvent.RequestReceived e) {
            unanswered.remove(e.exchange());
        }
        if (!wasFinished && call.isFinished()) {
            world.over();
        }
    }

    private final SimulatedJournal.Engine engine = new SimulatedJournal.Engine() {
        @Override
        public void carryOut(List<CallAction> actions) {
            world.inThisRun(() -> actions.forEach(SimulatedCall.this::carryOut));
        }

        @Override
        public void isBuried(CallAction.Bury bury) {
            world.device(bury.leg()).isBuried(SimulatedCall.this, bury.verdict());
        }
    };

    private void carryOut(CallAction action) {
        if (world.journals()) {
            witness.leaves(world.now - began, action);
        }
        if (action instanceof CallAction.ForEdge forEdge) {
            forEdge.applyTo(edges);
        } else if (action instanceof CallAction.StartTimer start) {
            newestGeneration.put(start.timer(), start.generation());
            stopped.remove(start.timer());
            world.after(start.after().toMillis(), () -> fire(start.timer(), start.generation()));
        } else if (action instanceof CallAction.StopTimer stop) {
            stopped.add(stop.timer());
        }
    }

    boolean isFinished() {
        return call.isFinished() || forgotten;
    }

    boolean isForgotten() {
        return forgotten;
    }

    /** Whether the bridge knows this dialog as the one that was answered. */
    boolean hasTaken(LegDialog dialog) {
        return call.answered().equals(Optional.of(dialog));
    }

    /** What the bridge says over HTTP about the call. */
    Optional<Verdict> endFor(LegId device) {
        return call.endFor(device);
    }

    private final CallPorts edges = new CallPorts() {
        @Override
        public void respondToCaller(CallAction.RespondToCaller action) {
            if (action.status() >= 300) {
                finalLeaves();
            }
            action.dialog().ifPresent(dialog -> world.after(world.delay(), () -> hears(dialog)));
        }

        @Override
        public void answerCaller(CallAction.AnswerCaller action) {
            answerSent = true;
            world.after(world.delay(), () -> answerArrives(action.dialog()));
        }

        @Override
        public void answerAgain(CallAction.AnswerAgain action) {
            world.after(world.delay(), () -> answerArrivesAgain(action.dialog()));
        }

        @Override
        public void invite(CallAction.Invite action) {
            part(action.leg()).invited(action.attempt());
        }

        @Override
        public void cancel(CallAction.Cancel action) {
            part(action.leg()).cancelled(action.attempt());
        }

        @Override
        public void cancelAgain(CallAction.CancelAgain action) {
            part(action.leg()).cancelledAgain(action.attempt());
        }

        @Override
        public void acknowledge(CallAction.Acknowledge action) {
            part(action.dialog().leg()).acknowledged.add(action.dialog());
        }

        @Override
        public void bye(CallAction.Bye action) {
            SimulatedCall.this.bye(action);
        }

        @Override
        public void forward(CallAction.Forward action) {
            SimulatedCall.this.forward(action);
        }

        @Override
        public void reply(CallAction.Reply action) {
            ExchangeId id = action.exchange();
            if (action.status() >= 200) {
                unanswered.remove(id);
            }
            if (action.status() < 200 || action.status() >= 300 || !"INVITE".equals(methods.get(id))) {
                return;
            }
            if (world.chance(90)) {
                world.after(
                        world.delay(),
                        () -> deliver(new CallEvent.ExchangeAcknowledged(id, world.text("ACK to a re-INVITE"))));
            } else {
                world.after(CallSimulation.TRANSACTION_LIFE, () -> deliver(new CallEvent.ExchangeAckMissing(id)));
            }
        }

        @Override
        public void acknowledgeExchange(CallAction.AcknowledgeExchange action) {}

        @Override
        public void cancelExchange(CallAction.CancelExchange action) {}

        @Override
        public void push(CallAction.Push action) {
            world.device(action.leg()).isPushedTo(SimulatedCall.this);
        }

        @Override
        public void alertMissedCall(CallAction.AlertMissedCall action) {}

        @Override
        public void bury(CallAction.Bury action) {
            world.device(action.leg()).readsTombstones(); // if it is connected
        }

        @Override
        public void pushEnd(CallAction.PushEnd action) {
            world.device(action.leg()).mayComeBackForAPush(50);
        }

        @Override
        public void pushForRequest(CallAction.PushForRequest action) {
            world.device(action.leg()).mayComeBackForAPush(70);
        }

        @Override
        public void repeatFinal(CallAction.RepeatFinal action) {
            if (caller.orElseThrow().line == Line.LIVE) {
                callerGotFinal = true;
            }
        }
    };

    private SimulatedDevice.InCall part(LegId leg) {
        return world.device(leg).in(this);
    }

    private void fire(Timer timer, int generation) {
        boolean stale = stopped.contains(timer) || newestGeneration.getOrDefault(timer, 0) != generation;
        if (!stale || world.chance(30)) {
            deliver(new CallEvent.TimerFired(timer, generation));
            if (world.chance(5)) {
                world.after(world.delay(), () -> deliver(new CallEvent.TimerFired(timer, generation)));
            }
        }
    }

    // --- the caller ------------------------------------------------------------------------------------------------

    private void planCaller() {
        if (world.chance(40)) {
            // Often at about the time of the limit, where things cross.
            long when = world.chance(20)
                    ? plan.ringLimit().toMillis() - world.delay() + world.delay()
                    : world.draw(0, 50) * 1000 + world.delay();
            world.after(Math.max(0, when), this::cancel);
        }
        caller.filter(device -> world.chance(60))
                .ifPresent(device -> device.losesConnectionAfter(
                        world.chance(70) ? world.draw(0, 150) * 100 : world.draw(0, 45) * 1000));
    }

    private boolean callerIsConnected() {
        return caller.isEmpty() || caller.get().line == Line.LIVE;
    }

    private void cancel() {
        if (!callerIsConnected() || !journal.hasBegun()) {
            return; // a CANCEL waits for a provisional response
        }
        callerKnowsTheEnd |= world.journals() ? !witness.callerGotFinal() : callerIsWaiting();
        cancelSent = true;
        deliver(new CallEvent.CallerCancelled());
        if (world.chance(10)) {
            world.after(world.delay(), () -> deliver(new CallEvent.CallerCancelled()));
        }
    }

    /** The final failure response goes to where the caller was. */
    private void finalLeaves() {
        if (callerIsConnected()) {
            callerGotFinal = true;
        } else {
            // One that leaves before the loss is seen is lost, and nobody knows.
            finalWentAstray = !lossWasReported;
        }
    }

    /** The caller's device has a connection again. */
    void callerIsBack() {
        if (answerWaits.isPresent()) {
            LegDialog dialog = answerWaits.get();
            answerWaits = Optional.empty();
            world.after(world.delay(), () -> answerArrives(dialog));
        }
        hangUpWaits.filter(dialog -> world.chance(80)).ifPresent(dialog -> hangsUp(Side.CALLER, dialog, world.delay()));
        hangUpWaits = Optional.empty();
        if (callerIsWaiting() && world.chance(15)) {
            world.after(world.delay(), this::cancel);
        }
    }

    /** The caller got a provisional response of a dialog. */
    private void hears(LegDialog dialog) {
        if (callersDialogs.add(dialog)) {
            if (world.chance(20)) {
                world.after(world.delay(), () -> request(Side.CALLER, dialog, world.oneOf(EARLY_METHODS)));
            }
            if (world.chance(4)) {
                world.after(world.draw(0, 10) * 1000 + world.delay(), () -> {
                    if (callersDialogs.contains(dialog)) {
                        hangsUp(Side.CALLER, dialog, 0);
                    }
                });
            }
            if (world.chance(8)) {
                // The caller gives up while the phone picks up.
                world.after(world.draw(1, 8) * 1000 + world.delay(), this::cancel);
            }
        }
    }

    /** The bridge repeats the 2xx until it is acknowledged, for 64*T1. */
    private void answerArrives(LegDialog dialog) {
        if (cancelSent && world.journals() && callerIsConnected() && callersDialogs.add(dialog)) {
            // It had given up, and the bridge did not know.
            world.after(world.delay(), () -> acknowledges(dialog, 0));
            hangsUp(Side.CALLER, dialog, 1000);
            return;
        }
        if (!callerIsConnected()) {
            boolean first = !requestsPlanned.contains(dialog);
            answerWaits = Optional.of(dialog);
            if (first && requestsPlanned.add(dialog)) {
                world.after(CallSimulation.TRANSACTION_LIFE, () -> {
                    if (!callerAcknowledged) {
                        deliver(new CallEvent.CallerAckMissing());
                    }
                });
                planTalk(dialog);
            }
            return;
        }
        callersDialogs.add(dialog);
        int what = world.percent();
        if (what < 85) {
            world.after(world.delay(), () -> acknowledges(dialog, 15));
        } else if (what < 92) {
            hangsUp(Side.CALLER, dialog, world.delay()); // impatient: before its ACK, which may follow
            world.after(world.delay() * 2, () -> acknowledges(dialog, 0));
        } else {
            world.after(CallSimulation.TRANSACTION_LIFE, () -> {
                if (!callerAcknowledged) {
                    deliver(new CallEvent.CallerAckMissing());
                }
            });
        }
        if (world.chance(10)) {
            world.after(world.delay(), () -> deliver(new CallEvent.CallerCancelled()));
        }
        if (requestsPlanned.add(dialog)) {
            planTalk(dialog);
        }
    }

    /** The bridge, started anew, goes on with that. */
    private void answerArrivesAgain(LegDialog dialog) {
        world.after(CallSimulation.TRANSACTION_LIFE, () -> {
            if (!callerAcknowledged) {
                deliver(new CallEvent.CallerAckMissing());
            }
        });
        if (!talked) {
            answerArrives(dialog);
        } else if (callerIsConnected() && !callerKnowsTheEnd) {
            world.coverage.saw(Situation.ANSWER_SENT_AGAIN);
            world.after(world.delay(), () -> acknowledges(dialog, 0)); // a repeated 2xx is acknowledged again
        } else if (!callerIsConnected()) {
            answerWaits = Optional.of(dialog);
        }
    }

    private void acknowledges(LegDialog dialog, int percentTwice) {
        if (!callerIsConnected()) {
            answerWaits = Optional.of(dialog);
            return;
        }
        talked = true;
        callerAcknowledged |= !world.down;
        deliver(new CallEvent.CallerAcknowledged(dialog, world.text("ACK")));
        if (world.chance(percentTwice)) {
            world.after(world.delay(), () -> deliver(new CallEvent.CallerAcknowledged(dialog, world.text("ACK"))));
        }
    }

    /** What both sides do while they talk, and how they end it. */
    private void planTalk(LegDialog dialog) {
        for (Side side : Side.values()) {
            for (int i = (int) world.draw(0, 3); i > 0; i--) {
                String method = world.oneOf(METHODS);
                world.after(world.draw(0, 20) * 500, () -> request(side, dialog, method));
            }
        }
        if (world.chance(25)) {
            // Both change their session at once.
            long when = world.draw(0, 20) * 500;
            world.after(when + world.delay(), () -> request(Side.CALLER, dialog, "INVITE"));
            world.after(when + world.delay(), () -> request(Side.LEG, dialog, "INVITE"));
        }
        SimulatedDevice device = world.device(dialog.leg());
        if (!device.trunk && world.chance(40)) {
            device.losesConnectionAfter(world.draw(0, 20) * 500);
        }
        caller.filter(c -> world.chance(25)).ifPresent(c -> c.losesConnectionAfter(world.draw(0, 20) * 500));
        int ends = world.percent();
        long when = world.draw(0, 40) * 500;
        if (ends < 45) {
            hangsUp(Side.CALLER, dialog, when);
        } else if (ends < 85) {
            hangsUp(Side.LEG, dialog, when);
        } else if (ends < 92) {
            hangsUp(Side.CALLER, dialog, when);
            hangsUp(Side.LEG, dialog, when + world.delay());
        }
    }

    // --- requests inside dialogs -----------------------------------------------------------------------------------

    void earlyRequest(LegDialog dialog) {
        world.after(world.delay(), () -> request(Side.LEG, dialog, world.oneOf(EARLY_METHODS)));
    }

    private void request(Side from, LegDialog dialog, String method) {
        boolean gone = from == Side.CALLER
                ? !callersDialogs.contains(dialog)
                : !part(dialog.leg()).talking.contains(dialog);
        if ((gone && world.chance(80)) || !isConnected(from, dialog)) {
            return; // it knows that this dialog is over; some do not care
        }
        ExchangeId id = new ExchangeId(from, dialog, cseq++);
        CallEvent.RequestReceived request = new CallEvent.RequestReceived(id, method, world.text(method));
        deliver(request);
        if (method.equals("INVITE") && world.chance(25)) {
            long in = world.chance(60) ? world.delay() : world.draw(0, 20) * 500;
            world.after(in, () -> deliver(new CallEvent.ExchangeCancelled(id)));
        }
    }

    /** The device at one end of a dialog. */
    private Optional<SimulatedDevice> party(Side side, LegDialog dialog) {
        return side == Side.CALLER
                ? caller
                : Optional.of(world.device(dialog.leg())).filter(d -> !d.trunk);
    }

    private boolean isConnected(Side side, LegDialog dialog) {
        return party(side, dialog).map(device -> device.line == Line.LIVE).orElse(true);
    }

    void hangsUp(Side from, LegDialog dialog, long in) {
        world.after(in, () -> {
            if (!isConnected(from, dialog)) {
                if (from == Side.CALLER) {
                    hangUpWaits = Optional.of(dialog);
                } else {
                    part(dialog.leg()).hangUpWaits = Optional.of(dialog);
                }
                return;
            }
            if (from == Side.CALLER) {
                callerKnowsTheEnd = true;
            } else {
                part(dialog.leg()).over.add(dialog);
            }
            deliver(new CallEvent.ByeReceived(new ExchangeId(from, dialog, cseq++), world.text("BYE")));
            if (world.chance(80)) {
                callersDialogs.remove(dialog);
                part(dialog.leg()).talking.remove(dialog);
            }
        });
    }

    private void bye(CallAction.Bye action) {
        Side to = action.to();
        LegDialog dialog = action.dialog();
        if (to == Side.LEG) {
            part(dialog.leg()).talking.remove(dialog);
        }
        Optional<SimulatedDevice> party = party(to, dialog);
        boolean lost = world.chance(10);
        if (party.isEmpty()) {
            callerKnowsTheEnd |= to == Side.CALLER;
            world.after(
                    lost ? CallSimulation.TRANSACTION_LIFE : 1 + world.delay(),
                    () -> deliver(new CallEvent.ByeCompleted(to, dialog)));
        } else if (party.get().line == Line.LIVE && !lost) {
            if (to == Side.CALLER) {
                callerKnowsTheEnd = true;
                callersDialogs.remove(dialog);
            } else {
                part(dialog.leg()).over.add(dialog);
            }
            boolean answerLost = world.chance(4);
            world.after(
                    answerLost ? CallSimulation.TRANSACTION_LIFE : 1 + world.delay(),
                    () -> deliver(
                            answerLost
                                    ? new CallEvent.ByeUndelivered(to, dialog)
                                    : new CallEvent.ByeCompleted(to, dialog)));
        } else {
            boolean seen = party.get().lossIsReported || party.get().line == Line.BROKEN;
            world.after(
                    seen ? world.draw(0, 1) * world.delay() : CallSimulation.TRANSACTION_LIFE,
                    () -> deliver(new CallEvent.ByeUndelivered(to, dialog)));
        }
        if (world.chance(15)) { // the other side hangs up at that very moment
            hangsUp(to, dialog, world.delay());
        }
    }

    private void forward(CallAction.Forward action) {
        ExchangeId id = action.exchange();
        Optional<SimulatedDevice> to = party(id.from().other(), id.dialog());
        if (to.isEmpty() || to.get().line == Line.LIVE) {
            answerRequest(id, action.method());
        } else if (!to.get().lossIsReported) {
            world.after(
                    CallSimulation.TRANSACTION_LIFE,
                    () -> deliver(new CallEvent.ResponseReceived(id, 408, Optional.empty())));
        } else {
            world.after(world.draw(0, 1) * world.delay(), () -> {
                if (to.get().line != Line.NONE) {
                    forward(action); // it has come back in the meantime
                } else if (to.get().purr) {
                    deliver(new CallEvent.RequestUndelivered(id));
                } else {
                    deliver(new CallEvent.ResponseReceived(id, 480, Optional.empty()));
                }
            });
        }
    }

    /** The far side of a forwarded request. */
    private void answerRequest(ExchangeId id, String method) {
        if (world.chance(15)) {
            CallEvent again = new CallEvent.RequestReceived(id, method, world.text(method));
            deliverWhileOpen(id, again);
        }
        if (world.chance(20)) {
            world.after(
                    world.delay(),
                    () -> deliver(new CallEvent.ResponseReceived(id, 183, Optional.of(world.text("183")))));
        }
        int what = world.percent();
        int status;
        long in = world.delay();
        if (what < 70) {
            status = 200;
            in += method.equals("INVITE") ? world.draw(0, 6) * 500 : 0;
        } else if (what < 90) {
            status = world.oneOf(List.of(488, 491, 500, 481, 487));
        } else if (what < 95) {
            status = 408;
            in = CallSimulation.TRANSACTION_LIFE;
        } else {
            status = 503;
        }
        world.after(in, () -> {
            deliver(new CallEvent.ResponseReceived(id, status, Optional.of(world.text(status + " to " + method))));
            if (world.chance(5)) { // what the far side still says has no meaning any more
                deliver(new CallEvent.ResponseReceived(id, 180, Optional.of(world.text("180"))));
            }
        });
    }

    private void deliverWhileOpen(ExchangeId id, CallEvent event) {
        world.after(0, () -> {
            if (call.exchanges().containsKey(id)) {
                deliver(event);
            }
        });
    }

    // --- at last -------------------------------------------------------------------------------------------------

    /** A caller that is a device has heard how its call ended, if it ever came back, or finds a tombstone. */
    void checkCallerTold() {
        if (caller.isEmpty() && world.journals() && !forgotten && witness.callerGotAnswer() && !callerKnowsTheEnd) {
            throw new InvariantBroken(Invariant.HANG_UP, "the caller of " + plan.id() + " talks to nobody for ever");
        }
        if (forgotten || caller.isEmpty() || callerKnowsTheEnd || callerGotFinal || finalWentAstray) {
            return;
        }
        if (!caller.get().in(this).told) {
            throw new InvariantBroken(
                    answerSent ? Invariant.HANG_UP : Invariant.VERDICT,
                    caller.get().id + " called, came back and never heard how its call ended");
        }
        world.coverage.saw(Situation.CALLER_TOLD_BY_TOMBSTONE);
    }
}
