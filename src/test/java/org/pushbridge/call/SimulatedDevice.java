package org.pushbridge.call;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.Coverage.Situation;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudget;

/** A device or a trunk of a {@link CallSimulation}, which may be in several calls at once. */
final class SimulatedDevice {
    /** What becomes of a message that is sent to a device now. */
    enum Line {
        /** It arrives. */
        LIVE,
        /** Nothing comes back: the app is suspended, the connection looks alive. */
        SILENT,
        /** The connection breaks as it is used. */
        BROKEN,
        /** There is none. */
        NONE
    }

    final LegId id;
    final Pushes pushes;
    final boolean trunk;
    final boolean ofUser;
    /** Whether requests inside its dialogs may wake it (RFC 8599 section 6). */
    final boolean purr;
    /** Whether it is reached at an address, so that the bridge does not lose it as it crashes. */
    final boolean connectionless;

    Line line;
    /** Whether the edge has seen that it has no connection. */
    boolean lossIsReported;

    private final CallSimulation world;
    private final DeviceId deviceId;
    private final Map<SimulatedCall, InCall> parts = new LinkedHashMap<>();
    private final Map<SimulatedCall, Verdict> untold = new LinkedHashMap<>();
    private final PushLedger ledger = new PushLedger();
    private final Set<SimulatedCall> rungFor = new HashSet<>();
    private boolean noticesTheCrash;

    SimulatedDevice(CallSimulation world, LegId id, Pushes pushes, Line line, boolean trunk, boolean ofUser) {
        this.world = world;
        this.id = id;
        deviceId = new DeviceId(String.format("%016x", id.value().hashCode()));
        this.pushes = pushes;
        this.line = line;
        this.trunk = trunk;
        this.ofUser = ofUser;
        lossIsReported = line == Line.NONE;
        connectionless = trunk || world.fateHas(45);
        purr = !trunk && pushes.wake() && world.chance(60);
    }

    InCall in(SimulatedCall call) {
        return parts.computeIfAbsent(call, InCall::new);
    }

    /** Whether it is in a call that was answered. */
    boolean isTalking() {
        return parts.values().stream().anyMatch(InCall::talks);
    }

    // --- waking and sleeping -----------------------------------------------------------------------------------------

    /** Devices also register when nobody asked, and apps ask when nobody pushed. */
    void planOwnDoings(SimulatedCall call) {
        if (trunk || !ofUser) {
            return;
        }
        if (world.chance(25) || id.value().equals("late")) {
            long when = world.chance(20)
                    ? call.plan.ringLimit().toMillis() + world.draw(-1, 1) * 100
                    : world.draw(0, 30) * 1000 + world.delay();
            world.after(when, () -> register(world.chance(80) ? Line.LIVE : Line.SILENT));
        }
        if (world.chance(5)) {
            world.after(world.draw(0, 40) * 1000, () -> usesHttp(call));
        }
    }

    /** Its app is started by a push. */
    private void wakes(SimulatedCall call) {
        usesHttp(call);
        if (line == Line.LIVE && world.chance(80)) {
            return; // it is awake already
        }
        if (world.chance(10)) {
            return; // it never comes up
        }
        long in = world.chance(80) ? world.draw(2, 40) * 100 : world.draw(4, 25) * 1000;
        world.after(in, () -> {
            parts.values().forEach(InCall::mayGetWhatWasStuck);
            int kind = world.percent();
            register(kind < 84 ? Line.LIVE : kind < 92 ? Line.SILENT : Line.BROKEN);
            for (long more = world.draw(0, 2); more > 0; more--) {
                world.after(world.chance(50) ? world.delay() : world.draw(1, 8) * 1000, () -> register(Line.LIVE));
            }
        });
    }

    void register(Line fresh) {
        if (world.down) {
            world.after(world.fate(500, 5000), () -> register(fresh)); // it tries until somebody answers
            return;
        }
        line = fresh;
        lossIsReported = false;
        world.budget.registered(deviceId, instant());
        ledger.registered();
        List<SimulatedCall> calls = world.callsOf(this);
        calls.forEach(call -> call.deliver(new CallEvent.DeviceRegistered(id, pushes)));
        readsTombstones();
        if (line == Line.LIVE) {
            calls.stream().filter(call -> call.caller.equals(Optional.of(this))).forEach(SimulatedCall::callerIsBack);
            parts.values().forEach(InCall::isBack);
        }
    }

