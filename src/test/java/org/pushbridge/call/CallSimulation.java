package org.pushbridge.call;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Collectors;
import org.pushbridge.call.CallPlan.Candidate;
import org.pushbridge.call.CallPlan.Reach;
import org.pushbridge.call.Coverage.Situation;
import org.pushbridge.call.SimulatedDevice.Line;
import org.pushbridge.device.PushBudget;

/**
 * A made-up world, all of it drawn from one seed, in virtual time: a user with up to five devices and trunks, one call
 * to that user or up to three at once or one after the other, whoever calls (a trunk, a device, or one of the very
 * devices that the other calls ring), Apple, and the edges of the bridge. Messages are late, doubled, crossed and lost
 * as the real ones are. A {@link CallChecker} watches each step of each call; what no single call can see, the world
 * checks itself. In one world of four the bridge crashes, up to three times, at any step or between two; then a {@link
 * SimulatedJournal} keeps what the engine would, and a {@link CallWitness} watches on.
 *
 * <p>The world keeps what the edges promise, and nothing more; so this list is what the edges owe the rules:
 *
 * <ol>
 *   <li>Each Invite ends in one LegFailed, or in one Answered for each dialog (To tag) that answered, never in both,
 *       save that a 2xx may still come in after TIMEOUT, TRANSPORT or a 482 was reported. A 2xx is reported once for
 *       each dialog, its retransmissions never.
 *   <li>An INVITE that got nothing but silence ends by itself (timer B). One that got a provisional response stays
 *       open until the far side ends it, its connection breaks, or it is cancelled.
 *   <li>A cancelled INVITE ends within 64*T1 of the CANCEL, whatever the far side does. If the CANCEL has to wait for a
 *       provisional response (RFC 3261 section 9.1), timer B covers that wait. A CancelAgain does not prolong that.
 *   <li>Provisional responses may come doubled and after the final one. 100 is reported in no dialog: its tag is empty.
 *   <li>Each Forward ends in one final ResponseReceived (408 or 503 where none came, 480 where the connection of a
 *       device that may not be woken for requests is gone) or in one RequestUndelivered, which is reported only while
 *       the device has no connection; it may be asked for again then. Each Bye ends in one ByeCompleted, or in one
 *       ByeUndelivered if it is for a device that did not get it; it may be asked for again then.
 *   <li>AnswerCaller ends in CallerAcknowledged, perhaps doubled, or in CallerAckMissing. A Reply with 2xx to a
 *       re-INVITE ends in ExchangeAcknowledged or ExchangeAckMissing. Neither needs to come once the call is over.
 *   <li>A request inside a dialog is reported once; while it is being handled its retransmissions may slip through. A
 *       BYE is reported once.
 *   <li>A Push is reported accepted, failed or gone at most once, in any order with what the device does, and may be
 *       delivered although it failed. Before each the edge asks the push budget: a device that is held back gets an
 *       alert instead, of which nothing is reported, or nothing, which is a PushFailed.
 *   <li>A timer fires at its time or later, with the generation it was started with; it may fire although it was
 *       stopped or replaced.
 *   <li>CallerCancelled may come after the final response, and twice. DeviceRegistered and FlowLost may come twice, at
 *       any time, for devices that no one invited; so may AppAwake, Alerting and Declined.
 *   <li>Once a call is finished, events for it change nothing, so the edges themselves end what comes in then: a stray
 *       2xx gets an ACK and a BYE, a request 481, a device that registers its verdict from the tombstone.
 *   <li>A device that is buried finds its tombstone when it registers; one that is connected when it is buried is told
 *       then and there, as it may not register again for long; one that talks in another call, when that is over.
 *   <li>A device that registers has that reported to each call it may concern: those of its user, and those it made.
 *   <li>After a crash each call that is in the journal is told that it is Resumed, before anything else. No response to
 *       what was sent before is reported any more, save a 2xx to an INVITE, and that not if its dialog is the one that
 *       was answered: then the edge itself acknowledges it, if the caller did. A request inside a dialog that was not
 *       answered is reported anew, by its old name, if its sender sends it again; so is a CANCEL.
 *   <li>An Invite of an attempt that was sent before the crash is the same request in the same transaction, and so is
 *       its Cancel: whoever has it answers again what it answered before, and whoever has it not takes the INVITE for a
 *       new one and answers 481 to the CANCEL. A Push that is asked for again is the same push, which the budget does
 *       not count again, and AnswerAgain and a second RespondToCaller are what the caller got, if it got it.
 *   <li>Devices that are reached over connections count as lost as the bridge is started anew, until they register.
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

    private record Scheduled(long at, int tie, long number, int origin, Runnable what) {}

    /** 64*T1 in milliseconds. */
    static final long TRANSACTION_LIFE = 32_000;

    private static final int MOST_EVENTS = 15_000;
    private static final int PERCENT_WITH_CRASHES = 25;
    private static final Set<Integer> DECLINED = Set.of(603);
    private static final Set<Integer> DECLINED_OR_BUSY = Set.of(600, 603, 486);

    final Rules rules;
    final Coverage coverage;
    final int wastedPushes;
    final Duration pushPause;
    final PushBudget budget;
    /** In virtual milliseconds. */
    long now;

    private final long seed;
    private final SplittableRandom random;
    private final boolean traced;
    private final List<String> trace = new ArrayList<>();
    private final PriorityQueue<Scheduled> queue = new PriorityQueue<>(Comparator.comparingLong(Scheduled::at)
            .thenComparingInt(Scheduled::tie)
            .thenComparingLong(Scheduled::number));
    private final Map<LegId, SimulatedDevice> devices = new LinkedHashMap<>();
    private final List<SimulatedCall> calls = new ArrayList<>();
    private final boolean coarse;
    /** Decides about crashes, so that a world without one is what it would be if there were none. */
    private final SplittableRandom fate;

    private final boolean crashes;
    private int crashesLeft;
    private int stepsUntilCrash = Integer.MAX_VALUE;
    private long scheduled;
    private int words;

    /** How often the bridge has crashed. */
    int run;

    /** Whether the bridge has crashed and was not started anew yet. */
    boolean down;

    /** The run of the bridge in which what happens now was set off. */
    private int origin;

    private CallSimulation(long seed, Rules rules, Coverage coverage, boolean traced) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        this.rules = rules;
        this.coverage = coverage;
        this.traced = traced;
        coarse = chance(50);
        wastedPushes = random.nextInt(3);
        pushPause = Duration.ofSeconds(draw(30, 120));
        budget = new PushBudget(wastedPushes, pushPause);
        fate = new SplittableRandom(~seed);
        crashes = fate.nextInt(100) < PERCENT_WITH_CRASHES;
        crashesLeft = crashes ? 1 + Math.max(0, fate.nextInt(6) - 3) : 0;
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
        planCrash();
        at(0, this::beginFirst);
        int more = chance(75) ? 0 : chance(75) ? 1 : 2;
        for (int i = 0; i < more; i++) {
            at(chance(60) ? draw(0, 50) * 100 : draw(5, 150) * 1000, this::beginAnother);
        }
        for (int events = 0; !queue.isEmpty(); events++) {
            if (events > MOST_EVENTS) {
                throw new InvariantBroken(Invariant.FINISH, "the call goes on and on");
            }
            Scheduled next = queue.remove();
            now = next.at();
            origin = next.origin();
            next.what().run();
        }
        crashesLeft = 0;
        calls.forEach(SimulatedCall::drained);
        log("", "nothing more happens; each device shows up once more");
        devices.values().forEach(SimulatedDevice::showsUpAtLast);
        for (SimulatedCall call : calls) {
            if (call.isForgotten()) {
                continue;
            }
            devices.values().forEach(device -> device.checkTold(call));
            call.checkCallerTold();
        }
    }

    // --- calls -----------------------------------------------------------------------------------------------------

    private void beginFirst() {
        List<Candidate> candidates = new ArrayList<>();
        int number = random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(4);
        for (int i = 1; i <= number; i++) {
            candidates.add(candidate(chance(12) ? trunk(i) : phone("phone-" + i, drawLine(), true)));
        }
        if (chance(20)) {
            phone("late", Line.NONE, true);
        }
        SimulatedCall call = begin(candidates, chance(35) ? Optional.of(strangersPhone()) : Optional.empty());
        devices.values().forEach(device -> device.planOwnDoings(call));
    }

    /** A further call to the same user, perhaps by one of the user's own devices. */
    private void beginAnother() {
        if (down) {
            after(1000, this::beginAnother); // its INVITE is sent until somebody answers
            return;
        }
        List<SimulatedDevice> users = devices.values().stream()
                .filter(device -> device.ofUser && !device.trunk)
                .toList();
        Optional<SimulatedDevice> caller = Optional.empty();
        List<SimulatedDevice> connected =
                users.stream().filter(device -> device.line == Line.LIVE).toList();
        if (!connected.isEmpty() && chance(50)) {
            caller = Optional.of(oneOf(connected));
        } else if (chance(25)) {
            caller = Optional.of(strangersPhone());
        }
        List<Candidate> candidates = new ArrayList<>();
        for (SimulatedDevice device : users) {
            if (!caller.equals(Optional.of(device)) && chance(85)) {
                candidates.add(candidate(device));
                coverage.saw(Situation.CALLED_ONCE_MORE);
            }
        }
        begin(candidates, caller);
        coverage.saw(Situation.FURTHER_CALL);
    }

    private SimulatedCall begin(List<Candidate> candidates, Optional<SimulatedDevice> caller) {
        coverage.saw(Situation.CALLS);
        CallPlan plan = new CallPlan(
                new CallId(new UUID(calls.size(), seed)),
                caller.map(device -> device.id),
                candidates,
                Duration.ofSeconds(draw(10, 45)),
                Duration.ofSeconds(draw(2, 5)),
                Duration.ofSeconds(draw(30, 300)),
                Duration.ofSeconds(draw(5, 40)),
                List.of(100, 180, 182, 183).get(random.nextInt(4)),
                chance(80) ? DECLINED : DECLINED_OR_BUSY);
        SimulatedCall call = new SimulatedCall(this, calls.size() + 1, plan, caller);
        calls.add(call);
        inThisRun(call::begin);
        return call;
    }

    private Candidate candidate(SimulatedDevice device) {
        boolean busy = device.line == Line.NONE ? chance(8) : device.isTalking() && chance(30);
        Reach reach = busy ? Reach.BUSY : device.line == Line.NONE ? Reach.ASLEEP : Reach.CONNECTED;
        return new Candidate(device.id, reach, device.pushes);
    }

    private Line drawLine() {
        int kind = random.nextInt(100);
        return kind < 35 ? Line.LIVE : kind < 50 ? Line.SILENT : kind < 57 ? Line.BROKEN : Line.NONE;
    }

    private SimulatedDevice trunk(int number) {
        return add(new SimulatedDevice(
                this, new LegId("trunk:" + number), Pushes.NONE, chance(90) ? Line.LIVE : Line.NONE, true, true));
    }

    private SimulatedDevice strangersPhone() {
        return phone("caller-" + (calls.size() + 1), Line.LIVE, false);
    }

    private SimulatedDevice phone(String name, Line line, boolean ofUser) {
        Pushes pushes = chance(80) ? new Pushes(true, chance(25), chance(35)) : Pushes.NONE;
        return add(new SimulatedDevice(this, new LegId(name), pushes, line, false, ofUser));
    }

    private SimulatedDevice add(SimulatedDevice device) {
        devices.put(device.id, device);
        return device;
    }

    SimulatedDevice device(LegId id) {
        SimulatedDevice device = devices.get(id);
        if (device == null) {
            throw new InvariantBroken(Invariant.FAULT, "an action names a leg that does not exist: " + id);
        }
        return device;
    }

    /** The calls that a device is reported to. */
    List<SimulatedCall> callsOf(SimulatedDevice device) {
        return calls.stream()
                .filter(call -> !device.trunk && (device.ofUser || call.caller.equals(Optional.of(device))))
                .toList();
    }

    /** A call is over: devices that were not to be disturbed are told what they missed. */
    void over() {
        devices.values().forEach(SimulatedDevice::readsTombstones);
    }

    // --- crashes ---------------------------------------------------------------------------------------------------

    private void planCrash() {
        if (crashesLeft == 0) {
            return;
        }
        if (fate.nextInt(100) < 60) {
            stepsUntilCrash = 1 + fate.nextInt(fate.nextBoolean() ? 8 : 40);
        } else {
            queue.add(new Scheduled(
                    now + fate.nextInt(fate.nextBoolean() ? 8_000 : 60_000), 0, scheduled++, run, this::crash));
        }
    }

    /** Whether there is a journal: only in worlds in which the bridge may crash, as it makes actions wait. */
    boolean journals() {
        return crashes;
    }

    /** Whether the bridge crashes in the course of this step. */
    boolean crashesInThisStep() {
        return --stepsUntilCrash == 0;
    }

    /** The moment between the journal and the answer is too short to be met often enough by chance. */
    boolean crashesAsItReplies() {
        return crashesLeft > 0 && fateHas(8);
    }

    /** kill -9. */
    void crash() {
        if (crashesLeft == 0 || down) {
            return;
        }
        crashesLeft--;
        stepsUntilCrash = Integer.MAX_VALUE;
        down = true;
        if (run++ > 0) {
            coverage.saw(Situation.SECOND_CRASH);
        }
        log("", "the bridge crashes");
        calls.forEach(SimulatedCall::crashes);
        devices.values().forEach(SimulatedDevice::bridgeCrashes);
        int kind = fate.nextInt(100);
        long downtime = kind < 60 ? fate.nextInt(3_000) : kind < 90 ? fate.nextInt(30_000) : fate.nextInt(90_000);
        queue.add(new Scheduled(now + downtime, 0, scheduled++, run, this::restart));
    }

    private void restart() {
        log("", "the bridge is started anew");
        down = false;
        devices.values().forEach(SimulatedDevice::bridgeIsBack);
        List.copyOf(calls).forEach(SimulatedCall::resume);
        planCrash();
    }

    /** An INVITE of which the bridge has forgotten everything comes again. */
    void beginOnceMore(SimulatedCall call) {
        List<Candidate> candidates = call.plan.candidates().stream()
                .map(candidate -> candidate(device(candidate.leg())))
                .toList();
        begin(candidates, call.caller);
    }

    /** The devices that the bridge believes to reach as before, though it has no connection to any. */
    Set<LegId> reachable() {
        return devices.values().stream()
                .filter(device -> device.connectionless && !device.lossIsReported)
                .map(device -> device.id)
                .collect(Collectors.toSet());
    }

    /** Whether what happens now was set off by a bridge that is no more. */
    boolean isOfAnEarlierRun() {
        return origin != run;
    }

    /** What the bridge does now is set off now, whatever made it do so. */
    void inThisRun(Runnable what) {
        int before = origin;
        origin = run;
        what.run();
        origin = before;
    }

    // --- time and chance -------------------------------------------------------------------------------------------

    private void at(long time, Runnable what) {
        queue.add(new Scheduled(time, random.nextInt(1000), scheduled++, origin, what));
    }

    void after(long in, Runnable what) {
        at(now + in, what);
    }

    /** How long a message takes. In half of the worlds times are coarse, so that much happens at the same instant. */
    long delay() {
        return coarse ? 100L * random.nextInt(4) : random.nextInt(400);
    }

    long draw(int least, int most) {
        return random.nextLong(least, most + 1L);
    }

    /** Chance in what only worlds with crashes have. */
    boolean fateHas(int percent) {
        return fate.nextInt(100) < percent;
    }

    long fate(int least, int most) {
        return fate.nextLong(least, most + 1L);
    }

    /** A number from 0 to 99. */
    int percent() {
        return random.nextInt(100);
    }

    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    <T> T oneOf(List<T> things) {
        return things.get(random.nextInt(things.size()));
    }

    Content text(String what) {
        return new Text(what + " " + ++words);
    }

    void log(String what, Object detail) {
        if (traced) {
            trace.add(String.format("%9.3f s %s  %s", now / 1000.0, what, detail));
        }
    }
}
