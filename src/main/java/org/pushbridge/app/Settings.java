package org.pushbridge.app;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.pushbridge.config.AddressRange;
import org.pushbridge.config.Config;
import org.pushbridge.config.Destination;
import org.pushbridge.config.HostPort;
import org.pushbridge.config.Listen;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.engine.EngineSettings;
import org.pushbridge.push.ApnsCredential;
import org.pushbridge.push.PayloadTemplates;
import org.pushbridge.push.PushRule;
import org.pushbridge.push.PushSettings;
import org.pushbridge.push.RingsBy;
import org.pushbridge.sip.AppRules;
import org.pushbridge.sip.SipSettings;
import org.pushbridge.sip.Trunk;
import org.pushbridge.sip.registrar.DigestAlgorithm;
import org.pushbridge.sip.registrar.DigestSettings;
import org.pushbridge.sip.registrar.GuessLimits;
import org.pushbridge.sip.registrar.RegistrarSettings;
import org.pushbridge.sip.stack.SipStackSettings;
import org.pushbridge.sip.stack.SipStackSettings.AddressLimits;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;
import org.pushbridge.sip.stack.SipStackSettings.StreamLimits;
import org.pushbridge.sip.stack.SipStackSettings.UdpLimits;
import org.pushbridge.sip.stack.Transport;
import org.pushbridge.store.StoreSettings;
import org.pushbridge.web.WebSettings;

/** Says each part's settings in the part's own words; the configuration's words stay the user's. */
final class Settings {
    /** A phone that wakes itself refreshes so long before its binding ends; more than 120 s (RFC 8599 section 4.1.4). */
    private static final Duration REFRESH_AHEAD = Duration.ofSeconds(150);

    private static final Duration SHORTEST_WITH_PUSHES = Duration.ofMinutes(5);

    /** A phone on a bad network brings a request of one packet within this, or not at all. */
    private static final Duration HTTP_REQUEST_WITHIN = Duration.ofSeconds(10);
    /** A call thread answers within milliseconds; an app that waits for longer has better things to do. */
    private static final Duration DESK_WITHIN = Duration.ofSeconds(3);

    private static final Duration CERTIFICATE_LOOK = Duration.ofSeconds(30);

    private Settings() {}

    static StoreSettings store(Config config) {
        Config.Database database = config.database();
        StoreSettings usual = StoreSettings.of(
                database.url(), database.user(), database.password().value());
        return new StoreSettings(
                usual.url(),
                usual.user(),
                usual.password(),
                database.poolSize(),
                database.maxWaiting(),
                usual.batchSize(),
                database.patience(),
                StoreSettings.Durability.valueOf(database.durability().name()));
    }

    static SipStackSettings stack(Config config) {
        Config.Sip sip = config.sip();
        List<ListenAddress> listen = sip.listen().stream()
                .map(l -> new ListenAddress(transport(l), l.address(), sip.advertisedAddress()))
                .toList();
        SipStackSettings usual = SipStackSettings.listeningOn(listen);
        StreamLimits stream = usual.stream();
        return new SipStackSettings(
                listen,
                product(),
                sip.t1(),
                sip.maxTransactions(),
                usual.retryAfter(),
                new UdpLimits(
                        usual.udp().receivers(), sip.maxDatagramSize(), sip.maxHeaderSize(), sip.maxWaitingSize()),
                new StreamLimits(
                        sip.maxMessageSize(),
                        Math.min(sip.maxHeaderSize(), sip.maxMessageSize()),
                        sip.maxConnections(),
                        sip.maxConnectionsPerAddress(),
                        sip.idleTimeout(),
                        stream.messageTimeout(),
                        stream.connectTimeout(),
                        Math.max(stream.maxUnsentBytes(), sip.maxMessageSize())),
                new AddressLimits(
                        sip.maxRegistersPerSecondPerAddress(),
                        sip.maxRequestsPerSecondPerAddress(),
                        address -> isOfTrunk(config, address)));
    }