    // --- the bridge crashes ----------------------------------------------------------------------------------------

    void bridgeCrashes() {
        if (!connectionless && line != Line.NONE) {
            noticesTheCrash = line == Line.LIVE && world.fateHas(80);
            line = Line.NONE;
            parts.values().forEach(part -> part.buffered.clear());
        }
    }

    void bridgeIsBack() {
        lossIsReported |= line == Line.NONE;
        if (noticesTheCrash) {
            world.after(world.fateHas(70) ? world.fate(0, 2_000) : world.fate(2_000, 40_000), () -> {
                if (line != Line.LIVE) {
                    register(Line.LIVE);
                }
            });
        }
        noticesTheCrash = false;
        parts.values().forEach(InCall::bridgeIsBack);
    }

    void losesConnectionAfter(long in) {
        world.after(in, () -> {
            if (line != Line.LIVE) {
                return;
            }
            line = Line.NONE;
            int seen = world.percent();
            if (seen < 75) {
                world.after(world.delay(), this::lossIsSeen);
            } else if (seen < 85) {
                world.after(world.draw(2, 12) * 500, this::lossIsSeen);
            }
            int back = world.percent();
            if (back < 85) {
                long when = back < 45 ? world.draw(0, 12) * 500 : world.draw(2, 60) * 1000;
                world.after(when, () -> register(world.chance(92) ? Line.LIVE : Line.SILENT));
            }
        });
    }

    void lossIsSeen() {
        if (world.down) {
            return;
        }
        lossIsReported |= line == Line.NONE;
        for (SimulatedCall call : world.callsOf(this)) {
            world.inThisRun(() -> call.deliver(new CallEvent.FlowLost(id)));
            if (world.chance(10)) {
                world.inThisRun(() -> call.deliver(new CallEvent.FlowLost(id)));
            }
        }
    }

    /** A push that is no VoIP push may make the app connect. */
    void mayComeBackForAPush(int percent) {
        if (line != Line.LIVE && pushes.wake() && world.chance(percent)) {
            world.after(world.delay() + world.draw(0, 30) * 100, () -> {
                if (line != Line.LIVE) {
                    register(Line.LIVE);
                }
            });
        }
    }

    // --- Apple and the push budget ---------------------------------------------------------------------------------

    /** The edge is to ring it by a VoIP push. */
    void isPushedTo(SimulatedCall call) {
        long asked = world.now;
        boolean again = rungFor.contains(call);
        boolean rings = again || takesFromTheBudget(call);
        if (!rings) {
            world.coverage.saw(Situation.HELD_BACK_BY_THE_PUSH_BUDGET);
            boolean alerted = world.chance(70);
            if (!alerted) {
                world.after(0, () -> call.deliver(new CallEvent.PushFailed(id)));
            } else if (world.chance(40)) {
                world.after(world.draw(1, 20) * 1000, () -> wakes(call)); // the user taps on it
            }
            return;
        }
        int what = world.percent();
        if (what < 50) {
            isAccepted(call);
            world.after(world.delay(), () -> wakes(call));
        } else if (what < 60) {
            isAccepted(call);
            world.after(world.draw(5, 60) * 1000, () -> wakes(call)); // flight mode: late
        } else if (what < 68) {
            isAccepted(call); // and never delivered
        } else if (what < 80) {
            if (world.chance(70)) { // nobody knows what became of it
                world.after(world.delay(), () -> wakes(call));
            }
        } else {
            boolean gone = world.chance(40) && !again;
            world.after(world.chance(70) ? world.delay() : world.draw(1, 10) * 1000, () -> {
                if (!gone) {
                    world.budget.notPushed(deviceId, Instant.ofEpochMilli(asked));
                    ledger.notPushed(asked);
                }
                call.deliver(gone ? new CallEvent.AppGone(id) : new CallEvent.PushFailed(id));
            });
            if (world.chance(15) && !gone) {
                world.after(world.draw(0, 20) * 1000, () -> wakes(call)); // it went through after all
            }
        }
    }

