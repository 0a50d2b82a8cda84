package org.pushbridge.app.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.pushbridge.app.demo.DemoBridge;
import org.pushbridge.config.Config;

/**
 * The server, started as {@code pushbridge serve} in a process of its own, on loopback and with a database in a folder of
 * its own. Its phones' PBX is at {@link #PBX}. For one thread.
 */
final class ServedProcess implements AutoCloseable {
    static final String PHONES = "127.0.0.1";
    static final String PBX = "127.0.0.2";
    static final String PASSWORD = "bench-only";

    private static final Duration START_WITHIN = Duration.ofSeconds(60);
    private static final Pattern SIP = Pattern.compile("listening on \\[udp 127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern METRICS = Pattern.compile("Metrics are at http://127\\.0\\.0\\.1:(\\d+)/");

    private final Path folder;
    private final Process process;
    private final int sipPort;
    private final URI metrics;
    private final String key;
    private final HttpClient client = HttpClient.newHttpClient();

    /**
     * Starts it, and adds users.
     *
     * @param settings more of its configuration
     * @param users how many; user0, user1 ... of example.com
     */
    ServedProcess(DemoBridge bridge, Path folder, String settings, int users) throws IOException, InterruptedException {
        this.folder = folder;
        Path file = Files.writeString(folder.resolve("bench.conf"), """
                sip { listen = ["udp:127.0.0.1:0"], max-connections-per-address = 20000 }
                # SIPp knows MD5 alone.
                registrar.algorithms = ["MD5"]
                trunks.pbx.addresses = ["%2$s"]
                database.url = "jdbc:h2:file:%1$s/data/bridge"
                admin { socket = "%1$s/admin.sock", http { listen = 0, key-file = "%1$s/admin.key" } }
                calls.drain-limit = 0s
                sip.max-registers-per-second-per-address = 100000
                sip.max-requests-per-second-per-address = 100000
                """.formatted(folder, PBX) + settings);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                "org.pushbridge.app.Main",
                "serve",
                "-c",
                file.toString()));
        process = new ProcessBuilder(Cores.SERVER.pinned(command))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("server.log").toFile())
                .start();
        String log = awaitReady();
        sipPort = port(SIP, log);
        metrics = URI.create("http://127.0.0.1:" + port(METRICS, log) + "/metrics");
        key = Files.readString(folder.resolve("admin.key")).strip();
        Config config = Config.load(file);
        for (int user = 0; user < users; user++) {
            bridge.addUser(config, "user" + user + "@example.com", PASSWORD);
        }
    }

    private String awaitReady() throws IOException, InterruptedException {
        long end = System.nanoTime() + START_WITHIN.toNanos();
        while (true) {
            String log = log();
            if (log.contains("Ready:")) {
                return log;
            }
            if (!process.isAlive() || System.nanoTime() > end) {
                process.destroyForcibly();
                throw new BenchFailed(
                        "The server did not start. Its last words: " + log.substring(Math.max(0, log.length() - 2000)));
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private String log() throws IOException {
        return Files.readString(folder.resolve("server.log"));
    }

    private static int port(Pattern pattern, String log) {
        Matcher found = pattern.matcher(log);
        if (!found.find()) {
            throw new BenchFailed("The server does not say where it listens");
        }
        return Integer.parseInt(found.group(1));
    }

    /** Where it takes SIP over UDP. */
    String address() {
        return PHONES + ":" + sipPort;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** The CPU time that it has used. */
    Duration cpu() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** The sum of a metric over all its labels; 0 if there is none. */
    double metric(String name) {
        return metric(name, "");
    }

    /** The sum over those samples whose labels contain this text. */
    double metric(String name, String label) {
        Pattern sample = Pattern.compile("(?m)^" + name + "(\\{[^}]*" + Pattern.quote(label) + "[^}]*\\})"
                + (label.isEmpty() ? "?" : "") + " (\\S+)$");
        return sample.matcher(metrics())
                .results()
                .mapToDouble(found -> Double.parseDouble(found.group(2)))
                .sum();
    }

    private String metrics() {
        try {
            return client.send(
                            HttpRequest.newBuilder(metrics)
                                    .timeout(Duration.ofSeconds(20))
                                    .header("Authorization", "Bearer " + key)
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            throw new UncheckedIOException("The server does not tell its metrics", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchFailed("Interrupted");
        }
    }

    /** The heap in use right after a full collection, in bytes; empty without a JDK's jcmd. */
    OptionalLong heapAfterCollection() throws IOException, InterruptedException {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        if (!Files.isExecutable(jcmd)) {
            return OptionalLong.empty();
        }
        Process collection = new ProcessBuilder(jcmd.toString(), Long.toString(process.pid()), "GC.run")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!collection.waitFor(30, TimeUnit.SECONDS) || collection.exitValue() != 0) {
            collection.destroyForcibly();
            return OptionalLong.empty();
        }
        return OptionalLong.of((long) metric("jvm_memory_used_bytes", "area=\"heap\""));
    }

    /** The memory that it has of the system's, in bytes; empty where there is no /proc. */
    OptionalLong resident() throws IOException {
        OptionalLong kilobytes = status("VmRSS");
        return kilobytes.isPresent() ? OptionalLong.of(kilobytes.getAsLong() * 1024) : kilobytes;
    }

    OptionalLong threads() throws IOException {
        return status("Threads");
    }

    private OptionalLong status(String word) throws IOException {
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        if (!Files.isReadable(status)) {
            return OptionalLong.empty();
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith(word + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst();
    }

    /** Files and sockets that it has open; empty where there is no /proc. */
    OptionalLong descriptors() throws IOException {
        Path open = Path.of("/proc", Long.toString(process.pid()), "fd");
        if (!Files.isReadable(open)) {
            return OptionalLong.empty();
        }
        try (Stream<Path> all = Files.list(open)) {
            return OptionalLong.of(all.count());
        }
    }

    /** The size of its database's files, in bytes. */
    long databaseSize() throws IOException {
        long size = 0;
        try (Stream<Path> files = Files.list(folder.resolve("data"))) {
            for (Path file : files.toList()) {
                size += Files.size(file);
            }
        }
        return size;
    }

    /** Lines of its log that speak of a fault. */
    long faults() throws IOException {
        return log().lines().filter(line -> line.contains(" ERROR ")).count();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
