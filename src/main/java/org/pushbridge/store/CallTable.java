package org.pushbridge.store;

import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.CallJournal;

/** The SQL of the calls that are alive. */
final class CallTable {
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

    static List<CallJournal.Entry> load(Handle handle) {
        return handle.createQuery("SELECT call_id, invite, state FROM calls ORDER BY place")
                .map((row, context) -> new CallJournal.Entry(
                        row.getObject("call_id", UUID.class), row.getBytes("invite"), row.getBytes("state")))
                .list();
    }
}
