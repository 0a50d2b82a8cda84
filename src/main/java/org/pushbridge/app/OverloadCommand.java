package org.pushbridge.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.pushbridge.app.bench.BenchFailed;
import org.pushbridge.app.bench.OverloadCurve;
import org.pushbridge.app.bench.OverloadCurve.Result;
import org.pushbridge.app.bench.OverloadCurve.Step;
import org.pushbridge.app.demo.DemoBridge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pushbridge bench overload}: what is left of the bridge when it is offered more than it can take. */
@Command(
        name = "overload",
        header = "Measures the bridge at up to twice the calls that it can take.",
        description = {
            "",
            "Starts the server as a process of its own, with its database in a temporary folder, and loads it with SIPp,"
                    + " which must be installed: a PBX calls registered UDP phones, they answer, 200 ms later it hangs up."
                    + " The rate grows from step to step until the bridge does not sustain it (97 %% of the calls answered"
                    + " and ended properly, half of them within 500 ms), then 1.5 times and twice the highest that it did.",
            "A call that the bridge cannot take must get 503 at once and cost little, so that the calls it has taken go"
                    + " on well: the last line tells how much of the best goodput is left at twice the sustainable rate."
                    + " 80 %% is the least that should be.",
            "",
            "  offered    calls a second that the PBX really began; if it is less than asked for, SIPp was too slow",
            "  goodput    calls a second that were answered and ended properly",
            "  503        calls a second that were refused with it",
            "  failed     calls a second with any other end, or none",
            "  p50, p99   ms from the INVITE to the 200",
            "  resent     messages a second that the PBX sent again",
            "  ms/call    CPU of the server for each call that counts as goodput",
            "  server     processors that the server kept busy",
            "  sipp       processors that SIPp kept busy, PBX and phones",
            "  heap       MB in use after a full collection right after the step (with a JDK)",
            "",
            "With two processors or more and taskset, the server has the first one and SIPp the others, so that SIPp is"
                    + " not measured along.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        footer = {
            "",
            "For example:",
            "  pushbridge bench overload            about 3 minutes",
            "  pushbridge bench overload --quick    under a minute, less exact",
            "PUSHBRIDGE_JAVA_OPTS=-Xmx512m ./pushbridge bench overload gives the server that heap."
        })
final class OverloadCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SECONDS = 12;
    private static final int QUICK_SECONDS = 3;

    private final DemoBridge bridge;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(names = "--quick", description = "Steps of " + QUICK_SECONDS + " s instead of " + SECONDS + " s.")
    boolean quick;

    @Option(names = "--json", description = "Print the result as JSON: an object a line for each step, then the sum.")
    boolean json;

    @Option(names = "--keep", description = "Keep the folder with the server's log and SIPp's files, and say where.")
    boolean keep;

    OverloadCommand(DemoBridge bridge) {
        this.bridge = bridge;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Path folder = Files.createTempDirectory("pushbridge-bench");
        try {
            if (!json) {
                out.printf(
                        "%8s %8s %7s %7s %8s %8s %7s %8s %7s %6s %6s%n",
                        "offered", "goodput", "503", "failed", "p50 ms", "p99 ms", "resent", "ms/call", "server",
                        "sipp", "heap");
            }
            Result result = new OverloadCurve(quick ? QUICK_SECONDS : SECONDS, step -> tell(step, out), err)
                    .measure(bridge, folder);
            tell(result, out);
            return Main.OK;
        } catch (BenchFailed e) {
            throw new CommandFailed(String.valueOf(e.getMessage()));
        } finally {
            if (keep) {
                err.println("Kept: " + folder);
            } else {
                remove(folder);
            }
        }
    }

    static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    private void tell(Step step, PrintWriter out) {
        if (json) {
            ObjectNode line = JSON.createObjectNode()
                    .put("offered", round(step.offered()))
                    .put("goodput", round(step.goodput()))
                    .put("refused-503", round(step.refused()))
                    .put("failed", round(step.failed()))
                    .put("p50-ms", round(step.p50()))
                    .put("p99-ms", round(step.p99()))
                    .put("resent", round(step.retransmitted()))
                    .put("server-cpu-ms-per-call", round(step.cpuPerCall()))
                    .put("server-processors", round(step.serverCpu()))
                    .put("sipp-processors", round(step.sippCpu()));
            step.heap().ifPresent(bytes -> line.put("heap-bytes", bytes));
            out.println(line);
        } else {
            out.printf(
                    Locale.ROOT,
                    "%8.0f %8.0f %7.0f %7.1f %8.1f %8.1f %7.1f %8.2f %7.2f %6.2f %6s%n",
                    step.offered(),
                    step.goodput(),
                    step.refused(),
                    step.failed(),
                    step.p50(),
                    step.p99(),
                    step.retransmitted(),
                    step.cpuPerCall(),
                    step.serverCpu(),
                    step.sippCpu(),
                    step.heap().isPresent() ? Long.toString(step.heap().getAsLong() / (1024 * 1024)) : "-");
        }
        out.flush();
    }

    private void tell(Result result, PrintWriter out) {
        if (json) {
            out.println(JSON.createObjectNode()
                    .put("sustainable", round(result.sustainable()))
                    .put("best-goodput", round(result.best()))
                    .put("offered-at-twice", round(result.offeredAtTwice()))
                    .put("goodput-at-twice", round(result.atTwice()))
                    .put("ratio", round(result.ratio())));
        } else {
            out.printf(
                    Locale.ROOT,
                    "%nSustainable: %.0f calls a second. Offered %.0f, %.0f are answered and ended properly: %.0f %% of the"
                            + " best, %.0f.%n",
                    result.sustainable(),
                    result.offeredAtTwice(),
                    result.atTwice(),
                    result.ratio() * 100,
                    result.best());
        }
        out.flush();
    }

    /** Two digits; JSON knows no NaN. */
    private static double round(double value) {
        return Double.isNaN(value) ? 0 : Math.round(value * 100) / 100.0;
    }
}
