package org.pushbridge.store;

import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.CallJournal;

/** The SQL of the calls that are alive. */
final class CallTable {
    /** How many are read at a time: both databases hold the whole answer to a query in memory. */
    private static final int PAGE = 500;

    private CallTable() {}

    static void write(WriterConnection in, CallJournal.Entry entry) throws SQLException {
        int known = in.execute("UPDATE calls SET state = ? WHERE call_id = ?", entry.state(), entry.call());
        if (known == 0) {
            in.execute(
                    "INSERT INTO calls (call_id, invite, state) VALUES (?, ?, ?)",
                    entry.call(),
                    entry.invite(),
                    entry.state());
        }
    }

    static void remove(WriterConnection in, UUID call) throws SQLException {
        in.execute("DELETE FROM calls WHERE call_id = ?", call);
    }

    /** The eldest first. Needs a transaction in which the table does not change. */
    static void read(Handle handle, Consumer<CallJournal.Entry> reader) {
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
