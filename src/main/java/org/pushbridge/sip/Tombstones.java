package org.pushbridge.sip;

import java.time.Instant;
import org.pushbridge.call.CallId;
import org.pushbridge.call.Verdict;
import org.pushbridge.device.DeviceId;

/** Remembers how calls ended for devices that do not know yet. Implemented over the store; never blocks. */
public interface Tombstones {
    void bury(CallId call, DeviceId device, Verdict verdict, Instant at);
}
