package org.pushbridge.store;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.pushbridge.device.DeviceId;

/**
 * The remembered end of a call, so that a late device still gets its verdict (invariant 4).
 *
 * @param call the bridge's id of the call
 * @param endedAt when the call ended
 * @param expiresAt from when on nobody is told any more
 * @param reason why it ended, as a device is told
 * @param devices those that were pushed to for the call
 */
public record Tombstone(UUID call, Instant endedAt, Instant expiresAt, String reason, List<Pushed> devices) {
    public Tombstone {
        devices = List.copyOf(devices);
    }

    /**
     * A device that was pushed to.
     *
     * @param alerted whether it had begun to ring
     */
    public record Pushed(DeviceId device, boolean alerted) {}
}