    static EngineSettings engine(Config config) {
        Config.Calls calls = config.calls();
        return new EngineSettings(
                Runtime.getRuntime().availableProcessors(),
                calls.maxWaiting(),
                calls.maxCalls(),
                calls.maxParked(),
                calls.maxDelay());
    }

    static DigestSettings digest(Config config) {
        DigestSettings usual = DigestSettings.of(config.domains());
        Config.WrongPasswords wrong = config.registrar().wrongPasswords();
        return new DigestSettings(
                config.domains(),
                config.registrar().algorithms().stream()
                        .map(algorithm -> DigestAlgorithm.valueOf(algorithm.name()))
                        .toList(),
                config.registrar().nonceLifetime(),
                usual.rememberedNonces(),
                new GuessLimits(
                        wrong.perUserAndAddress(),
                        wrong.perAddress(),
                        wrong.perUser(),
                        wrong.within(),
                        wrong.ban(),
                        address -> isOfTrunk(config, address)));
    }

    private static boolean isOfTrunk(Config config, InetAddress address) {
        // Asked for each request.
        for (Config.Trunk trunk : config.trunks()) {
            for (AddressRange range : trunk.addresses()) {
                if (range.contains(address)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** @param apps those that can be pushed to, by bundle id */
    static RegistrarSettings registrar(Config config, Map<String, PushSettings.App> apps) {
        Config.Registrar registrar = config.registrar();
        Duration minExpires = registrar.minExpires();
        return new RegistrarSettings(
                Set.copyOf(config.domains()),
                apps.values().stream()
                        .collect(Collectors.toMap(PushSettings.App::bundleId, PushSettings.App::defaultEnvironment)),
                minExpires,
                minExpires.compareTo(SHORTEST_WITH_PUSHES) > 0 ? minExpires : SHORTEST_WITH_PUSHES,
                registrar.defaultExpires(),
                registrar.maxExpires(),
                REFRESH_AHEAD,
                registrar.maxContacts());
    }

    static SipSettings sip(Config config) {
        Config.Calls calls = config.calls();
        Set<Integer> declinesAll = new HashSet<>(Set.of(600, 604, 606));
        if (calls.on486() == Config.Decline.ALL) {
            declinesAll.add(486);
        }
        if (calls.on603() == Config.Decline.ALL) {
            declinesAll.add(603);
        }
        return new SipSettings(
                config.domains(),
                calls.ringLimit(),
                calls.silenceLimit(),
                calls.durationLimit(),
                calls.whileParked().status(),
                declinesAll,
                calls.callWaiting() == Config.CallWaiting.INVITE,
                calls.maxParkedPerUser(),
                config.sip().maxSubscriptions(),
                config.sip().maxSubscriptionsPerUser(),
                config.trunks().stream().map(Settings::trunk).toList(),
                config.sip().t1(),
                calls.holdLimit(),
                config.registrar().maxDelay(),
                config.apps().stream().collect(Collectors.toMap(Config.App::bundleId, Settings::rules)));
    }

    private static AppRules rules(Config.App app) {
        return new AppRules(
                AppRules.EndPush.valueOf(app.endPush().name()),
                AppRules.VerdictBy.valueOf(app.verdict().name()),
                app.pushWhenRingingElsewhere(),
                app.reason600());
    }

    private static Trunk trunk(Config.Trunk trunk) {
        return new Trunk(
                trunk.name(),
                trunk.addresses().stream()
                        .map(range -> new Trunk.Source(range.network(), range.prefixLength()))
                        .toList(),
                trunk.destination().map(Settings::destination),
                trunk.prefixes(),
                trunk.trustIdentity(),
                trunk.whileParked().map(w -> OptionalInt.of(w.status())).orElse(OptionalInt.empty()));
    }

    private static Trunk.Destination destination(Destination destination) {
        return new Trunk.Destination(
                destination.host(), destination.port(), destination.transport().toString());
    }

    private static Transport transport(Listen listen) {
        return listen.transport() == org.pushbridge.config.Transport.UDP ? Transport.UDP : Transport.TCP;
    }

    static PushSettings push(Config config) {
        Config.Apns apns = config.apns();
        List<X509Certificate> trusted =
                apns.trustFile().map(Settings::certificates).orElse(List.of());
        return PushSettings.of(
                config.apps().stream().map(app -> app(app, credential(app))).toList(),
                Map.of(
                        ApnsEnvironment.PRODUCTION,
                        endpoint(apns.productionEndpoint(), trusted),
                        ApnsEnvironment.SANDBOX,
                        endpoint(apns.sandboxEndpoint(), trusted)),
                limits(apns));
    }

    static PushSettings.Limits limits(Config.Apns apns) {
        PushSettings.Limits usual = PushSettings.Limits.DEFAULT;
        return new PushSettings.Limits(
                apns.connections(),
                apns.maxInFlight(),
                apns.deadline(),
                usual.connectWithin(),
                usual.quickRetry(),
                usual.backOff(),
                usual.alertAttempts(),
                usual.circuitPause(),
                usual.closeWithin());
    }

    static PushSettings.App app(Config.App app, ApnsCredential credential) {
        Map<PushRule, String> own = new EnumMap<>(PushRule.class);
        app.templates().forEach((template, file) -> own.put(PushRule.valueOf(template.name()), text(file)));
        return new PushSettings.App(
                app.bundleId(),
                credential,
                environment(app),
                RingsBy.valueOf(app.ringsBy().name()),
                app.missedCallAlert(),
                PayloadTemplates.of(app.bundleId(), app.payload().name().toLowerCase(Locale.ROOT), own));
    }

    static ApnsEnvironment environment(Config.App app) {
        return ApnsEnvironment.valueOf(app.environment().name());
    }

    private static ApnsCredential credential(Config.App app) {
        Config.Credentials credentials = app.credentials()
                .orElseThrow(() -> new CannotStart("App " + app.bundleId() + " has no auth; Apple wants a key or a"
                        + " certificate, unless apns.simulated is true"));
        if (credentials instanceof Config.TokenKey key) {
            return new ApnsCredential.SigningKey(key.keyFile(), key.keyId(), app.teamId());
        }
        Config.Certificate certificate = (Config.Certificate) credentials;
        return new ApnsCredential.Certificate(
                certificate.file(), certificate.password().value());
    }

    private static PushSettings.Endpoint endpoint(HostPort place, List<X509Certificate> trusted) {
        return new PushSettings.Endpoint(place.host(), place.port(), trusted);
    }

    private static List<X509Certificate> certificates(Path pem) {
        try (InputStream in = Files.newInputStream(pem)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (IOException | CertificateException e) {
            throw new CannotStart("apns.trust-file " + pem + " cannot be read as PEM certificates: " + e.getMessage());
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new CannotStart("The payload template " + file + " cannot be read: " + e.getMessage());
        }
    }

    /** @throws java.util.NoSuchElementException if the configuration has no place to listen */
    static WebSettings web(Config config) {
        Config.Http http = config.http();
        return new WebSettings(
                http.listen().orElseThrow(),
                http.tls().map(files -> new WebSettings.Tls(files.certificateFile(), files.keyFile())),
                address -> http.trustedProxies().stream().anyMatch(range -> range.contains(address)),
                http.maxRequestsPerSecondPerAddress(),
                http.maxRequestsPerSecondPerCall(),
                http.maxConnections(),
                http.maxConnectionsPerAddress(),
                HTTP_REQUEST_WITHIN,
                DESK_WITHIN,
                CERTIFICATE_LOOK);
    }

    /** What the Server header says. */
    private static String product() {
        String version = Settings.class.getPackage().getImplementationVersion();
        return version == null ? "Pushbridge" : "Pushbridge/" + version;
    }
}
