package org.pushbridge.call;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.CallPlan.Candidate;
import org.pushbridge.call.CallPlan.Reach;
import org.pushbridge.call.Coverage.Situation;

/**
 * One call in a made-up world, all of it drawn from one seed: a caller, up to five devices and trunks, Apple, and the
 * edges of the bridge, in virtual time. Messages are late, doubled, crossed and lost as the real ones are. A
 * {@link CallChecker} watches each step.
 *
 * <p>The world keeps what the edges promise, and nothing more; so this list is what the edges owe the rules:
 *
 * <ol>
 *   <li>Each Invite ends in one LegFailed, or in one Answered for each dialog (To tag) that answered, never in both,
 *       save that a 2xx may still come in after TIMEOUT or TRANSPORT was reported. A 2xx is reported once for each
 *       dialog, its retransmissions never.
 *   <li>An INVITE that got nothing but silence ends by itself (timer B). One that got a provisional response stays
 *       open until the far side ends it, its connection breaks, or it is cancelled.
 *   <li>A cancelled INVITE ends within 64*T1 of the CANCEL, whatever the far side does. If the CANCEL has to wait for a
 *       provisional response (RFC 3261 section 9.1), timer B covers that wait.
 *   <li>Provisional responses may come doubled and after the final one. 100 is reported in no dialog: its tag is empty.
 *   <li>Each Forward ends in one final ResponseReceived (408 or 503 where none came); each Bye in one ByeCompleted.
 *   <li>AnswerCaller ends in CallerAcknowledged, perhaps doubled, or in CallerAckMissing. A Reply with 2xx to a
 *       re-INVITE ends in ExchangeAcknowledged or ExchangeAckMissing. Neither needs to come once the call is over.
 *   <li>A request inside a dialog is reported once; while it is being handled its retransmissions may slip through. A
 *       BYE is reported once.
 *   <li>A Push fails at most once (PushFailed or AppGone), and may be delivered although it failed.
 *   <li>A timer fires at its time or later, with the generation it was started with; it may fire although it was
 *       stopped or replaced.
 *   <li>CallerCancelled may come after the final response, and twice. DeviceRegistered and FlowLost may come twice, at
 *       any time, for devices that no one invited.
 *   <li>Once a call is finished, events for it change nothing, so the edges themselves end what comes in then: a stray
 *       2xx gets an ACK and a BYE, a request 481, a device that registers its verdict from the tombstone.
 *   <li>A device that is connected when it is buried is told then and there: it may not register again for long.
 * </ol>
 */
final class CallSimulation {
    /** The machine under test. */
    @FunctionalInterface
    interface Rules {
        Step step(Call call, CallEvent event);
    }

    /**
     * How a run went.
     *
     * @param broken what went wrong, if anything did
     * @param trace what happened, a line each; empty unless asked for
     */
    record Outcome(long seed, Optional<InvariantBroken> broken, List<String> trace) {}

    private record Text(String words) implements Content {
        @Override
        public String toString() {
            return '"' + words + '"';
        }
    }

    private record Scheduled(long at, int tie, long number, Runnable what) {}

    private static final long TRANSACTION_LIFE = 32_000;
    private static final int MOST_EVENTS = 5_000;
    private static final List<String> METHODS =
            List.of("INVITE", "INVITE", "INFO", "UPDATE", "MESSAGE", "OPTIONS", "REFER", "NOTIFY");
    private static final List<String> EARLY_METHODS = List.of("PRACK", "PRACK", "INFO", "UPDATE", "INVITE");

    private final SplittableRandom random;
    private final Rules rules;
    private final Coverage coverage;
    private final boolean traced;
    private final List<String> trace = new ArrayList<>();
    private final PriorityQueue<Scheduled> queue = new PriorityQueue<>(Comparator.comparingLong(Scheduled::at)
            .thenComparingInt(Scheduled::tie)
            .thenComparingLong(Scheduled::number));
    private final Map<LegId, Device> devices = new LinkedHashMap<>();
    private final Map<Timer, Integer> newestGeneration = new HashMap<>();
    private final Set<Timer> stopped = new HashSet<>();
    private final Map<ExchangeId, String> methods = new HashMap<>();
    private final Set<LegDialog> callersDialogs = new HashSet<>();
    private final Set<LegDialog> requestsPlanned = new HashSet<>();
    private final CallChecker checker;
    private final boolean coarse;
    private Call call;
    private long now;
    private long scheduled;
    private long cseq = 100;
    private int words;

