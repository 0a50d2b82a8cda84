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
import org.pushbridge.app.demo.DemoBridge;

/**
 * What the server does when it is offered more calls than it can take: SIPp as a PBX calls registered UDP phones, which
 * answer at once; after 200 ms the PBX hangs up. The rate grows from step to step, up to twice the highest that the server
 * sustains.
 */
public final class OverloadCurve {
    /** A rate counts as sustained when so much of what is offered is answered and ended properly. */
    private static final double SUSTAINED = 0.97;
    /** A call that is answered later than this, in milliseconds, is no good service. */
    private static final double IN_TIME = 500;
    /** Where the search begins, as a part of what the warm-up lets expect; it goes on in steps of this factor. */
    private static final double BEGIN = 0.5;

    private static final double FACTOR = 1.3;
    private static final int MOST_STEPS = 8;

    private static final int USERS = 200;
    private static final int MOST_RATE = 5000;
    /** Calls that were begun at the end of a step may still take this long: SIP's retransmissions of lost messages. */
    private static final Duration LAST_CALLS = Duration.ofSeconds(6);

    private final PrintWriter progress;
    private final int seconds;
    private final Consumer<Step> told;

    /**
     * @param seconds how long each step lasts
     * @param told of each step as it is over
     */
    public OverloadCurve(int seconds, Consumer<Step> told, PrintWriter progress) {
        this.seconds = seconds;
        this.told = told;
        this.progress = progress;
    }

    /**
     * One rate.
     *
     * @param offered calls a second that the PBX really began
     * @param goodput calls a second that were answered and ended properly
     * @param refused calls a second that got 503
     * @param failed calls a second with any other end, or none
     * @param p50 milliseconds from the INVITE to the 200, the median; NaN if there was none
     * @param p99 the same, of the slowest hundredth
     * @param retransmitted messages a second that the PBX sent again
     * @param cpuPerCall milliseconds of the server's CPU for each call that was answered and ended properly
     * @param serverCpu processors that the server kept busy
     * @param sippCpu processors that both SIPps kept busy
     * @param heap bytes in use after a full collection right after the step
     */
    public record Step(
            double offered,
            double goodput,
            double refused,
            double failed,
            double p50,
            double p99,
            double retransmitted,
            double cpuPerCall,
            double serverCpu,
            double sippCpu,
            OptionalLong heap) {
        boolean isSustained() {
            return goodput >= SUSTAINED * offered && p50 <= IN_TIME;
        }
    }

    /**
     * The curve as a whole.
     *
     * @param sustainable the highest rate that was sustained
     * @param best the best goodput of all steps
     * @param atTwice the goodput at twice the sustainable rate, and what was really offered then
     */
    public record Result(List<Step> steps, double sustainable, double best, double atTwice, double offeredAtTwice) {
        /** How much of the best goodput is left at twice the sustainable rate. */
        public double ratio() {
            return best == 0 ? 0 : atTwice / best;
        }
    }

    /**
     * Measures.
     *
     * @throws BenchFailed if it cannot be done, in a sentence
     */
    public Result measure(DemoBridge bridge, Path folder) throws IOException, InterruptedException {
        Sipp.mustBeThere();
        say("starting the server" + (Cores.canPin() ? " on processor 0, SIPp on the others" : ""));
        try (ServedProcess server = new ServedProcess(bridge, folder, "", USERS)) {
            Path users = Phones.list(folder, "users.csv", 0, USERS);
            try (Phones phones = Phones.awake(server, folder, users, USERS)) {
                Load load = new Load(server, phones, folder, users);
                say("warming up");
                load.step(100, 2);
                Step warm = load.step(200, Math.max(4, seconds));
                double rate = BEGIN * Math.min(MOST_RATE, 1000 / Math.max(0.2, warm.cpuPerCall()));
                List<Step> steps = new ArrayList<>();
                double sustainable = 0;
                for (int i = 0; i < MOST_STEPS; i++) {
                    Step step = tell(load, rate);
                    steps.add(step);
                    if (step.isSustained()) {
                        sustainable = Math.max(sustainable, step.offered());
                        rate = step.offered() * FACTOR;
                    } else if (sustainable > 0) {
                        break;
                    } else {
                        rate = rate / 2;
                    }
                }
                if (sustainable == 0) {
                    throw new BenchFailed("No rate was sustained; is the machine busy with something else?");
                }
                steps.add(tell(load, 1.5 * sustainable));
                Step twice = tell(load, 2 * sustainable);
                steps.add(twice);
                if (!server.isAlive()) {
                    throw new BenchFailed("The server is gone; see its log in " + folder);
                }
                double best = steps.stream().mapToDouble(Step::goodput).max().orElse(0);
                return new Result(List.copyOf(steps), sustainable, best, twice.goodput(), twice.offered());
            }
        }
    }

