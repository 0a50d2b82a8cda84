package org.pushbridge.store;

import java.sql.SQLException;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;

/** The SQL of the users. */
final class UserTable {
    private UserTable() {}

    static List<User> load(Handle handle) {
        return handle.createQuery(
                        "SELECT aor_user, aor_host, ha1_md5, ha1_sha256 FROM users ORDER BY aor_host, aor_user")
                .map((row, context) -> new User(
                        new Aor(row.getString("aor_user"), row.getString("aor_host")),
                        row.getString("ha1_md5"),
                        row.getString("ha1_sha256")))
                .list();
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
