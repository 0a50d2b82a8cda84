package org.pushbridge.store;

import com.zaxxer.hikari.HikariConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;

/**
 * A PostgreSQL server, which may be shared with others.
 *
 * <p>A commit lasts as the server is configured: through its own crash and the machine's with the default
 * {@code synchronous_commit=on} and {@code fsync=on}.
 *
 * <p>A server that hangs does not hang the bridge: connecting is given up after 5 s, waiting for an answer after 10 s,
 * unless the URL says otherwise.
 */
final class PostgreSql extends Database {
    static final String SCHEME = "jdbc:postgresql:";

    PostgreSql(StoreSettings settings) {
        super(settings);
    }

    @Override
    String url() {
        return settings.url();
    }

    @Override
    Connection connectFirst() {
        try {
            return connect(settings.url(), options());
        } catch (SQLException e) {
            throw explain(e);
        }
    }

    @Override
    void adapt(HikariConfig pool) {
        pool.setDataSourceProperties(options());
    }

    private static Properties options() {
        Properties options = new Properties();
        options.setProperty("ApplicationName", "Pushbridge");
        options.setProperty("connectTimeout", "5");
        options.setProperty("socketTimeout", "10");
        options.setProperty("tcpKeepAlive", "true");
        // The detail of an error quotes the row, and rows hold tokens.
        options.setProperty("logServerErrorDetail", "false");
        return options;
    }

    /** The server did it before it answered the COMMIT. */
    @Override
    void harden(Connection connection) {}

    @Override
    StoreException explain(SQLException error) {
        String state = error.getSQLState() == null ? "" : error.getSQLState();
        if (state.startsWith("28")) {
            return new StoreException(
                    "PostgreSQL at " + place() + " refuses the user '" + settings.user()
                            + "': check user and password, and the server's pg_hba.conf.",
                    error);
        }
        if (state.startsWith("08")) {
            return new StoreException(
                    "PostgreSQL at " + place() + " cannot be reached: check host and port, and that it runs ("
                            + error.getMessage() + ").",
                    error);
        }
        return switch (state) {
            case "3D000" ->
                new StoreException(
                        "PostgreSQL has no database " + place() + ": create it (CREATE DATABASE), or name another.",
                        error);
            case "57P03" ->
                new StoreException(
                        "PostgreSQL at " + place() + " is starting up or shutting down: try again in a moment.", error);
            case "53300" ->
                new StoreException(
                        "PostgreSQL at " + place() + " has no connection left: raise its max_connections, or lower"
                                + " the pool size, now " + settings.poolSize() + ".",
                        error);
            case "42501" ->
                new StoreException(
                        "The user '" + settings.user() + "' may not do what is needed in " + place()
                                + ": make it the owner of the database (" + error.getMessage() + ").",
                        error);
            default -> unexplained(error);
        };
    }
}
