package org.pushbridge.app.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.pushbridge.app.demo.DemoBridge;

/**
 * A constant load for a while, and whether anything grows: of ten calls eight are for phones that are awake, one is for a
 * phone that sleeps, is pushed to, registers a second later and answers, and one is for a phone that sleeps until the
 * caller gives up.
 */
public final class Soak {
    /** What may be different between the first third and the last without being growth, beside a tenth. */
    private static final double MEGABYTES_OF_GRACE = 12.0 * 1024 * 1024;

    private static final int AWAKE = 100;
    private static final int WAKING = 100;
    private static final int NEVER_WAKING = 5;
    private static final Duration SETTLE = Duration.ofSeconds(40);
    private static final Duration WAKE_AFTER = Duration.ofSeconds(1);
    private static final String SETTINGS = """
            calls { push-budget.wasted-limit = 0, tombstone-life = 1m }
            """;

    private final int seconds;
    private final int every;
    private final int rate;
    private final Consumer<Sample> told;
    private final PrintWriter progress;

    /**
     * @param seconds how long, after the load has been on for long enough that SIP's timers of 32 s are in it
     * @param every seconds between samples
     * @param rate calls a second, 10 or more
     * @param told of each sample
     */
    public Soak(int seconds, int every, int rate, Consumer<Sample> told, PrintWriter progress) {
        this.seconds = seconds;
        this.every = every;
        this.rate = rate;
        this.told = told;
        this.progress = progress;
    }

    /**
     * The server at one moment.
     *
     * @param second counted from the first sample
     * @param heap bytes in use after a full collection; empty without a JDK
     * @param threads empty where there is no /proc, as are the next two
     * @param descriptors open files and sockets
     * @param resident bytes of the system's memory
     * @param database bytes of its files
     * @param calls that are alive
     */
    public record Sample(
            long second,
            OptionalLong heap,
            OptionalLong threads,
            OptionalLong descriptors,
            OptionalLong resident,
            long database,
            long calls) {}

    /**
     * One thing that must not grow.
     *
     * @param first its mean over the first third of the samples
     * @param last and over the last third
     */
    public record Trend(String name, double first, double last, boolean grows) {}

    /**
     * What came of it.
     *
     * @param calls that the PBX made in all
     * @param failed those among them that did not go as they should
     * @param faults lines of the server's log that speak of a fault
     */
    public record Result(List<Trend> trends, long calls, long failed, long faults) {
        public boolean isWell() {
            return faults == 0 && trends.stream().noneMatch(Trend::grows);
        }
    }

    /**
     * Runs it.
     *
     * @throws BenchFailed if it cannot be done, in a sentence
     */
    public Result run(DemoBridge bridge, Path folder) throws IOException, InterruptedException {
        Sipp.mustBeThere();
        say("starting the server");
        int users = AWAKE + WAKING + NEVER_WAKING;
        try (ServedProcess server = new ServedProcess(bridge, folder, SETTINGS, users)) {
            Path awake = Phones.list(folder, "awake.csv", 0, AWAKE);
            Path waking = Phones.list(folder, "waking.csv", AWAKE, WAKING);
            Path never = Phones.list(folder, "never.csv", AWAKE + WAKING, NEVER_WAKING);
            try (Phones phones = Phones.awake(server, folder, awake, AWAKE)) {
                say("letting phones register and fall asleep");
                once(server, folder, waking, WAKING);
                once(server, folder, never, NEVER_WAKING);
                int few = Math.max(1, rate / 10);
                try (Sipp calls = pbx(server, folder, "pbx-calls", awake, Math.max(1, rate - 2 * few));
                        Sipp callsSleeping = pbx(server, folder, "pbx-calls", waking, few);
                        Sipp givesUp = pbx(server, folder, "pbx-gives-up", never, few);
                        Sipp wakes = later(server, folder, waking, few)) {
                    return watch(server, phones, List.of(calls, callsSleeping, givesUp), wakes);
                }
            }
        }
    }

