package org.pushbridge.store;

import java.sql.SQLException;
import java.util.function.Consumer;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;

/** The SQL of the users. */
final class UserTable {
    private UserTable() {}

    /** Gives all users as they come from the database: there may be a million. */
    static void load(Handle handle, Consumer<User> each) {
        handle.createQuery("SELECT aor_user, aor_host, ha1_md5, ha1_sha256 FROM users")
                .setFetchSize(DeviceTable.FETCH_SIZE)
                .map((row, context) ->
                        new User(new Aor(row.getString(1), row.getString(2)), row.getString(3), row.getString(4)))
                .forEach(each);
    }

    static void save(WriterConnection in, User user) throws SQLException {
        remove(in, user.aor());
        in.execute(
                "INSERT INTO users (aor_user, aor_host, ha1_md5, ha1_sha256) VALUES (?, ?, ?, ?)",
                user.aor().user(),
                user.aor().host(),
                user.ha1Md5(),
                user.ha1Sha256());
    }

    static void remove(WriterConnection in, Aor aor) throws SQLException {
        in.execute("DELETE FROM users WHERE aor_user = ? AND aor_host = ?", aor.user(), aor.host());
    }
}
