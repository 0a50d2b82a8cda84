package org.pushbridge.push;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What a payload may say about a call to one device. The names of the placeholders for these facts are listed in
 * {@link PayloadTemplates}.
 *
 * @param callId the bridge's own id of the call
 * @param callKitUuid what the app is to give CallKit; the same in each push and in the INVITE of a call
 * @param sipCallId the Call-ID that the INVITE to this device will carry
 * @param fromUri the caller's SIP address
 * @param displayName the caller's display name, empty if there is none; shortened if it does not fit
 * @param calledAor the address that was called
 * @param sentAt when the push was made
 * @param expiresAt when the call stops ringing at the latest; an app may drop a push that comes later
 * @param seq grows with each push of a call, so that an app can tell old from new
 * @param video whether the caller offers video
 * @param verdictUrl where the app may ask what became of the call, if that is served
 * @param verdictToken the one-time token for that
 * @param sipInstance the device's {@code +sip.instance}, if it has one; Linphone apps compare it
 * @param reason why the call is over, in the verdict's word; empty while it is not
 */
public record CallFacts(
        UUID callId,
        UUID callKitUuid,
        String sipCallId,
        String fromUri,
        String displayName,
        String calledAor,
        Instant sentAt,
        Instant expiresAt,
        long seq,
        boolean video,
        Optional<String> verdictUrl,
        Optional<String> verdictToken,
        Optional<String> sipInstance,
        Optional<String> reason) {

    CallFacts withDisplayName(String shorter) {
        return new CallFacts(
                callId,
                callKitUuid,
                sipCallId,
                fromUri,
                shorter,
                calledAor,
                sentAt,
                expiresAt,
                seq,
                video,
                verdictUrl,
                verdictToken,
                sipInstance,
                reason);
    }

    CallFacts withFromUri(String shorter) {
        return new CallFacts(
                callId,
                callKitUuid,
                sipCallId,
                shorter,
                displayName,
                calledAor,
                sentAt,
                expiresAt,
                seq,
                video,
                verdictUrl,
                verdictToken,
                sipInstance,
                reason);
    }

    /** Keeps the one-time token out of logs. */
    @Override
    public String toString() {
        return "CallFacts[" + callId + " seq=" + seq + "]";
    }
}
