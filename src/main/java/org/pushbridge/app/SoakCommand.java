package org.pushbridge.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.pushbridge.app.bench.BenchFailed;
import org.pushbridge.app.bench.Soak;
import org.pushbridge.app.bench.Soak.Result;
import org.pushbridge.app.bench.Soak.Sample;
import org.pushbridge.app.bench.Soak.Trend;
import org.pushbridge.app.demo.DemoBridge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pushbridge bench soak}: whether anything grows under a load that stays the same. */
@Command(
        name = "soak",
        header = "Loads the bridge for long, and sees whether anything grows.",
        description = {
            "",
            "Starts the server as a process of its own and loads it with SIPp, which must be installed. Of ten calls eight"
                    + " are for registered phones, which answer; one is for a phone that sleeps, gets a push, registers a"
                    + " second later and answers; and one is for a phone that sleeps until the caller gives up.",
            "Every 30 s it looks at the heap after a full collection, threads, open files and sockets, memory, the"
                    + " database's files and the calls that are alive, and at the end compares the first third of what it"
                    + " saw with the last. Growth is more than a tenth and a little more.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing grows",
            "1:something grows, or the server's log speaks of a fault, or it could not run"
        },
        footer = {
            "",
            "For example, at half of what 'pushbridge bench overload' calls sustainable:",
            "  pushbridge bench soak --minutes 20 --rate 200"
        })
final class SoakCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int EVERY = 30;

    private final DemoBridge bridge;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "20",
            description = "How long; ${DEFAULT-VALUE} unless told otherwise.")
    int minutes = 20;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "50",
            description = "Calls a second; ${DEFAULT-VALUE} unless told otherwise.")
    int rate = 50;

    @Option(names = "--json", description = "Print JSON: an object a line for each sample, then for each trend.")
    boolean json;

    @Option(names = "--keep", description = "Keep the folder with the server's log and SIPp's files, and say where.")
    boolean keep;

    SoakCommand(DemoBridge bridge) {
        this.bridge = bridge;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (minutes < 1 || minutes > 24 * 60) {
            throw new ParameterException(spec.commandLine(), "--minutes is 1 to 1440, not " + minutes);
        }
        if (rate < 10 || rate > 2000) {
            throw new ParameterException(spec.commandLine(), "--rate is 10 to 2000, not " + rate);
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Path folder = Files.createTempDirectory("pushbridge-soak");
        try {
            if (!json) {
                out.printf(
                        "%7s %9s %8s %6s %11s %12s %7s%n",
                        "second", "heap MB", "threads", "files", "resident MB", "database MB", "calls");
            }
            // Fewer than six samples would tell nothing.
            int every = Math.min(EVERY, minutes * 60 / 6);
            Result result = new Soak(minutes * 60, every, rate, sample -> tell(sample, out), err).run(bridge, folder);
            tell(result, out);
            return result.isWell() ? Main.OK : Main.FAILED;
        } catch (BenchFailed e) {
            throw new CommandFailed(String.valueOf(e.getMessage()));
        } finally {
            if (keep) {
                err.println("Kept: " + folder);
            } else {
                OverloadCommand.remove(folder);
            }
        }
    }

    private void tell(Sample sample, PrintWriter out) {
        if (json) {
            ObjectNode line = JSON.createObjectNode().put("second", sample.second());
            sample.heap().ifPresent(value -> line.put("heap-bytes", value));
            sample.threads().ifPresent(value -> line.put("threads", value));
            sample.descriptors().ifPresent(value -> line.put("descriptors", value));
            sample.resident().ifPresent(value -> line.put("resident-bytes", value));
            out.println(line.put("database-bytes", sample.database()).put("calls", sample.calls()));
        } else {
            out.printf(
                    Locale.ROOT,
                    "%7d %9s %8s %6s %11s %12.1f %7d%n",
                    sample.second(),
                    megabytes(sample.heap()),
                    sample.threads().isPresent()
                            ? Long.toString(sample.threads().getAsLong())
                            : "-",
                    sample.descriptors().isPresent()
                            ? Long.toString(sample.descriptors().getAsLong())
                            : "-",
                    megabytes(sample.resident()),
                    sample.database() / 1048576.0,
                    sample.calls());
        }
        out.flush();
    }

    private static String megabytes(OptionalLong bytes) {
        return bytes.isPresent() ? String.format(Locale.ROOT, "%.1f", bytes.getAsLong() / 1048576.0) : "-";
    }

    private void tell(Result result, PrintWriter out) {
        if (!json) {
            out.printf("%n%-30s %14s %14s%n", "", "first third", "last third");
        }
        for (Trend trend : result.trends()) {
            if (json) {
                out.println(JSON.createObjectNode()
                        .put("trend", trend.name())
                        .put("first", Math.round(trend.first()))
                        .put("last", Math.round(trend.last()))
                        .put("grows", trend.grows()));
            } else {
                out.printf(
                        Locale.ROOT,
                        "%-30s %14.0f %14.0f  %s%n",
                        trend.name(),
                        trend.first(),
                        trend.last(),
                        trend.grows() ? "GROWS" : "");
            }
        }
        if (json) {
            out.println(JSON.createObjectNode()
                    .put("calls", result.calls())
                    .put("failed", result.failed())
                    .put("faults", result.faults()));
        } else {
            out.printf(
                    "%nCalls: %d, of which did not go as they should: %d. Faults in the server's log: %d. %s%n",
                    result.calls(), result.failed(), result.faults(), result.isWell() ? "Nothing grows." : "NOT WELL.");
        }
        out.flush();
    }
}
