package org.pushbridge.store;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.DeviceId;

/** The SQL of the tombstones. */
final class TombstoneTable {
    private TombstoneTable() {}

    static void bury(Handle handle, Tombstone tombstone) {
        handle.execute(
                "DELETE FROM tombstones WHERE call_id = ? AND device_id = ?",
                tombstone.call(),
                tombstone.device().value());
        handle.execute(
                "INSERT INTO tombstones (call_id, device_id, ended_at, expires_at, reason) VALUES (?, ?, ?, ?, ?)",
                tombstone.call(),
                tombstone.device().value(),
                EpochNanos.of(tombstone.endedAt()),
                EpochNanos.of(tombstone.expiresAt()),
                tombstone.reason());
    }

    /** The device's, as far as they count at {@code now}, the latest end first. */
    static List<Tombstone> load(Handle handle, DeviceId device, Instant now) {
        return handle.createQuery("SELECT call_id, ended_at, expires_at, reason FROM tombstones"
                        + " WHERE device_id = :device AND expires_at > :now ORDER BY ended_at DESC, call_id")
                .bind("device", device.value())
                .bind("now", EpochNanos.of(now))
                .map((row, context) -> new Tombstone(
                        row.getObject("call_id", UUID.class),
                        device,
                        EpochNanos.toInstant(row.getLong("ended_at")),
                        EpochNanos.toInstant(row.getLong("expires_at")),
                        row.getString("reason")))
                .list();
    }

    static void purge(Handle handle, Instant now) {
        handle.execute("DELETE FROM tombstones WHERE expires_at <= ?", EpochNanos.of(now));
    }
}