    private CallSimulation(long seed, Rules rules, Coverage coverage, boolean traced) {
        this.random = new SplittableRandom(seed);
        this.rules = rules;
        this.coverage = coverage;
        this.traced = traced;
        coarse = chance(50);
        List<Candidate> candidates = new ArrayList<>();
        int number = random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(4);
        for (int i = 1; i <= number; i++) {
            candidates.add(drawCandidate(i));
        }
        if (chance(20)) {
            Device stranger = new Device(new LegId("late"), chance(80), Line.NONE, false);
            devices.put(stranger.id, stranger);
        }
        CallPlan plan = new CallPlan(
                new CallId(new UUID(0, seed)),
                Optional.empty(),
                candidates,
                Duration.ofSeconds(draw(10, 45)),
                Duration.ofSeconds(draw(2, 5)),
                Duration.ofSeconds(draw(30, 300)),
                Duration.ofSeconds(draw(5, 40)),
                List.of(100, 180, 182, 183).get(random.nextInt(4)),
                chance(80) ? Set.of(603) : Set.of(600, 603, 486));
        call = Call.planned(plan);
        checker = new CallChecker(plan, coverage);
    }

    /** Plays one seed; asks for a trace only when it is to be read, as it takes most of the time. */
    static Outcome run(long seed, Rules rules, Coverage coverage, boolean traced) {
        CallSimulation simulation = new CallSimulation(seed, rules, coverage, traced);
        try {
            simulation.play();
            return new Outcome(seed, Optional.empty(), simulation.trace);
        } catch (InvariantBroken broken) {
            return new Outcome(seed, Optional.of(broken), simulation.trace);
        }
    }

    private void play() {
        coverage.saw(Situation.CALLS);
        log("plan", call.plan());
        at(0, () -> {
            deliver(new CallEvent.Begun());
            planCaller();
        });
        devices.values().forEach(Device::planOwnDoings);
        for (int events = 0; !queue.isEmpty(); events++) {
            if (events > MOST_EVENTS) {
                throw new InvariantBroken(Invariant.FINISH, "the call goes on and on");
            }
            Scheduled next = queue.remove();
            now = next.at();
            next.what().run();
        }
        checker.drained();
    }

    private Candidate drawCandidate(int number) {
        if (chance(12)) {
            LegId id = new LegId("trunk:" + number);
            devices.put(id, new Device(id, false, chance(90) ? Line.LIVE : Line.NONE, true));
            return new Candidate(id, Reach.CONNECTED, Pushes.NONE);
        }
        LegId id = new LegId("phone-" + number);
        boolean pushable = chance(80);
        int kind = random.nextInt(100);
        Line line = kind < 35 ? Line.LIVE : kind < 50 ? Line.SILENT : kind < 57 ? Line.BROKEN : Line.NONE;
        Reach reach = line == Line.NONE ? (chance(10) ? Reach.BUSY : Reach.ASLEEP) : Reach.CONNECTED;
        devices.put(id, new Device(id, pushable, line, false));
        return new Candidate(id, reach, pushable ? Pushes.USUAL : Pushes.NONE);
    }

    // --- the bridge's side: one step, and its actions --------------------------------------------------------------

    private void deliver(CallEvent event) {
        Step step;
        log("  in", event);
        try {
            step = rules.step(call, event);
        } catch (RuntimeException e) {
            throw new InvariantBroken(Invariant.FAULT, event + " led to " + e, e);
        }
        step.actions().forEach(action -> log(" out", action));
        call = step.call();
        checker.check(now, event, step.actions());
        for (CallAction action : step.actions()) {
            if (action instanceof CallAction.ForEdge forEdge) {
                forEdge.applyTo(edges);
            } else if (action instanceof CallAction.StartTimer start) {
                newestGeneration.put(start.timer(), start.generation());
                stopped.remove(start.timer());
                after(start.after().toMillis(), () -> fire(start.timer(), start.generation()));
            } else if (action instanceof CallAction.StopTimer stop) {
                stopped.add(stop.timer());
            }
        }
    }