    private boolean takesFromTheBudget(SimulatedCall call) {
        boolean rings = world.budget.take(deviceId, instant()) == PushBudget.Ruling.RING;
        ledger.check(rings);
        if (rings) {
            rungFor.add(call);
        }
        return rings;
    }

    /** Word of this may overtake the device itself, or come long after it. */
    private void isAccepted(SimulatedCall call) {
        world.after(
                world.chance(80) ? world.delay() : world.draw(0, 60) * 100,
                () -> call.deliver(new CallEvent.PushAccepted(id)));
    }

    private Instant instant() {
        return Instant.ofEpochMilli(world.now);
    }

    /** Which VoIP pushes led nowhere: a ledger of its own, to check the budget by. */
    private final class PushLedger {
        private static final long NEVER = Long.MIN_VALUE / 2;

        private int wasted;
        private long waitingSince = NEVER;
        private long wastedAt = NEVER;

        void check(boolean rings) {
            long expires = waitingSince + PushBudget.ANSWER_WITHIN.toMillis();
            if (waitingSince != NEVER && world.now >= expires) {
                wastes(expires);
            }
            boolean waiting = waitingSince != NEVER;
            Duration pause = world.pushPause;
            boolean mayNot = world.wastedPushes > 0
                    && wasted >= world.wastedPushes
                    && (waiting || world.now < wastedAt + pause.toMillis());
            if (rings == mayNot) {
                throw new InvariantBroken(
                        Invariant.BUDGET,
                        id + (rings ? " was rung" : " was held back") + " after " + wasted + " wasted pushes of "
                                + world.wastedPushes);
            }
            if (rings) {
                if (waiting) {
                    wastes(world.now);
                }
                waitingSince = world.now;
            }
        }

        private void wastes(long when) {
            wasted++;
            wastedAt = when;
            waitingSince = NEVER;
        }

        void notPushed(long at) {
            if (waitingSince == at) {
                waitingSince = NEVER;
            }
        }

        void registered() {
            wasted = 0;
            waitingSince = NEVER;
            wastedAt = NEVER;
        }
    }

    // --- what the app does over HTTP -------------------------------------------------------------------------------

    private void usesHttp(SimulatedCall call) {
        if (world.chance(35)) {
            world.after(world.delay(), () -> asks(call));
        }
        if (world.chance(20)) {
            world.after(world.draw(1, 30) * 200, () -> call.deliver(new CallEvent.Alerting(id)));
        }
        if (world.chance(12)) {
            world.after(world.draw(1, 30) * 500, () -> declines(call));
        }
        if (world.chance(10)) {
            world.after(world.draw(1, 60) * 1000, () -> asks(call));
        }
    }

    private void asks(SimulatedCall call) {
        if (world.down) {
            return;
        }
        Optional<Verdict> end = call.endFor(id);
        call.isAsked(id, end);
        if (end.isPresent()) {
            in(call).isToldOfTheEnd();
            untold.remove(call);
        }
        call.deliver(new CallEvent.AppAwake(id));
    }

    private void declines(SimulatedCall call) {
        InCall part = in(call);
        part.told = true; // whatever becomes of it, the user wants no more of it
        part.declined = true;
        if (world.chance(30)) {
            part.ringing.clear();
        }
        call.deliver(new CallEvent.Declined(id, world.chance(50) ? 486 : 603));
    }

    // --- tombstones ------------------------------------------------------------------------------------------------

    void isBuried(SimulatedCall call, Verdict verdict) {
        in(call).buried = true;
        untold.put(call, verdict);
    }

    void readsTombstones() {
        if (line != Line.LIVE || isTalking() || world.down) {
            return;
        }
        for (SimulatedCall call : List.copyOf(untold.keySet())) {
            untold.remove(call);
            in(call).isToldOfTheEnd();
            world.coverage.saw(Situation.TOLD_BY_TOMBSTONE);
        }
    }

    // --- at last ---------------------------------------------------------------------------------------------------

    /** However late, and with all calls over. */
    void showsUpAtLast() {
        if (!trunk) {
            parts.values().forEach(part -> part.talking.clear());
            register(Line.LIVE);
        }
    }

