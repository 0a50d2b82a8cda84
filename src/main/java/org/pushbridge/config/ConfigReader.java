package org.pushbridge.config;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigResolveOptions;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.pushbridge.config.Config.Admin;
import org.pushbridge.config.Config.AdminHttp;
import org.pushbridge.config.Config.Apns;
import org.pushbridge.config.Config.App;
import org.pushbridge.config.Config.CallWaiting;
import org.pushbridge.config.Config.Calls;
import org.pushbridge.config.Config.Certificate;
import org.pushbridge.config.Config.Credentials;
import org.pushbridge.config.Config.Database;
import org.pushbridge.config.Config.Decline;
import org.pushbridge.config.Config.DigestAlgorithm;
import org.pushbridge.config.Config.Durability;
import org.pushbridge.config.Config.EndPush;
import org.pushbridge.config.Config.Environment;
import org.pushbridge.config.Config.Http;
import org.pushbridge.config.Config.Log;
import org.pushbridge.config.Config.LogLevel;
import org.pushbridge.config.Config.Payload;
import org.pushbridge.config.Config.PushBudget;
import org.pushbridge.config.Config.Registrar;
import org.pushbridge.config.Config.RingsBy;
import org.pushbridge.config.Config.Sip;
import org.pushbridge.config.Config.Template;
import org.pushbridge.config.Config.Tls;
import org.pushbridge.config.Config.TokenKey;
import org.pushbridge.config.Config.Trunk;
import org.pushbridge.config.Config.Verdict;
import org.pushbridge.config.Config.WhileParked;
import org.pushbridge.config.Config.WrongPasswords;

/** Makes a {@link Config} of a file: which keys there are, what may stand behind each, and how they must agree. */
final class ConfigReader {
    /** Systems allow 104 bytes or more; the rest is for the folder in which the socket is made. */
    private static final int LONGEST_SOCKET_PATH = 80;

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final Kind<WhileParked> WHILE_PARKED =
            Kind.choice(WhileParked.class, parked -> Integer.toString(parked.status()));
    private static final Kind<String> DOMAIN = Kind.matching(
            "[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "a domain name; write for example \"example.com\"");

    private final Problems problems;
    private final Section root;
    private final ConfigObject eachTrunk;
    private final ConfigObject eachApp;
    private final Path folder;
    private final Kind<Path> fileHere;

    private ConfigReader(Path file, ConfigObject given) {
        com.typesafe.config.Config presets = ConfigFactory.parseResources(ConfigReader.class, "defaults.conf");
        this.problems = new Problems(file);
        this.root = new Section("", given, presets.getObject("settings"), problems);
        this.eachTrunk = presets.getObject("each-trunk");
        this.eachApp = presets.getObject("each-app");
        this.folder = Optional.ofNullable(file.getParent()).orElse(Path.of(""));
        this.fileHere = Kind.readableFile(folder);
    }

    static Config read(Path file) {
        return new ConfigReader(file, parse(file)).read();
    }

    static Config defaults() {
        return new ConfigReader(Path.of("defaults"), ConfigFactory.empty().root()).read();
    }

    /** The path of every key that {@code file} could hold, with the names that it gives to trunks and apps. */
    static Set<String> keysOf(Path file) {
        ConfigReader reader = new ConfigReader(file, parse(file));
        reader.read();
        return reader.root.knownPaths();
    }

