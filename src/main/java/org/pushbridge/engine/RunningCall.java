package org.pushbridge.engine;

import io.netty.util.Timeout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallAction;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.CallId;
import org.pushbridge.call.Leg;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Step;
import org.pushbridge.call.Timer;

/**
 * A call that is alive: its value, its timers, its keys, and the edge that carries out its actions.
 *
 * <p>{@link #offer} and {@link #submit} and {@link #call} may be called from any thread; everything else belongs to the call's thread.
 *
 * @param <E> the edge's own view of the call
 */
public final class RunningCall<E extends CallEdge> {
    private static final Logger log = LogManager.getLogger(RunningCall.class);
    private static final int REMEMBERED_EVENTS = 32;

    private final CallEngine<E> engine;
    private final Shard shard;
    private final CallId id;
    private final Deque<CallEvent> lastEvents = new ArrayDeque<>(4);
    private final Map<Timer, Timeout> timers = new HashMap<>();
    private final Set<String> dialogs = new HashSet<>();
    private final Set<String> aors = new HashSet<>();
    private final E edge;
    /** Written by the call's thread alone; others may look. */
    private volatile Call call;

    private final Deque<Batch> outbox = new ArrayDeque<>(2);
    /** What was last handed to the journal. */
    private Optional<Call> memory;
    /** Whether the journal has had the call. */
    private boolean begun;

    private boolean carryingOut;
    private boolean published;
    private boolean over;
    /** Whether the engine counts it as unanswered. */
    private boolean unanswered;

    /** The actions of one step, in their turn; held until what they promise is on disk. */
    private static final class Batch {
        private final Runnable first;
        private final List<CallAction> actions;
        /** Whether the caller has its final response with it: from then on, nobody who stops the bridge cuts it off. */
        private final boolean answers;

        private boolean held;

        Batch(Runnable first, List<CallAction> actions, boolean answers, boolean held) {
            this.first = first;
            this.actions = actions;
            this.answers = answers;
            this.held = held;
        }

        static Batch of(Runnable work, boolean held) {
            return new Batch(work, List.of(), false, held);
        }
    }

    /** @param call as the journal has it if {@code resumed}, else as it is planned */
    RunningCall(CallEngine<E> engine, Shard shard, Call call, boolean resumed, CallEngine.EdgeFactory<E> edges) {
        this.engine = engine;
        this.shard = shard;
        this.id = call.plan().id();
        this.call = call;
        this.begun = resumed;
        this.memory = resumed ? Optional.of(call) : Optional.empty();
        this.edge = edges.create(this);
        // Only now may others find it.
        published = true;
        dialogs.forEach(localTag -> engine.dialogClaimed(localTag, this));
        aors.forEach(aor -> engine.aorClaimed(aor, this));
        unanswered = call.phase().isUnanswered();
        if (unanswered) {
            engine.countUnanswered(1);
        }
    }

    public CallId id() {
        return id;
    }

    public E edge() {
        return edge;
    }

    /** The call as it stands. Any thread may look. */
    public Call call() {
        return call;
    }

    /** Has work from outside done on the call's thread; returns false when the mailbox is full and it will not be. */
    public boolean offer(Runnable work) {
        return shard.offer(() -> guarded(work));
    }

    /** Has work done that the call owes itself, such as the end of a transaction. */
    public void submit(Runnable work) {
        shard.submit(() -> guarded(work));
    }

    /**
     * Applies an event at once. What follows from it is carried out in order, and what promises something to anybody only
     * when the journal has the call as it stands after the step (invariant 7).
     */
    public void on(CallEvent event) {
        on(event, () -> {});
    }

    /** The same, with work to be done right before it is carried out, and in any case. */
    public void on(CallEvent event, Runnable first) {
        if (over) {
            first.run();
            return;
        }
        if (lastEvents.size() == REMEMBERED_EVENTS) {
            lastEvents.removeFirst();
        }
        lastEvents.addLast(event);
        Call before = call;
        Step step = call.on(event);
        call = step.call();
        boolean promises = false;
        boolean replies = false;
        for (CallAction action : step.actions()) {
            promises |= action.isPromise();
            replies |= action instanceof CallAction.Reply && action.isPromise();
            // Time runs on, however slow the disk is; but nobody is silent who has not been asked.
            if (!isSilence(action)) {
                setTimer(action);
            }
        }
        Optional<Call> news = replies ? Optional.of(call.remembered()) : news(before);
        boolean answers = before.phase().isUnanswered() && !call.phase().isUnanswered();
        Batch batch = new Batch(first, step.actions(), answers, news.isPresent() && promises);
        outbox.add(batch);
        news.ifPresent(now -> remember(now, batch));
        carryOut();
    }

    /** The call as it is to be remembered, unless that is as it was. */
    private Optional<Call> news(Call before) {
        boolean untouched = call.phase() == before.phase()
                && call.callerAt() == before.callerAt()
                && call.answered().equals(before.answered())
                && call.byes().equals(before.byes())
                && call.ending().equals(before.ending())
                && call.verdict().equals(before.verdict())
                && sameLegs(call.legs(), before.legs());
        if (untouched && memory.isPresent()) {
            return Optional.empty();
        }
        return Optional.of(call.remembered()).filter(now -> !Optional.of(now).equals(memory));
    }