    private final CallPorts edges = new CallPorts() {
        @Override
        public void respondToCaller(CallAction.RespondToCaller action) {
            action.dialog().ifPresent(dialog -> after(delay(), () -> hears(dialog)));
        }

        @Override
        public void answerCaller(CallAction.AnswerCaller action) {
            after(delay(), () -> callerIsAnswered(action.dialog()));
        }

        @Override
        public void invite(CallAction.Invite action) {
            device(action.leg()).invited(action.attempt());
        }

        @Override
        public void cancel(CallAction.Cancel action) {
            device(action.leg()).cancelled(action.attempt());
        }

        @Override
        public void acknowledge(CallAction.Acknowledge action) {}

        @Override
        public void bye(CallAction.Bye action) {
            Device device = device(action.dialog().leg());
            if (action.to() == Side.LEG) {
                device.talking.remove(action.dialog());
            }
            boolean lost = chance(10);
            after(lost ? TRANSACTION_LIFE : 1 + delay(), () -> {
                if (action.to() == Side.CALLER) {
                    callersDialogs.remove(action.dialog());
                }
                deliver(new CallEvent.ByeCompleted(action.to(), action.dialog()));
            });
            if (chance(15)) { // the other side hangs up at that very moment
                hangsUp(action.to(), action.dialog(), delay());
            }
        }

        @Override
        public void forward(CallAction.Forward action) {
            answerRequest(action.exchange(), action.method());
        }

        @Override
        public void reply(CallAction.Reply action) {
            ExchangeId id = action.exchange();
            if (action.status() < 200 || action.status() >= 300 || !"INVITE".equals(methods.get(id))) {
                return;
            }
            if (chance(90)) {
                after(delay(), () -> deliver(new CallEvent.ExchangeAcknowledged(id, text("ACK to a re-INVITE"))));
            } else {
                after(TRANSACTION_LIFE, () -> deliver(new CallEvent.ExchangeAckMissing(id)));
            }
        }

        @Override
        public void acknowledgeExchange(CallAction.AcknowledgeExchange action) {}

        @Override
        public void cancelExchange(CallAction.CancelExchange action) {}

        @Override
        public void push(CallAction.Push action) {
            pushed(device(action.leg()));
        }

        @Override
        public void alertMissedCall(CallAction.AlertMissedCall action) {}

        @Override
        public void bury(CallAction.Bury action) {}

        @Override
        public void pushEnd(CallAction.PushEnd action) {}

        @Override
        public void pushForRequest(CallAction.PushForRequest action) {}

        @Override
        public void cancelAgain(CallAction.CancelAgain action) {}

        @Override
        public void repeatFinal(CallAction.RepeatFinal action) {}
    };

    private void fire(Timer timer, int generation) {
        boolean stale = stopped.contains(timer) || newestGeneration.getOrDefault(timer, 0) != generation;
        if (!stale || chance(30)) {
            deliver(new CallEvent.TimerFired(timer, generation));
            if (chance(5)) {
                after(delay(), () -> deliver(new CallEvent.TimerFired(timer, generation)));
            }
        }
    }

    // --- the caller ------------------------------------------------------------------------------------------------

    private void planCaller() {
        if (chance(40)) {
            // Often at about the time of the limit, where things cross.
            long when =
                    chance(20) ? call.plan().ringLimit().toMillis() - delay() + delay() : draw(0, 50) * 1000 + delay();
            after(Math.max(0, when), this::cancel);
        }
    }

    private void cancel() {
        deliver(new CallEvent.CallerCancelled());
        if (chance(10)) {
            after(delay(), () -> deliver(new CallEvent.CallerCancelled()));
        }
    }

    /** The caller got a provisional response of a dialog. */
    private void hears(LegDialog dialog) {
        if (callersDialogs.add(dialog)) {
            if (chance(20)) {
                after(delay(), () -> request(Side.CALLER, dialog, EARLY_METHODS.get(random.nextInt(5))));
            }
            if (chance(4)) {
                after(draw(0, 10) * 1000 + delay(), () -> {
                    if (callersDialogs.contains(dialog)) {
                        hangsUp(Side.CALLER, dialog, 0);
                    }
                });
            }
            if (chance(8)) {
                // The caller gives up while the phone picks up.
                after(draw(1, 8) * 1000 + delay(), this::cancel);
            }
        }
    }

