package org.pushbridge.app.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One SIPp process with a scenario of this package, in a folder of its own. For one thread. */
final class Sipp implements AutoCloseable {
    private final Path folder;
    private final Process process;
    private Duration cpu = Duration.ZERO;

    private Sipp(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /** @throws BenchFailed if there is no SIPp */
    static void mustBeThere() {
        if (Programs.find("sipp").isEmpty()) {
            throw new BenchFailed(
                    "SIPp is needed, and there is no sipp on the PATH; install it (Debian: apt-get install"
                            + " sip-tester, Fedora: dnf install sipp, macOS: brew install sipp)");
        }
    }

    /** Puts a scenario of this package into a folder. */
    static Path scenario(Path folder, String name) throws IOException {
        Path file = folder.resolve(name + ".xml");
        try (InputStream in = Sipp.class.getResourceAsStream(name + ".xml")) {
            if (in == null) {
                throw new IllegalStateException(name + ".xml is not on the class path");
            }
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        }
        return file;
    }

    /** Starts it, with these arguments behind the scenario. */
    static Sipp start(Path parent, String scenario, List<String> arguments) throws IOException {
        Path folder = Files.createTempDirectory(parent, scenario + "-");
        Path file = scenario(folder, scenario);
        List<String> command = new ArrayList<>(List.of("sipp", "-sf", file.toString()));
        command.addAll(arguments);
        command.addAll(List.of(
                "-nostdin", "-skip_rlimit", "-buff_size", "2097152", "-trace_stat", "-stf", "stat.csv", "-fd", "1"));
        Process process = new ProcessBuilder(Cores.LOAD.pinned(command))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("screen").toFile())
                .start();
        return new Sipp(folder, process);
    }

    /** Waits for its end; ends it when the time is over. Returns whether it ended by itself. */
    boolean await(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        while (System.nanoTime() < end) {
            cpu();
            if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
                return true;
            }
        }
        close();
        return false;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** The CPU time that it has used; once it has ended, what it had used at the last look. */
    Duration cpu() {
        process.info().totalCpuDuration().ifPresent(used -> cpu = used);
        return cpu;
    }

    /** Its last line of statistics, by column; empty if there is none. */
    Map<String, String> statistics() throws IOException {
        List<String> lines = lines();
        Map<String, String> columns = new LinkedHashMap<>();
        if (lines.size() > 1) {
            String[] names = lines.get(0).split(";", -1);
            String[] values = lines.get(lines.size() - 1).split(";", -1);
            for (int i = 0; i < Math.min(names.length, values.length); i++) {
                columns.put(names[i], values[i]);
            }
        }
        return columns;
    }

    private List<String> lines() throws IOException {
        Path file = folder.resolve("stat.csv");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    /** How many seconds it took to begin all its calls. */
    double secondsOfGeneration() throws IOException {
        List<String> lines = lines();
        if (lines.size() < 2) {
            return 0;
        }
        List<String> names = List.of(lines.get(0).split(";", -1));
        int created = names.indexOf("TotalCallCreated");
        int elapsed = names.indexOf("ElapsedTime(C)");
        String all = lines.get(lines.size() - 1).split(";", -1)[created];
        for (String line : lines.subList(1, lines.size())) {
            String[] values = line.split(";", -1);
            if (values[created].equals(all)) {
                return seconds(values[elapsed]);
            }
        }
        return 0;
    }

    /** Such as 00:00:07 or 00:00:07:042000. */
    private static double seconds(String clock) {
        String[] parts = clock.split(":", -1);
        double seconds =
                Integer.parseInt(parts[0]) * 3600 + Integer.parseInt(parts[1]) * 60 + Integer.parseInt(parts[2]);
        return parts.length > 3 ? seconds + Double.parseDouble("0." + parts[3]) : seconds;
    }

    /** The response times that it noted, in milliseconds, the shortest first; needs -trace_rtt. */
    List<Double> responseTimes() throws IOException {
        List<Double> times = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith("_rtt.csv")).toList()) {
                for (String line : Files.readAllLines(file)) {
                    String[] columns = line.split(";", -1);
                    if (columns.length > 1 && columns[1].matches("[0-9.]+")) {
                        times.add(Double.parseDouble(columns[1]));
                    }
                }
            }
        }
        return times.stream().sorted().toList();
    }

    /** The end of what it wrote. */
    String lastWords() throws IOException {
        String all = Files.readString(folder.resolve("screen"));
        return all.substring(Math.max(0, all.length() - 500));
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(2, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
