package org.pushbridge.store;

import com.zaxxer.hikari.HikariConfig;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.h2.api.ErrorCode;
import org.h2.engine.Session;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;

/**
 * An H2 database in one file, opened by this process alone.
 *
 * <p>What is promised once a write is acknowledged:
 *
 * <ul>
 *   <li><b>The process dies</b> (kill -9, a crash of the JVM): the write is there. By itself H2 hands a commit to the
 *       operating system up to half a second later, on threads of its own. So the writer thread follows each group
 *       commit with what {@code CHECKPOINT} does. A file that ends in the middle of a write is opened at its last whole
 *       version.
 *   <li><b>The machine dies</b> (power, kernel): with {@link StoreSettings.Durability#DISK} the write is there too, as
 *       far as the file system and the drive keep what they confirmed: the file is forced to the drive before the
 *       acknowledgement. With {@link StoreSettings.Durability#PROCESS} it is forced once in {@link #FORCE_EVERY} while
 *       there are writes, and what came later may be missing.
 * </ul>
 *
 * <p>{@code WRITE_DELAY=0} keeps H2 from having those threads. They would save what the writer waits for, which takes
 * longer for being handed from one to the other. And {@code CHECKPOINT} would find nothing to do, and return, while they
 * save what it asks for. What else they do is done here: {@link #makeRoom}.
 *
 * <p>{@code DB_CLOSE_ON_EXIT=FALSE}: H2's own shutdown hook would close the file while the bridge's drains the writer.
 * {@code IFEXISTS=TRUE} for all connections after the first: if somebody removes the file while it is open, the answer
 * is an error and not a fresh and empty database.
 *
 * <p>What has been replaced is not overwritten before what replaced it is on the drive: not for 45 s, as H2 has it, for
 * drives that nobody forces, but until the file has been forced ({@code RETENTION_TIME}). {@code CACHE_SIZE} is in kB; H2's
 * own is a share of the machine's memory.
 *
 * <p>A damaged file is never written to. What cannot be noticed is a file that lost its end and is whole up to there:
 * H2 opens it at the last version it finds.
 *
 * <p>The file holds tokens and hashes. It and its directory, if they are created here, are for their owner only.
 */
final class H2File extends Database {
    static final String SCHEME = "jdbc:h2:file:";

    private static final String FILE_END = ".mv.db";

    /** How long what has been replaced is kept, in milliseconds, unless {@link #makeRoom} finds otherwise. */
    private static final int FOR_EVER = Integer.MAX_VALUE;

    /** Errors are logged by those who see them; H2's own trace file would quote tokens and hashes. */
    private static final String OPTIONS =
            ";DB_CLOSE_ON_EXIT=FALSE;TRACE_LEVEL_FILE=0;WRITE_DELAY=0;CACHE_SIZE=32768;RETENTION_TIME=" + FOR_EVER;

    private static final Duration FORCE_EVERY = Duration.ofSeconds(1);

    /** How much of the file is to be alive, in percent, and how much is moved for that at a time, in bytes. */
    private static final int FILLED = 50;

    private static final int MOVED = 2 << 20;

    private final CallMap calls = new CallMap();
    private final Path base;
    private final Path directory;
    private final Path file;

    /** When it was last forced, or begun to be. Only touched by who writes. */
    private long forcedAt = System.nanoTime();

    /** What is under way, or done and not looked at. Only touched by who writes. */
    private Optional<Forcing> forcing = Optional.empty();

