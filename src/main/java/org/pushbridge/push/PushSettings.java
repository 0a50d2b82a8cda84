package org.pushbridge.push;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.pushbridge.device.ApnsEnvironment;

/**
 * All that {@link PushSender} needs to know.
 *
 * @param apps the apps the bridge pushes to, by bundle identifier
 * @param endpoints where APNs is; Apple's own hosts for environments not named here
 * @param limits bounds and times
 */
public record PushSettings(Map<String, App> apps, Map<ApnsEnvironment, Endpoint> endpoints, Limits limits) {

    public PushSettings {
        apps = Map.copyOf(apps);
        endpoints = Map.copyOf(endpoints);
    }

    /** @throws PushSettingsException if two apps have the same bundle identifier */
    public static PushSettings of(List<App> apps, Map<ApnsEnvironment, Endpoint> endpoints, Limits limits) {
        return new PushSettings(
                apps.stream().collect(Collectors.toMap(App::bundleId, Function.identity(), (one, other) -> {
                    throw new PushSettingsException(
                            "App " + one.bundleId() + " is configured twice; remove one of the two");
                })),
                endpoints,
                limits);
    }

    Endpoint endpoint(ApnsEnvironment environment) {
        return endpoints.getOrDefault(environment, Endpoint.ofApple(environment));
    }

    /**
     * One app.
     *
     * @param bundleId without {@code .voip}
     * @param credential what to show to APNs for it
     * @param defaultEnvironment the environment whose connection is opened at start
     * @param ringsBy how it is rung
     * @param missedCallAlert whether it is told of missed calls
     * @param payloads what is written to it
     */
    public record App(
            String bundleId,
            ApnsCredential credential,
            ApnsEnvironment defaultEnvironment,
            RingsBy ringsBy,
            boolean missedCallAlert,
            PayloadTemplates payloads) {
        public App {
            if (!bundleId.matches("[A-Za-z0-9.-]+")) {
                throw new PushSettingsException("'" + bundleId
                        + "' is not a bundle identifier: it has letters, digits, dots and dashes only, such as"
                        + " com.example.phone");
            }
            if (bundleId.endsWith(".voip")) {
                throw new PushSettingsException("App " + bundleId
                        + ": give the bundle identifier without '.voip'; the bridge adds that to the topic itself");
            }
        }
    }

    /**
     * An APNs server.
     *
     * @param host its name, which its certificate must have
     * @param port 443, or 2197 where a firewall allows only that
     * @param trusted the certificates it may be signed by; none for those that the Java runtime trusts
     */
    public record Endpoint(String host, int port, List<X509Certificate> trusted) {
        public Endpoint {
            trusted = List.copyOf(trusted);
            if (host.isEmpty() || port < 1 || port > 65535) {
                throw new PushSettingsException("'" + host + ":" + port + "' is not an address of an APNs server");
            }
        }

        public static Endpoint ofApple(ApnsEnvironment environment) {
            return new Endpoint(
                    environment == ApnsEnvironment.PRODUCTION ? "api.push.apple.com" : "api.sandbox.push.apple.com",
                    443,
                    List.of());
        }
    }

    /**
     * Bounds and times.
     *
     * @param connections connections for each set of credentials and environment
     * @param maxInFlight pushes under way for each of these, waiting for a retry included; beyond, a push is refused.
     *     Those that do not ring may use no more than half of it, so that alerts never keep a call from ringing
     * @param answerWithin how long one request may take, if its deadline is not sooner
     * @param connectWithin how long a TCP connection may take
     * @param quickRetry pause before the one quick retry after 500 or 503, for a ringing push
     * @param backOff first pause before a retry of an alert, and before any retry after 429; doubles each time
     * @param alertAttempts how often an alert is sent at most
     * @param circuitPause how long refused credentials are not used
     * @param closeWithin how long {@link PushSender#close} waits for answers
     */
    public record Limits(
            int connections,
            int maxInFlight,
            Duration answerWithin,
            Duration connectWithin,
            Duration quickRetry,
            Duration backOff,
            int alertAttempts,
            Duration circuitPause,
            Duration closeWithin) {
        public static final Limits DEFAULT = new Limits(
                2,
                1000,
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                Duration.ofMillis(200),
                Duration.ofSeconds(1),
                6,
                Duration.ofSeconds(30),
                Duration.ofSeconds(2));

        public Limits {
            positive("connections", connections);
            positive("max-in-flight", maxInFlight);
            positive("alert-attempts", alertAttempts);
            positive("answer-within", answerWithin);
            positive("connect-within", connectWithin);
            positive("quick-retry", quickRetry);
            positive("back-off", backOff);
            positive("circuit-pause", circuitPause);
            positive("close-within", closeWithin);
        }

        private static void positive(String name, int value) {
            if (value < 1) {
                throw new PushSettingsException("Push limit " + name + " must be at least 1, not " + value);
            }
        }

        private static void positive(String name, Duration value) {
            if (value.compareTo(Duration.ofMillis(1)) < 0) {
                throw new PushSettingsException("Push limit " + name + " must be at least 1 ms, not " + value);
            }
        }
    }
}