    private void callerIsAnswered(LegDialog dialog) {
        callersDialogs.add(dialog);
        int what = random.nextInt(100);
        if (what < 85) {
            after(delay(), () -> {
                deliver(new CallEvent.CallerAcknowledged(dialog, text("ACK")));
                if (chance(15)) {
                    after(delay(), () -> deliver(new CallEvent.CallerAcknowledged(dialog, text("ACK"))));
                }
            });
        } else if (what < 92) {
            hangsUp(Side.CALLER, dialog, delay()); // impatient: before its ACK, which may follow
            after(delay() * 2, () -> deliver(new CallEvent.CallerAcknowledged(dialog, text("ACK"))));
        } else {
            after(TRANSACTION_LIFE, () -> deliver(new CallEvent.CallerAckMissing()));
        }
        if (chance(10)) {
            after(delay(), () -> deliver(new CallEvent.CallerCancelled()));
        }
        if (requestsPlanned.add(dialog)) {
            planTalk(dialog);
        }
    }

    /** What both sides do while they talk, and how they end it. */
    private void planTalk(LegDialog dialog) {
        for (Side side : Side.values()) {
            for (int i = random.nextInt(4); i > 0; i--) {
                String method = METHODS.get(random.nextInt(METHODS.size()));
                after(draw(0, 20) * 500, () -> request(side, dialog, method));
            }
        }
        if (chance(25)) {
            // Both change their session at once.
            long when = draw(0, 20) * 500;
            after(when + delay(), () -> request(Side.CALLER, dialog, "INVITE"));
            after(when + delay(), () -> request(Side.LEG, dialog, "INVITE"));
        }
        int ends = random.nextInt(100);
        long when = draw(0, 40) * 500;
        if (ends < 45) {
            hangsUp(Side.CALLER, dialog, when);
        } else if (ends < 85) {
            hangsUp(Side.LEG, dialog, when);
        } else if (ends < 92) {
            hangsUp(Side.CALLER, dialog, when);
            hangsUp(Side.LEG, dialog, when + delay());
        }
    }

    // --- requests inside dialogs -----------------------------------------------------------------------------------

    private void request(Side from, LegDialog dialog, String method) {
        boolean gone = from == Side.CALLER
                ? !callersDialogs.contains(dialog)
                : !device(dialog.leg()).talking.contains(dialog);
        if (gone && chance(80)) {
            return; // it knows that this dialog is over; some do not care
        }
        ExchangeId id = new ExchangeId(from, dialog, cseq++);
        methods.put(id, method);
        CallEvent.RequestReceived request = new CallEvent.RequestReceived(id, method, text(method));
        deliver(request);
        if (method.equals("INVITE") && chance(20)) {
            after(delay(), () -> deliver(new CallEvent.ExchangeCancelled(id)));
        }
    }

    private void hangsUp(Side from, LegDialog dialog, long in) {
        after(in, () -> {
            deliver(new CallEvent.ByeReceived(new ExchangeId(from, dialog, cseq++), text("BYE")));
            if (chance(80)) {
                callersDialogs.remove(dialog);
                device(dialog.leg()).talking.remove(dialog);
            }
        });
    }

    /** The far side of a forwarded request. */
    private void answerRequest(ExchangeId id, String method) {
        if (chance(15)) {
            CallEvent again = new CallEvent.RequestReceived(id, method, text(method));
            deliverWhileOpen(id, again, 0);
        }
        if (chance(20)) {
            after(delay(), () -> deliver(new CallEvent.ResponseReceived(id, 183, Optional.of(text("183")))));
        }
        int what = random.nextInt(100);
        int status;
        long in = delay();
        if (what < 70) {
            status = 200;
            in += method.equals("INVITE") ? draw(0, 6) * 500 : 0;
        } else if (what < 90) {
            status = List.of(488, 491, 500, 481, 487).get(random.nextInt(5));
        } else if (what < 95) {
            status = 408;
            in = TRANSACTION_LIFE;
        } else {
            status = 503;
        }
        after(in, () -> {
            deliver(new CallEvent.ResponseReceived(id, status, Optional.of(text(status + " to " + method))));
            if (chance(5)) { // what the far side still says has no meaning any more
                deliver(new CallEvent.ResponseReceived(id, 180, Optional.of(text("180"))));
            }
        });
    }

    private void deliverWhileOpen(ExchangeId id, CallEvent event, long in) {
        after(in, () -> {
            if (call.exchanges().containsKey(id)) {
                deliver(event);
            }
        });
    }

    // --- Apple -----------------------------------------------------------------------------------------------------

