package org.pushbridge.push;

import java.time.Instant;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushTarget;

/**
 * One push to one device.
 *
 * @param kind what it is for
 * @param device whom it is for; appears in logs
 * @param target the device's tokens, app and environment
 * @param facts what the payload may say
 * @param stillWanted asked before each send and each resend, at the moment of writing: once it says no, nothing goes
 *     out any more. Called on a network thread: it must be quick, must not block and must not throw
 * @param deadline when trying ends, whatever has happened: the ring deadline for a call
 * @param apnsId the canonical UUID that APNs gets as its {@code apns-id}; the same for what is the same push
 */
public record Push(
        PushKind kind,
        DeviceId device,
        PushTarget target,
        CallFacts facts,
        BooleanSupplier stillWanted,
        Instant deadline,
        UUID apnsId) {
    /** One that nothing else is a copy of. */
    public Push(
            PushKind kind,
            DeviceId device,
            PushTarget target,
            CallFacts facts,
            BooleanSupplier stillWanted,
            Instant deadline) {
        this(kind, device, target, facts, stillWanted, deadline, UUID.randomUUID());
    }
}
