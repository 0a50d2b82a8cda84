package org.pushbridge.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.StatementExceptions;
import org.jdbi.v3.core.transaction.TransactionIsolationLevel;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.DeviceStore;
import org.pushbridge.device.PushBudgetStore;
import org.pushbridge.device.Tombstone;
import org.pushbridge.device.TombstoneStore;
import org.pushbridge.device.User;
import org.pushbridge.store.GroupWriter.Change;

/**
 * The database: users, devices, calls, tombstones, push budgets and the bridge's own secrets survive in it.
 *
 * <p>Safe for any thread. Writes return at once; their stage completes when the write is on disk, in the order of the
 * calls, on the writer's thread, which must not be held up; {@link #note} and {@link #end} take their time. It completes exceptionally, with a {@link StoreException},
 * if the database refuses the write, has been away for longer than {@link StoreSettings#patience}, or has more writes
 * waiting than it may. What is written of calls, tombstones and push budgets is made nevertheless when a database that was
 * away is back, as far as the bridge lives until then. Reads block, and throw a {@link StoreException} if the database is away.
 *
 * <p>For what "on disk" means, see {@link H2File} and {@link PostgreSql}.
 */
public final class Store implements DeviceStore, CallJournal, TombstoneStore, PushBudgetStore, AutoCloseable {
    private static final Logger LOGGER = LogManager.getLogger(Store.class);
    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(10);
    private static final Duration SHORTEST_CONNECTION_WAIT = Duration.ofMillis(250);
    private static final Duration LONGEST_CONNECTION_WAIT = Duration.ofSeconds(2);

    private final Database database;
    private final HikariDataSource pool;
    private final Jdbi jdbi;
    private final GroupWriter writer;
    private final int batchSize;

    /** The numbers of the calls that are written down, or will be when the database is back. */
    private final ConcurrentMap<UUID, Long> journalled;

    /** The number of the newest call. */
    private final AtomicLong newest = new AtomicLong();

    /** The connection that the writer begins with, until it does. */
    private final AtomicReference<@Nullable Connection> first;

    private Store(
            Database database,
            HikariDataSource pool,
            Jdbi jdbi,
            GroupWriter writer,
            int batchSize,
            AtomicReference<@Nullable Connection> first,
            ConcurrentMap<UUID, Long> journalled) {
        this.batchSize = batchSize;
        this.database = database;
        this.first = first;
        this.pool = pool;
        this.jdbi = jdbi;
        this.writer = writer;
        this.journalled = journalled;
        newest.set(journalled.values().stream().mapToLong(Long::longValue).max().orElse(0));
    }

    /**
     * Opens the database for a bridge, creates it if it is a file that is not there yet, and brings its schema up to
     * date. Blocks.
     *
     * @throws StoreException in one sentence: another bridge has it open; the file is damaged (then it is left as it is)
     *     or not writable; the URL is of no known kind; user or password are wrong; PostgreSQL cannot be reached; the
     *     schema is newer than this program
     */
    public static Store open(StoreSettings settings) {
        return open(settings, true);
    }

    /**
     * Opens the database for a change of users or devices by hand, also if a bridge has it open in a PostgreSQL. A bridge
     * does not know of such changes before it is restarted.
     *
     * @throws StoreException as {@link #open}
     */
    public static Store openBeside(StoreSettings settings) {
        return open(settings, false);
    }

    private static Store open(StoreSettings settings, boolean alone) {
        Database database = Database.of(settings);
        Connection first = database.connectFirst();
        try {
            if (alone) {
                database.own(first);
            }
            database.harden(first);
            Schema.bringUpToDate(database, database.url());
            ConcurrentMap<UUID, Long> journalled = new ConcurrentHashMap<>();
            if (alone) {
                database.calls().begin(first, journalled::put);
            }
            HikariDataSource pool = pool(database, settings);
            LOGGER.info("The database is open. database={}", database.place());
            // Held until here, so that nobody else can open the file in between.
            AtomicReference<@Nullable Connection> next = new AtomicReference<>(first);
            GroupWriter writer = new GroupWriter(
                    database,
                    () -> {
                        Connection connection = next.getAndSet(null);
                        return connection == null ? database.connectAgain() : connection;
                    },
                    settings,
                    pool.getHikariPoolMXBean()::softEvictConnections);
            return new Store(database, pool, jdbi(Jdbi.create(pool)), writer, settings.batchSize(), next, journalled);
        } catch (SQLException e) {
            close(first);
            throw database.explain(e);
        } catch (RuntimeException e) {
            close(first);
            throw e;
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            LOGGER.debug("A connection did not close properly", e);
        }
    }

    private static Jdbi jdbi(Jdbi jdbi) {
        jdbi.registerArrayType(String.class, "varchar");
        // Jdbi would put the values of a failed statement into its message: tokens and hashes.
        jdbi.configure(
                StatementExceptions.class,
                exceptions -> exceptions.setMessageRendering(StatementExceptions.MessageRendering.NONE));
        return jdbi;
    }

