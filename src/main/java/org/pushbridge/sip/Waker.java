package org.pushbridge.sip;

import java.time.Instant;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.pushbridge.call.CallId;
import org.pushbridge.device.Device;

/** Sends the pushes of calls. Implemented over the Apple edge; called on call threads, never blocks. */
public interface Waker {
    /**
     * Sends the one VoIP push for a device and call.
     *
     * @param stillWanted asked before every send: whether the call still rings
     * @param failed called if the push will not wake the device; any thread
     */
    void wake(Wake wake, BooleanSupplier stillWanted, Consumer<Failure> failed);

    /**
     * Why a push will not wake a device.
     *
     * @param why for the operator
     * @param appGone whether APNs says that app or token are gone from the device
     */
    record Failure(String why, boolean appGone) {}

    /** Tells a device by a regular push that it missed a call. */
    void alertMissedCall(Wake wake);

    /**
     * What a push says about its call.
     *
     * @param callKitUuid the same in every push of the call and in its INVITE
     * @param sipCallId the Call-ID of the INVITE the device will get
     * @param fromUri who calls
     * @param displayName the caller's name, or empty
     * @param video whether the offer has video
     * @param sentAt when the call arrived
     * @param expiresAt when the ring limit ends it
     */
    record Wake(
            CallId call,
            Device device,
            UUID callKitUuid,
            String sipCallId,
            String fromUri,
            String displayName,
            boolean video,
            Instant sentAt,
            Instant expiresAt) {}
}
