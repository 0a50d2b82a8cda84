package org.pushbridge.device;

import java.time.Instant;
import java.util.UUID;

/**
 * The remembered end of a call for one device that was pushed to, or rang, so that it still gets its verdict however
 * late it shows up (invariant 4).
 *
 * @param call the bridge's id of the call
 * @param device who does not know yet
 * @param endedAt when the call ended
 * @param expiresAt from when on nobody is told any more
 * @param reason why it ended, as the device is told
 * @param from who called: a SIP URI
 * @param displayName the caller's name, or empty
 * @param had whether the device has, or had, the call by SIP: a new INVITE would not end what it shows
 * @param told whether it knows by now; kept for its app, which may still ask over HTTP
 */
public record Tombstone(
        UUID call,
        DeviceId device,
        Instant endedAt,
        Instant expiresAt,
        String reason,
        String from,
        String displayName,
        boolean had,
        boolean told) {
    Tombstone withTold() {
        return new Tombstone(call, device, endedAt, expiresAt, reason, from, displayName, had, true);
    }

    boolean counts(Instant now) {
        return expiresAt.isAfter(now);
    }
}
