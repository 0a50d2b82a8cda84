package org.pushbridge.call;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The journal of one call, as the engine keeps it. What a step promises is carried out once the call is on disk as it
 * stands after that step; what later steps do queues behind it; events go on being applied at once. Writes get on disk
 * in order, some time later. In a world without crashes nothing is written and nothing waits.
 */
final class SimulatedJournal {
    /** What is on disk: the call, and what was known of it by then to those who watch. */
    record Entry(Call memory, CallWitness.Known known) {}

    /** Whoever carries out the actions of the call. */
    interface Engine {
        /** Carries out actions. */
        void carryOut(List<CallAction> actions);

        /** A tombstone is on disk. */
        void isBuried(CallAction.Bury bury);
    }

    private record Held(List<CallAction> actions, long until) {}

    private final CallSimulation world;
    private final Engine engine;
    private final Deque<Held> held = new ArrayDeque<>();
    private Optional<Call> handedOver = Optional.empty();
    private Optional<Entry> onDisk = Optional.empty();
    private long writes;
    private long stored;
    private long lastStoredAt;
    private boolean removed;
    private boolean gone;

    SimulatedJournal(CallSimulation world, Engine engine) {
        this.world = world;
        this.engine = engine;
    }

    void step(Call call, CallWitness.Known known, List<CallAction> actions) {
        if (!world.journals()) {
            actions.forEach(action -> {
                if (action instanceof CallAction.Bury bury) {
                    engine.isBuried(bury);
                }
                engine.carryOut(List.of(action));
            });
            return;
        }
        int run = world.run;
        Call memory = call.remembered();
        boolean due =
                !handedOver.equals(Optional.of(memory)) || actions.stream().anyMatch(SimulatedJournal::repliesFinally);
        boolean promises = actions.stream().anyMatch(CallAction::isPromise);
        if (due) {
            handedOver = Optional.of(memory);
            write(new Entry(memory, known.copy()), actions);
        }
        engine.carryOut(actions.stream().filter(SimulatedJournal::isOfATimer).toList());
        held.add(new Held(
                actions.stream().filter(action -> !isOfATimer(action)).toList(), due && promises ? writes : 0));
        release();
        if (run == world.run && actions.stream().anyMatch(CallAction.Finish.class::isInstance)) {
            // Its final response is acknowledged, or never will be.
            world.after(
                    Math.max(0, lastStoredAt - world.now)
                            + (world.fateHas(80) ? world.fate(1, 500) : CallSimulation.TRANSACTION_LIFE),
                    () -> removed |= run == world.run);
        }
    }

    /** Timers are the engine's own: they do not wait. */
    private static boolean isOfATimer(CallAction action) {
        return action instanceof CallAction.StartTimer || action instanceof CallAction.StopTimer;
    }

    private static boolean repliesFinally(CallAction action) {
        return action instanceof CallAction.Reply reply && reply.status() >= 200;
    }

    private void write(Entry entry, List<CallAction> actions) {
        long number = ++writes;
        int run = world.run;
        long takes = world.fateHas(90) ? world.fate(0, 10) : world.fate(0, 600);
        lastStoredAt = Math.max(lastStoredAt + 1, world.now + takes);
        world.after(lastStoredAt - world.now, () -> {
            if (run != world.run) {
                return;
            }
            onDisk = Optional.of(entry);
            stored = number;
            for (CallAction action : actions) {
                if (action instanceof CallAction.Bury bury) {
                    engine.isBuried(bury);
                }
            }
            release();
        });
    }

    private void release() {
        while (!held.isEmpty() && held.peek().until() <= stored) {
            List<CallAction> actions = held.remove().actions();
            boolean replies = actions.stream().anyMatch(SimulatedJournal::repliesFinally);
            if (replies && world.crashesAsItReplies()) {
                world.crash();
                return;
            }
            if (world.crashesInThisStep()) {
                engine.carryOut(actions.subList(0, (int) world.fate(0, actions.size())));
                world.crash();
                return;
            }
            engine.carryOut(actions);
        }
    }

    /** Whether actions wait for the disk. */
    boolean holds() {
        return held.stream().anyMatch(waiting -> !waiting.actions().isEmpty());
    }

    /** What is in the memory of the bridge is gone. */
    void crashes() {
        held.clear();
        stored = writes;
        handedOver = onDisk.map(Entry::memory);
        lastStoredAt = world.now;
    }

    /** What a bridge that is started anew finds; empty if the call is over, or never was written. */
    Optional<Entry> entry() {
        return removed ? Optional.empty() : onDisk;
    }

    /** Whether its caller has been thought of, if nothing was written. */
    boolean isGone() {
        return gone;
    }

    void goes() {
        gone = true;
    }

    boolean hasBegun() {
        return !world.journals() || onDisk.isPresent();
    }
}
