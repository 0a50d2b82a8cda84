package org.pushbridge.store;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import java.util.function.Supplier;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.LongDataType;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.CallJournal;
import org.pushbridge.store.GroupWriter.Change;

/**
 * The calls that are alive, by their numbers, in a map of the very file that H2 keeps its tables in. A call changes
 * several times within seconds, and as a row each change would cost a look-up in a second tree, two rows and an undo
 * log. H2 saves all maps of the file together, and leaves those alone that have none of its names.
 *
 * <p>A map knows no transactions: it is changed when the transaction of the same writes has been committed, and before
 * both are saved. If H2 saves in between and the process dies, the tombstones of such a write are there and the call
 * stands where it stood before, which nobody has been told of.
 *
 * <p>Earlier versions kept the calls in a table, which is still there. What it holds is taken over.
 */
final class CallMap implements Calls {
    private static final String NAME = "pushbridge.calls";

    private static final MVMap.Builder<Long, CallJournal.Entry> BUILDER = new MVMap.Builder<Long, CallJournal.Entry>()
            .keyType(LongDataType.INSTANCE)
            .valueType(new EntryType());

    /** How many are taken over from the table at a time. */
    private static final int PAGE = 500;

    /** Of the file that was last written to, which is opened anew after an error. Only touched by who writes. */
    private @Nullable MVMap<Long, CallJournal.Entry> written;

    @Override
    public void begin(Connection connection, ObjLongConsumer<UUID> known) throws SQLException {
        MVMap<Long, CallJournal.Entry> calls = H2File.mvStore(connection).openMap(NAME, BUILDER);
        while (takeOver(connection, calls) == PAGE) {}
        Cursor<Long, CallJournal.Entry> cursor = calls.cursor(null);
        while (cursor.hasNext()) {
            long number = cursor.next();
            known.accept(cursor.getValue().call(), number);
        }
    }

    /** A call keeps its place, so one that is taken over again after a crash is there once. */
    private static int takeOver(Connection connection, MVMap<Long, CallJournal.Entry> calls) throws SQLException {
        int taken = 0;
        long last = 0;
        try (PreparedStatement eldest = connection.prepareStatement(
                        "SELECT place, call_id, invite, state FROM calls ORDER BY place LIMIT " + PAGE);
                ResultSet row = eldest.executeQuery()) {
            for (; row.next(); taken++) {
                last = row.getLong("place");
                calls.put(
                        last,
                        new CallJournal.Entry(
                                row.getObject("call_id", UUID.class), row.getBytes("invite"), row.getBytes("state")));
            }
        }
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM calls WHERE place <= ?")) {
            delete.setLong(1, last);
            delete.executeUpdate();
        }
        return taken;
    }

    @Override
    public Change write(long number, UUID call, Supplier<CallJournal.Entry> entry) {
        return Change.afterTransaction(call, in -> in(in).put(number, entry.get()));
    }

    @Override
    public Change remove(UUID call, OptionalLong number) {
        return Change.afterTransaction(call, in -> {
            if (number.isPresent()) {
                in(in).remove(number.getAsLong());
            }
        });
    }

    private MVMap<Long, CallJournal.Entry> in(WriterConnection connection) throws SQLException {
        MVStore store = H2File.mvStore(connection.connection());
        MVMap<Long, CallJournal.Entry> calls = written;
        if (calls == null || calls.getStore() != store) {
            calls = store.openMap(NAME, BUILDER);
            written = calls;
        }
        return calls;
    }

    @Override
    public void read(Handle handle, Consumer<CallJournal.Entry> reader) throws SQLException {
        MVStore store = H2File.mvStore(handle.getConnection());
        // Keeps the room of what is replaced meanwhile from being used again.
        MVStore.TxCounter reading = store.registerVersionUsage();
        try {
            Cursor<Long, CallJournal.Entry> cursor =
                    store.openMap(NAME, BUILDER).cursor(null);
            while (cursor.hasNext()) {
                cursor.next();
                reader.accept(cursor.getValue());
            }
        } finally {
            store.deregisterVersionUsage(reading);
        }
    }

    /** How a call is written to the file: identifier, INVITE and state, the latter two behind their lengths. */
    private static final class EntryType extends BasicDataType<CallJournal.Entry> {
        private static final int OBJECTS_AROUND = 120;

        @Override
        public int getMemory(CallJournal.Entry entry) {
            return OBJECTS_AROUND + entry.invite().length + entry.state().length;
        }

        @Override
        public void write(WriteBuffer to, CallJournal.Entry entry) {
            to.putLong(entry.call().getMostSignificantBits());
            to.putLong(entry.call().getLeastSignificantBits());
            write(to, entry.invite());
            write(to, entry.state());
        }

        private static void write(WriteBuffer to, byte[] bytes) {
            to.putVarInt(bytes.length).put(bytes);
        }

        @Override
        public CallJournal.Entry read(ByteBuffer from) {
            UUID call = new UUID(from.getLong(), from.getLong());
            return new CallJournal.Entry(call, bytes(from), bytes(from));
        }

        private static byte[] bytes(ByteBuffer from) {
            byte[] bytes = new byte[DataUtils.readVarInt(from)];
            from.get(bytes);
            return bytes;
        }

        @Override
        public CallJournal.Entry[] createStorage(int size) {
            return new CallJournal.Entry[size];
        }
    }
}