    private void pushed(Device device) {
        int what = random.nextInt(100);
        if (what < 65) {
            after(delay(), device::wake);
        } else if (what < 75) {
            after(draw(5, 60) * 1000, device::wake); // flight mode: late
        } else if (what < 80) {
            return; // accepted, and never delivered
        } else {
            CallEvent failure = chance(40) ? new CallEvent.AppGone(device.id) : new CallEvent.PushFailed(device.id);
            after(chance(70) ? delay() : draw(1, 10) * 1000, () -> deliver(failure));
            if (chance(15)) {
                after(draw(0, 20) * 1000, device::wake); // it went through after all
            }
        }
    }

    // --- devices ---------------------------------------------------------------------------------------------------

    /** What becomes of an INVITE that is sent to a device now. */
    private enum Line {
        /** It arrives. */
        LIVE,
        /** Nothing comes back: the app is suspended, the connection looks alive. */
        SILENT,
        /** The connection breaks as it is used. */
        BROKEN,
        /** There is none. */
        NONE
    }

    /** What the edge knows of one INVITE. */
    private static final class Attempt {
        final int number;
        boolean ended;
        boolean heardOf;
        boolean cancelled;
        boolean answered;

        Attempt(int number) {
            this.number = number;
        }
    }

    private final class Device {
        final LegId id;
        final boolean pushable;
        final boolean trunk;
        final Map<Integer, Attempt> attempts = new LinkedHashMap<>();
        /** INVITEs that lie in the buffers of a connection whose app is suspended. */
        final List<Attempt> buffered = new ArrayList<>();
        /** INVITEs the app has and has not answered finally. */
        final Set<Attempt> ringing = new HashSet<>();
        /** Dialogs in which it may send requests. */
        final Set<LegDialog> talking = new HashSet<>();
        /** Dialogs whose 2xx went out. */
        final Set<LegDialog> answered = new HashSet<>();

        Line line;

        Device(LegId id, boolean pushable, Line line, boolean trunk) {
            this.id = id;
            this.pushable = pushable;
            this.line = line;
            this.trunk = trunk;
        }

        /** Devices also register when nobody asked. */
        void planOwnDoings() {
            if (trunk) {
                return;
            }
            if (chance(25) || id.value().equals("late")) {
                long when = chance(20)
                        ? call.plan().ringLimit().toMillis() + draw(-1, 1) * 100
                        : draw(0, 30) * 1000 + delay();
                after(when, () -> register(chance(80) ? Line.LIVE : Line.SILENT));
            }
        }

        void wake() {
            if (line == Line.LIVE && chance(80)) {
                return; // it is awake already
            }
            if (chance(10)) {
                return; // it never comes up
            }
            long in = chance(80) ? draw(2, 40) * 100 : draw(4, 25) * 1000;
            after(in, () -> {
                if (!buffered.isEmpty() && chance(50)) {
                    // The old connection was alive after all: what was stuck in it arrives.
                    List<Attempt> stuck = List.copyOf(buffered);
                    stuck.forEach(a -> after(delay(), () -> arrives(a)));
                }
                buffered.clear();
                int kind = random.nextInt(100);
                register(kind < 84 ? Line.LIVE : kind < 92 ? Line.SILENT : Line.BROKEN);
                for (int more = random.nextInt(3); more > 0; more--) {
                    after(chance(50) ? delay() : draw(1, 8) * 1000, () -> register(Line.LIVE));
                }
            });
        }

        void register(Line fresh) {
            line = fresh;
            deliver(new CallEvent.DeviceRegistered(id, pushable ? Pushes.USUAL : Pushes.NONE));
        }

        void invited(int number) {
            Attempt attempt = new Attempt(number);
            attempts.put(number, attempt);
            switch (line) {
                case NONE, BROKEN -> {
                    boolean proxy = chance(20);
                    end(attempt, proxy ? Failure.REFUSED : Failure.TRANSPORT, proxy ? 430 : 503, delay());
                    line = Line.NONE;
                    return;
                }
                case SILENT -> {
                    buffered.add(attempt);
                    if (chance(5)) {
                        trying(attempt); // a proxy before it is awake, it is not
                    }
                }
                case LIVE -> after(delay(), () -> arrives(attempt));
            }
            after(TRANSACTION_LIFE, () -> {
                if (!attempt.heardOf) {
                    end(attempt, Failure.TIMEOUT, 408, 0);
                }
            });
        }

