package org.pushbridge.device;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** Where tombstones survive. Writes return at once; their stage completes when they are on disk. Safe for any thread. */
public interface TombstoneStore {
    /** All that expire after {@code now}, in the order of the ends. Blocks. */
    List<Tombstone> loadTombstones(Instant now);

    /** Remembers one; replaces what was remembered of the same call and device. */
    CompletionStage<Void> bury(Tombstone tombstone);

    CompletionStage<Void> forgetTombstone(UUID call, DeviceId device);

    /** Forgets those that expire at or before {@code now}. */
    CompletionStage<Void> purgeTombstones(Instant now);
}
