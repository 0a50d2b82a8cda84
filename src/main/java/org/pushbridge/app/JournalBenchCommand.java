package org.pushbridge.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.pushbridge.store.StoreException;
import org.pushbridge.store.StoreSettings.Durability;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pushbridge bench journal}: what it costs that calls survive. */
@Command(
        name = "journal",
        header = "Measures what it costs that calls survive a crash.",
        description = {
            "",
            "Calls begin, ring, are answered and end, in a new H2 file of its own: " + JournalBench.WRITES_PER_CALL
                    + " writes a call, each acknowledged before the next is made, and an end that nobody waits for. So many calls are under way at a time"
                    + " as there are writers: the more there are, the more writes share a commit.",
            "With durability process, what was acknowledged survives the bridge's death; with disk, the machine's, too.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class JournalBenchCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How long each run takes; ${DEFAULT-VALUE} unless told otherwise.")
    int seconds = 5;

    @Option(
            names = "--writers",
            paramLabel = "N,...",
            split = ",",
            defaultValue = "1,10,100",
            description = "A run for each of these; ${DEFAULT-VALUE} unless told otherwise.")
    List<Integer> writers = List.of();

    @Option(names = "--durability", paramLabel = "WHICH", description = "process or disk; both unless told otherwise.")
    List<Durability> durabilities = List.of();

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "A directory on the drive to measure; the one where this is started unless told otherwise.")
    Path directory = Path.of(".");

    @Option(names = "--json", description = "Print the result as JSON, an object a line, one line for each run.")
    boolean json;

    @Override
    public Integer call() throws Exception {
        if (seconds < 1) {
            throw new ParameterException(spec.commandLine(), "--seconds is 1 or more, not " + seconds);
        }
        for (int each : writers) {
            if (each < 1 || each > 5000) {
                throw new ParameterException(spec.commandLine(), "--writers are 1 to 5000, not " + each);
            }
        }
        if (!Files.isDirectory(directory)) {
            throw new ParameterException(spec.commandLine(), "--directory " + directory + " is no directory");
        }
        PrintWriter out = spec.commandLine().getOut();
        Configurator.setLevel("org.pushbridge", Level.WARN);
        if (!json) {
            out.printf(
                    "%-11s %7s %9s %9s %9s %9s %9s %11s %8s%n",
                    "", "", "", "", "ms until", "acknow-", "ledged", "", "");
            out.printf(
                    "%-11s %7s %9s %9s %9s %9s %9s %11s %8s%n",
                    "durability", "writers", "writes", "writes/s", "p50", "p99", "max", "CPU us each", "file MB");
            out.flush();
        }
        // The first writes of a JVM cost many times what later ones do.
        run(Durability.PROCESS, 100);
        for (Durability durability : durabilities.isEmpty() ? List.of(Durability.values()) : durabilities) {
            for (int each : writers) {
                tell(run(durability, each), out);
            }
        }
        return Main.OK;
    }

    private JournalBench.Result run(Durability durability, int each) throws Exception {
        PrintWriter err = spec.commandLine().getErr();
        err.printf("... %s, %d writers, %d s%n", name(durability), each, seconds);
        err.flush();
        try {
            return JournalBench.measure(directory, durability, each, Duration.ofSeconds(seconds));
        } catch (StoreException e) {
            throw new CommandFailed(String.valueOf(e.getMessage()));
        }
    }

    private void tell(JournalBench.Result result, PrintWriter out) {
        if (json) {
            out.println(JSON.createObjectNode()
                    .put("durability", name(result.durability()))
                    .put("writers", result.writers())
                    .put("writes", result.writes())
                    .put("writes-per-second", result.perSecond())
                    .put("p50-ms", millis(result.p50()))
                    .put("p99-ms", millis(result.p99()))
                    .put("max-ms", millis(result.max()))
                    .put("cpu-us-per-write", result.cpuPerWrite().toNanos() / 1e3)
                    .put("file-bytes", result.fileBytes()));
        } else {
            out.printf(
                    Locale.ROOT,
                    "%-11s %7d %9d %9.0f %9.2f %9.2f %9.2f %11.1f %8.1f%n",
                    name(result.durability()),
                    result.writers(),
                    result.writes(),
                    result.perSecond(),
                    millis(result.p50()),
                    millis(result.p99()),
                    millis(result.max()),
                    result.cpuPerWrite().toNanos() / 1e3,
                    result.fileBytes() / 1e6);
        }
        out.flush();
    }

    private static double millis(Duration time) {
        return time.toNanos() / 1e6;
    }

    private static String name(Durability durability) {
        return durability.name().toLowerCase(Locale.ROOT);
    }
}
