package org.pushbridge.store;

import com.zaxxer.hikari.HikariConfig;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/**
 * A PostgreSQL server, which may be shared with others.
 *
 * <p>The death of the bridge takes nothing that the server has committed. What survives the server's own death and its
 * machine's, is for the server to say: everything with its defaults, {@code synchronous_commit=on} and
 * {@code fsync=on}. With {@link StoreSettings.Durability#PROCESS} the bridge leaves that as it is, so that whoever runs
 * the server decides, also by {@code ALTER ROLE}. With {@link StoreSettings.Durability#DISK} each commit waits for the
 * server's drive, whatever its default, and a server with {@code fsync=off} is refused.
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
            Connection connection = connect(settings.url(), options());
            if (settings.durability() == StoreSettings.Durability.DISK) {
                refuseUnforced(connection);
            }
            return connection;
        } catch (SQLException e) {
            throw explain(e);
        }
    }

    private void refuseUnforced(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW fsync")) {
            row.next();
            if (row.getString(1).equals("off")) {
                connection.close();
                throw new StoreException(
                        "PostgreSQL at " + place() + " has fsync = off, so nothing it stores is safe"
                                + " from the death of its machine: set fsync = on there, or database.durability = process here.");
            }
        }
    }

    @Override
    void adapt(HikariConfig pool) {
        pool.setDataSourceProperties(options());
        if (settings.durability() == StoreSettings.Durability.DISK) {
            pool.setConnectionInitSql("SELECT set_config('synchronous_commit', 'on', false)"
                    + " WHERE current_setting('synchronous_commit') = 'off'");
        }
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
