package org.pushbridge.store;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Tombstone;

/** The SQL of the tombstones. */
final class TombstoneTable {
    private TombstoneTable() {}

    static void bury(WriterConnection in, Tombstone tombstone) throws SQLException {
        remove(in, tombstone.call(), tombstone.device());
        in.execute(
                "INSERT INTO tombstones (call_id, device_id, ended_at, expires_at, reason, from_uri, display_name, had,"
                        + " told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tombstone.call(),
                tombstone.device().value(),
                EpochNanos.of(tombstone.endedAt()),
                EpochNanos.of(tombstone.expiresAt()),
                tombstone.reason(),
                tombstone.from(),
                tombstone.displayName(),
                tombstone.had(),
                tombstone.told());
    }

    static void remove(WriterConnection in, UUID call, DeviceId device) throws SQLException {
        in.execute("DELETE FROM tombstones WHERE call_id = ? AND device_id = ?", call, device.value());
    }

    /** As far as they count at {@code now}, the earliest end first. */
    static List<Tombstone> load(Handle handle, Instant now) {
        return handle.createQuery(
                        "SELECT * FROM tombstones WHERE expires_at > :now ORDER BY ended_at, call_id, device_id")
                .bind("now", EpochNanos.of(now))
                .map((row, context) -> new Tombstone(
                        row.getObject("call_id", UUID.class),
                        new DeviceId(row.getString("device_id")),
                        EpochNanos.toInstant(row.getLong("ended_at")),
                        EpochNanos.toInstant(row.getLong("expires_at")),
                        row.getString("reason"),
                        row.getString("from_uri"),
                        row.getString("display_name"),
                        row.getBoolean("had"),
                        row.getBoolean("told")))
                .list();
    }

    static void purge(WriterConnection in, Instant now) throws SQLException {
        in.execute("DELETE FROM tombstones WHERE expires_at <= ?", EpochNanos.of(now));
    }
}
