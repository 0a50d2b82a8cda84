package org.pushbridge.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import java.util.function.Supplier;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.CallJournal;
import org.pushbridge.store.GroupWriter.Change;

/** The calls that are alive as rows, numbered by the database. */
final class CallTable implements Calls {
    /** How many are read at a time: the driver holds the whole answer to a query in memory. */
    private static final int PAGE = 500;

    @Override
    public void begin(Connection connection, ObjLongConsumer<UUID> known) {}

    @Override
    public Change write(long number, UUID call, Supplier<CallJournal.Entry> entry) {
        return Change.of(call, in -> write(in, entry.get()));
    }

    private static void write(WriterConnection in, CallJournal.Entry entry) throws SQLException {
        int known = in.execute("UPDATE calls SET state = ? WHERE call_id = ?", entry.state(), entry.call());
        if (known == 0) {
            in.execute(
                    "INSERT INTO calls (call_id, invite, state) VALUES (?, ?, ?)",
                    entry.call(),
                    entry.invite(),
                    entry.state());
        }
    }

    @Override
    public Change remove(UUID call, OptionalLong number) {
        return Change.of(call, in -> in.execute("DELETE FROM calls WHERE call_id = ?", call));
    }

    @Override
    public void read(Handle handle, Consumer<CallJournal.Entry> reader) {
        long after = Long.MIN_VALUE;
        List<Row> page;
        do {
            page = handle.createQuery("SELECT place, call_id, invite, state FROM calls WHERE place > :after"
                            + " ORDER BY place LIMIT " + PAGE)
                    .bind("after", after)
                    .map((row, context) -> new Row(
                            row.getLong("place"),
                            new CallJournal.Entry(
                                    row.getObject("call_id", UUID.class),
                                    row.getBytes("invite"),
                                    row.getBytes("state"))))
                    .list();
            for (Row row : page) {
                reader.accept(row.entry());
                after = row.place();
            }
        } while (page.size() == PAGE);
    }

    private record Row(long place, CallJournal.Entry entry) {}
}