    private Step tell(Load load, double rate) throws IOException, InterruptedException {
        int whole = (int) Math.max(1, Math.min(MOST_RATE, Math.round(rate)));
        say("offering " + whole + " calls a second for " + seconds + " s");
        Step step = load.step(whole, seconds);
        told.accept(step);
        return step;
    }

    private void say(String what) {
        progress.println(what);
        progress.flush();
    }

    /** The PBX. */
    private record Load(ServedProcess server, Phones phones, Path folder, Path users) {
        Step step(int rate, int seconds) throws IOException, InterruptedException {
            Duration serverBefore = server.cpu();
            Duration phonesBefore = phones.cpu();
            long begin = System.nanoTime();
            try (Sipp pbx = Sipp.start(
                    folder,
                    "pbx-calls",
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
                            "-m",
                            Integer.toString(rate * seconds),
                            "-l",
                            Integer.toString(rate * (seconds + 1)),
                            "-trace_rtt",
                            "-rtt_freq",
                            "100"))) {
                pbx.await(Duration.ofSeconds(seconds).plus(LAST_CALLS));
                double took = (System.nanoTime() - begin) / 1e9;
                double serverCpu = server.cpu().minus(serverBefore).toNanos() / 1e9;
                double sippCpu =
                        (pbx.cpu().toNanos() + phones.cpu().minus(phonesBefore).toNanos()) / 1e9;
                Map<String, String> counts = pbx.statistics();
                double generated = Math.max(seconds, pbx.secondsOfGeneration());
                double begun = count(counts, "TotalCallCreated");
                double answered = counter(counts, "answered");
                double refused = counter(counts, "refused");
                List<Double> times = pbx.responseTimes();
                settle();
                return new Step(
                        begun / generated,
                        answered / generated,
                        refused / generated,
                        (begun - answered - refused) / generated,
                        percentile(times, 50),
                        percentile(times, 99),
                        count(counts, "Retransmissions(C)") / generated,
                        answered == 0 ? Double.NaN : serverCpu * 1000 / answered,
                        serverCpu / took,
                        sippCpu / took,
                        server.heapAfterCollection());
            }
        }

        /** Calls whose PBX gave up are over when their timers say so; the next step is not to suffer from them. */
        private void settle() throws InterruptedException {
            for (int i = 0; i < 50 && server.isAlive() && server.metric("pushbridge_calls_alive") > 10; i++) {
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }

        private static double count(Map<String, String> counts, String name) {
            String value = counts.get(name);
            return value == null || value.isEmpty() ? 0 : Double.parseDouble(value);
        }

        /** SIPp gives a counter of a scenario a column for the last period and one for all time. */
        private static double counter(Map<String, String> counts, String name) {
            return counts.containsKey(name + "(C)") ? count(counts, name + "(C)") : count(counts, name);
        }
    }

    /** The nearest rank. */
    private static double percentile(List<Double> sorted, int percentile) {
        return sorted.isEmpty()
                ? Double.NaN
                : sorted.get(Math.max(0, (int) Math.ceil(percentile / 100.0 * sorted.size()) - 1));
    }
}
