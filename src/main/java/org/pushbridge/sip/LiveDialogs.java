package org.pushbridge.sip;

import java.util.List;
import org.pushbridge.device.Device;

/** Knows which calls are alive for a device. */
@FunctionalInterface
interface LiveDialogs {
    /**
     * The calls this device may still answer or is in, always in the same order; a call that was answered on another
     * device is none of them. Called on any thread while a subscription is locked: must neither block nor call
     * {@link DialogEvents}.
     */
    List<LiveDialog> of(Device device);
}
