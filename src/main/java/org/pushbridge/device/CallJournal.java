package org.pushbridge.device;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Where calls that are alive survive a crash of the bridge. Writes return at once; their stage completes when they are
 * on disk, in the order of the calls, and exceptionally if the database would not take them. Safe for any thread.
 */
public interface CallJournal {
    /**
     * What is remembered of a call.
     *
     * @param invite the INVITE that began it, as it was received; the same in every entry of a call
     * @param state where it stands, in the words of who wrote it
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Entry(UUID call, byte[] invite, byte[] state) {}

    /**
     * Remembers a new call, or where one stands now. Of several writes for a call that wait, only the last entry is
     * written, but every tombstone.
     *
     * @param entry not changed any more
     * @param buried ends of the call that devices are to be told of: all of this is on disk together, or nothing of it
     */
    CompletionStage<Void> write(Entry entry, List<Tombstone> buried);

    /**
     * Remembers where a call stands that was written before, without haste: somewhat later, unless the next write of the
     * call takes its place. Nobody may be told anything that hangs on it.
     *
     * @param entry asked for when it is written, on the writer's thread, which for most is never; must not throw
     */
    CompletionStage<Void> note(UUID call, Supplier<Entry> entry);

    /** Forgets a call that is over, without haste. It must not be written again. */
    CompletionStage<Void> end(UUID call);

    /** Whether writes will have to wait, as the database is not there. Cheap. */
    boolean isAway();

    /** Whether it is not there, or has not answered for a second: a bad time to begin anything. Cheap. */
    boolean isBehind();

    /**
     * Hands over all calls, one after the other and the eldest first, and holds few of them at a time. Blocks.
     *
     * @param reader must not throw
     */
    void readCalls(Consumer<Entry> reader);
}
