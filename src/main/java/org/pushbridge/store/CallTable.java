package org.pushbridge.store;

import java.util.List;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.CallJournal;

/** The SQL of the calls that are alive. */
final class CallTable {
    private CallTable() {}

    static void write(Handle handle, CallJournal.Entry entry) {
        int known = handle.execute("UPDATE calls SET state = ? WHERE call_id = ?", entry.state(), entry.call());
        if (known == 0) {
            handle.execute(
                    "INSERT INTO calls (call_id, invite, state) VALUES (?, ?, ?)",
                    entry.call(),
                    entry.invite(),
                    entry.state());
        }
    }

    static void remove(Handle handle, UUID call) {
        handle.execute("DELETE FROM calls WHERE call_id = ?", call);
    }

    static List<CallJournal.Entry> load(Handle handle) {
        return handle.createQuery("SELECT call_id, invite, state FROM calls ORDER BY place")
                .map((row, context) -> new CallJournal.Entry(
                        row.getObject("call_id", UUID.class), row.getBytes("invite"), row.getBytes("state")))
                .list();
    }
}
