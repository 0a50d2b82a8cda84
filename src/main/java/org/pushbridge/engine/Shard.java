package org.pushbridge.engine;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * One thread and the work that waits for it.
 *
 * <p>Work from outside is refused when the mailbox is full. Work that calls owe themselves (a timer, the end of a
 * transaction) is always taken: there is a bounded amount of it for each call, and calls are bounded.
 */
final class Shard implements AutoCloseable {
    private static final Logger log = LogManager.getLogger(Shard.class);
    private final BlockingQueue<Work> mailbox = new LinkedBlockingQueue<>();
    private final LongAdder refused = new LongAdder();
    private final int bound;
    private final Thread thread;
    private volatile boolean stopping;

    private record Work(Runnable task, long sinceNanos) {
        static Work now(Runnable task) {
            return new Work(task, System.nanoTime());
        }
    }

    Shard(String name, int bound) {
        this.bound = bound;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Takes work from outside, or returns false when too much waits already. */
    boolean offer(Runnable work) {
        if (mailbox.size() >= bound) {
            refused.increment();
            return false;
        }
        return mailbox.add(Work.now(work));
    }

    /** Takes work that must not be lost. */
    void submit(Runnable work) {
        mailbox.add(Work.now(work));
    }

    int waiting() {
        return mailbox.size();
    }

    /** How often work was refused. */
    long refused() {
        return refused.sum();
    }

    /** How long the work that is next has waited so far, in nanoseconds; 0 if none waits. */
    long delayNanos() {
        Work next = mailbox.peek();
        return next == null ? 0 : System.nanoTime() - next.sinceNanos();
    }

    private void run() {
        try {
            while (!stopping || !mailbox.isEmpty()) {
                runSafely(mailbox.take().task());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void runSafely(Runnable work) {
        try {
            work.run();
        } catch (Throwable t) {
            // A call guards its own work and ends itself; what arrives here must not take the other calls along.
            log.error("A piece of work failed on {}; its calls go on", thread.getName(), t);
        }
    }

    /** Finishes what waits, then stops; returns after five seconds at most. */
    @Override
    public void close() {
        submit(() -> stopping = true);
        try {
            thread.join(5_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
