package org.pushbridge.store;

import java.sql.SQLException;
import java.util.HexFormat;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/** The SQL of the named secrets. */
final class SecretTable {
    private SecretTable() {}

    static Optional<byte[]> load(Handle handle, String name) {
        return handle.createQuery("SELECT secret FROM secrets WHERE name = :name")
                .bind("name", name)
                .mapTo(String.class)
                .findOne()
                .map(HexFormat.of()::parseHex);
    }

    /** Fails if there is one of that name. */
    static void add(WriterConnection in, String name, byte[] secret) throws SQLException {
        in.execute(
                "INSERT INTO secrets (name, secret) VALUES (?, ?)",
                name,
                HexFormat.of().formatHex(secret));
    }
}
