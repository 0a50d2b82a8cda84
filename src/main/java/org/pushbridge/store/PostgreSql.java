package org.pushbridge.store;

import com.zaxxer.hikari.HikariConfig;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
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
 * <p>Two bridges on one database would take up the same calls. So the connection that writes holds an advisory lock for
 * as long as it is open, and a bridge that does not get the lock does not start. Nothing is written without it: a writer
 * that has lost its connection has lost the lock, too, and takes it anew with the next connection. If another bridge has
 * it by then, this one never writes again: what it knows may not be true any more.
 *
 * <p>A server that hangs does not hang the bridge: connecting is given up after 5 s, waiting for an answer after 10 s,
 * unless the URL says otherwise.
 */
final class PostgreSql extends Database {
    static final String SCHEME = "jdbc:postgresql:";

    private static final String WAIT_FOR_DRIVE = "SELECT set_config('synchronous_commit', 'on', false)"
            + " WHERE current_setting('synchronous_commit') = 'off'";

    private static final Duration SHORTEST_WAIT = Duration.ofMillis(500);

    /** The key of the lock: "Pushbrdg". */
    private static final long LOCK = 0x5075736862726467L;

    /** How often the lock is asked for at start: a bridge that was just killed may hold it for a moment. */
    private static final int TRIES = 20;

    private static final long BETWEEN_TRIES_MILLIS = 100;

    /** The server's process behind the connection that writes; 0 before there is one. Only touched by who writes. */
    private int owner;

    private boolean lost;
    private final CallTable calls = new CallTable();

    PostgreSql(StoreSettings settings) {
        super(settings);
    }

    @Override
    void own(Connection connection) throws SQLException {
        limitWaits(connection);
        for (int i = 0; !takeLock(connection); i++) {
            if (i == TRIES) {
                throw inUse(holder(connection), "stop it, or give this one a database of its own");
            }
            rest();
        }
        owner = process(connection);
    }

    @Override
    Connection connectAgain() throws SQLException {
        if (lost) {
            throw inUse(0, "stop one of them, and restart this one if it is not that one");
        }
        Connection connection = connect(settings.url(), options());
        try {
            limitWaits(connection);
            if (owner != 0) {
                own(connection, owner);
            }
            return connection;
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    /** @param before the process that had the lock for us; the server may not know yet that its connection is gone */
    private void own(Connection connection, int before) throws SQLException {
        if (!takeLock(connection)) {
            int holder = holder(connection);
            if (holder != before && holder != 0) {
                lost = true;
                throw inUse(holder, "stop one of them, and restart this one if it is not that one");
            }
            try (PreparedStatement end = connection.prepareStatement("SELECT pg_terminate_backend(?)")) {
                end.setInt(1, before);
                end.execute();
            }
            throw new SQLException("The connection from before still holds the lock", "55P03");
        }
        owner = process(connection);
    }

    /** So that no session waits for ever, here or there: neither for a lock nor for a bridge whose machine is gone. */
    private void limitWaits(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET lock_timeout = '" + answerWithin().toMillis() + "ms'");
            statement.execute("SET tcp_keepalives_idle = 10");
            statement.execute("SET tcp_keepalives_interval = 5");
            statement.execute("SET tcp_keepalives_count = 3");
            if (settings.durability() == StoreSettings.Durability.DISK) {
                statement.execute(WAIT_FOR_DRIVE);
            }
        }
        connection.setNetworkTimeout(
                Runnable::run, Math.toIntExact(answerWithin().multipliedBy(2).toMillis()));
    }

    /** How long a statement of the writer may wait for another session. */
    private Duration answerWithin() {
        Duration half = settings.patience().dividedBy(2);
        return half.compareTo(SHORTEST_WAIT) < 0 ? SHORTEST_WAIT : half;
    }

    private static boolean takeLock(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_try_advisory_lock(" + LOCK + ")")) {
            return row.next() && row.getBoolean(1);
        }
    }

    private static int process(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            return row.getInt(1);
        }
    }

    /** The server's process that has the lock; 0 if none has. */
    private static int holder(Connection connection) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                        + " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted"
                        + " AND l.classid::bigint = ? AND l.objid::bigint = ? AND l.objsubid = 1")) {
            query.setLong(1, LOCK >>> 32);
            query.setLong(2, LOCK & 0xffffffffL);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getInt(1) : 0;
            }
        }
    }

    /** @param holder the server's process that has the lock; 0 if it is not known */
    private StoreException inUse(int holder, String whatToDo) {
        return new StoreException("Another Pushbridge runs on the database " + place()
                + (holder == 0 ? "" : " (it is the server's process " + holder + " in pg_stat_activity)") + ": "
                + whatToDo + ".");
    }

    private static void rest() {
        try {
            Thread.sleep(BETWEEN_TRIES_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * The server is short of something, hangs, was told to stop or is a stand-by by now; or another session was in the
     * way.
     */
    @Override
    boolean isPassing(SQLException error) {
        String state = error.getSQLState() == null ? "" : error.getSQLState();
        return switch (state) {
            case "25006", "40001", "40P01", "55P03" -> true;
            default -> state.startsWith("53") || state.startsWith("57") || state.startsWith("58");
        };
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
    Calls calls() {
        return calls;
    }

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
