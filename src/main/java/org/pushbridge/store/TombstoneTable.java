package org.pushbridge.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.DeviceId;

/** The SQL of the tombstones. */
final class TombstoneTable {
    private TombstoneTable() {}

    static void bury(Handle handle, Tombstone tombstone) {
        handle.execute("DELETE FROM tombstones WHERE call_id = ?", tombstone.call());
        handle.execute(
                "INSERT INTO tombstones (call_id, ended_at, expires_at, reason) VALUES (?, ?, ?, ?)",
                tombstone.call(),
                EpochNanos.of(tombstone.endedAt()),
                EpochNanos.of(tombstone.expiresAt()),
                tombstone.reason());
        for (int place = 0; place < tombstone.devices().size(); place++) {
            Tombstone.Pushed pushed = tombstone.devices().get(place);
            handle.execute(
                    "INSERT INTO tombstone_devices (call_id, place, device_id, alerted) VALUES (?, ?, ?, ?)",
                    tombstone.call(),
                    place,
                    pushed.device().value(),
                    pushed.alerted());
        }
    }

    /** Those that count at {@code now} and name the device, the latest end first. */
    static List<Tombstone> load(Handle handle, DeviceId device, Instant now) {
        Map<UUID, Tombstone> found = new LinkedHashMap<>();
        handle.createQuery("SELECT t.call_id, t.ended_at, t.expires_at, t.reason, d.device_id, d.alerted"
                        + " FROM tombstones t JOIN tombstone_devices d ON d.call_id = t.call_id"
                        + " WHERE t.expires_at > :now AND t.call_id IN"
                        + " (SELECT call_id FROM tombstone_devices WHERE device_id = :device)"
                        + " ORDER BY t.ended_at DESC, t.call_id, d.place")
                .bind("now", EpochNanos.of(now))
                .bind("device", device.value())
                .map((row, context) -> new Tombstone(
                        row.getObject("call_id", UUID.class),
                        EpochNanos.toInstant(row.getLong("ended_at")),
                        EpochNanos.toInstant(row.getLong("expires_at")),
                        row.getString("reason"),
                        List.of(new Tombstone.Pushed(
                                new DeviceId(row.getString("device_id")), row.getBoolean("alerted")))))
                .forEach(part -> found.merge(part.call(), part, TombstoneTable::together));
        return List.copyOf(found.values());
    }

    static void purge(Handle handle, Instant now) {
        handle.execute("DELETE FROM tombstones WHERE expires_at <= ?", EpochNanos.of(now));
    }

    private static Tombstone together(Tombstone some, Tombstone more) {
        List<Tombstone.Pushed> devices = new ArrayList<>(some.devices());
        devices.addAll(more.devices());
        return new Tombstone(some.call(), some.endedAt(), some.expiresAt(), some.reason(), devices);
    }
}
