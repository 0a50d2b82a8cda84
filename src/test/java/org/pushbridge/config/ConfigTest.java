package org.pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigTest {
    private final Path folder;

    ConfigTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @BeforeEach
    void putCredentialsBesideTheFile() throws Exception {
        Files.writeString(
                folder.resolve("AuthKey.p8"), "-----BEGIN PRIVATE KEY-----\nMIGT\n-----END PRIVATE KEY-----\n");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (OutputStream out = Files.newOutputStream(folder.resolve("voip.p12"))) {
            store.store(out, "opensesame".toCharArray());
        }
    }

    @Test
    void anEmptyFileMeansTheDefaults() throws IOException {
        assertThat(load("")).isEqualTo(Config.defaults());
    }

    @Test
    void withoutAnAppTheApnsIsSimulatedAndWithOneItIsNot() throws IOException {
        assertThat(Config.defaults().apns().simulated()).isTrue();
        assertThat(load(app("")).apns().simulated()).isFalse();
        assertThat(load(app("") + "\napns.simulated = true").apns().simulated()).isTrue();
    }

    @Test
    void whatTheFileSaysHoldsAndTheRestStaysAsItWas() throws IOException {
        Config config = load("""
                domains = [Example.ORG, "example.net"]
                calls.ring-limit = 1m
                sip.listen = ["tcp:[::1]:5070"]
                """);

        assertThat(config.domains()).containsExactly("example.org", "example.net");
        assertThat(config.calls().ringLimit()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.calls().whileParked()).isEqualTo(Config.WhileParked.QUEUED);
        assertThat(config.sip().listen()).singleElement().satisfies(listen -> {
            assertThat(listen.transport()).isEqualTo(Transport.TCP);
            assertThat(listen.address().getPort()).isEqualTo(5070);
            assertThat(listen).hasToString("tcp:[::1]:5070");
        });
        assertThat(config.registrar()).isEqualTo(Config.defaults().registrar());
    }

    @Test
    void aTrunkIsReadWhole() throws Exception {
        Config config = load("""
                trunks.office {
                  addresses = ["192.0.2.0/24", "2001:db8::7"]
                  destination = "sip:pbx.example.com;transport=tcp"
                  prefixes = ["+49", 0049, ""]
                  trust-identity = true
                  while-parked = 180
                }
                """);

        Config.Trunk office = config.trunks().get(0);
        assertThat(office.name()).isEqualTo("office");
        assertThat(office.destination()).contains(new Destination("pbx.example.com", 5060, Transport.TCP));
        assertThat(office.prefixes()).containsExactly("+49", "0049", "");
        assertThat(office.trustIdentity()).isTrue();
        assertThat(office.whileParked()).contains(Config.WhileParked.RINGING);
        assertThat(office.addresses().get(0).contains(InetAddress.getByName("192.0.2.255")))
                .isTrue();
        assertThat(office.addresses().get(0).contains(InetAddress.getByName("192.0.3.0")))
                .isFalse();
        assertThat(office.addresses().get(1).contains(InetAddress.getByName("2001:db8::7")))
                .isTrue();
        assertThat(office.addresses().get(1).contains(InetAddress.getByName("2001:db8::8")))
                .isFalse();
    }

    @Test
    void anAppIsReadWholeWithAKeyOrACertificate() throws IOException {
        Files.writeString(folder.resolve("mine.json"), "{}");
        Config byKey = load(
                app(
                        "environment = sandbox, payload = linphone, templates.missed-call = mine.json, rings-by = alert, missed-call-alert = false, verdict = invite-cancel, push-when-ringing-elsewhere = false"));
        Config byCertificate = load("""
                apps { "com.example.phone" { team-id = ABCDE12345
                  auth { certificate-file = voip.p12, certificate-password = opensesame } } }
                """);

        assertThat(byKey.apps())
                .containsExactly(new Config.App(
                        "com.example.phone",
                        "ABCDE12345",
                        Config.Environment.SANDBOX,
                        Optional.of(new Config.TokenKey(folder.resolve("AuthKey.p8"), "ABC1234567")),
                        Config.Payload.LINPHONE,
                        Map.of(Config.Template.MISSED_CALL, folder.resolve("mine.json")),
                        Config.RingsBy.ALERT,
                        false,
                        Config.EndPush.OFF,
                        Config.Verdict.INVITE_CANCEL,
                        false,
                        true));
        assertThat(byCertificate.apps().get(0).credentials())
                .contains(new Config.Certificate(folder.resolve("voip.p12"), new Secret("opensesame")));
    }

    @Test
    void onlyLinphonesAppsAreToldOfADeclineElsewhereWith600UnlessTheFileSaysOtherwise() throws IOException {
        assertThat(load(app("")).apps().get(0).reason600()).isFalse();
        assertThat(load(app("reason-600 = true")).apps().get(0).reason600()).isTrue();
        assertThat(load(app("payload = linphone")).apps().get(0).reason600()).isTrue();
        assertThat(load(app("payload = linphone, reason-600 = false"))
                        .apps()
                        .get(0)
                        .reason600())
                .isFalse();
    }

    @Test
    void aSimulatedApnsNeedsNoCredentials() throws IOException {
        Config config = load("apns.simulated = true, apps { \"com.example.phone\" { team-id = ABCDE12345 } }");

        assertThat(config.apps().get(0).credentials()).isEmpty();
    }

    @Test
    void anEnvironmentVariableReplacesTheValueBeforeItIfItIsSet() throws IOException {
        Config config = load("""
                database { user = before, user = ${?PATH}, password = before, password = ${?PUSHBRIDGE_TEST_UNSET} }
                """);

        assertThat(config.database().user()).isEqualTo(System.getenv("PATH"));
        assertThat(config.database().password()).isEqualTo(new Secret("before"));
    }

    @Test
    void theVerdictApiIsOffUnlessItIsSaidWhereToListen() throws IOException {
        Files.writeString(folder.resolve("cert.pem"), "");

        assertThat(Config.defaults().http().listen()).isEmpty();
        Config.Http http = load("""
                http {
                  listen = "[::1]:0"
                  public-url = "https://push.example.com/bridge/"
                  tls { certificate-file = cert.pem, key-file = AuthKey.p8 }
                  trusted-proxies = ["192.0.2.0/24"]
                  max-requests-per-second-per-call = 7
                }
                """).http();
        assertThat(http.listen()).map(InetSocketAddress::toString).contains("/[0:0:0:0:0:0:0:1]:0");
        assertThat(http.publicUrl()).contains("https://push.example.com/bridge");
        assertThat(http.tls()).contains(new Config.Tls(folder.resolve("cert.pem"), folder.resolve("AuthKey.p8")));
        assertThat(http.trustedProxies()).hasToString("[192.0.2.0/24]");
        assertThat(http.maxRequestsPerSecondPerCall()).isEqualTo(7);
        assertThat(http.maxConnections()).isEqualTo(Config.defaults().http().maxConnections());
    }

    @Test
    void theVerdictApiIsReachedByHttpsUnlessTheApnsIsSimulated() throws IOException {
        String plain = "http { listen = \"127.0.0.1:0\", public-url = \"http://127.0.0.1:8080\" }";

        assertThat(load(plain).http().publicUrl()).contains("http://127.0.0.1:8080");
        assertThat(problems(plain + "\n" + app("")))
                .containsExactly(
                        "pushbridge.conf:1: http.public-url is \"http://127.0.0.1:8080\", but iPhones ask by https only,"
                                + " and the tokens must not be seen on the way; write for example"
                                + " \"https://push.example.com:8443\"");
    }

    @Test
    void printingNeverShowsAPassword() throws IOException {
        Config config = load("""
                database { url = "jdbc:postgresql://db.example.com/bridge?ssl=true&password=hunter2", password = hunter3 }
                apps { "com.example.phone" { team-id = ABCDE12345
                  auth { certificate-file = voip.p12, certificate-password = opensesame } } }
                """);

        assertThat(config.toString())
                .contains("db.example.com", "voip.p12", "***")
                .doesNotContain("hunter2", "hunter3", "opensesame");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            calls.ring-limt = 45s              | calls.ring-limt is not a setting; did you mean ring-limit?
            ring-limit = 45s                   | ring-limit is not a setting; did you mean calls.ring-limit?
            log.colour = blue                  | log.colour is not a setting; log has level
            calls = 5                          | calls is not a section; write calls { ... }
            calls.ring-limit = 45              | calls.ring-limit is 45, without a unit; write for example 45s, with ms, s, m, h or d
            calls.ring-limit = soon            | calls.ring-limit is "soon"; write a number and ms, s, m, h or d, for example 45s
            calls.ring-limit = 2h              | calls.ring-limit is 2h, but must be from 1s to 10m
            calls.ring-limit = null            | calls.ring-limit is null; write a number and ms, s, m, h or d, for example 45s
            calls.while-parked = 181           | calls.while-parked is 181; choose one of 100, 180, 182, 183
            calls.call-waiting = maybe         | calls.call-waiting is "maybe"; choose one of invite, busy
            calls.hold-limit = 0s              | calls.hold-limit is 0s, but must be from 1s to 5m
            calls.push-budget.wasted-limit = -1 | calls.push-budget.wasted-limit is -1, but must be from 0 to 1000
            calls.push-budget.pause = 1s       | calls.push-budget.pause is 1s, but must be from 1m to 7d
            calls.max-calls = lots             | calls.max-calls is "lots"; write a whole number from 1 to 10000000
            calls.max-calls = 0                | calls.max-calls is 0, but must be from 1 to 10000000
            calls.max-calls = 1.5              | calls.max-calls is 1.5; write a whole number from 1 to 10000000
            sip.max-datagram-size = 8q         | sip.max-datagram-size is "8q"; write a number of bytes, for example 8k
            sip.max-datagram-size = 1m         | sip.max-datagram-size is 1m, but must be from 1300 to 65535 bytes
            sip.max-header-size = 1000         | sip.max-header-size is 1000, but must be from 1024 to 1048576 bytes
            sip.max-waiting-size = 8k          | sip.max-waiting-size is 8k, but must be from 65536 to 1073741824 bytes
            sip.listen = "udp:0.0.0.0:5060"    | sip.listen is "udp:0.0.0.0:5060"; write a list, in square brackets
            sip.listen = []                    | sip.listen is an empty list, but needs at least one entry
            sip.listen = ["5060"]              | sip.listen is "5060", which is not transport:address:port; write for example "udp:0.0.0.0:5060" or "tcp:[::]:5060"
            sip.listen = ["tls:0.0.0.0:5061"]  | sip.listen is "tls:0.0.0.0:5061", but the transport must be udp or tcp, not tls
            sip.listen = ["udp:*:5060"]        | sip.listen is "udp:*:5060", but * is not an IP address of this machine; write 0.0.0.0 or [::] for all of them
            sip.listen = ["udp:0.0.0.0:99999"] | sip.listen is "udp:0.0.0.0:99999", but a port is at most 65535
            sip.advertised-address = "1.2.3.4:5060" | sip.advertised-address is "1.2.3.4:5060", which is not an IP address or host name; write for example "203.0.113.5", without a port
            domains = ["alice@example.com"]    | domains is "alice@example.com", which is not a domain name; write for example "example.com"
            registrar.algorithms = [SHA-1]     | registrar.algorithms is "SHA-1"; choose one of SHA-256, MD5
            registrar.min-expires = 40d        | registrar.min-expires is longer than max-expires; make it shorter, or that one longer
            registrar.default-expires = 10s    | registrar.default-expires is not between min-expires and max-expires; choose one that is
            apns.simulated = false             | apns.simulated is false, but no app is configured that could be woken; add one under apps, or write true
            apns.simulated = perhaps           | apns.simulated is "perhaps"; write true or false
            apns.sandbox-endpoint = "https://api.push.apple.com" | apns.sandbox-endpoint is "https://api.push.apple.com", which is not host:port; write for example "api.push.apple.com:443"
            database.url = "postgres://db"     | database.url is not a JDBC URL of an H2 file or of PostgreSQL; write for example "jdbc:h2:file:./data/pushbridge" or "jdbc:postgresql://db.example.com/pushbridge"
            database.password = [a]            | database.password is a list; write a text
            database.durability = battery      | database.durability is "battery"; choose one of process, disk
            database.max-waiting = 5           | database.max-waiting is 5, but must be from 100 to 10000000
            database.patience = 1m             | database.patience is 1m, but must be from 100ms to 30s
            database.pool-size = 1             | database.pool-size is 1, but must be from 2 to 1000
            http.listen = 8443                 | http.listen is "8443", which is not address:port; write for example "0.0.0.0:8443" or "[::]:8443"
            http { listen = "[::]:84430", public-url = "https://x" } | http.listen is "[::]:84430", which is not address:port; write for example "0.0.0.0:8443" or "[::]:8443"
            admin.http.listen = "localhost"    | admin.http.listen is "localhost", which is not address:port; write for example "127.0.0.1:9091", or 9091 for the same
            admin.http.listen = 99999          | admin.http.listen is "99999", which is not address:port; write for example "127.0.0.1:9091", or 9091 for the same
            http.listen = "push.example.com:1" | http.listen is "push.example.com:1", but push.example.com is not an IP address of this machine; write 0.0.0.0 or [::] for all of them
            http.listen = "0.0.0.0:8443"       | http.listen needs public-url, by which apps can reach it; write for example public-url = "https://push.example.com:8443"
            http { listen = "0.0.0.0:1", public-url = "x y" } | http.public-url is "x y", which is not a URL; write for example "https://push.example.com:8443"
            http.public-url = "push.example.com" | http.public-url is "push.example.com", which is not a URL of a web server; write for example "https://push.example.com:8443"
            http.public-url = "https://x/?a=b" | http.public-url is "https://x/?a=b", but must be a server, and perhaps the beginning of a path; write for example "https://push.example.com:8443"
            http.tls.certificate-file = voip.p12 | http.tls needs certificate-file and key-file together; add the key-file, or remove both if TLS ends before the bridge
            http.tls.key-file = voip.p12       | http.tls needs certificate-file and key-file together; add the certificate-file, or remove both if TLS ends before the bridge
            http.trusted-proxies = [nginx]     | http.trusted-proxies holds "nginx", which is not an IP address or block; write for example "192.0.2.7", "192.0.2.0/24" or "2001:db8::/32"
            trunks.a { }                       | trunks.a has neither addresses that calls come from nor a destination that calls go to; write at least one
            trunks.a { addresses = ["pbx"] }   | trunks.a.addresses holds "pbx", which is not an IP address or block; write for example "192.0.2.7", "192.0.2.0/24" or "2001:db8::/32"
            trunks.a { addresses = ["192.0.2.7/24"] } | trunks.a.addresses holds "192.0.2.7/24", which begins in the middle of its block; write "192.0.2.0/24" for the block, or leave out /24 for the one address
            trunks.a { addresses = ["192.0.2.0/33"] } | trunks.a.addresses holds "192.0.2.0/33", but after the slash stands the number of network bits, 0 to 32
            trunks.a { destination = "192.0.2.7" } | trunks.a.destination is "192.0.2.7", which is not a SIP address of a host; write for example "sip:192.0.2.7:5060;transport=udp"
            trunks.a { destination = "sip:h;transport=tls" } | trunks.a.destination is "sip:h;transport=tls", but the transport must be udp or tcp, not tls
            trunks.a { addresses = ["192.0.2.7"], prefixes = ["0"] } | trunks.a.prefixes needs a destination; write for example destination = "sip:192.0.2.7"
            trunks { a.destination = "sip:h", a.prefixes = ["0"], b.destination = "sip:i", b.prefixes = ["0"] } | trunks.b.prefixes holds "0", which trunk a has too; remove it from one of them
            trunks { a.addresses = ["192.0.2.0/24"], b.addresses = ["192.0.2.7"] } | trunks.b.addresses holds 192.0.2.7, which trunk a has too; a call must belong to one trunk, so remove it from one of them
            """)
    void aMistakeIsToldWithItsPlaceAndWhatToWrite(String text, String problem) throws IOException {
        assertThat(problems(text)).containsExactly("pushbridge.conf:1: " + problem);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            team-id = ABC | apps."com.example.phone".team-id is "ABC", which is not a team id of ten letters and digits; Apple's developer pages show it
            payload = acrobits | apps."com.example.phone".payload is "acrobits"; choose one of default, linphone
            templates.voip-ring = nowhere.json | apps."com.example.phone".templates.voip-ring names HERE/nowhere.json, but there is no such file
            environment = test | apps."com.example.phone".environment is "test"; choose one of production, sandbox
            end-push = on | apps."com.example.phone".end-push is "on"; choose one of off, voip
            end-push = voip, rings-by = alert | apps."com.example.phone".end-push is voip, but rings-by is alert; an app that is not rung by VoIP push cannot be told of the end by one, so write end-push = off
            verdict = notify | apps."com.example.phone".verdict is "notify"; choose one of auto, dialog-events, invite-cancel, none
            reason-600 = 603 | apps."com.example.phone".reason-600 is 603; write true or false
            rings-by = bell | apps."com.example.phone".rings-by is "bell"; choose one of voip, alert
            auth.key-id = abc | apps."com.example.phone".auth.key-id is "abc", which is not a key id of ten letters and digits; the .p8 file's name has it
            auth.key-file = missing.p8 | apps."com.example.phone".auth.key-file names HERE/missing.p8, but there is no such file
            auth.key-file = voip.p12 | apps."com.example.phone".auth.key-file names HERE/voip.p12, which holds no private key; it must be the .p8 file that Apple's developer pages gave
            auth.key-file = "." | apps."com.example.phone".auth.key-file names HERE/., which is not a file
            auth.certificate-file = voip.p12 | apps."com.example.phone".auth has both a key and a certificate; write key-file and key-id, or certificate-file and certificate-password
            auth = {}, auth.key-fil = x | apps."com.example.phone".auth.key-fil is not a setting; did you mean key-file?
            """)
    void aMistakeInAnAppIsToldLikewise(String text, String problem) throws IOException {
        assertThat(problems(app(text)))
                .containsExactly("pushbridge.conf:1: " + problem.replace("HERE", folder.toString()));
    }

    @Test
    void anAppWithoutTheNecessaryIsToldWhatIsMissing() throws IOException {
        assertThat(problems("""
                apps {
                  "com.example.one" { auth { key-file = AuthKey.p8 } }
                  "com.example.two" { team-id = ABCDE12345 }
                  "com.example.voip.voip" { team-id = ABCDE12345, auth { } }
                  "com.example.four" { team-id = ABCDE12345, auth { certificate-file = voip.p12, certificate-password = wrong } }
                }
                """))
                .containsExactly(
                        "pushbridge.conf:5: apps.\"com.example.four\".auth.certificate-file names " + folder
                                + "/voip.p12, which certificate-password does not open; it must be a PKCS #12 (.p12) file and its password",
                        "pushbridge.conf:2: apps.\"com.example.one\".team-id is missing; write for example team-id = \"ABCDE12345\"",
                        "pushbridge.conf:2: apps.\"com.example.one\".auth needs key-file and key-id together; add the key-id, which the .p8 file's name has",
                        "pushbridge.conf:3: apps.\"com.example.two\" has no auth, without which Apple takes no pushes; write auth { key-file = \"AuthKey.p8\", key-id = \"ABC1234567\" }, or apns.simulated = true",
                        "pushbridge.conf:4: apps.\"com.example.voip.voip\" ends in .voip, which belongs to the topic; write the bundle id alone",
                        "pushbridge.conf:4: apps.\"com.example.voip.voip\".auth has neither a key nor a certificate; write key-file and key-id, or certificate-file and certificate-password");
    }

    @Test
    void aBundleIdWithoutQuotesIsExplained() throws IOException {
        assertThat(problems("apps { com.example.phone { team-id = ABCDE12345 } }"))
                .containsExactly(
                        "pushbridge.conf:1: apps.com is not an app; the dots of a bundle id separate keys unless "
                                + "it is quoted, so write apps { \"com.example.phone\" { ... } }");
    }

    @Test
    void allMistakesAreToldAtOnceWithTheirLines() throws IOException {
        assertThat(problems("""
                calls {
                  ring-limit = 45
                  while-parked = 181
                }
                sip.listen = ["udp:x:1",
                              "5060"]
                colour = blue
                """))
                .hasSize(5)
                .anySatisfy(problem -> assertThat(problem).startsWith("pushbridge.conf:2: calls.ring-limit"))
                .anySatisfy(problem -> assertThat(problem).startsWith("pushbridge.conf:3: calls.while-parked"))
                .anySatisfy(problem -> assertThat(problem).startsWith("pushbridge.conf:5: sip.listen"))
                .anySatisfy(problem -> assertThat(problem).startsWith("pushbridge.conf:6: sip.listen"))
                .anySatisfy(problem -> assertThat(problem).startsWith("pushbridge.conf:7: colour"));
    }

    @Test
    void aMistakeInAnIncludedFileIsToldWithThatFile() throws IOException {
        Path included = Files.writeString(folder.resolve("more.conf"), "\ncalls.max-calls = none\n");

        assertThat(problems("include \"more.conf\""))
                .singleElement()
                .asString()
                .startsWith(included + ":2: calls.max-calls");
    }

    @Test
    void anIncludedFileThatIsRequiredAndMissingIsNamed() throws IOException {
        assertThat(problems("include required(\"secrets.conf\")"))
                .singleElement()
                .asString()
                .startsWith("pushbridge.conf: it, or a file that it includes, cannot be read: ")
                .contains("secrets.conf");
    }

    @Test
    void aVariableThatMustBeSetAndIsNotIsNamed() throws IOException {
        assertThat(problems("\ndatabase.password = ${PUSHBRIDGE_TEST_UNSET}"))
                .singleElement()
                .asString()
                .startsWith("pushbridge.conf:2: ")
                .contains("${PUSHBRIDGE_TEST_UNSET}", "write ${?NAME}");
    }

    @Test
    void aFileThatIsNoHoconIsToldWithTheLine() throws IOException {
        assertThat(problems("domains = [\"example.com\"]\ncalls {\n"))
                .singleElement()
                .asString()
                .startsWith("pushbridge.conf:3: ");
    }

    @Test
    void aMissingFileIsOneClearSentence() {
        Path missing = folder.resolve("nowhere.conf");

        ConfigException refused = catchThrowableOfType(ConfigException.class, () -> Config.load(missing));

        assertThat(refused.problems())
                .containsExactly(
                        missing
                                + ": there is no such file; give the path of a configuration file, or leave out -c for the defaults");
    }

    @Test
    void aFolderIsNotTakenForAFile() {
        ConfigException refused = catchThrowableOfType(ConfigException.class, () -> Config.load(folder));

        assertThat(refused.problems()).singleElement().asString().contains("is not a file");
    }

    private static String app(String more) {
        return "apps { \"com.example.phone\" { team-id = ABCDE12345, auth { key-file = AuthKey.p8, key-id = ABC1234567 }"
                + (more.isEmpty() ? "" : ", " + more) + " } }";
    }

    private Config load(String text) throws IOException {
        return Config.load(Files.writeString(folder.resolve("pushbridge.conf"), text));
    }

    /** The problems, with the file's name alone for its path. */
    private List<String> problems(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("pushbridge.conf"), text);
        ConfigException refused = catchThrowableOfType(ConfigException.class, () -> Config.load(file));
        assertThat(refused).as("the file was refused").isNotNull();
        return refused.problems().stream()
                .map(problem -> problem.replace(file.toString(), "pushbridge.conf"))
                .toList();
    }
}
