package org.pushbridge.call;

import java.util.HashMap;
import java.util.HashSet;
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
    private Call call;
    private long cseq = 100;

    /** The answer that lies on the bridge for a caller who has no connection. */
    private Optional<LegDialog> answerWaits = Optional.empty();
    /** A hang-up that a caller without connection could not send. */
    private Optional<LegDialog> hangUpWaits = Optional.empty();

    private boolean callerAcknowledged;
    private boolean callerGotFinal;
    private boolean callerKnowsTheEnd;
    private boolean answerSent;
    private boolean finalWentAstray;

    SimulatedCall(CallSimulation world, int number, CallPlan plan, Optional<SimulatedDevice> caller) {
        this.world = world;
        this.name = number == 1 ? "" : "#" + number + " ";
        this.plan = plan;
        this.caller = caller;
        this.began = world.now;
        call = Call.planned(plan);
        checker = new CallChecker(plan, world.coverage);
    }

    void begin() {
        world.log(name + "plan", plan);
        deliver(new CallEvent.Begun());
        planCaller();
    }

    // --- the bridge's side: one step, and its actions --------------------------------------------------------------

    void deliver(CallEvent event) {
        Step step;
        world.log(name + "  in", event);
        try {
            step = world.rules.step(call, event);
        } catch (RuntimeException e) {
            throw new InvariantBroken(Invariant.FAULT, event + " led to " + e, e);
        }
        step.actions().forEach(action -> world.log(name + " out", action));
        boolean wasFinished = call.isFinished();
        call = step.call();
        checker.check(world.now - began, event, step.actions());
        for (CallAction action : step.actions()) {
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
        if (!wasFinished && call.isFinished()) {
            world.over();
        }
    }

    boolean isFinished() {
        return call.isFinished();
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
            throw new AssertionError("The bridge was not started anew: " + action);
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
        public void acknowledge(CallAction.Acknowledge action) {}

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
            world.device(action.leg()).buried(SimulatedCall.this, action.verdict());
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
        if (!callerIsConnected()) {
            return;
        }
        callerKnowsTheEnd |= checker.callerIsWaiting();
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
            finalWentAstray = !caller.orElseThrow().lossIsReported;
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
        if (checker.callerIsWaiting() && world.chance(15)) {
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

    private void acknowledges(LegDialog dialog, int percentTwice) {
        if (!callerIsConnected()) {
            answerWaits = Optional.of(dialog);
            return;
        }
        callerAcknowledged = true;
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
        methods.put(id, method);
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
        if (caller.isEmpty() || callerKnowsTheEnd || callerGotFinal || finalWentAstray) {
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