    private Result watch(ServedProcess server, Phones phones, List<Sipp> callers, Sipp wakes)
            throws IOException, InterruptedException {
        say("load is on: " + rate + " calls a second; the first sample comes after " + SETTLE.toSeconds() + " s");
        TimeUnit.MILLISECONDS.sleep(SETTLE.toMillis());
        List<Sample> samples = new ArrayList<>();
        long begin = System.nanoTime();
        for (long second = 0; second <= seconds; second += every) {
            long wait = begin + TimeUnit.SECONDS.toNanos(second) - System.nanoTime();
            if (wait > 0) {
                TimeUnit.NANOSECONDS.sleep(wait);
            }
            if (!server.isAlive()
                    || !wakes.isAlive()
                    || !phones.isAlive()
                    || callers.stream().anyMatch(c -> !c.isAlive())) {
                throw new BenchFailed("The server or a SIPp has ended after " + second + " s; --keep keeps their logs");
            }
            Sample sample = new Sample(
                    second,
                    server.heapAfterCollection(),
                    server.threads(),
                    server.descriptors(),
                    server.resident(),
                    server.databaseSize(),
                    (long) server.metric("pushbridge_calls_alive"));
            samples.add(sample);
            told.accept(sample);
        }
        long calls = 0;
        long failed = 0;
        for (Sipp caller : callers) {
            Map<String, String> counts = caller.statistics();
            calls += count(counts, "TotalCallCreated");
            failed += count(counts, "FailedCall(C)") + count(counts, "refused(C)");
        }
        return new Result(trends(samples), calls, failed, server.faults());
    }

    private static long count(Map<String, String> counts, String name) {
        String value = counts.get(name);
        return value == null || value.isEmpty() ? 0 : Long.parseLong(value);
    }

    private void once(ServedProcess server, Path folder, Path users, int count)
            throws IOException, InterruptedException {
        try (Sipp registers = wakers(server, folder, users, 20, List.of("-m", Integer.toString(count)))) {
            if (!registers.await(Duration.ofSeconds(60))) {
                throw new BenchFailed("The phones could not register. SIPp's last words: " + registers.lastWords());
            }
        }
    }

    /** The phones wake in the order in which they are called, and as fast, a moment later. */
    private static Sipp later(ServedProcess server, Path folder, Path users, int rate)
            throws IOException, InterruptedException {
        TimeUnit.MILLISECONDS.sleep(WAKE_AFTER.toMillis());
        return wakers(server, folder, users, rate, List.of());
    }

    private static Sipp wakers(ServedProcess server, Path folder, Path users, int rate, List<String> more)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                server.address(),
                "-i",
                ServedProcess.PHONES,
                "-p",
                Integer.toString(Phones.freePort(ServedProcess.PHONES)),
                "-t",
                "u1",
                "-inf",
                users.toString(),
                "-auth_uri",
                "example.com",
                "-oocsf",
                Sipp.scenario(folder, "phones-answer").toString(),
                "-r",
                Integer.toString(rate),
                "-l",
                "10000"));
        arguments.addAll(more);
        return Sipp.start(folder, "phones-wake", arguments);
    }

    private static Sipp pbx(ServedProcess server, Path folder, String scenario, Path users, int rate)
            throws IOException {
        return Sipp.start(
                folder,
                scenario,
                List.of(
                        server.address(),
                        "-i",
                        ServedProcess.PBX,
                        "-p",
                        Integer.toString(Phones.freePort(ServedProcess.PBX)),
                        "-t",
                        "u1",
                        "-inf",
                        users.toString(),
                        "-r",
                        Integer.toString(rate),
                        "-l",
                        "100000"));
    }

    /** What a third has more than another: a tenth, and what cannot be told from noise. */
    static List<Trend> trends(List<Sample> samples) {
        List<Trend> trends = new ArrayList<>();
        add(trends, "heap after collection, bytes", samples, s -> orNothing(s.heap()), MEGABYTES_OF_GRACE);
        add(trends, "threads", samples, s -> orNothing(s.threads()), 4);
        add(trends, "descriptors", samples, s -> orNothing(s.descriptors()), 8);
        add(trends, "resident memory, bytes", samples, s -> orNothing(s.resident()), 5 * MEGABYTES_OF_GRACE);
        add(trends, "database, bytes", samples, Sample::database, MEGABYTES_OF_GRACE);
        add(trends, "calls alive", samples, Sample::calls, 20);
        return trends;
    }

    private static double orNothing(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : Double.NaN;
    }

    private static void add(
            List<Trend> trends, String name, List<Sample> samples, ToDoubleFunction<Sample> value, double grace) {
        int third = Math.max(1, samples.size() / 3);
        double first = mean(samples.subList(0, Math.min(third, samples.size())), value);
        double last = mean(samples.subList(Math.max(0, samples.size() - third), samples.size()), value);
        if (!Double.isNaN(first) && !Double.isNaN(last)) {
            trends.add(new Trend(name, first, last, last > first * 1.1 + grace));
        }
    }

    private static double mean(List<Sample> samples, ToDoubleFunction<Sample> value) {
        return samples.stream().mapToDouble(value).average().orElse(Double.NaN);
    }

    private void say(String what) {
        progress.println(what);
        progress.flush();
    }
}