        void cancelled(int number) {
            Attempt attempt = attempts.get(number);
            if (attempt == null) {
                throw new AssertionError("A CANCEL for an INVITE that was never sent: " + number);
            }
            attempt.cancelled = true;
            if (attempt.heardOf) {
                sendCancel(attempt);
            }
            if (line == Line.NONE && chance(70)) {
                end(attempt, Failure.TRANSPORT, 503, delay());
            }
            after(2 * TRANSACTION_LIFE, () -> end(attempt, Failure.TIMEOUT, 408, 0));
        }

        private void sendCancel(Attempt attempt) {
            int what = random.nextInt(100);
            after(delay(), () -> {
                if (!ringing.contains(attempt) || line != Line.LIVE) {
                    after(TRANSACTION_LIFE, () -> end(attempt, Failure.TIMEOUT, 408, 0));
                } else if (what < 75) {
                    ringing.remove(attempt);
                    end(attempt, Failure.REFUSED, 487, delay());
                } else if (what < 85) {
                    answer(attempt, "tag"); // it was picked up before the CANCEL came
                } else if (what < 90) {
                    ringing.remove(attempt);
                    end(attempt, Failure.REFUSED, 486, delay());
                } else if (what < 95) {
                    ringing.remove(attempt);
                    line = Line.NONE;
                    end(attempt, Failure.TRANSPORT, 503, delay());
                } else {
                    ringing.remove(attempt);
                    after(TRANSACTION_LIFE, () -> end(attempt, Failure.TIMEOUT, 408, 0));
                }
            });
        }

        /** The edge reports the end of an INVITE, once. */
        private void end(Attempt attempt, Failure failure, int status, long in) {
            if (attempt.ended) {
                return;
            }
            attempt.ended = true;
            Optional<Content> content = failure == Failure.REFUSED ? Optional.of(text(status + "")) : Optional.empty();
            after(in, () -> {
                if (!attempt.answered) {
                    deliver(new CallEvent.LegFailed(id, attempt.number, failure, status, content));
                }
            });
        }

        /** An INVITE reaches the app. */
        private void arrives(Attempt attempt) {
            if (!ringing.isEmpty() && chance(90)) {
                end(attempt, Failure.REFUSED, 482, delay());
                return;
            }
            ringing.add(attempt);
            if (chance(50)) {
                trying(attempt);
            }
            long soon = delay();
            long later = soon + draw(1, 20) * 500;
            int what = random.nextInt(trunk ? 75 : 100);
            if (trunk && what < 40) {
                fork(attempt);
            } else if (what < 30) {
                after(soon, () -> ring(attempt, "tag"));
                after(later, () -> answer(attempt, "tag"));
            } else if (what < 36) {
                after(soon, () -> answer(attempt, "tag"));
            } else if (what < 56) {
                boolean rings = chance(60);
                if (rings) {
                    after(soon, () -> ring(attempt, "tag"));
                }
                int status = List.of(486, 486, 603, 603, 480, 404, 500, 503, 600, 302, 488, 604)
                        .get(random.nextInt(12));
                after(rings ? later : soon, () -> refuse(attempt, status));
            } else if (what < 60) {
                after(soon, () -> {
                    ringing.remove(attempt);
                    end(attempt, Failure.REFUSED, 430, 0);
                    line = Line.NONE;
                });
            } else if (what < 75) {
                after(soon, () -> ring(attempt, "tag"));
            } else if (what < 83) {
                after(soon, () -> ring(attempt, "tag"));
                after(later, () -> crash(attempt));
            } else if (what < 92) {
                after(soon, () -> ring(attempt, "tag"));
                after(later, () -> moves(attempt));
            } else if (what < 96) {
                after(later, () -> ringing.remove(attempt)); // it drops the call without a word
            } else {
                after(draw(2, 12) * 500, () -> ring(attempt, "tag")); // it takes its time
                after(draw(12, 20) * 500, () -> answer(attempt, "tag"));
            }
        }

        private void trying(Attempt attempt) {
            after(delay(), () -> heard(attempt, new LegDialog(id, ""), 100));
        }

        /** The edge gets a provisional response. */
        private void heard(Attempt attempt, LegDialog dialog, int status) {
            boolean first = !attempt.heardOf;
            attempt.heardOf = true;
            deliver(new CallEvent.Provisional(dialog, attempt.number, status, text(status + "")));
            if (first && attempt.cancelled) {
                sendCancel(attempt); // it had to wait for this
            }
        }

