package org.pushbridge.device;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * Where calls that are alive survive a crash of the bridge. Writes return at once; their stage completes when they are
 * on disk, in the order of the calls, and exceptionally if the database would not take them. Safe for any thread.
 */
public interface CallJournal {
    /**
     * What is remembered of a call.
     *
     * @param invite the INVITE that began it, as it was received
     * @param state where it stands, in the words of who wrote it
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Entry(UUID call, byte[] invite, byte[] state) {}

    /** Remembers a new call. */
    CompletionStage<Void> begin(Entry entry);

    /**
     * Remembers where a call stands now.
     *
     * @param buried ends of the call that devices are to be told of: all of this is on disk together, or nothing of it
     */
    CompletionStage<Void> update(UUID call, byte[] state, List<Tombstone> buried);

    /** Forgets a call that is over. */
    CompletionStage<Void> end(UUID call);

    /** All calls, the eldest first. Blocks. */
    List<Entry> loadCalls();
}
