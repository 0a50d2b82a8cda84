package org.pushbridge.app;

import java.time.Duration;
import java.time.Instant;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.call.CallId;
import org.pushbridge.call.Verdict;
import org.pushbridge.device.DeviceId;
import org.pushbridge.sip.Tombstones;
import org.pushbridge.store.Store;
import org.pushbridge.store.Tombstone;

/** Joins the SIP edge to the store's tombstones. */
final class StoredTombstones implements Tombstones {
    private static final Logger LOG = LogManager.getLogger(StoredTombstones.class);

    private final Store store;
    private final Duration life;

    /** @param life for how long the end of a call is remembered */
    StoredTombstones(Store store, Duration life) {
        this.store = store;
        this.life = life;
    }

    @Override
    public void bury(CallId call, DeviceId device, Verdict verdict, Instant at) {
        Tombstone tombstone = new Tombstone(call.value(), device, at, at.plus(life), verdict.word());
        store.bury(tombstone).exceptionally(fault -> {
            LOG.error("The end of call={} could not be stored for device={}", call, device, fault);
            return null;
        });
    }
}
