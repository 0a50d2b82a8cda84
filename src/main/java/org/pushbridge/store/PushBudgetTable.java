package org.pushbridge.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudgetStore.Account;

/** The SQL of the push budgets. */
final class PushBudgetTable {
    private PushBudgetTable() {}

    static void save(WriterConnection in, Account account) throws SQLException {
        remove(in, account.device());
        in.execute(
                "INSERT INTO push_budgets (device_id, wasted, waiting_since, paused_until, refusal_known)"
                        + " VALUES (?, ?, ?, ?, ?)",
                account.device().value(),
                account.wasted(),
                account.waitingSince().map(EpochNanos::of).orElse(null),
                account.pausedUntil().map(EpochNanos::of).orElse(null),
                account.refusalKnown());
    }

    static void remove(WriterConnection in, DeviceId device) throws SQLException {
        in.execute("DELETE FROM push_budgets WHERE device_id = ?", device.value());
    }

    static List<Account> load(Handle handle) {
        return handle.createQuery("SELECT * FROM push_budgets ORDER BY COALESCE(waiting_since, 0), device_id")
                .map((row, context) -> new Account(
                        new DeviceId(row.getString("device_id")),
                        row.getInt("wasted"),
                        time(row, "waiting_since"),
                        time(row, "paused_until"),
                        row.getBoolean("refusal_known")))
                .list();
    }

    private static Optional<Instant> time(ResultSet row, String column) throws SQLException {
        long nanos = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(EpochNanos.toInstant(nanos));
    }
}
