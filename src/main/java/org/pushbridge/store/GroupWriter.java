package org.pushbridge.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.pushbridge.store.WriterConnection.Statements;

/**
 * The one thread that writes. It takes what is waiting, up to the batch size, and commits it as one transaction: the
 * more is asked of it, the more writes share the cost of a commit, most of which is one of the commit and not of the
 * write. A write that comes after a moment of rest is committed at once. Otherwise a commit begins {@link #SPACING} after
 * the last one: an awaited write waits for half of that, and no load makes more commits than fit.
 *
 * <p>A write that nobody waits for is without haste: it waits for up to {@link #COMPANY} before it is committed for its
 * own sake, and goes along with another commit once it has waited for half of that. The next write of its subject takes
 * it along, so that nothing of a subject is ever overtaken, and mostly makes it needless.
 *
 * <p>All other writes are queued, committed and reported in the order in which they were asked for. A stage completes on
 * the writer's thread: what hangs on it must be quick and must not wait for another write.
 *
 * <p>What writes of one transaction do to the same subject is done once, as the last of them says.
 *
 * <p>If a transaction is refused, its halves are tried, and so on down to the write that is to blame: it alone fails.
 * If the database is away, the same writes are tried again until they have waited for longer than
 * {@link StoreSettings#patience}, then they fail; the next ones find the database again when it is back. A write may
 * therefore be done twice, which must come to the same as once, and one that failed for want of an answer may be in
 * the database nevertheless. One that is owed will be: it fails as the others do, but is made when the database is back,
 * before all that was asked for since.
 *
 * <p>The writer has a connection of its own for as long as that works. As long as the database is away, it is asked every
 * {@link #PAUSE} whether it is back, also if nobody wants to write.
 *
 * <p>The thread is never interrupted: an interrupt in the middle of file I/O would close H2's file.
 */
final class GroupWriter {
    private static final Logger LOGGER = LogManager.getLogger(GroupWriter.class);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration SPACING = Duration.ofMillis(2);
    private static final Duration COMPANY = Duration.ofMillis(100);

    /** A database that has not answered for so long is behind. */
    private static final Duration HANGING = Duration.ofSeconds(1);

    private final Database database;
    private final Connecting connecting;
    private final StoreSettings settings;
    private final Runnable whenChanged;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Write> queue = new ArrayDeque<>();

    /** Those without haste that are not in the queue yet, by their subjects, the eldest first. */
    private final Map<Object, Write> unhurried = new LinkedHashMap<>();

    /** Whether the writer waits for work, and not for more of it. */
    private boolean rests;

    private boolean closed;
    private boolean abandoned;

    /** Written by the writer's thread only. */
    private volatile boolean away;

    /** Since when the database is at work for us, in nanoseconds; 0 if it is not. */
    private volatile long atWorkSince;

    private final LongAdder batches = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder refused = new LongAdder();

    /** Only touched by the writer's thread: when it took the last batch. */
    private long tookAt = System.nanoTime();

    /** Only opened and used by the writer's thread. */
    private volatile @Nullable WriterConnection connected;

    /** Makes a connection to write over. */
    @FunctionalInterface
    interface Connecting {
        Connection connect() throws SQLException;
    }

