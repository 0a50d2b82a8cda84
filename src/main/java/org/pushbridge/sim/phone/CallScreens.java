package org.pushbridge.sim.phone;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.Violations;

/** The call screens of a phone, and which of them an INVITE is for. Thread-safe to read; only the phone adds to it. */
final class CallScreens {
    private final Violations violations;
    private final Map<UUID, CallScreen> byUuid = new ConcurrentHashMap<>();
    private final List<CallScreen> inOrder = new CopyOnWriteArrayList<>();

    CallScreens(Violations violations) {
        this.violations = violations;
    }

    void add(CallScreen screen) {
        byUuid.put(screen.uuid(), screen);
        inOrder.add(screen);
    }

    /** Each that ever was, in their order. */
    List<CallScreen> all() {
        return List.copyOf(inOrder);
    }

    Optional<CallScreen> of(UUID uuid) {
        return Optional.ofNullable(byUuid.get(uuid));
    }

    Optional<CallScreen> of(String callId) {
        return inOrder.stream().filter(s -> s.has(callId)).findFirst();
    }

    boolean anyRings() {
        return inOrder.stream().anyMatch(CallScreen::isRinging);
    }

    /** The screen that the INVITE of a call is for: the one that its push brought up, or a new one, which is not added. */
    CallScreen invitedBy(UaCall call) {
        Optional<UUID> named = call.invite().header(SimulatedIphone.UUID_HEADER).flatMap(this::callKitUuid);
        Optional<CallScreen> sameUuid = named.flatMap(this::of);
        if (sameUuid.isPresent()) {
            boolean otherCallId = sameUuid.get()
                    .expectedCallId()
                    .filter(id -> !id.equals(call.callId()))
                    .isPresent();
            if (otherCallId) {
                violations.add(
                        "The INVITE of call " + sameUuid.get().uuid() + " has another Call-ID than its push said");
            }
            return sameUuid.get();
        }
        Optional<CallScreen> sameCallId = inOrder.stream()
                .filter(s -> s.expectedCallId().equals(Optional.of(call.callId())))
                .findFirst();
        sameCallId.ifPresent(s -> violations.add("The INVITE of call " + s.uuid() + " has "
                + named.map(uuid -> "the UUID " + uuid).orElse("no UUID") + ", not that of its push"));
        return sameCallId.orElseGet(
                () -> new CallScreen(named.orElseGet(UUID::randomUUID), false, Optional.empty(), Optional.empty()));
    }

    private Optional<UUID> callKitUuid(String value) {
        try {
            UUID uuid = UUID.fromString(value);
            if (!uuid.toString().equals(value)) {
                violations.add("The UUID in an INVITE is not in lower case: " + value);
            }
            return Optional.of(uuid);
        } catch (IllegalArgumentException e) {
            violations.add("An INVITE has a UUID that is none: " + value);
            return Optional.empty();
        }
    }
}
