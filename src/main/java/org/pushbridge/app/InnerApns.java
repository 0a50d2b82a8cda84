package org.pushbridge.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.config.Config;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.push.ApnsCredential;
import org.pushbridge.push.PayloadTemplates;
import org.pushbridge.push.PushSettings;
import org.pushbridge.push.RingsBy;
import org.pushbridge.sim.apns.Environment;
import org.pushbridge.sim.apns.SimulatedApns;
import org.pushbridge.sim.apns.SimulatedApnsSettings;
import org.pushbridge.sim.apns.TeamKey;
import org.pushbridge.sim.apns.TokenKind;

/**
 * The simulated APNs inside a server that is tried out without Apple ({@code apns.simulated}): real HTTP/2 over TLS on
 * loopback, with keys made for the occasion. It takes any token a device registers for a configured app, except that
 * tokens beginning with {@code dead} are answered 410 Unregistered, so that this can be tried too.
 */
final class InnerApns implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(InnerApns.class);
    /** The app of a server without any, so that it can be tried at once. */
    private static final String SAMPLE_APP = "com.example.phone";

    private static final String SAMPLE_TEAM = "TEAM123456";
    static final String DEAD = "dead";

    private final SimulatedApns apns;
    private final PushSettings settings;
    private final Path keys;

    private InnerApns(Config config) throws IOException {
        keys = Files.createTempDirectory(
                "pushbridge-apns", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Map<String, TeamKey> teams = new HashMap<>();
        Map<String, Path> files = new HashMap<>();
        SimulatedApnsSettings.Builder simulated =
                SimulatedApnsSettings.builder().history(1000);
        for (Config.App app : config.apps()) {
            simulated.app(app.teamId(), app.bundleId());
            teams.computeIfAbsent(app.teamId(), team -> TeamKey.generate(team, "KEY" + team.substring(3)));
        }
        if (config.apps().isEmpty()) {
            simulated.app(SAMPLE_TEAM, SAMPLE_APP);
            teams.put(SAMPLE_TEAM, TeamKey.generate(SAMPLE_TEAM, "KEY1234567"));
            LOG.info(
                    "No app is configured: devices can register for the sample app with"
                            + " pn-param={}.{}.voip and any token as pn-prid",
                    SAMPLE_TEAM,
                    SAMPLE_APP);
        }
        for (TeamKey key : teams.values()) {
            simulated.key(key);
            files.put(key.teamId(), Files.writeString(keys.resolve(key.teamId() + ".p8"), key.p8()));
        }
        apns = SimulatedApns.start(simulated.build());
        Optional<Path> log = config.apns().simulatedLog();
        if (log.isPresent()) {
            apns.listen(PushLog.to(log.get()));
        }
        List<PushSettings.App> apps = config.apps().isEmpty()
                ? List.of(new PushSettings.App(
                        SAMPLE_APP,
                        credential(teams, files, SAMPLE_TEAM),
                        ApnsEnvironment.PRODUCTION,
                        RingsBy.VOIP,
                        true,
                        PayloadTemplates.standard()))
                : config.apps().stream()
                        .map(app -> Settings.app(app, credential(teams, files, app.teamId())))
                        .toList();
        settings = PushSettings.of(
                apps,
                Map.of(
                        ApnsEnvironment.PRODUCTION, endpoint(Environment.PRODUCTION),
                        ApnsEnvironment.SANDBOX, endpoint(Environment.SANDBOX)),
                Settings.limits(config.apns()));
    }

    static InnerApns start(Config config) {
        try {
            return new InnerApns(config);
        } catch (IOException e) {
            throw new UncheckedIOException("The keys for the simulated APNs could not be written", e);
        }
    }

    private static ApnsCredential credential(Map<String, TeamKey> teams, Map<String, Path> files, String team) {
        TeamKey key = teams.get(team);
        Path file = files.get(team);
        if (key == null || file == null) {
            throw new IllegalStateException("Team " + team + " has no key");
        }
        return new ApnsCredential.SigningKey(file, key.keyId(), team);
    }

    private PushSettings.Endpoint endpoint(Environment environment) {
        return new PushSettings.Endpoint(apns.host(), apns.port(environment), List.of(apns.trustedCertificate()));
    }

    /** What it received, for tests. */
    SimulatedApns apns() {
        return apns;
    }

    /** How to push to it. */
    PushSettings settings() {
        return settings;
    }

    /** Makes the target's tokens known, as if this APNs had issued them. */
    void adopt(PushTarget target) {
        Environment environment = Environment.valueOf(target.environment().name());
        target.voip().ifPresent(token -> adopt(token, target.bundleId(), TokenKind.VOIP, environment));
        target.regular().ifPresent(token -> adopt(token, target.bundleId(), TokenKind.REGULAR, environment));
    }

    private void adopt(PushToken token, String bundleId, TokenKind kind, Environment environment) {
        apns.adopt(token.hex(), bundleId, kind, environment);
        if (token.hex().startsWith(DEAD)) {
            apns.unregister(token.hex(), Instant.now());
        }
    }

    @Override
    public void close() throws IOException {
        apns.close();
        try (var files = Files.list(keys)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(keys);
    }
}