    /** It was called, it has shown up: it has been told, by whatever way. */
    void checkTold(SimulatedCall call) {
        InCall part = parts.get(call);
        if (trunk || part == null) {
            return;
        }
        Set<LegDialog> open = new HashSet<>(part.answered);
        open.removeAll(part.over);
        if (!open.isEmpty() && !part.buried) {
            throw new InvariantBroken(
                    Invariant.HANG_UP, id + " was in a call and never heard that it is over: " + open);
        }
        if (call.wasCalled(id) && !part.told && part.answered.isEmpty()) {
            throw new InvariantBroken(Invariant.VERDICT, id + " was called, has shown up and was never told the end");
        }
    }

    /** A 2xx that was sent. */
    private record Sent(Attempt on, long at) {}

    /** What the edge knows of one INVITE. */
    private static final class Attempt {
        final int number;
        boolean ended;
        boolean heardOf;
        boolean cancelled;
        boolean answered;
        /** The run of the bridge that waits for its end. */
        int run;
        /** What the device said last, to say it again. */
        Optional<LegDialog> rang = Optional.empty();

        int rangStatus;
        int refusedStatus;
        long refusedAt;
        int copies;
        boolean cancelledAnew;

        Attempt(int number, int run) {
            this.number = number;
            this.run = run;
        }

        void isSentAgain(int newRun) {
            run = newRun;
            ended = false;
            heardOf = false;
            answered = false;
        }
    }

    /** A device in one call. */
    final class InCall {
        /** Dialogs in which it may send requests. */
        final Set<LegDialog> talking = new HashSet<>();
        /** Dialogs whose 2xx went out. */
        final Set<LegDialog> answered = new HashSet<>();
        /** Dialogs that it knows to be over. */
        final Set<LegDialog> over = new HashSet<>();
        /** Dialogs whose 2xx was acknowledged. */
        final Set<LegDialog> acknowledged = new HashSet<>();
        /** INVITEs the app has and has not answered finally. */
        final Set<Attempt> ringing = new HashSet<>();

        boolean told;
        /** The same, from the bridge, and it did not end its part in the call itself. */
        boolean heardOfTheEnd;

        boolean buried;
        boolean declined;
        Optional<LegDialog> hangUpWaits = Optional.empty();

        private final SimulatedCall call;
        private final Map<LegDialog, Sent> answers = new LinkedHashMap<>();
        private final Map<Integer, Attempt> attempts = new LinkedHashMap<>();
        /** INVITEs that lie in the buffers of a connection whose app is suspended. */
        private final List<Attempt> buffered = new ArrayList<>();

        private InCall(SimulatedCall call) {
            this.call = call;
        }

        boolean talks() {
            return !call.isFinished() && answered.stream().anyMatch(dialog -> !over.contains(dialog));
        }

        void isToldOfTheEnd() {
            heardOfTheEnd |= !told;
            told = true;
            if (world.chance(50)) {
                ringing.clear(); // some apps only believe the CANCEL
            }
        }

        void isBack() {
            hangUpWaits
                    .filter(dialog -> world.chance(80))
                    .ifPresent(dialog -> call.hangsUp(Side.LEG, dialog, world.delay()));
            hangUpWaits = Optional.empty();
        }

        void mayGetWhatWasStuck() {
            if (!buffered.isEmpty() && world.chance(50)) {
                // The old connection was alive after all: what was stuck in it arrives.
                List<Attempt> stuck = List.copyOf(buffered);
                stuck.forEach(a -> world.after(world.delay(), () -> arrives(a)));
            }
            buffered.clear();
        }

        void invited(int number) {
            Attempt attempt = attempts.computeIfAbsent(number, n -> new Attempt(n, world.run));
            attempt.isSentAgain(world.run);
            switch (line) {
                case NONE, BROKEN -> {
                    boolean proxy = world.chance(20);
                    end(attempt, proxy ? Failure.REFUSED : Failure.TRANSPORT, proxy ? 430 : 503, world.delay());
                    line = Line.NONE;
                    return;
                }
                case SILENT -> {
                    buffered.add(attempt);
                    if (world.chance(5)) {
                        trying(attempt); // a proxy before it is awake, it is not
                    }
                    if (world.chance(25)) {
                        closesAfter(world.draw(0, 60) * 100);
                    }
                }
                case LIVE -> world.after(world.delay(), () -> arrives(attempt));
            }
            int run = world.run;
            world.after(CallSimulation.TRANSACTION_LIFE, () -> {
                if (!attempt.heardOf && attempt.run == run) {
                    end(attempt, Failure.TIMEOUT, 408, 0);
                }
            });
        }

