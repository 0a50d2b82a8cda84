package org.pushbridge.app;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.CallJournal;
import org.pushbridge.store.Store;
import org.pushbridge.store.StoreSettings;

/**
 * Calls that begin, ring, are answered and end, one behind the other in each of several hands, with nothing around them
 * but the journal: each step waits until the one before is acknowledged. Nobody waits for the end of a call.
 */
final class JournalBench {
    /** Begun, ringing, answered. */
    static final int WRITES_PER_CALL = 3;

    /** The size of an INVITE of a softphone with a handful of codecs. */
    private static final int INVITE_BYTES = 1200;

    private static final int STATE_BYTES = 400;

    private final Store store;
    private final long endsAt;
    private final byte[] invite = filled(INVITE_BYTES);
    private final byte[] state = filled(STATE_BYTES);
    private final CountDownLatch running;
    private final AtomicReference<Throwable> fault = new AtomicReference<>();

    /** Only touched by the store's writer. */
    private long[] nanos = new long[1 << 16];

    private int writes;

    private JournalBench(Store store, int writers, Duration time) {
        this.store = store;
        this.endsAt = System.nanoTime() + time.toNanos();
        running = new CountDownLatch(writers);
    }

    /**
     * What came of one run.
     *
     * @param perSecond writes
     * @param p50 from the request to the acknowledgement
     * @param cpuPerWrite of the whole process, so of the benchmark itself, too
     * @param fileBytes the size of the database at the end
     */
    record Result(
            StoreSettings.Durability durability,
            int writers,
            long writes,
            double perSecond,
            Duration p50,
            Duration p99,
            Duration max,
            Duration cpuPerWrite,
            long fileBytes) {}

    /**
     * Blocks until it is over.
     *
     * @param directory where a directory with the database is made, and removed in the end
     * @throws CommandFailed if the database cannot be made there, or takes no more writes
     */
    static Result measure(Path directory, StoreSettings.Durability durability, int writers, Duration time)
            throws IOException, InterruptedException {
        Path own = Files.createTempDirectory(directory, "bench-journal-");
        try (Store store = Store.open(
                StoreSettings.of("jdbc:h2:file:" + own.resolve("calls").toAbsolutePath(), "pushbridge", "")
                        .with(durability))) {
            long cpuBefore = cpuNanos();
            long before = System.nanoTime();
            JournalBench bench = new JournalBench(store, writers, time);
            for (int i = 0; i < writers; i++) {
                bench.nextCall();
            }
            bench.running.await();
            double seconds = (System.nanoTime() - before) / 1e9;
            long cpu = cpuNanos() - cpuBefore;
            Throwable fault = bench.fault.get();
            if (fault != null) {
                throw new CommandFailed("The database took no more writes: " + fault.getMessage());
            }
            long[] sorted = Arrays.copyOf(bench.nanos, bench.writes);
            Arrays.sort(sorted);
            return new Result(
                    durability,
                    writers,
                    bench.writes,
                    bench.writes / seconds,
                    percentile(sorted, 50),
                    percentile(sorted, 99),
                    percentile(sorted, 100),
                    Duration.ofNanos(cpu / bench.writes),
                    Files.size(own.resolve("calls.mv.db")));
        } finally {
            remove(own);
        }
    }

    private void nextCall() {
        UUID call = UUID.randomUUID();
        CallJournal.Entry entry = new CallJournal.Entry(call, invite, state);
        List<Step> steps = new ArrayList<>(WRITES_PER_CALL);
        for (int i = 0; i < WRITES_PER_CALL; i++) {
            steps.add(() -> store.write(entry, List.of()));
        }
        go(call, steps, 0);
    }

    private interface Step {
        CompletionStage<Void> begin();
    }

    private void go(UUID call, List<Step> steps, int next) {
        if (next == steps.size()) {
            var unused = store.end(call).exceptionally(this::noteFault);
            if (System.nanoTime() < endsAt) {
                nextCall();
            } else {
                running.countDown();
            }
            return;
        }
        long askedAt = System.nanoTime();
        var unused = steps.get(next).begin().whenComplete((done, failure) -> {
            if (failure != null) {
                noteFault(failure);
                running.countDown();
                return;
            }
            note(System.nanoTime() - askedAt);
            go(call, steps, next + 1);
        });
    }

    private @Nullable Void noteFault(Throwable failure) {
        fault.set(failure);
        return null;
    }

    private void note(long took) {
        if (writes == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * writes);
        }
        nanos[writes++] = took;
    }

    /** The nearest rank. */
    private static Duration percentile(long[] sorted, int percent) {
        int rank = (int) Math.ceil(percent / 100.0 * sorted.length);
        return Duration.ofNanos(sorted[Math.max(0, rank - 1)]);
    }

    private static byte[] filled(int length) {
        byte[] text = "a=rtpmap:96 opus/48000/2\r\n".getBytes(StandardCharsets.US_ASCII);
        byte[] filled = new byte[length];
        for (int i = 0; i < length; i++) {
            filled[i] = text[i % text.length];
        }
        return filled;
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static void remove(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> inside = Files.list(directory)) {
            files = inside.toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
        Files.delete(directory);
    }
}
