package org.pushbridge.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.pushbridge.app.demo.Scenario;
import org.pushbridge.config.Alike;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pushbridge demo}: plays scenarios and tells how each went. */
@Command(
        name = "demo",
        header = "Shows the bridge at work, with simulated phones and pushes.",
        description = {
            "",
            "Starts the bridge, a simulated APNs, simulated iPhones and a PBX on free ports of this machine, and plays"
                    + " each scenario on real SIP and HTTP/2. Each message is shown as it passes, with its time. Nothing"
                    + " needs to be set up, nothing is kept, and nothing leaves the machine.",
            "The last line counts what passed and failed; the exit code is 0 only if everything passed.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class DemoCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<Scenario> scenarios;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(names = "--list", description = "Name the scenarios, and play none.")
    boolean list;

    @Option(names = "--only", paramLabel = "NAME", description = "Play this one alone; can be given several times.")
    List<String> only = List.of();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description =
                    "Write what passed to a file too, a JSON object a line: each scenario's name, its messages with"
                            + " their times, then how it went.")
    Optional<Path> json = Optional.empty();

    DemoCommand(List<Scenario> scenarios) {
        this.scenarios = scenarios;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            scenarios.forEach(scenario -> out.println(padded(scenario.name()) + scenario.title()));
            return Main.OK;
        }
        List<Scenario> chosen = chosen();
        // Of the bridge's own log only what is wrong: the ladders tell the rest.
        Configurator.setLevel("org.pushbridge", Level.WARN);
        try (PrintWriter forMachines = forMachines()) {
            return play(chosen, out, forMachines);
        }
    }

    private PrintWriter forMachines() {
        if (json.isEmpty()) {
            return new PrintWriter(Writer.nullWriter());
        }
        try {
            return new PrintWriter(Files.newBufferedWriter(json.get()));
        } catch (IOException e) {
            throw new CommandFailed("The file " + json.get() + " cannot be written: " + e, e);
        }
    }

    private int play(List<Scenario> chosen, PrintWriter out, PrintWriter forMachines) {
        Map<Scenario, String> outcomes = new LinkedHashMap<>();
        int failed = 0;
        for (Scenario scenario : chosen) {
            out.println();
            out.println("== " + scenario.name() + ": " + scenario.title());
            forMachines.println(JSON.createObjectNode().put("scenario", scenario.name()));
            long start = System.nanoTime();
            String fault = play(scenario, out, forMachines);
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            String time = inSeconds(took);
            if (fault.isEmpty()) {
                outcomes.put(scenario, "passed" + time);
                out.println("passed" + time);
            } else {
                failed++;
                outcomes.put(
                        scenario,
                        "FAILED" + time + ": " + fault.lines().findFirst().orElse(""));
                out.println("FAILED" + time + ":");
                fault.lines().forEach(line -> out.println("  " + line));
            }
            out.flush();
            forMachines.println(JSON.createObjectNode()
                    .put("passed", fault.isEmpty())
                    .put("took-ms", took.toMillis())
                    .put("fault", fault));
        }
        out.println();
        outcomes.forEach((scenario, outcome) -> out.println(padded(scenario.name()) + outcome));
        out.println();
        out.println((outcomes.size() - failed) + " passed, " + failed + " failed");
        out.flush();
        return failed == 0 ? Main.OK : Main.FAILED;
    }

    private List<Scenario> chosen() {
        List<String> names = scenarios.stream().map(Scenario::name).toList();
        for (String name : only) {
            if (!names.contains(name)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "There is no scenario '" + name + "'"
                                + Alike.nearest(name, names)
                                        .map(near -> "; did you mean " + near + "?")
                                        .orElse("; 'pushbridge demo --list' names them."));
            }
        }
        return scenarios.stream()
                .filter(scenario -> only.isEmpty() || only.contains(scenario.name()))
                .toList();
    }

    /** Empty if it passed, else why not. */
    private static String play(Scenario scenario, PrintWriter out, PrintWriter forMachines) {
        try {
            scenario.play(out, forMachines);
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } catch (Exception | AssertionError e) {
            String message = e.getMessage();
            return message == null || message.isBlank() ? e.getClass().getName() : message.strip();
        }
    }

    private String padded(String name) {
        int width = scenarios.stream()
                .mapToInt(scenario -> scenario.name().length())
                .max()
                .orElse(0);
        return name + " ".repeat(Math.max(0, width - name.length()) + 2);
    }

    private static String inSeconds(Duration duration) {
        return String.format(Locale.ROOT, " in %.1f s", duration.toMillis() / 1000.0);
    }
}