    /** Whether they are the very same values; equal ones are found out later. */
    @SuppressWarnings("ReferenceEquality")
    private static boolean sameLegs(Map<LegId, Leg> some, Map<LegId, Leg> others) {
        if (some == others) {
            return true;
        }
        if (some.size() != others.size()) {
            return false;
        }
        for (Map.Entry<LegId, Leg> leg : some.entrySet()) {
            if (leg.getValue() != others.get(leg.getKey())) {
                return false;
            }
        }
        return true;
    }

    /** Has work done when everything that follows from the events so far is carried out, or the call is over. */
    public void then(Runnable work) {
        if (over) {
            work.run();
        } else {
            outbox.add(Batch.of(work, false));
            carryOut();
        }
    }

    /** Has work done once the call is on disk as it and its edge stand now, or cannot be for the time being. */
    public void remembered(Runnable work) {
        if (over) {
            return;
        }
        Batch batch = Batch.of(work, true);
        outbox.add(batch);
        remember(call.remembered(), batch);
    }

    private void remember(Call now, Batch batch) {
        memory = Optional.of(now);
        edge.remember(now, batch.actions, batch.held || !begun)
                .whenComplete((done, fault) -> submit(() -> {
                    if (over) {
                        return;
                    }
                    if (fault != null && !begun) {
                        end();
                        edge.notBegun();
                        return;
                    }
                    if (fault != null) {
                        log.warn(
                                "Call {} goes on, but a crash now would lose where it stands: {}",
                                id,
                                fault.getMessage());
                    } else if (!begun) {
                        begun = true;
                        edge.begun();
                    }
                    batch.held = false;
                    carryOut();
                }));
    }

    private void carryOut() {
        if (carryingOut) {
            return;
        }
        carryingOut = true;
        try {
            while (!over && !outbox.isEmpty() && !outbox.element().held) {
                Batch batch = outbox.remove();
                batch.first.run();
                for (CallAction action : batch.actions) {
                    if (over) {
                        return; // an action before it broke the call
                    }
                    carryOut(action);
                }
                if (batch.answers) {
                    noteAnswered();
                }
            }
        } finally {
            carryingOut = false;
        }
    }

    private static boolean isSilence(CallAction action) {
        return action instanceof CallAction.StartTimer start && start.timer().kind() == Timer.Kind.SILENCE;
    }

    private void carryOut(CallAction action) {
        if (isSilence(action)) {
            setTimer(action);
        }
        if (action instanceof CallAction.Finish finish) {
            end();
            edge.finished(call, finish.ending());
        } else if (action instanceof CallAction.ForEdge forEdge) {
            forEdge.applyTo(edge);
        }
    }

    /**
     * Messages in a dialog where the bridge has this tag concern this call until it is over. The bridge's own tags are
     * unique; a Call-ID is not, when a proxy sends one call past the bridge twice.
     */
    public void claimDialog(String localTag) {
        if (!over && dialogs.add(localTag) && published) {
            engine.dialogClaimed(localTag, this);
        }
    }

    /** Counted from any thread before anybody knows of the call, and then on its own. */
    private void noteAnswered() {
        if (unanswered) {
            unanswered = false;
            engine.countUnanswered(-1);
        }
    }

    /** Gives up a call that could not begin. */
    void abandon() {
        end();
    }

    /** Registrations for this address concern this call until it is over. */
    public void claimAor(String aor) {
        if (!over && aors.add(aor) && published) {
            engine.aorClaimed(aor, this);
        }
    }

    /** Has work done on the call's thread after a while, unless the call is over by then or the work is cancelled. */
    public Delayed after(Duration delay, Runnable work) {
        Timeout timeout = engine.wheel()
                .newTimeout(
                        fired -> submit(() -> {
                            if (!over && !fired.isCancelled()) {
                                work.run();
                            }
                        }),
                        delay.toNanos(),
                        TimeUnit.NANOSECONDS);
        return timeout::cancel;
    }

    /** Work that waits for its time. */
    @FunctionalInterface
    public interface Delayed {
        /** Does nothing if the work is done. */
        void cancel();
    }

    private void setTimer(CallAction action) {
        if (action instanceof CallAction.StartTimer start) {
            startTimer(start);
        } else if (action instanceof CallAction.StopTimer stop) {
            stopTimer(stop.timer());
        }
    }

    private void startTimer(CallAction.StartTimer start) {
        stopTimer(start.timer());
        timers.put(
                start.timer(),
                engine.wheel()
                        .newTimeout(
                                timeout -> submit(() -> {
                                    timers.remove(start.timer(), timeout);
                                    on(new CallEvent.TimerFired(start.timer(), start.generation()));
                                }),
                                start.after().toNanos(),
                                TimeUnit.NANOSECONDS));
    }

    private void stopTimer(Timer timer) {
        Timeout running = timers.remove(timer);
        if (running != null) {
            running.cancel();
        }
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error fault) {
            if (over) {
                log.warn("Late work of call {} failed; the call is over already", id, fault);
                return;
            }
            log.error(
                    "Call {} is ended with 500: an internal fault. Please report it with these last events: {}",
                    id,
                    List.copyOf(lastEvents),
                    fault);
            end();
            edge.broken();
        }
    }

    private void end() {
        over = true;
        noteAnswered();
        timers.values().forEach(Timeout::cancel);
        timers.clear();
        engine.forget(this, new ArrayList<>(dialogs), new ArrayList<>(aors));
        outbox.forEach(batch -> batch.first.run());
        outbox.clear();
    }
}
