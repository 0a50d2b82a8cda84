package org.pushbridge.engine;

import io.netty.util.HashedWheelTimer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.CallId;
import org.pushbridge.call.CallPlan;

/**
 * All calls that are alive. Safe for any thread.
 *
 * @param <E> the edge's own view of a call
 */
public final class CallEngine<E extends CallEdge> implements AutoCloseable {
    private final EngineSettings settings;
    private final List<Shard> shards;
    private final HashedWheelTimer wheel = new HashedWheelTimer(
            task -> {
                Thread thread = new Thread(task, "call-timers");
                thread.setDaemon(true);
                return thread;
            },
            10,
            TimeUnit.MILLISECONDS,
            4096);
    private final AtomicInteger alive = new AtomicInteger();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final Map<String, RunningCall<E>> byDialog = new ConcurrentHashMap<>();
    private final Map<String, Set<RunningCall<E>>> byAor = new ConcurrentHashMap<>();

    public CallEngine(EngineSettings settings) {
        this.settings = settings;
        this.shards = IntStream.range(0, settings.shards())
                .mapToObj(i -> new Shard("calls-" + i, settings.mailbox()))
                .toList();
    }

    /** Makes the edge's view of a call that is about to begin. */
    @FunctionalInterface
    public interface EdgeFactory<E extends CallEdge> {
        E create(RunningCall<E> call);
    }

    /**
     * Begins a call. {@code edges} is called at once, on this thread; everything after on the call's own.
     *
     * @return the call, or empty when there are as many as allowed or its shard is behind: answer 503
     */
    public Optional<RunningCall<E>> begin(CallPlan plan, EdgeFactory<E> edges) {
        if (alive.incrementAndGet() > settings.maxCalls()) {
            alive.decrementAndGet();
            return Optional.empty();
        }
        Shard shard = shardOf(plan.id());
        RunningCall<E> call = new RunningCall<>(this, shard, Call.planned(plan), false, edges);
        if (!call.offer(() -> call.on(new CallEvent.Begun()))) {
            call.abandon();
            return Optional.empty();
        }
        return Optional.of(call);
    }

    /**
     * Takes up a call that the journal has, whatever the limits are. {@code edges} is called at once, on this thread; the
     * call's first event is to be {@link CallEvent.Resumed}, on its own.
     */
    public RunningCall<E> resume(Call call, EdgeFactory<E> edges) {
        alive.incrementAndGet();
        try {
            return new RunningCall<>(this, shardOf(call.plan().id()), call, true, edges);
        } catch (RuntimeException e) {
            alive.decrementAndGet();
            throw e;
        }
    }

    private Shard shardOf(CallId id) {
        return shards.get(Math.floorMod(id.hashCode(), shards.size()));
    }

    /** The call that a message concerns in whose dialog the bridge has this tag. */
    public Optional<RunningCall<E>> byDialog(String localTag) {
        return Optional.ofNullable(byDialog.get(localTag));
    }

    /** The calls a registration for this address concerns. */
    public Collection<RunningCall<E>> byAor(String aor) {
        return byAor.getOrDefault(aor, Set.of());
    }

    /** All calls that a dialog points to. */
    public Collection<RunningCall<E>> calls() {
        return Set.copyOf(byDialog.values());
    }

    /** How many calls are alive. */
    public int alive() {
        return alive.get();
    }

    /** How many of them ring or wait for a phone. */
    public int unanswered() {
        return unanswered.get();
    }

    void countUnanswered(int change) {
        unanswered.addAndGet(change);
    }

    /** How many keys point to calls: 0 when no call is alive (invariant 6). */
    public int keys() {
        return byDialog.size() + byAor.size();
    }

    /** How much work waits, over all shards. */
    public int waiting() {
        return shards.stream().mapToInt(Shard::waiting).sum();
    }

    /** How often work from outside was refused because a mailbox was full. */
    public long refused() {
        return shards.stream().mapToLong(Shard::refused).sum();
    }

    /** How long the oldest work of the shard that is most behind has waited so far. */
    public Duration delay() {
        long longest = 0;
        for (Shard shard : shards) {
            longest = Math.max(longest, shard.delayNanos());
        }
        return Duration.ofNanos(longest);
    }

    public EngineSettings settings() {
        return settings;
    }

    HashedWheelTimer wheel() {
        return wheel;
    }

    void dialogClaimed(String localTag, RunningCall<E> call) {
        byDialog.put(localTag, call);
    }

    void aorClaimed(String aor, RunningCall<E> call) {
        byAor.compute(aor, (key, calls) -> {
            Set<RunningCall<E>> more = calls == null ? ConcurrentHashMap.newKeySet() : calls;
            more.add(call);
            return more;
        });
    }

    void forget(RunningCall<E> call, List<String> dialogs, List<String> aors) {
        dialogs.forEach(localTag -> byDialog.remove(localTag, call));
        for (String aor : aors) {
            byAor.computeIfPresent(aor, (key, calls) -> {
                calls.remove(call);
                return calls.isEmpty() ? null : calls;
            });
        }
        alive.decrementAndGet();
    }

    /** Stops timers and threads. Calls that are alive are dropped without a word. */
    @Override
    public void close() {
        shards.forEach(Shard::close);
        wheel.stop();
    }
}