    /** One thread, which ends when it has had nothing to do for a while. */
    private final Executor forcer = new ThreadPoolExecutor(
            0, 1, 2 * FORCE_EVERY.toSeconds(), TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                Thread thread = new Thread(work, "store-forcer");
                thread.setDaemon(true);
                return thread;
            });

    H2File(StoreSettings settings) {
        super(settings);
        String name = settings.url().substring(SCHEME.length());
        if (name.indexOf(';') >= 0) {
            // They could take back what is promised above: FILE_LOCK=NO, for example.
            throw new StoreException("The database URL " + place()
                    + " has options behind a semicolon, which Pushbridge sets by itself: leave them out.");
        }
        if (name.isEmpty() || name.endsWith("/")) {
            throw new StoreException("The database URL '" + place() + "' names no file: write " + SCHEME
                    + "/var/lib/pushbridge/pushbridge, for example.");
        }
        if (name.startsWith("~/")) {
            name = System.getProperty("user.home") + name.substring(1);
        }
        try {
            base = Path.of(name).toAbsolutePath().normalize();
            directory = Objects.requireNonNullElse(base.getParent(), base);
            file = Path.of(base + FILE_END);
        } catch (InvalidPathException e) {
            throw new StoreException(
                    "The database URL '" + place() + "' holds no path this system knows: " + e.getReason() + ".", e);
        }
    }

    @Override
    String url() {
        return SCHEME + base + OPTIONS + ";IFEXISTS=TRUE";
    }

    @Override
    Connection connectFirst() {
        try {
            if (Files.exists(file)) {
                checkFile();
                checkContent();
            } else {
                checkDirectory();
                create();
            }
            return connect(url(), new Properties());
        } catch (SQLException e) {
            throw explain(e);
        }
    }

    /** H2 would take an empty file for a new database, and one it may not write for a read-only one. */
    private void checkFile() {
        if (!Files.isRegularFile(file)) {
            throw new StoreException(file + " is in the place of the database file and is not a file:"
                    + " move it away or choose another path.");
        }
        if (!Files.isReadable(file) || !Files.isWritable(file)) {
            throw new StoreException("The database file " + file + " may not be read and written by the user "
                    + System.getProperty("user.name") + ": change its owner or permissions.");
        }
        try {
            if (Files.size(file) == 0) {
                throw damaged("it is empty", null);
            }
        } catch (IOException e) {
            throw new StoreException("The database file " + file + " cannot be read: " + e, e);
        }
    }

    private void checkDirectory() {
        try {
            if (!Files.exists(directory)) {
                Files.createDirectories(directory);
                keepToOwner(directory, "rwx------");
            }
        } catch (IOException e) {
            throw new StoreException(
                    "The directory " + directory + " for the database file cannot be created: " + e
                            + ". Create it for the user " + System.getProperty("user.name")
                            + ", or choose another path.",
                    e);
        }
        if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
            throw new StoreException("The database file cannot be created because " + directory
                    + " is no directory that the user " + System.getProperty("user.name")
                    + " may write to: change its owner or permissions, or choose another path.");
        }
    }

    /**
     * H2 takes a file that was cut short behind its header for a new database, and begins to write to it. So the file is
     * looked at read-only first: it must have tables of ours, because it gets its name only when it has them.
     */
    private void checkContent() throws SQLException {
        try (Connection connection = connect(url() + ";ACCESS_MODE_DATA=r", new Properties());
                ResultSet table = connection.getMetaData().getTables(null, null, Schema.HISTORY_TABLE, null)) {
            if (!table.next()) {
                throw withoutTables(null);
            }
        } catch (SQLException e) {
            // What H2 says when it finds nothing at all and would begin anew.
            if (e.getErrorCode() == ErrorCode.DATABASE_IS_READ_ONLY) {
                throw withoutTables(e);
            }
            throw e;
        }
    }

    private StoreException withoutTables(@Nullable SQLException cause) {
        return damaged("it was cut short, or is the database of another program", cause);
    }

    /** Makes the file under another name, which it keeps until its schema is there. */
    private void create() throws SQLException {
        Path unfinished = Path.of(base + ".unfinished");
        Path unfinishedFile = Path.of(unfinished + FILE_END);
        String unfinishedUrl = SCHEME + unfinished + OPTIONS;
        try {
            try (Connection connection = connect(unfinishedUrl, new Properties())) {
                keepToOwner(unfinishedFile, "rw-------");
                Schema.bringUpToDate(this, unfinishedUrl);
                harden(connection);
            }
            Files.move(unfinishedFile, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new StoreException("The database file " + file + " cannot be created: " + e, e);
        }
    }

    private static void keepToOwner(Path path, String permissions) throws IOException {
        if (Files.getFileAttributeView(path, PosixFileAttributeView.class) != null) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        }
    }

    /** H2 has locked the file. */
    @Override
    void own(Connection connection) {}

    @Override
    Connection connectAgain() throws SQLException {
        return connect(url(), new Properties());
    }

    /** A full disk; locks of readers. After an error of the file H2 closes the database, which is opened anew. */
    @Override
    boolean isPassing(SQLException error) {
        return switch (error.getErrorCode()) {
            case ErrorCode.IO_EXCEPTION_1,
                    ErrorCode.IO_EXCEPTION_2,
                    ErrorCode.DATABASE_IS_CLOSED,
                    ErrorCode.DATABASE_CALLED_AT_SHUTDOWN,
                    ErrorCode.LOCK_TIMEOUT_1,
                    ErrorCode.CONCURRENT_UPDATE_1,
                    ErrorCode.DEADLOCK_1 -> true;
            default -> false;
        };
    }

    /** Connections to an embedded database do not age, and the last one to go would close the file. */
    @Override
    void adapt(HikariConfig pool) {
        pool.setMaxLifetime(0);
        pool.setKeepaliveTime(0);
        pool.setIdleTimeout(0);
    }

    @Override
    void harden(Connection connection) throws SQLException {
        MVStore mvStore = mvStore(connection);
        try {
            mvStore.commit();
            boolean isTime = System.nanoTime() - forcedAt >= FORCE_EVERY.toNanos();
            if (settings.durability() == StoreSettings.Durability.DISK) {
                mvStore.sync();
                if (isTime) {
                    forcedAt = System.nanoTime();
                    makeRoom(mvStore);
                }
            } else if (forcing.isPresent()) {
                finish(forcing.get(), mvStore);
            } else if (isTime) {
                forcedAt = System.nanoTime();
                forcing = Optional.of(force(mvStore));
            }
        } catch (MVStoreException e) {
            throw new SQLException("H2 could not save: " + e.getMessage(), "90028", ErrorCode.IO_EXCEPTION_1, e);
        }
    }

    /**
     * Has what is saved forced to the drive, which can take a while, on another thread: nobody waits for it.
     *
     * @param begun keeps what is replaced from here on from being given back
     */
    private record Forcing(MVStore mvStore, MVStore.TxCounter begun, CompletableFuture<Void> done) {}

    private Forcing force(MVStore mvStore) {
        return new Forcing(mvStore, mvStore.registerVersionUsage(), CompletableFuture.runAsync(mvStore::sync, forcer));
    }

    /** Makes room if it is done. If it failed, the file is taken for what it is after any other error. */
    private void finish(Forcing forced, MVStore mvStore) {
        if (forced.mvStore() != mvStore) {
            forcing = Optional.empty(); // the file was opened anew
        } else if (forced.done().isDone()) {
            forcing = Optional.empty();
            try {
                forced.done().join();
                makeRoom(mvStore);
            } catch (CompletionException e) {
                throw e.getCause() instanceof MVStoreException cause ? cause : e;
            } finally {
                mvStore.deregisterVersionUsage(forced.begun());
            }
        }
    }

    /**
     * Gives back the room of all that had been replaced when the file was forced. If that leaves much of it dead beside
     * what is alive, some of the latter is written anew with the next commit, so that its old room comes free.
     */
    private static void makeRoom(MVStore mvStore) {
        mvStore.setRetentionTime(0);
        try {
            mvStore.executeFilestoreOperation(mvStore.getFileStore()::dropUnusedChunks);
            mvStore.compact(FILLED, MOVED);
        } finally {
            mvStore.setRetentionTime(FOR_EVER);
        }
    }

    @Override
    Calls calls() {
        return calls;
    }

    static MVStore mvStore(Connection connection) throws SQLException {
        Session session = connection.unwrap(JdbcConnection.class).getSession();
        if (session == null) {
            throw new SQLException("The connection is closed", "90098", ErrorCode.DATABASE_IS_CLOSED);
        }
        return ((SessionLocal) session).getDatabase().getStore().getMvStore();
    }

    /** After an error of the file the connection is open as before, and nothing works. */
    @Override
    boolean isThere(Connection connection) throws SQLException {
        return super.isThere(connection) && !mvStore(connection).isClosed();
    }

    @Override
    StoreException explain(SQLException error) {
        return switch (error.getErrorCode()) {
            case ErrorCode.DATABASE_ALREADY_OPEN_1 ->
                new StoreException(
                        "Another Pushbridge runs on the database file " + file
                                + ": stop it, or give this one a file of its own.",
                        error);
            case ErrorCode.WRONG_USER_OR_PASSWORD ->
                new StoreException(
                        "The database file " + file + " was created with another user or password than '"
                                + settings.user() + "' and the configured one: set those it was created with.",
                        error);
            case ErrorCode.FILE_CORRUPTED_1, ErrorCode.FILE_VERSION_ERROR_1 ->
                damaged("H2 cannot make sense of it (error " + error.getErrorCode() + ")", error);
            case ErrorCode.DATABASE_NOT_FOUND_WITH_IF_EXISTS_1 ->
                new StoreException(
                        "The database file " + file + " is gone: somebody removed it while it was in use."
                                + " Put it back from a backup and restart.",
                        error);
            default -> endsTooSoon(error) ? damaged("it ends too soon", error) : unexplained(error);
        };
    }

    private static boolean endsTooSoon(SQLException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof EOFException) {
                return true;
            }
        }
        return false;
    }

    private StoreException damaged(String why, @Nullable SQLException cause) {
        String message = "The database file " + file + " is damaged: " + why + ". It has been left as it is; put a"
                + " backup in its place, or move it away to start with an empty database.";
        return cause == null ? new StoreException(message) : new StoreException(message, cause);
    }
}
