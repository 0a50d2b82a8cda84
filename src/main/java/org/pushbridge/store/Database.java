package org.pushbridge.store;

import com.zaxxer.hikari.HikariConfig;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/**
 * One kind of database: how it is reached, what its errors mean to whoever runs the bridge, and what it takes to make a
 * commit last. All methods block.
 */
abstract sealed class Database permits H2File, PostgreSql {
    private static final int VALIDATION_SECONDS = 2;

    final StoreSettings settings;

    Database(StoreSettings settings) {
        this.settings = settings;
    }

    /** @throws StoreException if the URL names no database this program works with */
    static Database of(StoreSettings settings) {
        if (settings.url().startsWith(H2File.SCHEME)) {
            return new H2File(settings);
        }
        if (settings.url().startsWith(PostgreSql.SCHEME)) {
            return new PostgreSql(settings);
        }
        throw new StoreException("The database URL '" + settings.place() + "' is of no kind that Pushbridge works with:"
                + " write " + H2File.SCHEME + "PATH for a file, or " + PostgreSql.SCHEME
                + "//HOST:PORT/DATABASE for PostgreSQL.");
    }

    /** The name for messages. */
    final String place() {
        return settings.place();
    }

    /** What to give the driver to reach the database, once it exists. */
    abstract String url();

    /**
     * The first connection of a program, which may create the database.
     *
     * @throws StoreException which says what stands in the way
     */
    abstract Connection connectFirst();

    /**
     * Makes a connection the one that writes: nobody else writes to the database as long as it is open.
     *
     * @throws StoreException if another bridge does
     */
    abstract void own(Connection connection) throws SQLException;

    /** A new connection to write over, after the first. */
    abstract Connection connectAgain() throws SQLException;

    /** Whether an error says nothing against the statement, so that it may be tried again. */
    abstract boolean isPassing(SQLException error);

    /** Whether the database is there and the connection can be used. */
    boolean isThere(Connection connection) throws SQLException {
        return connection.isValid(VALIDATION_SECONDS);
    }

    /** Settings of the pool that differ from the usual. */
    abstract void adapt(HikariConfig pool);

    /**
     * Called after a commit and before anybody is told of it: makes it last.
     *
     * @throws SQLException if it may not last
     */
    abstract void harden(Connection connection) throws SQLException;

    abstract Calls calls();

    /** What an error at opening or reading means, and what to do. */
    abstract StoreException explain(SQLException error);

    /** As {@link #explain(SQLException)}, for the SQL error below an exception of a library. */
    final StoreException explain(String doing, Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return explain(sql);
            }
        }
        return new StoreException(doing + " " + place() + " failed: " + error.getMessage(), error);
    }

    final Connection connect(String url, Properties options) throws SQLException {
        Properties all = new Properties();
        all.putAll(options);
        all.setProperty("user", settings.user());
        all.setProperty("password", settings.password());
        return DriverManager.getConnection(url, all);
    }

    final StoreException unexplained(SQLException error) {
        return new StoreException(
                "The database " + place() + " cannot be used (SQL state " + error.getSQLState() + ", error "
                        + error.getErrorCode() + "): " + error.getMessage(),
                error);
    }
}