        /** The connection of a suspended app is seen to close. */
        private void closesAfter(long in) {
            world.after(in, () -> {
                if (line == Line.SILENT) {
                    line = Line.NONE;
                    lossIsSeen();
                    if (world.chance(30)) {
                        attempts.values().forEach(a -> end(a, Failure.TRANSPORT, 503, world.delay()));
                    }
                }
            });
        }

        void cancelled(int number) {
            Attempt attempt = attempt(number);
            boolean ofAnEarlierRun = attempt.run != world.run;
            attempt.cancelled = true;
            if (ofAnEarlierRun) {
                world.coverage.saw(Situation.CANCEL_SENT_AGAIN);
                attempt.isSentAgain(world.run);
                attempt.cancelledAnew = true;
            }
            if (attempt.heardOf || ofAnEarlierRun) {
                sendCancel(attempt);
            }
            if (line == Line.NONE && world.chance(70)) {
                end(attempt, Failure.TRANSPORT, 503, world.delay());
            }
            world.after(2 * CallSimulation.TRANSACTION_LIFE, () -> end(attempt, Failure.TIMEOUT, 408, 0));
        }

        void cancelledAgain(int number) {
            sendCancel(attempt(number));
        }

        private Attempt attempt(int number) {
            Attempt attempt = attempts.get(number);
            if (attempt == null && world.run > 0) {
                attempt = new Attempt(number, -1); // it was to be sent as the bridge crashed
                attempts.put(number, attempt);
            }
            if (attempt == null) {
                throw new InvariantBroken(
                        Invariant.CANCELLED, "a CANCEL for an INVITE that was never sent: " + id + " " + number);
            }
            return attempt;
        }

        private void sendCancel(Attempt attempt) {
            int what = world.percent();
            world.after(world.delay(), () -> {
                if (!ringing.contains(attempt) && line == Line.LIVE && attempt.cancelledAnew) {
                    // It has no such INVITE, or is done with it; a 2xx that was not acknowledged comes again.
                    boolean answers = this.answers.entrySet().stream()
                            .anyMatch(a -> a.getValue().on() == attempt && !acknowledged.contains(a.getKey()));
                    end(attempt, answers ? Failure.TIMEOUT : Failure.REFUSED, answers ? 408 : 481, world.delay());
                } else if (!ringing.contains(attempt) || line != Line.LIVE) {
                    world.after(CallSimulation.TRANSACTION_LIFE, () -> end(attempt, Failure.TIMEOUT, 408, 0));
                } else if (what < 75) {
                    ringing.remove(attempt);
                    told = true;
                    end(attempt, Failure.REFUSED, 487, world.delay());
                } else if (what < 85) {
                    answer(attempt, "tag"); // it was picked up before the CANCEL came
                } else if (what < 90) {
                    refuse(attempt, 486);
                } else if (what < 95) {
                    ringing.remove(attempt);
                    line = Line.NONE;
                    end(attempt, Failure.TRANSPORT, 503, world.delay());
                } else {
                    ringing.remove(attempt);
                    world.after(CallSimulation.TRANSACTION_LIFE, () -> end(attempt, Failure.TIMEOUT, 408, 0));
                }
            });
        }

        /** The edge reports the end of an INVITE, once. */
        private void end(Attempt attempt, Failure failure, int status, long in) {
            boolean ofTheDevice = failure == Failure.REFUSED;
            if (ofTheDevice && status != 430 && status != 481) {
                attempt.refusedStatus = status;
                attempt.refusedAt = world.now;
            }
            if (attempt.ended || attempt.run != world.run || (!ofTheDevice && world.isOfAnEarlierRun())) {
                return;
            }
            attempt.ended = true;
            int run = world.run;
            Optional<Content> content =
                    failure == Failure.REFUSED ? Optional.of(world.text(status + "")) : Optional.empty();
            world.after(in, () -> {
                if (!attempt.answered && run == world.run) {
                    call.deliver(new CallEvent.LegFailed(id, attempt.number, failure, status, content));
                }
            });
        }