    /**
     * @param connecting makes the connections, one after the other
     * @param whenChanged called on the writer's thread when the database is found away, and when it is back
     */
    GroupWriter(Database database, Connecting connecting, StoreSettings settings, Runnable whenChanged) {
        this.database = database;
        this.connecting = connecting;
        this.settings = settings;
        this.whenChanged = whenChanged;
        thread = new Thread(this::run, "store-writer");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * A part of a write.
     *
     * @param subject what the statements settle whatever it was before, so that earlier changes to an equal subject need
     *     not be made; empty if there is no such thing
     * @param statements called on the writer's thread, more than once if need be
     * @param transacted whether they are made within the transaction; if not, they are made once it is committed, and
     *     only if it is
     */
    record Change(Optional<Object> subject, Statements statements, boolean transacted) {
        static Change of(Object subject, Statements statements) {
            return new Change(Optional.of(subject), statements, true);
        }

        static Change afterTransaction(Object subject, Statements statements) {
            return new Change(Optional.of(subject), statements, false);
        }
    }

    /**
     * @param what for messages: "save the device 0123456789abcdef"; no secrets
     * @param owed whether it is made even if it has failed for want of a database
     */
    private record Write(
            Supplier<String> what, List<Change> changes, boolean owed, long askedAt, CompletableFuture<Void> done) {
        Write inHaste(long now) {
            return new Write(what, changes, owed, now, done);
        }

        StoreException failure(String why) {
            return new StoreException("Could not " + what.get() + ": " + why);
        }

        StoreException failure(String why, Throwable cause) {
            return new StoreException("Could not " + what.get() + ": " + why, cause);
        }
    }

    private void fail(Write write, StoreException failure) {
        failed.increment(); // before anybody hears of it
        if (!write.done().completeExceptionally(failure)) {
            failed.decrement();
        }
    }

    /**
     * Queues a write of a single change that has no subject.
     *
     * @see #write(Supplier, List, boolean)
     */
    CompletionStage<Void> write(String what, Statements statements) {
        return write(() -> what, List.of(new Change(Optional.empty(), statements, true)), false);
    }

    /**
     * Queues a write that is owed.
     *
     * @see #write(Supplier, List, boolean)
     */
    CompletionStage<Void> owe(Supplier<String> what, List<Change> changes) {
        return write(what, changes, true);
    }

    /**
     * Queues a write that is owed and that nobody waits for.
     *
     * @param change of a subject
     * @see #write(Supplier, List, boolean)
     */
    CompletionStage<Void> oweWithoutHaste(Supplier<String> what, Change change) {
        Object subject = change.subject().orElseThrow();
        Write write = new Write(what, List.of(change), true, System.nanoTime(), new CompletableFuture<>());
        lock.lock();
        try {
            if (isTaken(write)) {
                takeAlong(write);
                unhurried.put(subject, write);
                if (rests && unhurried.size() == 1) {
                    changed.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
        return write.done();
    }

    /**
     * Queues a write. Never blocks; safe for any thread.
     *
     * @param changes made in one transaction
     * @param owed whether it is made when the database is back, even if it has failed by then
     * @return completes when it is on disk; at once, and exceptionally, if the queue is full or the writer closed
     */
    private CompletionStage<Void> write(Supplier<String> what, List<Change> changes, boolean owed) {
        Write write = new Write(what, changes, owed, System.nanoTime(), new CompletableFuture<>());
        lock.lock();
        try {
            if (isTaken(write)) {
                takeAlong(write);
                enqueue(write);
            }
        } finally {
            lock.unlock();
        }
        return write.done();
    }

    /** Fails it if it is one too many, or too late. */
    private boolean isTaken(Write write) {
        if (closed) {
            fail(write, write.failure("the store is closed."));
            return false;
        }
        if (queue.size() + unhurried.size() >= settings.queueLimit()) {
            refused.increment();
            fail(
                    write,
                    write.failure(settings.queueLimit() + " writes to " + database.place()
                            + " are waiting, as many as may; the database is too slow for what is asked of"
                            + " it, or away."));
            return false;
        }
        return true;
    }

    /** What was asked of its subjects before it goes before it. */
    private void takeAlong(Write write) {
        if (unhurried.isEmpty()) {
            return;
        }
        for (Change change : write.changes()) {
            change.subject()
                    .flatMap(subject -> Optional.ofNullable(unhurried.remove(subject)))
                    .ifPresent(before -> enqueue(before.inHaste(write.askedAt())));
        }
    }

    private void enqueue(Write write) {
        queue.add(write);
        if (rests || queue.size() == settings.batchSize()) {
            changed.signalAll();
        }
    }

    /** Queues those without haste that have waited for so long. */
    private void enqueueUnhurried(Duration wait) {
        long now = System.nanoTime();
        Iterator<Write> eldestFirst = unhurried.values().iterator();
        while (eldestFirst.hasNext()) {
            Write write = eldestFirst.next();
            if (now - write.askedAt() < wait.toNanos()) {
                return;
            }
            eldestFirst.remove();
            queue.add(write.inHaste(now));
        }
    }

    /**
     * Refuses new writes and waits until the old ones are done.
     *
     * @return whether they were done within {@code limit}; those that were not have failed by then, or fail as soon as
     *     the connection in use is closed
     */
    boolean close(Duration limit) {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            thread.join(Math.max(1, limit.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<Write> left;
        lock.lock();
        try {
            abandoned = true;
            enqueueUnhurried(Duration.ZERO);
            left = List.copyOf(queue);
            queue.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        left.forEach(
                write -> fail(write, write.failure("the store was closed before " + database.place() + " took it.")));
        return !thread.isAlive();
    }

    /** Closes the connection under a writer that does not end. */
    void cutOff() {
        WriterConnection connection = connected;
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                LOGGER.debug("The writer's connection did not close properly", e);
            }
        }
    }

    /** Whether the database was not there when it was last needed. Cheap. */
    boolean isAway() {
        return away;
    }

    /** Whether it is away, or has been at work on the same writes for a second. Cheap. */
    boolean isBehind() {
        long since = atWorkSince;
        return away || (since != 0 && System.nanoTime() - since > HANGING.toNanos());
    }

    int waiting() {
        lock.lock();
        try {
            return queue.size() + unhurried.size();
        } finally {
            lock.unlock();
        }
    }

    /** For how long the eldest write has waited in haste to be taken to the database; zero if none does. */
    Duration oldestWait() {
        lock.lock();
        try {
            Write eldest = queue.peek();
            return eldest == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - eldest.askedAt());
        } finally {
            lock.unlock();
        }
    }

    long failedWrites() {
        return failed.sum();
    }

    /** How many of them because too many waited. */
    long refusedWrites() {
        return refused.sum();
    }

    /** How many transactions were committed. */
    long batches() {
        return batches.sum();
    }

    private void run() {
        try {
            for (Optional<List<Write>> batch = nextBatch(); batch.isPresent(); batch = nextBatch()) {
                try {
                    commit(batch.get());
                } catch (Throwable e) {
                    // Out of memory, say: these writes are lost, but the thread that all others need is not.
                    batch.get().forEach(write -> fail(write, write.failure("the writer stumbled over " + e, e)));
                }
            }
        } finally {
            disconnect();
        }
    }

    /** Waits for writes; one of none is to find out whether the database is back. Empty when there will be none. */
    private Optional<List<Write>> nextBatch() {
        if (away) {
            pause();
        }
        lock.lock();
        try {
            keepSpacing();
            awaitWork();
            if (queue.isEmpty() && unhurried.isEmpty() && closed) {
                return Optional.empty();
            }
            tookAt = System.nanoTime();
            enqueueUnhurried(closed ? Duration.ZERO : COMPANY.dividedBy(2));
            List<Write> batch = new ArrayList<>();
            while (batch.size() < settings.batchSize() && !queue.isEmpty()) {
                batch.add(queue.remove());
            }
            return Optional.of(batch);
        } finally {
            lock.unlock();
        }
    }

    private void awaitWork() {
        rests = true;
        try {
            while (queue.isEmpty() && !closed && !away) {
                if (unhurried.isEmpty()) {
                    changed.awaitUninterruptibly();
                    continue;
                }
                Write eldest = unhurried.values().iterator().next();
                long left = eldest.askedAt() + COMPANY.toNanos() - System.nanoTime();
                if (left <= 0) {
                    return;
                }
                changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            LOGGER.debug("The writer was interrupted while it waited for work", e);
        } finally {
            rests = false;
        }
    }

    /** Lets more writes come together, unless there are enough of them or the store is to be closed. */
    private void keepSpacing() {
        try {
            long left = tookAt + SPACING.toNanos() - System.nanoTime();
            while (left > 0 && !closed && queue.size() < settings.batchSize()) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            LOGGER.debug("The writer was interrupted while it let writes come together", e);
        }
    }

    private void commit(List<Write> batch) {
        List<Write> left = batch;
        do {
            Outcome outcome = attempt(left);
            if (outcome instanceof Outcome.Done) {
                noteBack();
                left.forEach(write -> write.done().complete(null));
                return;
            }
            if (outcome instanceof Outcome.Refused refused) {
                noteBack();
                if (left.size() == 1) {
                    refuse(left.get(0), refused.cause());
                } else {
                    int half = left.size() / 2;
                    commit(left.subList(0, half));
                    commit(left.subList(half, left.size()));
                }
                return;
            }
            if (outcome instanceof Outcome.Away isAway) {
                noteAway(isAway.cause());
                left = failImpatient(left, isAway.cause());
                if (!left.isEmpty()) {
                    pause();
                }
            }
        } while (!left.isEmpty());
    }

    private sealed interface Outcome {
        record Done() implements Outcome {}

        /** The database is there and does not take one of the writes. */
        record Refused(Throwable cause) implements Outcome {}

        record Away(Throwable cause) implements Outcome {}
    }

    private Outcome attempt(List<Write> batch) {
        atWorkSince = System.nanoTime();
        try {
            WriterConnection connection = connect();
            try {
                if (batch.isEmpty() && !isThere(connection)) {
                    throw new SQLException("The connection is gone");
                }
                make(due(batch), connection);
                database.harden(connection.connection());
                batches.increment();
                return new Outcome.Done();
            } catch (Throwable e) {
                if (!isThere(connection)) {
                    disconnect();
                    return new Outcome.Away(e);
                }
                SQLException sql = sqlBelow(e);
                return sql != null && database.isPassing(sql) ? new Outcome.Away(e) : new Outcome.Refused(e);
            }
        } catch (SQLException | RuntimeException e) {
            return new Outcome.Away(e);
        } finally {
            atWorkSince = 0;
        }
    }

    private static void make(Deque<Change> due, WriterConnection connection) throws SQLException {
        if (due.stream().anyMatch(Change::transacted)) {
            connection.transact(transaction -> {
                for (Change change : due) {
                    if (change.transacted()) {
                        change.statements().make(transaction);
                    }
                }
            });
        }
        for (Change change : due) {
            if (!change.transacted()) {
                change.statements().make(connection);
            }
        }
    }

    private WriterConnection connect() throws SQLException {
        WriterConnection connection = connected;
        if (connection == null) {
            connection = new WriterConnection(connecting.connect());
            connected = connection;
        }
        return connection;
    }

    private void disconnect() {
        WriterConnection connection = connected;
        connected = null;
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                LOGGER.debug("The writer's connection did not close properly", e);
            }
        }
    }

    /** The changes of all, in their order, without those that a later one makes needless. */
    private static Deque<Change> due(List<Write> batch) {
        Set<Object> settledLater = new HashSet<>();
        Deque<Change> due = new ArrayDeque<>();
        for (int i = batch.size() - 1; i >= 0; i--) {
            List<Change> changes = batch.get(i).changes();
            for (int j = changes.size() - 1; j >= 0; j--) {
                Change change = changes.get(j);
                if (change.subject().map(settledLater::add).orElse(true)) {
                    due.addFirst(change);
                }
            }
        }
        return due;
    }

    private boolean isThere(WriterConnection connection) {
        try {
            return database.isThere(connection.connection());
        } catch (SQLException e) {
            return false;
        }
    }

    private void refuse(Write write, Throwable cause) {
        SQLException sql = sqlBelow(cause);
        if (sql == null) {
            fail(write, write.failure("it holds a value that the database has no room for (" + cause + ").", cause));
            return;
        }
        String state = String.valueOf(sql.getSQLState());
        String why = "the database refuses it (SQL state " + state + ", error " + sql.getErrorCode() + ").";
        // Classes 22 and 23 are about the values, and their messages quote them: tokens and hashes.
        boolean quotes = state.startsWith("22") || state.startsWith("23");
        fail(write, quotes ? write.failure(why) : write.failure(why, cause));
    }

    private static @Nullable SQLException sqlBelow(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /**
     * Fails those that have waited for long enough, of the batch and of the queue; returns those that are to be tried
     * again: the others of the batch, and all that are owed.
     */
    private List<Write> failImpatient(List<Write> batch, Throwable cause) {
        List<Write> left = new ArrayList<>();
        List<Write> impatient = new ArrayList<>();
        lock.lock();
        try {
            enqueueUnhurried(COMPANY);
            long now = System.nanoTime();
            for (Write write : batch) {
                sort(write, abandoned || waitedTooLong(write, now), left, impatient);
            }
            while (!queue.isEmpty() && waitedTooLong(queue.element(), now)) {
                sort(queue.remove(), true, left, impatient);
            }
        } finally {
            lock.unlock();
        }
        impatient.forEach(write -> fail(
                write,
                write.failure(
                        "the database " + database.place() + " is away; it may not be on disk and should be tried"
                                + " again.",
                        cause)));
        return withoutNeedless(left);
    }

    private void sort(Write write, boolean tooLong, List<Write> left, List<Write> impatient) {
        if (tooLong) {
            impatient.add(write);
        }
        if (!tooLong || (write.owed() && !abandoned)) {
            left.add(write);
        }
    }

    /** Keeps what is owed within bounds, however long the database is away. */
    private List<Write> withoutNeedless(List<Write> left) {
        if (left.size() <= settings.batchSize()) {
            return left;
        }
        Set<Change> due = Collections.newSetFromMap(new IdentityHashMap<>());
        due.addAll(due(left));
        List<Write> needed = new ArrayList<>(left);
        needed.removeIf(
                write -> write.done().isDone() && write.changes().stream().noneMatch(due::contains));
        int tooMany = needed.size() - settings.queueLimit();
        if (tooMany > 0) {
            LOGGER.error(
                    "The database has been away for so long that {} writes are lost, the eldest of what it is owed."
                            + " database={}",
                    tooMany,
                    database.place());
            needed.subList(0, tooMany).stream()
                    .filter(write -> !write.done().isDone())
                    .toList()
                    .forEach(write -> fail(write, write.failure("more is waiting than may.")));
            needed = needed.subList(tooMany, needed.size());
        }
        return List.copyOf(needed);
    }

    private boolean waitedTooLong(Write write, long now) {
        return now - write.askedAt() >= settings.patience().toNanos();
    }

    /** Ends early if the store is abandoned. */
    private void pause() {
        lock.lock();
        try {
            long left = PAUSE.toNanos();
            while (left > 0 && !abandoned) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // Nobody who knows this thread interrupts it; going on is all there is to do.
            LOGGER.debug("The writer was interrupted while it waited for the database", e);
        } finally {
            lock.unlock();
        }
    }

    private void noteAway(Throwable cause) {
        if (!away) {
            away = true;
            whenChanged.run();
            Throwable root = cause;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            LOGGER.warn(
                    "The database is away: writes wait for up to {} and then fail. database={} cause={}",
                    settings.patience(),
                    database.place(),
                    root.toString());
        }
    }

    private void noteBack() {
        if (away) {
            away = false;
            whenChanged.run();
            LOGGER.info("The database is back. database={}", database.place());
        }
    }
}
