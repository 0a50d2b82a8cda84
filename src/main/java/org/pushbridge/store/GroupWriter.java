package org.pushbridge.store;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that writes. It takes what is waiting, up to the batch size, and commits it as one transaction: the
 * more is asked of it, the more writes share the cost of a commit. A write that comes after a moment of rest is committed
 * at once; otherwise commits keep {@link #SPACING}, because most of their cost is one of the commit, not of the write.
 *
 * <p>Writes are queued, committed and reported in the order in which they were asked for. A stage completes on the
 * writer's thread: what hangs on it must be quick and must not wait for another write.
 *
 * <p>What writes of one transaction do to the same subject is done once, as the last of them says.
 *
 * <p>If a transaction is refused, its halves are tried, and so on down to the write that is to blame: it alone fails.
 * If the database is away, the same writes are tried again until they have waited for longer than
 * {@link StoreSettings#patience}, then they fail; the next ones find the database again when it is back. A write may
 * therefore be done twice, which must come to the same as once, and one that failed for want of an answer may be in
 * the database nevertheless.
 *
 * <p>The thread is never interrupted: an interrupt in the middle of file I/O would close H2's file.
 */
final class GroupWriter {
    private static final Logger LOGGER = LogManager.getLogger(GroupWriter.class);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration SPACING = Duration.ofMillis(2);
    private static final int VALIDATION_SECONDS = 2;

    private final Database database;
    private final Jdbi jdbi;
    private final StoreSettings settings;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Write> queue = new ArrayDeque<>();
    private boolean closed;
    private boolean abandoned;

    /** Only touched by the writer's thread. */
    private boolean away;

    /** Only touched by the writer's thread: when it took the last batch. */
    private long tookAt = System.nanoTime() - SPACING.toNanos();

    GroupWriter(Database database, Jdbi jdbi, StoreSettings settings) {
        this.database = database;
        this.jdbi = jdbi;
        this.settings = settings;
        thread = new Thread(this::run, "store-writer");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * A part of a write.
     *
     * @param subject what the statements settle whatever it was before, so that earlier changes to an equal subject need
     *     not be made; empty if there is no such thing
     * @param statements called on the writer's thread within a transaction, more than once if need be
     */
    record Change(Optional<Object> subject, Consumer<Handle> statements) {
        static Change of(Object subject, Consumer<Handle> statements) {
            return new Change(Optional.of(subject), statements);
        }
    }

    /** @param what for messages: "save the device 0123456789abcdef"; no secrets */
    private record Write(String what, List<Change> changes, long askedAt, CompletableFuture<Void> done) {
        void fail(String why) {
            done.completeExceptionally(new StoreException("Could not " + what + ": " + why));
        }

        void fail(String why, Throwable cause) {
            done.completeExceptionally(new StoreException("Could not " + what + ": " + why, cause));
        }
    }

    /**
     * Queues a write of a single change that has no subject.
     *
     * @see #write(String, List)
     */
    CompletionStage<Void> write(String what, Consumer<Handle> statements) {
        return write(what, List.of(new Change(Optional.empty(), statements)));
    }

    /**
     * Queues a write. Never blocks; safe for any thread.
     *
     * @param changes made in one transaction
     * @return completes when it is on disk; at once, and exceptionally, if the queue is full or the writer closed
     */
    CompletionStage<Void> write(String what, List<Change> changes) {
        Write write = new Write(what, changes, System.nanoTime(), new CompletableFuture<>());
        lock.lock();
        try {
            if (closed) {
                write.fail("the store is closed.");
            } else if (queue.size() >= settings.queueLimit()) {
                write.fail(settings.queueLimit() + " writes to " + database.place()
                        + " are waiting, as many as may; the database is too slow for what is asked of it, or away.");
            } else {
                queue.add(write);
                if (queue.size() == 1 || queue.size() == settings.batchSize()) {
                    changed.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
        return write.done();
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
            left = List.copyOf(queue);
            queue.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        left.forEach(write -> write.fail("the store was closed before " + database.place() + " took it."));
        return !thread.isAlive();
    }

    private void run() {
        for (List<Write> batch = nextBatch(); !batch.isEmpty(); batch = nextBatch()) {
            try {
                commit(batch);
            } catch (Throwable e) {
                // Out of memory, say: these writes are lost, but the thread that all others need is not.
                batch.forEach(write -> write.fail("the writer stumbled over " + e, e));
            }
        }
    }

    /** Waits for writes; empty when there will be none. */
    private List<Write> nextBatch() {
        lock.lock();
        try {
            while (queue.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            keepSpacing();
            tookAt = System.nanoTime();
            List<Write> batch = new ArrayList<>();
            while (batch.size() < settings.batchSize() && !queue.isEmpty()) {
                batch.add(queue.remove());
            }
            return batch;
        } finally {
            lock.unlock();
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
        while (!left.isEmpty()) {
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
        }
    }

    private sealed interface Outcome {
        record Done() implements Outcome {}

        /** The database is there and does not take one of the writes. */
        record Refused(Throwable cause) implements Outcome {}

        record Away(Throwable cause) implements Outcome {}
    }

    private Outcome attempt(List<Write> batch) {
        try (Handle handle = jdbi.open()) {
            try {
                handle.useTransaction(transaction ->
                        due(batch).forEach(change -> change.statements().accept(transaction)));
                database.harden(handle.getConnection());
                return new Outcome.Done();
            } catch (Throwable e) {
                return isThere(handle) ? new Outcome.Refused(e) : new Outcome.Away(e);
            }
        } catch (RuntimeException e) {
            return new Outcome.Away(e);
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

    private static boolean isThere(Handle handle) {
        try {
            return handle.getConnection().isValid(VALIDATION_SECONDS);
        } catch (SQLException e) {
            return false;
        }
    }

    private static void refuse(Write write, Throwable cause) {
        SQLException sql = sqlBelow(cause);
        if (sql == null) {
            write.fail("it holds a value that the database has no room for (" + cause + ").", cause);
            return;
        }
        String state = String.valueOf(sql.getSQLState());
        String why = "the database refuses it (SQL state " + state + ", error " + sql.getErrorCode() + ").";
        // Classes 22 and 23 are about the values, and their messages quote them: tokens and hashes.
        if (state.startsWith("22") || state.startsWith("23")) {
            write.fail(why);
        } else {
            write.fail(why, cause);
        }
    }

    private static @Nullable SQLException sqlBelow(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /** Fails those that have waited for long enough, of the batch and of the queue; returns the others of the batch. */
    private List<Write> failImpatient(List<Write> batch, Throwable cause) {
        List<Write> patient = new ArrayList<>();
        List<Write> impatient = new ArrayList<>();
        lock.lock();
        try {
            long now = System.nanoTime();
            for (Write write : batch) {
                (abandoned || waitedTooLong(write, now) ? impatient : patient).add(write);
            }
            while (!queue.isEmpty() && waitedTooLong(queue.element(), now)) {
                impatient.add(queue.remove());
            }
        } finally {
            lock.unlock();
        }
        impatient.forEach(write -> write.fail(
                "the database " + database.place() + " is away; it may not be on disk and should be tried again.",
                cause));
        return patient;
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
            LOGGER.info("The database is back. database={}", database.place());
        }
    }
}
