package org.pushbridge.app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.jspecify.annotations.Nullable;
import org.pushbridge.sim.apns.Aim;
import org.pushbridge.sim.apns.Environment;
import org.pushbridge.sim.apns.Fault;
import org.pushbridge.sim.apns.SimulatedApns;
import org.pushbridge.sim.apns.SimulatedApnsSettings;
import org.pushbridge.sim.apns.TeamKey;
import org.pushbridge.sim.apns.TokenKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pushbridge simulate}: what the bridge talks to, as a process of its own. For the fault drills. */
@Command(
        name = "simulate",
        header = "Stands in for what the bridge talks to.",
        hidden = true,
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class SimulateCommand implements Runnable {
    @Spec
    CommandSpec spec = CommandSpec.create();

    /** Without a part there is nothing to simulate. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to simulate: apns.");
    }

    /** {@code pushbridge simulate apns}: an APNs that fails as it is told. */
    @Command(
            name = "apns",
            header = "An APNs on loopback that outlives the bridge and fails as it is told.",
            description = {
                "",
                "It writes a key, its certificate and apns.conf to the folder; a configuration that includes that file"
                        + " pushes to it. It reads commands, a line each, and confirms each with a line; it ends with"
                        + " its input.",
                "",
                "  take TOKEN                      a device token (hex) that phones register with",
                "  take-numbers FIRST COUNT        the tokens that are these numbers in 64 hexadecimal digits",
                "  answer STATUS REASON [TOKEN]    answers every push, or every push to that token, so",
                "  slow MILLISECONDS               answers late",
                "  silence                         answers nothing any more",
                "  refuse, accept                  connections, from now on",
                "  drop                            ends all connections",
                "  clear                           does everything as it should again",
                ""
            },
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class)
    static final class Apns implements Callable<Integer> {
        private final InputStream commands;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Option(names = "--folder", required = true, paramLabel = "DIR", description = "Where to write; is made.")
        @Nullable
        Path folder;

        @Option(names = "--team", defaultValue = "TEAM123456", description = "The team; ${DEFAULT-VALUE} unless told.")
        String team = "TEAM123456";

        @Option(
                names = "--app",
                defaultValue = "com.example.phone",
                description = "The app's bundle id; ${DEFAULT-VALUE} unless told.")
        String app = "com.example.phone";

        @Option(
                names = "--provider-tokens",
                paramLabel = "N",
                defaultValue = "10",
                description =
                        "How many provider tokens the key may make within 20 minutes; ${DEFAULT-VALUE} unless told."
                                + " Each start of a bridge makes one.")
        int providerTokens = 10;

        /** @param commands what it is told, as lines */
        Apns(InputStream commands) {
            this.commands = commands;
        }

        @Override
        public Integer call() throws IOException {
            Configurator.setLevel("org.pushbridge", Level.WARN);
            PrintWriter out = spec.commandLine().getOut();
            Path place = Files.createDirectories(Optional.ofNullable(folder).orElseThrow())
                    .toAbsolutePath();
            TeamKey key = TeamKey.generate(team, "KEY" + team.substring(Math.min(3, team.length())));
            SimulatedApnsSettings settings = SimulatedApnsSettings.builder()
                    .history(1000)
                    .app(team, app)
                    .key(key)
                    .providerTokensPerWindow(providerTokens)
                    .build();
            try (SimulatedApns apns = SimulatedApns.start(settings);
                    BufferedReader lines =
                            new BufferedReader(new InputStreamReader(commands, StandardCharsets.UTF_8))) {
                apns.listen(PushLog.to(place.resolve("pushes.json")));
                write(place, apns, key);
                say(out, "ready");
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    say(out, obeyed(apns, line.strip().split("\\s+", -1)) ? "ok " + line.strip() : "what? " + line);
                }
            }
            return Main.OK;
        }

        private static void say(PrintWriter out, String line) {
            out.println(line);
            out.flush();
        }

        private void write(Path place, SimulatedApns apns, TeamKey key) throws IOException {
            Path keyFile = place.resolve("key.p8");
            Files.deleteIfExists(keyFile);
            Files.createFile(
                    keyFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(keyFile, key.p8());
            Path trust = Files.writeString(place.resolve("apns.pem"), apns.trustedCertificatePem());
            Files.writeString(place.resolve("apns.conf"), """
                    apps { "%s" { team-id = "%s", auth { key-file = "%s", key-id = "%s" } } }
                    apns {
                      simulated = false
                      production-endpoint = "%s:%d"
                      sandbox-endpoint = "%s:%d"
                      trust-file = "%s"
                    }
                    """.formatted(
                            app,
                            team,
                            keyFile,
                            key.keyId(),
                            apns.host(),
                            apns.port(Environment.PRODUCTION),
                            apns.host(),
                            apns.port(Environment.SANDBOX),
                            trust));
        }

        /** Does what one line says; false if it says nothing that can be done. */
        private boolean obeyed(SimulatedApns apns, String[] words) {
            if (words[0].equals("take") && words.length == 2) {
                apns.adopt(words[1], app, TokenKind.VOIP, Environment.PRODUCTION);
            } else if (words[0].equals("take-numbers")
                    && words.length == 3
                    && words[1].matches("\\d{1,8}")
                    && words[2].matches("\\d{1,8}")) {
                int first = Integer.parseInt(words[1]);
                for (int number = first; number < first + Integer.parseInt(words[2]); number++) {
                    apns.adopt(
                            String.format(Locale.ROOT, "%064x", number), app, TokenKind.VOIP, Environment.PRODUCTION);
                }
            } else if (words[0].equals("answer") && words.length >= 3 && words[1].matches("[2-5]\\d\\d")) {
                int status = Integer.parseInt(words[1]);
                apns.inject(
                        words.length == 3 ? Aim.everything() : Aim.token(words[3]),
                        status == 410 ? Fault.gone(words[2], Instant.now()) : Fault.answer(status, words[2]));
            } else if (words[0].equals("slow") && words.length == 2 && words[1].matches("\\d{1,6}")) {
                apns.inject(Aim.everything(), Fault.slow(Duration.ofMillis(Long.parseLong(words[1]))));
            } else if (words[0].equals("silence") && words.length == 1) {
                apns.inject(Aim.everything(), Fault.of(Fault.Ending.SILENCE));
            } else if (words[0].equals("refuse") && words.length == 1) {
                apns.refuseConnections(true);
            } else if (words[0].equals("accept") && words.length == 1) {
                apns.refuseConnections(false);
            } else if (words[0].equals("drop") && words.length == 1) {
                apns.dropConnections();
            } else if (words[0].equals("clear") && words.length == 1) {
                apns.clearFaults();
                apns.refuseConnections(false);
            } else {
                return false;
            }
            return true;
        }
    }
}
