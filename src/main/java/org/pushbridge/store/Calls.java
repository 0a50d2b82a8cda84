package org.pushbridge.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import java.util.function.Supplier;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.CallJournal;
import org.pushbridge.store.GroupWriter.Change;

/**
 * The calls that are alive, in the way that a kind of database keeps them. The store gives each call a number, greater
 * than that of every call before it.
 */
sealed interface Calls permits CallMap, CallTable {
    /**
     * What comes before all others, once for a bridge. Blocks.
     *
     * @param known is told the numbers of all calls there are, if they have to be known
     */
    void begin(Connection connection, ObjLongConsumer<UUID> known) throws SQLException;

    /** @param entry asked for each time that it is written */
    Change write(long number, UUID call, Supplier<CallJournal.Entry> entry);

    /** @param number of the call; empty if it is not known to have been written */
    Change remove(UUID call, OptionalLong number);

    /** The eldest first, as they are at one moment. Needs a transaction. */
    void read(Handle handle, Consumer<CallJournal.Entry> reader) throws SQLException;
}
