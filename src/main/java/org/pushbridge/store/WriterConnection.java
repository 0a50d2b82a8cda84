package org.pushbridge.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The connection that all writes take. The same few statements are made over and over, so each is prepared once and kept
 * for as long as the connection. For the writer's thread only.
 */
final class WriterConnection {
    private final Connection connection;
    private final Map<String, PreparedStatement> prepared = new HashMap<>();

    WriterConnection(Connection connection) {
        this.connection = connection;
    }

    /** What a write does within its transaction. */
    @FunctionalInterface
    interface Statements {
        void make(WriterConnection in) throws SQLException;
    }

    /**
     * Makes a statement.
     *
     * @param sql one of few: it is kept
     * @param values for its question marks
     * @return how many rows it was about
     */
    int execute(String sql, @Nullable Object... values) throws SQLException {
        PreparedStatement statement = prepared.get(sql);
        if (statement == null) {
            statement = connection.prepareStatement(sql);
            prepared.put(sql, statement);
        }
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement.executeUpdate();
    }

    /** Makes the statements in one transaction: all of them, or none if one fails. */
    void transact(Statements statements) throws SQLException {
        connection.setAutoCommit(false);
        try {
            statements.make(this);
            connection.commit();
        } catch (Throwable e) {
            undo(e);
            throw e;
        }
        connection.setAutoCommit(true);
    }

    private void undo(Throwable cause) {
        try {
            connection.rollback();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    Connection connection() {
        return connection;
    }

    /** Closes it, its statements with it. */
    void close() throws SQLException {
        connection.close();
    }
}