        /** An INVITE reaches the app. */
        private void arrives(Attempt attempt) {
            if (attempt.copies++ > 0 && knows(attempt)) {
                return;
            }
            if (heardOfTheEnd && call.callerIsWaiting()) {
                heardOfTheEnd = false;
                told = false; // what it heard was forgotten in a crash
            }
            if (!ringing.isEmpty() && world.chance(90)) {
                end(attempt, Failure.REFUSED, 482, world.delay());
                return;
            }
            ringing.add(attempt);
            if (world.chance(50)) {
                trying(attempt);
            }
            long soon = world.delay();
            long later = soon + world.draw(1, 20) * 500;
            if ((declined && world.chance(80)) || (isTalking() && world.chance(40))) {
                world.after(soon, () -> refuse(attempt, 486));
                return;
            }
            int what = (int) world.draw(0, trunk ? 74 : 99);
            if (trunk && what < 40) {
                fork(attempt);
            } else if (what < 30) {
                world.after(soon, () -> ring(attempt, "tag"));
                world.after(later, () -> answer(attempt, "tag"));
            } else if (what < 36) {
                world.after(soon, () -> answer(attempt, "tag"));
            } else if (what < 56) {
                boolean rings = world.chance(60);
                if (rings) {
                    world.after(soon, () -> ring(attempt, "tag"));
                }
                int status = world.oneOf(List.of(486, 486, 603, 603, 480, 404, 500, 503, 600, 302, 488, 604));
                world.after(rings ? later : soon, () -> refuse(attempt, status));
            } else if (what < 60) {
                world.after(soon, () -> {
                    ringing.remove(attempt);
                    end(attempt, Failure.REFUSED, 430, 0);
                    line = Line.NONE;
                });
            } else if (what < 75) {
                world.after(soon, () -> ring(attempt, "tag"));
            } else if (what < 83) {
                world.after(soon, () -> ring(attempt, "tag"));
                world.after(later, () -> crash(attempt));
            } else if (what < 92) {
                world.after(soon, () -> ring(attempt, "tag"));
                world.after(later, () -> moves(attempt));
            } else if (what < 96) {
                world.after(later, () -> ringing.remove(attempt)); // it drops the call without a word
            } else {
                world.after(world.draw(2, 12) * 500, () -> ring(attempt, "tag")); // it takes its time
                world.after(world.draw(12, 20) * 500, () -> answer(attempt, "tag"));
            }
        }

        /** Whether an INVITE that comes again, in the transaction it came in before, is known; if so, the answer is. */
        private boolean knows(Attempt attempt) {
            boolean recent = world.now < attempt.refusedAt + CallSimulation.TRANSACTION_LIFE;
            if (ringing.contains(attempt)) {
                attempt.rang.ifPresent(
                        dialog -> world.after(world.delay(), () -> heard(attempt, dialog, attempt.rangStatus)));
            } else if (attempt.refusedStatus > 0 && recent) {
                end(attempt, Failure.REFUSED, attempt.refusedStatus, world.delay());
            } else {
                return answers.values().stream().anyMatch(sent -> sent.on() == attempt);
            }
            return true;
        }

        private void trying(Attempt attempt) {
            world.after(world.delay(), () -> heard(attempt, new LegDialog(id, ""), 100));
        }

        /** The edge gets a provisional response. */
        private void heard(Attempt attempt, LegDialog dialog, int status) {
            if (world.down || attempt.run != world.run) {
                return; // no transaction takes it
            }
            boolean first = !attempt.heardOf;
            attempt.heardOf = true;
            call.deliver(new CallEvent.Provisional(dialog, attempt.number, status, world.text(status + "")));
            if (first && attempt.cancelled) {
                sendCancel(attempt); // it had to wait for this
            }
        }

        private void refuse(Attempt attempt, int status) {
            if (ringing.remove(attempt)) {
                told = true;
                end(attempt, Failure.REFUSED, status, world.delay());
            }
        }

        private void fork(Attempt attempt) {
            for (long branch = world.draw(1, 3); branch > 0; branch--) {
                String tag = "tag-" + branch;
                world.after(world.delay(), () -> ring(attempt, tag));
                if (world.chance(70)) {
                    world.after(world.draw(1, 8) * 500, () -> answer(attempt, tag));
                }
            }
        }

