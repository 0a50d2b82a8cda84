package org.pushbridge.web;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.pushbridge.device.DeviceId;

/** A desk that says what a test has told it, and notes what it was asked. */
final class ScriptedDesk implements CallDesk {
    final Map<UUID, CallState> states = new ConcurrentHashMap<>();
    final List<String> asked = new CopyOnWriteArrayList<>();
    /** When, and with what, devices that act are answered; by default at once, with the state. */
    volatile Optional<Supplier<CompletionStage<Optional<CallState>>>> later = Optional.empty();

    volatile boolean broken;

    void forget() {
        states.clear();
        asked.clear();
        later = Optional.empty();
        broken = false;
    }

    @Override
    public Optional<CallState> stateForAwake(UUID call, DeviceId device) {
        asked.add("state " + call + " " + device);
        if (broken) {
            throw new IllegalStateException("The database is away");
        }
        return Optional.ofNullable(states.get(call));
    }

    @Override
    public CompletionStage<Optional<CallState>> alerting(UUID call, DeviceId device) {
        asked.add("alerting " + call + " " + device);
        return answered(call);
    }

    @Override
    public CompletionStage<Optional<CallState>> decline(UUID call, DeviceId device, Decline how) {
        asked.add("decline " + call + " " + device + " " + how);
        return answered(call);
    }

    private CompletionStage<Optional<CallState>> answered(UUID call) {
        return later.map(Supplier::get)
                .orElseGet(() -> CompletableFuture.completedFuture(Optional.ofNullable(states.get(call))));
    }
}
