package org.pushbridge.store;

import java.time.Instant;
import java.util.UUID;
import org.pushbridge.device.DeviceId;

/**
 * The remembered end of a call for one device that was pushed to, so that it still gets its verdict however late it
 * wakes (invariant 4).
 *
 * @param call the bridge's id of the call
 * @param device who does not know yet
 * @param endedAt when the call ended
 * @param expiresAt from when on nobody is told any more
 * @param reason why it ended, as the device is told
 */
public record Tombstone(UUID call, DeviceId device, Instant endedAt, Instant expiresAt, String reason) {}