        private void refuse(Attempt attempt, int status) {
            if (ringing.remove(attempt)) {
                end(attempt, Failure.REFUSED, status, delay());
            }
        }

        private void fork(Attempt attempt) {
            for (int branch = 1 + random.nextInt(3); branch > 0; branch--) {
                String tag = "tag-" + branch;
                after(delay(), () -> ring(attempt, tag));
                if (chance(70)) {
                    after(draw(1, 8) * 500, () -> answer(attempt, tag));
                }
            }
        }

        private void ring(Attempt attempt, String tag) {
            if (!ringing.contains(attempt)) {
                return;
            }
            LegDialog dialog = new LegDialog(id, tag + "-" + attempt.number);
            talking.add(dialog);
            int status = chance(70) ? 180 : 183;
            after(delay(), () -> {
                heard(attempt, dialog, status);
                if (chance(10)) {
                    deliver(new CallEvent.Provisional(dialog, attempt.number, status, text(status + "")));
                }
            });
            if (chance(15)) {
                after(delay(), () -> request(Side.LEG, dialog, EARLY_METHODS.get(random.nextInt(5))));
            }
        }

        /** The user answers: a 2xx goes out, once for each dialog. */
        private void answer(Attempt attempt, String tag) {
            LegDialog dialog = new LegDialog(id, tag + "-" + attempt.number);
            if (!ringing.contains(attempt)) {
                return;
            }
            if (!trunk) {
                ringing.remove(attempt); // behind a trunk others may still answer
            }
            boolean lost = line != Line.LIVE || chance(2);
            if (lost || !answered.add(dialog)) {
                return; // if lost, the edge sees silence
            }
            talking.add(dialog);
            attempt.heardOf = true;
            attempt.ended = true; // if it is not already: a 2xx may come late
            after(delay(), () -> {
                attempt.answered = true;
                deliver(new CallEvent.Answered(dialog, attempt.number, 200, text("200")));
                if (chance(10)) {
                    hangsUp(Side.LEG, dialog, draw(0, 4) * 500);
                }
            });
        }

        /** The app dies with all it knew. */
        private void crash(Attempt attempt) {
            if (!ringing.contains(attempt)) {
                return;
            }
            ringing.clear();
            line = Line.NONE;
            flowLost();
            if (chance(60)) {
                attempts.values().forEach(a -> end(a, Failure.TRANSPORT, 503, delay()));
            }
            if (chance(40)) {
                after(draw(1, 10) * 1000, () -> register(Line.LIVE));
            }
        }

        /** From one network to another: the app lives on and comes back on another flow. */
        private void moves(Attempt attempt) {
            if (!ringing.contains(attempt)) {
                return;
            }
            line = Line.NONE;
            int edgeSees = random.nextInt(100);
            if (edgeSees < 60) {
                flowLost();
            } else if (edgeSees < 80) {
                after(draw(5, 9) * 500, this::flowLost); // later than it comes back
            }
            if (chance(30)) {
                attempts.values().forEach(a -> end(a, Failure.TRANSPORT, 503, delay()));
            }
            after(draw(1, 8) * 500, () -> register(Line.LIVE));
            after(draw(9, 20) * 500, () -> answer(attempt, "tag"));
        }

        private void flowLost() {
            after(delay(), () -> {
                deliver(new CallEvent.FlowLost(id));
                if (chance(10)) {
                    deliver(new CallEvent.FlowLost(id));
                }
            });
        }
    }

    // --- time and chance -------------------------------------------------------------------------------------------

    private Device device(LegId id) {
        Device device = devices.get(id);
        if (device == null) {
            throw new InvariantBroken(Invariant.FAULT, "an action names a leg that does not exist: " + id);
        }
        return device;
    }

    private void at(long time, Runnable what) {
        queue.add(new Scheduled(time, random.nextInt(1000), scheduled++, what));
    }

    private void after(long in, Runnable what) {
        at(now + in, what);
    }

    /** How long a message takes. In half of the worlds times are coarse, so that much happens at the same instant. */
    private long delay() {
        return coarse ? 100L * random.nextInt(4) : random.nextInt(400);
    }

    private long draw(int least, int most) {
        return random.nextLong(least, most + 1L);
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private Content text(String what) {
        return new Text(what + " " + ++words);
    }

    private void log(String what, Object detail) {
        if (traced) {
            trace.add(String.format("%9.3f s %s  %s", now / 1000.0, what, detail));
        }
    }
}
