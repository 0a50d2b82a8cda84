package org.pushbridge.sip;

import java.time.Instant;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.pushbridge.call.CallId;
import org.pushbridge.device.Device;

/**
 * Sends the pushes of calls. Implemented over the Apple edge; called on call threads, never blocks. What has no callback
 * is a mere hint to the device, and what becomes of it is only logged.
 */
public interface Waker {
    /**
     * Sends the one push that rings a device for a call. At most one of the two callbacks is called, once.
     *
     * @param stillWanted asked before every send: whether the call still rings
     * @param accepted called when APNs has taken the push, which does not say that it arrived; any thread
     * @param failed called if the push will not wake the device; any thread
     */
    void wake(Wake wake, BooleanSupplier stillWanted, Consumer<Accepted> accepted, Consumer<Failure> failed);

    /**
     * What APNs has taken.
     *
     * @param voip whether it was a VoIP push; else the device is rung by an alert, and no VoIP push may follow for the
     *     call
     */
    record Accepted(boolean voip) {}

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
     * Tells a device by a background push that its call is over.
     *
     * @param reason the verdict's word
     */
    void endByBackground(Wake wake, String reason);

    /**
     * Tells a device by a further VoIP push that its call is over. Only for an app that says it handles that, and only
     * while the call screen of the first push must still be up: otherwise iOS takes it for a call that the app hides.
     *
     * @param reason the verdict's word
     */
    void endByVoip(Wake wake, String reason);

    /** Notes that a device has shown up: its pushes were not wasted. */
    void awake(Device device);

    /** Asks a device by a background push to register, as a request inside its dialog waits (RFC 8599 section 6). */
    void wakeForRequest(Wake wake);

    /**
     * What a push says about its call.
     *
     * @param callKitUuid the same in every push of the call and in its INVITE
     * @param sipCallId the Call-ID of the INVITE the device will get
     * @param fromUri who calls
     * @param displayName the caller's name, or empty
     * @param video whether the offer has video
     * @param sentAt when the call arrived
     * @param expiresAt when the ring limit ends it; for a request that waits, until when it does
     * @param repeated whether the bridge was started anew before it knew what became of the very same push
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
            Instant expiresAt,
            boolean repeated) {}
}