    private static ConfigObject parse(Path file) {
        Problems problems = new Problems(file);
        if (!Files.exists(file)) {
            problems.add(
                    "there is no such file; give the path of a configuration file, or leave out -c for the defaults");
        } else if (!Files.isRegularFile(file)) {
            problems.add("is not a file; give the path of a configuration file");
        } else if (!Files.isReadable(file)) {
            problems.add("this process may not read the file; give its user the right to");
        }
        problems.throwIfAny();
        try {
            return ConfigFactory.parseFile(
                            file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false))
                    .resolve(ConfigResolveOptions.defaults())
                    .root();
        } catch (com.typesafe.config.ConfigException.UnresolvedSubstitution e) {
            String sentence = withoutPlace(e);
            problems.add(
                    e.origin(),
                    sentence.contains("cycle")
                            ? sentence
                            : sentence
                                    + "; set that environment variable, or write ${?NAME} to keep the value before when it is not set");
        } catch (com.typesafe.config.ConfigException.IO e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            problems.add("it, or a file that it includes, cannot be read: " + cause.getMessage());
        } catch (com.typesafe.config.ConfigException e) {
            problems.add(e.origin(), withoutPlace(e));
        }
        problems.throwIfAny();
        throw new IllegalStateException("Reading " + file + " failed without a problem");
    }

    /** The library's message begins with the origin, which stands before the sentence already. */
    private static String withoutPlace(com.typesafe.config.ConfigException e) {
        String message = String.valueOf(e.getMessage());
        String place = e.origin() == null ? "" : e.origin().description() + ": ";
        return (message.startsWith(place) ? message.substring(place.length()) : message)
                .replace(", or you may be able to rename the file .properties rather than .conf", "");
    }

    private Config read() {
        List<String> domains = root.get("domains", Kind.list(DOMAIN, false)).stream()
                .map(domain -> domain.toLowerCase(Locale.ROOT))
                .toList();
        Sip sip = sip(root.section("sip"));
        Registrar registrar = registrar(root.section("registrar"));
        Calls calls = calls(root.section("calls"));
        List<Trunk> trunks = trunks(root.section("trunks"));
        Section apnsSection = root.section("apns");
        Optional<Boolean> simulatedByWord = apnsSection.optional("simulated", Kind.bool());
        Section appsSection = root.section("apps");
        boolean simulated = simulatedByWord.orElse(appsSection.isEmpty());
        if (!simulated && appsSection.isEmpty()) {
            apnsSection.complain(
                    "simulated",
                    "is false, but no app is configured that could be woken; add one under apps, or write true");
        }
        List<App> apps = apps(appsSection, simulated);
        Apns apns = apns(apnsSection, simulated);
        Database database = database(root.section("database"));
        Http http = http(root.section("http"), simulated);
        Section admin = root.section("admin");
        Path socket = admin.get("socket", Kind.parsed(ConfigReader::socketPath));
        Section adminHttpSection = admin.section("http");
        AdminHttp adminHttp = new AdminHttp(
                adminHttpSection.get("listen", orNone(ConfigReader::loopbackUnlessSaid)),
                adminHttpSection.get("key-file", Kind.parsed(Path::of)));
        Section log = root.section("log");
        LogLevel level = log.get("level", Kind.choice(LogLevel.class, ConfigReader::lowerCase));
        root.complainOfUnknownKeys();
        problems.throwIfAny();
        return new Config(
                domains,
                sip,
                registrar,
                calls,
                trunks,
                apps,
                apns,
                database,
                http,
                new Admin(socket, adminHttp),
                new Log(level));
    }

    private static Sip sip(Section section) {
        List<Listen> listen = section.get("listen", Kind.list(Kind.parsed(Listen::parse), false));
        if (Set.copyOf(listen).size() < listen.size()) {
            section.complain("listen", "names the same socket twice; remove one");
        }
        return new Sip(
                listen,
                section.optional("advertised-address", Kind.parsed(ConfigReader::hostOrAddress)),
                section.get("max-datagram-size", Kind.bytes(1300, 65_535)),
                section.get("max-message-size", Kind.bytes(1024, 16 * 1024 * 1024)),
                section.get("max-header-size", Kind.bytes(1024, 1024 * 1024)),
                section.get("max-waiting-size", Kind.bytes(64 * 1024, 1024 * 1024 * 1024)),
                section.get("max-transactions", Kind.integer(1, 10_000_000)),
                section.get("max-connections", Kind.integer(1, 1_000_000)),
                section.get("max-connections-per-address", Kind.integer(1, 1_000_000)),
                section.get("idle-timeout", Kind.duration(SECOND, DAY)),
                section.get("max-registers-per-second-per-address", Kind.integer(1, 1_000_000)),
                section.get("max-requests-per-second-per-address", Kind.integer(1, 1_000_000)),
                section.get("max-subscriptions", Kind.integer(1, 10_000_000)),
                section.get("max-subscriptions-per-user", Kind.integer(1, 1000)),
                section.get("t1", Kind.duration(Duration.ofMillis(10), Duration.ofSeconds(5))));
    }

    private static Registrar registrar(Section section) {
        Kind<Duration> expires = Kind.duration(SECOND, Duration.ofDays(365));
        Registrar registrar = new Registrar(
                section.get("min-expires", expires),
                section.get("default-expires", expires),
                section.get("max-expires", expires),
                section.get("max-contacts", Kind.integer(1, 100)),
                section.get("max-delay", Kind.duration(Duration.ofMillis(10), Duration.ofSeconds(10))),
                section.get("nonce-lifetime", Kind.duration(SECOND, DAY)),
                section.get(
                        "algorithms",
                        Kind.list(
                                Kind.choice(
                                        DigestAlgorithm.class,
                                        algorithm -> algorithm.name().replace('_', '-')),
                                false)),
                wrongPasswords(section.section("wrong-passwords")));
        if (registrar.minExpires().compareTo(registrar.maxExpires()) > 0) {
            section.complain("min-expires", "is longer than max-expires; make it shorter, or that one longer");
        } else if (registrar.defaultExpires().compareTo(registrar.minExpires()) < 0
                || registrar.defaultExpires().compareTo(registrar.maxExpires()) > 0) {
            section.complain("default-expires", "is not between min-expires and max-expires; choose one that is");
        }
        if (Set.copyOf(registrar.algorithms()).size() < registrar.algorithms().size()) {
            section.complain("algorithms", "names the same one twice; remove one");
        }
        return registrar;
    }

    private static WrongPasswords wrongPasswords(Section section) {
        return new WrongPasswords(
                section.get("within", Kind.duration(SECOND, DAY)),
                section.get("per-user-and-address", Kind.integer(1, 1_000_000)),
                section.get("per-address", Kind.integer(1, 1_000_000)),
                section.get("per-user", Kind.integer(1, 1_000_000)),
                section.get("ban", Kind.duration(SECOND, DAY)));
    }

    private static Calls calls(Section section) {
        Kind<Decline> decline = Kind.choice(Decline.class, ConfigReader::lowerCase);
        return new Calls(
                section.get("ring-limit", Kind.duration(SECOND, Duration.ofMinutes(10))),
                section.get("silence-limit", Kind.duration(Duration.ofMillis(100), Duration.ofSeconds(30))),
                section.get("duration-limit", Kind.duration(Duration.ofMinutes(1), Duration.ofDays(30))),
                section.get("while-parked", WHILE_PARKED),
                section.get("call-waiting", Kind.choice(CallWaiting.class, ConfigReader::lowerCase)),
                section.get("decline-486", decline),
                section.get("decline-603", decline),
                section.get("hold-limit", Kind.duration(SECOND, Duration.ofMinutes(5))),
                section.get("drain-limit", Kind.duration(Duration.ZERO, Duration.ofMinutes(10))),
                section.get("tombstone-life", Kind.duration(Duration.ofMinutes(1), Duration.ofDays(30))),
                section.get("max-calls", Kind.integer(1, 10_000_000)),
                section.get("max-parked", Kind.integer(1, 10_000_000)),
                section.get("max-delay", Kind.duration(Duration.ofMillis(10), Duration.ofSeconds(10))),
                section.get("max-waiting", Kind.integer(1, 10_000_000)),
                section.get("max-parked-per-user", Kind.integer(1, 1000)),
                pushBudget(section.section("push-budget")));
    }

    private static PushBudget pushBudget(Section section) {
        return new PushBudget(
                section.get("wasted-limit", Kind.integer(0, 1000)),
                section.get("pause", Kind.duration(Duration.ofMinutes(1), Duration.ofDays(7))));
    }

    private List<Trunk> trunks(Section section) {
        List<Trunk> trunks = new ArrayList<>();
        Map<String, String> prefixOwners = new HashMap<>();
        section.entries(eachTrunk).forEach((name, entry) -> {
            Trunk trunk = trunk(name, entry);
            for (Trunk other : trunks) {
                trunk.addresses().stream()
                        .filter(range -> other.addresses().stream().anyMatch(range::overlaps))
                        .forEach(range -> entry.complain(
                                "addresses",
                                "holds " + range + ", which trunk " + other.name()
                                        + " has too; a call must belong to one trunk, so remove it from one of them"));
            }
            for (String prefix : trunk.prefixes()) {
                String owner = prefixOwners.putIfAbsent(prefix, name);
                if (owner != null) {
                    entry.complain(
                            "prefixes",
                            "holds \"" + prefix + "\", which trunk " + owner + " has too; remove it from one of them");
                }
            }
            trunks.add(trunk);
        });
        return trunks;
    }

    private static Trunk trunk(String name, Section section) {
        List<AddressRange> addresses = section.get("addresses", Kind.list(Kind.parsed(AddressRange::parse), true));
        Optional<Destination> destination = section.optional("destination", Kind.parsed(Destination::parse));
        List<String> prefixes = section.get(
                "prefixes",
                Kind.list(
                        Kind.matching(
                                "[+0-9A-Za-z*#._-]*", "the beginning of a number; write for example \"+49\" or \"0\""),
                        true));
        if (!section.has("addresses") && !section.has("destination")) {
            section.complain(
                    "has neither addresses that calls come from nor a destination that calls go to; write at least one");
        } else if (!prefixes.isEmpty() && !section.has("destination")) {
            section.complain("prefixes", "needs a destination; write for example destination = \"sip:192.0.2.7\"");
        }
        return new Trunk(
                name,
                addresses,
                destination,
                prefixes,
                section.get("trust-identity", Kind.bool()),
                section.optional("while-parked", WHILE_PARKED));
    }

    private List<App> apps(Section section, boolean simulated) {
        List<App> apps = new ArrayList<>();
        section.entries(eachApp).forEach((bundleId, entry) -> {
            if (bundleId.indexOf('.') < 0 && entry.holdsOnlySections() && !entry.has("auth")) {
                // The file says com.example.phone { ... }, which HOCON reads as three nested sections.
                section.complain(
                        bundleId,
                        "is not an app; the dots of a bundle id separate keys unless it is quoted, so write apps { \"com.example.phone\" { ... } }");
                section.dismiss(bundleId);
            } else {
                app(bundleId, entry, simulated).ifPresent(apps::add);
            }
        });
        return apps;
    }

    private Optional<App> app(String bundleId, Section section, boolean simulated) {
        if (!bundleId.matches("[A-Za-z0-9.-]+")) {
            section.complain("is not a bundle id, which has letters, digits, dots and hyphens; write for example "
                    + "\"com.example.phone\"");
        } else if (bundleId.endsWith(".voip")) {
            section.complain("ends in .voip, which belongs to the topic; write the bundle id alone");
        }
        Optional<String> teamId = section.required(
                "team-id",
                Kind.matching("[A-Z0-9]{10}", "a team id of ten letters and digits; Apple's developer pages show it"),
                "\"ABCDE12345\"");
        Environment environment = section.get("environment", Kind.choice(Environment.class, ConfigReader::lowerCase));
        Payload payload = section.get("payload", Kind.choice(Payload.class, ConfigReader::lowerCase));
        Map<Template, Path> templates = templates(section.section("templates"));
        RingsBy ringsBy = section.get("rings-by", Kind.choice(RingsBy.class, ConfigReader::lowerCase));
        boolean missedCallAlert = section.get("missed-call-alert", Kind.bool());
        EndPush endPush = section.get("end-push", Kind.choice(EndPush.class, ConfigReader::lowerCase));
        if (endPush == EndPush.VOIP && ringsBy == RingsBy.ALERT) {
            section.complain(
                    "end-push",
                    "is voip, but rings-by is alert; an app that is not rung by VoIP push cannot be"
                            + " told of the end by one, so write end-push = off");
        }
        Verdict verdict = section.get("verdict", Kind.choice(Verdict.class, ConfigReader::hyphenated));
        boolean pushWhenRingingElsewhere = section.get("push-when-ringing-elsewhere", Kind.bool());
        boolean reason600 = section.optional("reason-600", Kind.bool()).orElse(payload == Payload.LINPHONE);
        Optional<Credentials> credentials = Optional.empty();
        if (section.has("auth")) {
            credentials = credentials(section.section("auth"));
        } else {
            section.section("auth");
            if (!simulated) {
                section.complain("has no auth, without which Apple takes no pushes; write auth { key-file = "
                        + "\"AuthKey.p8\", key-id = \"ABC1234567\" }, or apns.simulated = true");
            }
        }
        Optional<Credentials> found = credentials;
        return teamId.map(team -> new App(
                bundleId,
                team,
                environment,
                found,
                payload,
                templates,
                ringsBy,
                missedCallAlert,
                endPush,
                verdict,
                pushWhenRingingElsewhere,
                reason600));
    }

    private Map<Template, Path> templates(Section section) {
        Map<Template, Path> templates = new EnumMap<>(Template.class);
        for (Template template : Template.values()) {
            section.optional(hyphenated(template), fileHere).ifPresent(file -> templates.put(template, file));
        }
        return templates;
    }

    private Optional<Credentials> credentials(Section section) {
        Optional<Path> keyFile = section.optional("key-file", fileHere);
        Optional<String> keyId = section.optional(
                "key-id",
                Kind.matching("[A-Z0-9]{10}", "a key id of ten letters and digits; the .p8 file's name has it"));
        Optional<Path> certificateFile = section.optional("certificate-file", fileHere);
        Optional<Secret> password = section.optional("certificate-password", Kind.secret());
        boolean key = section.has("key-file") || section.has("key-id");
        boolean certificate = section.has("certificate-file") || section.has("certificate-password");
        if (key == certificate) {
            section.complain((key ? "has both a key and a certificate" : "has neither a key nor a certificate")
                    + "; write key-file and key-id, or certificate-file and certificate-password");
            return Optional.empty();
        }
        if (key) {
            if (!section.has("key-file") || !section.has("key-id")) {
                section.complain("needs key-file and key-id together; add the "
                        + (section.has("key-file") ? "key-id, which the .p8 file's name has" : "key-file"));
            }
            if (keyFile.isEmpty() || keyId.isEmpty() || !holdsPrivateKey(section, keyFile.get())) {
                return Optional.empty();
            }
            return Optional.of(new TokenKey(keyFile.get(), keyId.get()));
        }
        if (!section.has("certificate-file")) {
            section.complain("has a certificate-password, but no certificate-file; add it");
        }
        Secret opens = password.orElse(new Secret(""));
        return certificateFile
                .filter(file -> opensWith(section, file, opens))
                .map(file -> new Certificate(file, opens));
    }

    private static boolean holdsPrivateKey(Section section, Path file) {
        try {
            if (Files.readString(file, StandardCharsets.ISO_8859_1).contains("-----BEGIN PRIVATE KEY-----")) {
                return true;
            }
            section.complain(
                    "key-file",
                    "names " + file
                            + ", which holds no private key; it must be the .p8 file that Apple's developer pages gave");
        } catch (IOException e) {
            section.complain("key-file", "names " + file + ", which cannot be read: " + e.getMessage());
        }
        return false;
    }

    private static boolean opensWith(Section section, Path file, Secret password) {
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore.getInstance("PKCS12").load(in, password.value().toCharArray());
            return true;
        } catch (IOException | GeneralSecurityException e) {
            section.complain(
                    "certificate-file",
                    "names " + file
                            + ", which certificate-password does not open; it must be a PKCS #12 (.p12) file and its password");
            return false;
        }
    }

    private Apns apns(Section section, boolean simulated) {
        return new Apns(
                simulated,
                section.optional("simulated-log", Kind.parsed(folder::resolve)),
                section.get("production-endpoint", Kind.parsed(HostPort::parse)),
                section.get("sandbox-endpoint", Kind.parsed(HostPort::parse)),
                section.optional("trust-file", fileHere),
                section.get("deadline", Kind.duration(SECOND, Duration.ofMinutes(1))),
                section.get("max-in-flight", Kind.integer(1, 100_000)),
                section.get("connections", Kind.integer(1, 100)));
    }

    private static Database database(Section section) {
        return new Database(
                section.get("url", Kind.parsed(url -> {
                    if (!url.startsWith("jdbc:h2:file:") && !url.startsWith("jdbc:postgresql:")) {
                        // Not echoed: it may hold a password.
                        throw new IllegalArgumentException(
                                "is not a JDBC URL of an H2 file or of PostgreSQL; write for example "
                                        + "\"jdbc:h2:file:./data/pushbridge\" or \"jdbc:postgresql://db.example.com/pushbridge\"");
                    }
                    return url;
                })),
                section.get("user", Kind.text()),
                section.get("password", Kind.secret()),
                section.get("pool-size", Kind.integer(2, 1000)),
                section.get("max-waiting", Kind.integer(100, 10_000_000)),
                section.get("patience", Kind.duration(Duration.ofMillis(100), Duration.ofSeconds(30))),
                section.get("durability", Kind.choice(Durability.class, ConfigReader::lowerCase)));
    }

    private Http http(Section section, boolean simulated) {
        int problemsBefore = problems.count();
        Optional<InetSocketAddress> listen =
                section.get("listen", orNone(text -> Listen.parseAddress(text, "\"0.0.0.0:8443\" or \"[::]:8443\"")));
        Optional<String> publicUrl = section.get("public-url", orNone(url -> publicUrl(url, simulated)));
        if (listen.isPresent() && publicUrl.isEmpty() && problems.count() == problemsBefore) {
            section.complain(
                    "listen",
                    "needs public-url, by which apps can reach it; write for example public-url = \"https://push.example.com:8443\"");
        }
        return new Http(
                listen,
                publicUrl,
                tls(section.section("tls")),
                section.get("trusted-proxies", Kind.list(Kind.parsed(AddressRange::parse), true)),
                section.get("max-requests-per-second-per-address", Kind.integer(1, 1_000_000)),
                section.get("max-requests-per-second-per-call", Kind.integer(1, 1000)),
                section.get("max-connections", Kind.integer(1, 1_000_000)),
                section.get("max-connections-per-address", Kind.integer(1, 1_000_000)));
    }

    /** An empty text is nothing. */
    private static <T> Kind<Optional<T>> orNone(Function<String, T> parser) {
        return Kind.parsed(text -> text.isEmpty() ? Optional.empty() : Optional.of(parser.apply(text)));
    }

    /** A port alone is one of this machine's, for this machine. */
    private static InetSocketAddress loopbackUnlessSaid(String text) {
        boolean portAlone = text.matches("[0-9]{1,5}") && Integer.parseInt(text) <= 65535;
        return Listen.parseAddress(portAlone ? "127.0.0.1:" + text : text, "\"127.0.0.1:9091\", or 9091 for the same");
    }

    private static String publicUrl(String text, boolean simulated) {
        String example = "; write for example \"https://push.example.com:8443\"";
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("is \"" + text + "\", which is not a URL" + example);
        }
        boolean https = "https".equalsIgnoreCase(url.getScheme());
        if (url.getHost() == null || !(https || "http".equalsIgnoreCase(url.getScheme()))) {
            throw new IllegalArgumentException("is \"" + text + "\", which is not a URL of a web server" + example);
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null || url.getRawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "is \"" + text + "\", but must be a server, and perhaps the beginning of a path" + example);
        }
        if (!https && !simulated) {
            throw new IllegalArgumentException("is \"" + text
                    + "\", but iPhones ask by https only, and the tokens must not be seen on the way" + example);
        }
        return text.replaceAll("/+$", "");
    }

    private Optional<Tls> tls(Section section) {
        Optional<Path> certificates = section.optional("certificate-file", fileHere);
        Optional<Path> key = section.optional("key-file", fileHere);
        if (section.has("certificate-file") != section.has("key-file")) {
            section.complain("needs certificate-file and key-file together; add the "
                    + (section.has("key-file") ? "certificate-file" : "key-file")
                    + ", or remove both if TLS ends before the bridge");
        }
        return certificates.flatMap(file -> key.map(keyFile -> new Tls(file, keyFile)));
    }

    private static String hostOrAddress(String text) {
        if (!text.matches("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?") && !NetUtil.isValidIpV6Address(text)) {
            throw new IllegalArgumentException("is \"" + text
                    + "\", which is not an IP address or host name; write for example \"203.0.113.5\", without a port");
        }
        return text;
    }

    private static Path socketPath(String text) {
        Path path = Path.of(text);
        int length = path.toAbsolutePath().normalize().toString().getBytes(StandardCharsets.UTF_8).length;
        if (text.isEmpty() || length > LONGEST_SOCKET_PATH) {
            throw new IllegalArgumentException("is \"" + text + "\", but the path of a socket must have 1 to "
                    + LONGEST_SOCKET_PATH + " bytes in full; write for example \"/run/pushbridge/admin.sock\"");
        }
        return path;
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String hyphenated(Enum<?> constant) {
        return lowerCase(constant).replace('_', '-');
    }
}