        private void ring(Attempt attempt, String tag) {
            if (!ringing.contains(attempt)) {
                return;
            }
            LegDialog dialog = new LegDialog(id, tag + "-" + attempt.number);
            talking.add(dialog);
            int status = world.chance(70) ? 180 : 183;
            attempt.rang = Optional.of(dialog);
            attempt.rangStatus = status;
            world.after(world.delay(), () -> {
                heard(attempt, dialog, status);
                if (world.chance(10) && attempt.run == world.run) {
                    call.deliver(new CallEvent.Provisional(dialog, attempt.number, status, world.text(status + "")));
                }
            });
            if (world.chance(15)) {
                call.earlyRequest(dialog);
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
            boolean lost = line != Line.LIVE || world.chance(2);
            if (lost || !answered.add(dialog)) {
                return; // if lost, the edge sees silence
            }
            talking.add(dialog);
            attempt.heardOf = true;
            attempt.ended = true; // if it is not already: a 2xx may come late
            answers.put(dialog, new Sent(attempt, world.now));
            world.after(world.delay(), () -> {
                answerComes(dialog, attempt);
                if (world.chance(10)) {
                    call.hangsUp(Side.LEG, dialog, world.draw(0, 4) * 500);
                }
            });
            if (world.journals()) {
                world.after(CallSimulation.TRANSACTION_LIFE, () -> {
                    if (!acknowledged.contains(dialog) && !over.contains(dialog)) {
                        over.add(dialog); // RFC 3261 section 13.3.1.4
                        call.hangsUp(Side.LEG, dialog, 0);
                    }
                });
            }
        }

        private void answerComes(LegDialog dialog, Attempt attempt) {
            if (world.down) {
                return;
            }
            attempt.answered = true;
            if (call.isFinished()) {
                over.add(dialog); // the edge itself acknowledges it and ends it
            }
            call.deliver(new CallEvent.Answered(dialog, attempt.number, 200, world.text("200")));
        }

        /** A 2xx is sent again until it is acknowledged, as long as there is a way to send it. */
        private void bridgeIsBack() {
            answers.forEach((dialog, sent) -> world.after(world.fate(0, 4000), () -> {
                boolean inTime = world.now < sent.at() + CallSimulation.TRANSACTION_LIFE;
                if (inTime && line == Line.LIVE && !acknowledged.contains(dialog) && !over.contains(dialog)) {
                    if (call.hasTaken(dialog)) {
                        acknowledged.add(dialog); // by the edge itself, if the caller has
                    } else {
                        world.coverage.saw(Situation.LATE_WORD_OF_AN_ANSWER);
                        answerComes(dialog, sent.on());
                    }
                }
            }));
        }

        /** The app dies with all it knew. */
        private void crash(Attempt attempt) {
            if (!ringing.contains(attempt)) {
                return;
            }
            parts.values().forEach(part -> {
                part.ringing.clear();
                part.over.addAll(part.answered);
            });
            line = Line.NONE;
            world.after(world.delay(), SimulatedDevice.this::lossIsSeen);
            if (world.chance(60)) {
                attempts.values().forEach(a -> end(a, Failure.TRANSPORT, 503, world.delay()));
            }
            if (world.chance(40)) {
                world.after(world.draw(1, 10) * 1000, () -> register(Line.LIVE));
            }
        }

        /** From one network to another: the app lives on and comes back on another flow. */
        private void moves(Attempt attempt) {
            if (!ringing.contains(attempt)) {
                return;
            }
            line = Line.NONE;
            int edgeSees = world.percent();
            if (edgeSees < 60) {
                world.after(world.delay(), SimulatedDevice.this::lossIsSeen);
            } else if (edgeSees < 80) {
                world.after(world.draw(5, 9) * 500, SimulatedDevice.this::lossIsSeen); // later than it comes back
            }
            if (world.chance(30)) {
                attempts.values().forEach(a -> end(a, Failure.TRANSPORT, 503, world.delay()));
            }
            world.after(world.draw(1, 8) * 500, () -> register(Line.LIVE));
            world.after(world.draw(9, 20) * 500, () -> answer(attempt, "tag"));
        }
    }
}