    private static HikariDataSource pool(Database database, StoreSettings settings) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("store");
        config.setJdbcUrl(database.url());
        config.setUsername(settings.user());
        config.setPassword(settings.password());
        config.setMaximumPoolSize(settings.poolSize() - 1);
        Duration wait = settings.patience().compareTo(LONGEST_CONNECTION_WAIT) > 0
                ? LONGEST_CONNECTION_WAIT
                : settings.patience();
        long waitMillis = Math.max(wait.toMillis(), SHORTEST_CONNECTION_WAIT.toMillis());
        config.setConnectionTimeout(waitMillis);
        config.setValidationTimeout(waitMillis);
        database.adapt(config);
        if (settings.url().startsWith(H2File.SCHEME)) {
            // It would gather all rows of an answer before it gives the first.
            config.setConnectionInitSql("SET LAZY_QUERY_EXECUTION TRUE");
        }
        try {
            return new HikariDataSource(config);
        } catch (HikariPool.PoolInitializationException e) {
            throw database.explain("Connecting to", e);
        }
    }

    @Override
    public List<User> loadUsers() {
        List<User> users = new ArrayList<>();
        loadUsers(users::add);
        users.sort(Comparator.comparing(User::aor));
        return users;
    }

    @Override
    public void loadUsers(Consumer<User> each) {
        readEach("the users", handle -> UserTable.load(handle, each));
    }

    @Override
    public List<Device> loadDevices() {
        return read("the devices", DeviceTable::load);
    }

    @Override
    public void loadDevices(Consumer<Device> each) {
        readEach("the devices", handle -> DeviceTable.load(handle, each));
    }

    @Override
    public void loadBindings(BiConsumer<DeviceId, Binding> each) {
        readEach("the bindings", handle -> DeviceTable.loadBindings(handle, each));
    }

    @Override
    public CompletionStage<Void> saveUser(User user) {
        return writer.write("save the user " + user.aor(), in -> UserTable.save(in, user));
    }

    @Override
    public CompletionStage<Void> removeUser(Aor aor) {
        return writer.write("remove the user " + aor, in -> {
            UserTable.remove(in, aor);
            DeviceTable.removeAll(in, aor);
        });
    }

    @Override
    public CompletionStage<Void> saveDevice(Device device) {
        return writer.write("save the device " + device.id(), in -> DeviceTable.save(in, device));
    }

    @Override
    public CompletionStage<Void> removeDevice(DeviceId id) {
        return writer.write("remove the device " + id, in -> DeviceTable.remove(in, id));
    }

    @Override
    public CompletionStage<Void> write(Entry entry, List<Tombstone> buried) {
        return written(entry.call(), () -> entry, call -> {
            List<Change> changes = new ArrayList<>(1 + buried.size());
            changes.add(call);
            buried.forEach(tombstone -> changes.add(burial(tombstone)));
            return writer.owe(() -> "remember the call " + entry.call(), changes);
        });
    }

    @Override
    public CompletionStage<Void> note(UUID call, Supplier<Entry> entry) {
        return written(call, entry, change -> writer.oweWithoutHaste(() -> "remember the call " + call, change));
    }

    private CompletionStage<Void> written(
            UUID call, Supplier<Entry> entry, Function<Change, CompletionStage<Void>> writing) {
        Long known = journalled.get(call);
        long number = known == null ? newest.incrementAndGet() : known;
        CompletionStage<Void> written = writing.apply(database.calls().write(number, call, entry));
        if (known == null && isTaken(written)) {
            journalled.put(call, number);
        }
        return written;
    }

    @Override
    public CompletionStage<Void> end(UUID call) {
        Long known = journalled.get(call);
        OptionalLong number = known == null ? OptionalLong.empty() : OptionalLong.of(known);
        CompletionStage<Void> ended = writer.oweWithoutHaste(
                () -> "forget the call " + call, database.calls().remove(call, number));
        if (isTaken(ended)) {
            journalled.remove(call);
        }
        return ended;
    }

    /** Whether it will be made: one that is refused at once, because too many wait, will not. */
    private static boolean isTaken(CompletionStage<Void> write) {
        return !write.toCompletableFuture().isCompletedExceptionally();
    }

    @Override
    public void readCalls(Consumer<Entry> reader) {
        var unused = read("the calls", handle -> {
            try {
                database.calls().read(handle, entry -> {
                    journalled.computeIfAbsent(entry.call(), call -> newest.incrementAndGet());
                    reader.accept(entry);
                });
            } catch (SQLException e) {
                throw database.explain(e);
            }
            return true;
        });
    }

    @Override
    public CompletionStage<Void> bury(Tombstone tombstone) {
        return writer.owe(
                () -> "remember the end of the call " + tombstone.call() + " for the device " + tombstone.device(),
                List.of(burial(tombstone)));
    }

    private static Change burial(Tombstone tombstone) {
        return Change.of(new Grave(tombstone.call(), tombstone.device()), in -> TombstoneTable.bury(in, tombstone));
    }

    /** What a tombstone is the subject of. */
    private record Grave(UUID call, DeviceId device) {}

    @Override
    public List<Tombstone> loadTombstones(Instant now) {
        return read("the tombstones", handle -> TombstoneTable.load(handle, now));
    }

    @Override
    public CompletionStage<Void> forgetTombstone(UUID call, DeviceId device) {
        return writer.owe(
                () -> "forget the end of the call " + call + " for the device " + device,
                List.of(Change.of(new Grave(call, device), in -> TombstoneTable.remove(in, call, device))));
    }

    @Override
    public CompletionStage<Void> purgeTombstones(Instant now) {
        return writer.write("forget old tombstones", in -> TombstoneTable.purge(in, now));
    }

    @Override
    public List<Account> loadPushBudgets() {
        return read("the push budgets", PushBudgetTable::load);
    }

    @Override
    public CompletionStage<Void> savePushBudget(Account account) {
        return writer.owe(
                () -> "save the push budget of the device " + account.device(),
                List.of(Change.of(new Budget(account.device()), in -> PushBudgetTable.save(in, account))));
    }

    @Override
    public CompletionStage<Void> forgetPushBudget(DeviceId device) {
        return writer.owe(
                () -> "forget the push budget of the device " + device,
                List.of(Change.of(new Budget(device), in -> PushBudgetTable.remove(in, device))));
    }

    /** What a push budget is the subject of. */
    private record Budget(DeviceId device) {}

    /**
     * The secret of that name; the same for everyone who uses the database, for as long as the database lives. Blocks.
     *
     * @param fresh makes one up if there is none yet; not used if another process is faster
     */
    public byte[] secret(String name, Supplier<byte[]> fresh) {
        Optional<byte[]> known = findSecret(name);
        if (known.isPresent()) {
            return known.get();
        }
        byte[] made = fresh.get();
        try {
            writer.write("keep the secret " + name, in -> SecretTable.add(in, name, made))
                    .toCompletableFuture()
                    .join();
            return made;
        } catch (CompletionException e) {
            // Refused, most likely because another process has kept one since.
            return findSecret(name).orElseThrow(() -> e.getCause() instanceof StoreException why ? why : e);
        }
    }

    private Optional<byte[]> findSecret(String name) {
        return read("the secret " + name, handle -> SecretTable.load(handle, name));
    }

    /**
     * Whether the database was not there when it was last asked: what is written now may wait for the
     * {@link StoreSettings#patience} and then fail. It becomes false by itself. Cheap.
     */
    @Override
    public boolean isAway() {
        return writer.isAway();
    }

    @Override
    public boolean isBehind() {
        return writer.isBehind();
    }

    /** How many writes wait to be taken to the database; never more than {@link StoreSettings#queueLimit}. Cheap. */
    public int waitingWrites() {
        return writer.waiting();
    }

    /** For how long the eldest of them has waited; zero if none waits. Cheap. */
    public Duration oldestWait() {
        return writer.oldestWait();
    }

    @Override
    public Duration backlog() {
        return writer.waiting() > batchSize && !writer.isAway() ? writer.oldestWait() : Duration.ZERO;
    }

    /** How many writes have failed since the start: refused, too many, or out of patience with a database away. Cheap. */
    public long failedWrites() {
        return writer.failedWrites();
    }

    /** How many of them were refused because too many waited. Cheap. */
    public long refusedWrites() {
        return writer.refusedWrites();
    }

    /** How many calls the journal has, those included that wait to be written. Cheap. */
    public int journalledCalls() {
        return journalled.size();
    }

    /** How many transactions have been committed since the start. Cheap. */
    public long batches() {
        return writer.batches();
    }

    private void readEach(String what, Consumer<Handle> query) {
        Boolean unused = read(what, handle -> {
            query.accept(handle);
            return true;
        });
    }

    private <T> T read(String what, Function<Handle, T> query) {
        try {
            // All tables of an answer as they were at one moment.
            return jdbi.inTransaction(TransactionIsolationLevel.REPEATABLE_READ, query::apply);
        } catch (RuntimeException e) {
            throw database.explain("Reading " + what + " from", e);
        }
    }

    /**
     * Takes no more writes, gives those that wait up to 10 s to get on disk, and closes the database. Does nothing the
     * second time.
     */
    @Override
    public void close() {
        if (!writer.close(DRAIN_LIMIT)) {
            LOGGER.error(
                    "The database did not take all writes before the store was closed; those have failed. database={}",
                    database.place());
            writer.cutOff();
        }
        Connection unused = first.getAndSet(null);
        if (unused != null) {
            close(unused);
        }
        pool.close();
    }
}
