package org.pushbridge.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.pushbridge.app.demo.DemoBridge;
import org.pushbridge.app.demo.LateWakes;
import org.pushbridge.app.demo.LateWakes.Wake;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pushbridge bench}: measures. */
@Command(
        name = "bench",
        header = "Measures the bridge on this machine.",
        description = {
            "",
            "The figures are this machine's, at this moment: compare those of one run with each other.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class BenchCommand implements Runnable {
    @Spec
    CommandSpec spec = CommandSpec.create();

    /** Without a measurement there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to measure: late-wake, journal, overload or soak.");
    }

    /** {@code pushbridge bench late-wake}: how long a phone rings for a call that is dead. */
    @Command(
            name = "late-wake",
            header = "Measures how long a phone rings that wakes for a dead call.",
            description = {
                "",
                "The field case, over and over: a simulated iPhone is in flight mode while it is pushed to, the caller"
                        + " gives up, the push is delivered late, and the phone rings. It registers, or asks over"
                        + " HTTPS, and falls silent as soon as it is told that the call is over. Each of the three ways"
                        + " has a bridge of its own, on loopback; the time that iOS takes to start an app is left out.",
                "For comparison, a whole registration of the same phone right after: two round trips.",
                ""
            },
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class)
    static final class LateWake implements Callable<Integer> {
        private static final ObjectMapper JSON = new ObjectMapper();

        private final DemoBridge bridge;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Option(
                names = "--count",
                paramLabel = "N",
                defaultValue = "200",
                description = "How many late wakes for each way; ${DEFAULT-VALUE} unless told otherwise.")
        int count = 200;

        @Option(names = "--json", description = "Print the result as JSON, an object a line, one line for each way.")
        boolean json;

        LateWake(DemoBridge bridge) {
            this.bridge = bridge;
        }

        @Override
        public Integer call() throws Exception {
            if (count < 1) {
                throw new ParameterException(spec.commandLine(), "--count is 1 or more, not " + count);
            }
            PrintWriter out = spec.commandLine().getOut();
            Configurator.setLevel("org.pushbridge", Level.WARN);
            if (!json) {
                out.printf(
                        "%d late wakes for each way, after %d to warm up; milliseconds%n%n", count, LateWakes.WARM_UP);
                out.printf(
                        "%-16s %25s %31s %25s %n",
                        "", "from REGISTER to silence", "from first packet to silence", "a whole registration");
                out.printf(
                        "%-16s %9s %7s %7s %15s %7s %7s %9s %7s %7s%n",
                        "way", "p50", "p99", "max", "p50", "p99", "max", "p50", "p99", "max");
                out.flush();
            }
            for (LateWakes.Way way : LateWakes.Way.values()) {
                tell(
                        way,
                        LateWakes.measure(bridge, way, count, spec.commandLine().getErr()),
                        out);
            }
            return Main.OK;
        }

        private void tell(LateWakes.Way way, List<Wake> wakes, PrintWriter out) {
            List<Duration> fromRegister = sorted(wakes, wake -> wake.fromRegister().stream());
            List<Duration> fromFirst = sorted(wakes, wake -> Stream.of(wake.fromFirstPacket()));
            List<Duration> registration = sorted(wakes, wake -> Stream.of(wake.registration()));
            if (json) {
                ObjectNode line =
                        JSON.createObjectNode().put("way", way.words()).put("wakes", wakes.size());
                line.set("register-to-silence-ms", object(fromRegister));
                line.set("first-packet-to-silence-ms", object(fromFirst));
                line.set("registration-ms", object(registration));
                out.println(line);
            } else {
                out.printf(
                        "%-16s %9s %7s %7s %15s %7s %7s %9s %7s %7s%n",
                        way.words(),
                        text(fromRegister, 50),
                        text(fromRegister, 99),
                        text(fromRegister, 100),
                        text(fromFirst, 50),
                        text(fromFirst, 99),
                        text(fromFirst, 100),
                        text(registration, 50),
                        text(registration, 99),
                        text(registration, 100));
            }
            out.flush();
        }

        private static List<Duration> sorted(List<Wake> wakes, Function<Wake, Stream<Duration>> time) {
            return wakes.stream().flatMap(time).sorted().toList();
        }

        private static ObjectNode object(List<Duration> sorted) {
            ObjectNode object = JSON.createObjectNode().put("count", sorted.size());
            if (!sorted.isEmpty()) {
                object.put("p50", millis(sorted, 50))
                        .put("p99", millis(sorted, 99))
                        .put("max", millis(sorted, 100));
            }
            return object;
        }

        /** "-" where nothing was measured: an app that asks over HTTPS knows before it has registered. */
        private static String text(List<Duration> sorted, int percentile) {
            return sorted.isEmpty() ? "-" : String.format(Locale.ROOT, "%.1f", millis(sorted, percentile));
        }

        /** The nearest rank. */
        private static double millis(List<Duration> sorted, int percentile) {
            int rank = (int) Math.ceil(percentile / 100.0 * sorted.size());
            return sorted.get(Math.max(0, rank - 1)).toNanos() / 1e6;
        }
    }
}
