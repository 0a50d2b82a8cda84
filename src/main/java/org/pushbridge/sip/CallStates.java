package org.pushbridge.sip;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.CallId;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Verdict;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Tombstone;
import org.pushbridge.engine.RunningCall;

/**
 * Where calls stand for one device, and what its app does about them outside of SIP: before any INVITE got there. The
 * caller has made sure that it is that device. Safe for any thread; never blocks.
 */
public final class CallStates {
    private final Bridge bridge;

    CallStates(Bridge bridge) {
        this.bridge = bridge;
    }

    /**
     * Where a call stands.
     *
     * @param end why it is over for the device, in the words of {@link Verdict#word}; empty while it is alive
     * @param endedAt when it ended, where that is remembered
     */
    public record CallState(Optional<String> end, Optional<Instant> endedAt) {
        private static CallState of(Optional<Verdict> end) {
            return new CallState(end.map(Verdict::word), Optional.empty());
        }
    }

    /** @return empty if nothing is known of the call, or not any more */
    public Optional<CallState> of(UUID call, DeviceId device) {
        Optional<Tombstone> tombstone = bridge.tombstones().find(call, device);
        if (tombstone.isPresent()) {
            return tombstone.map(t -> new CallState(Optional.of(t.reason()), Optional.of(t.endedAt())));
        }
        return find(call, device).map(running -> CallState.of(running.call().endFor(Bridge.leg(device))));
    }

    /** The app asked: it is awake, and if the call is over, it knows. */
    public void asked(UUID call, DeviceId device) {
        bridge.directory().device(device).ifPresent(bridge.waker()::awake);
        bridge.tombstones().told(call, device);
        // A call that ends at this moment makes its tombstone on its own thread.
        find(call, device)
                .ifPresent(running -> running.offer(() -> {
                    bridge.tombstones().told(call, device);
                    running.on(new CallEvent.AppAwake(Bridge.leg(device)));
                }));
    }

    /** The app alerts its user: the caller hears 180. Then as {@link #of}; if the call is over, the app knows. */
    public CompletionStage<Optional<CallState>> alerting(UUID call, DeviceId device) {
        return tell(call, device, CallEvent.Alerting::new);
    }

    /**
     * The user declines, as if the device had answered its INVITE with this status. Then as {@link #of}; if the call is
     * over, the app knows.
     */
    public CompletionStage<Optional<CallState>> decline(UUID call, DeviceId device, int status) {
        return tell(call, device, leg -> new CallEvent.Declined(leg, status));
    }

    private interface About {
        CallEvent event(LegId leg);
    }

    private CompletionStage<Optional<CallState>> tell(UUID call, DeviceId device, About what) {
        CompletableFuture<Optional<CallState>> state = new CompletableFuture<>();
        Optional<RunningCall<BridgedCall>> running = find(call, device);
        boolean handed = running.isPresent()
                && running.get().offer(() -> {
                    LegId leg = Bridge.leg(device);
                    running.get().on(what.event(leg));
                    // It may be over now, and forgotten.
                    running.get()
                            .then(() -> state.complete(of(call, device)
                                    .or(() -> Optional.of(
                                            CallState.of(running.get().call().endFor(leg))))));
                });
        if (running.isPresent() && !handed) {
            state.completeExceptionally(new BusyException());
        } else if (running.isEmpty()) {
            state.complete(of(call, device));
        }
        return state.thenApply(known -> {
            known.flatMap(CallState::end).ifPresent(end -> bridge.tombstones().told(call, device));
            return known;
        });
    }

    /** The call's thread is too far behind: ask again later. */
    public static final class BusyException extends RuntimeException {
        private static final long serialVersionUID = 1;

        BusyException() {
            super("too many calls at once; ask again later");
        }
    }

    private Optional<RunningCall<BridgedCall>> find(UUID call, DeviceId device) {
        CallId id = new CallId(call);
        return bridge.directory().device(device).stream()
                .flatMap(d -> bridge.engine().byAor(d.aor().toString()).stream())
                .filter(running -> running.id().equals(id))
                .filter(running -> concerns(running, Bridge.leg(device)))
                .findFirst();
    }

    private static boolean concerns(RunningCall<BridgedCall> running, LegId leg) {
        return running.call().legs().containsKey(leg)
                || running.call().plan().caller().equals(Optional.of(leg));
    }
}
