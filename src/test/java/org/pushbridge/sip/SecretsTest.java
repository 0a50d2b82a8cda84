package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.app.Server;
import org.pushbridge.config.Config;
import org.pushbridge.config.ConfigException;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;
import org.pushbridge.sip.registrar.Ha1;

/**
 * The whole server, with all its logs on, through registrations, calls, pushes and mistakes: no secret is seen by
 * anybody but its owner. A phone's own Contact comes back to it with its token, as RFC 3261 section 10.3 has it.
 */
class SecretsTest {
    private static final String PASSWORD = "correct-horse-battery";
    private static final String VOIP = "91b4c77d02aa5e3f6c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
    private static final String ALERT = "6ad1f1e2aa00b7c5d3e4f5061728394a5b6c7d8e9f00112233445566778899aa";

    private final Path folder;
    private final Seen logs = new Seen();
    private final Map<String, String> secrets = new LinkedHashMap<>();
    /** What others than the owner got to see, and where. */
    private final List<String> shown = new ArrayList<>();

    SecretsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @AfterEach
    void stop() {
        logs.close();
    }

    private static final class Seen extends AbstractAppender implements AutoCloseable {
        private final List<String> lines = new CopyOnWriteArrayList<>();
        private final LoggerContext context = (LoggerContext) LogManager.getContext(false);

        Seen() {
            super("seen", null, null, true, Property.EMPTY_ARRAY);
            start();
            context.getConfiguration().getRootLogger().addAppender(this, Level.ALL, null);
            context.updateLoggers();
            Configurator.setLevel("org.pushbridge", Level.TRACE);
        }

        @Override
        public void append(LogEvent event) {
            StringBuilder line = new StringBuilder(
                    event.getLoggerName() + " " + event.getMessage().getFormattedMessage());
            for (Throwable cause = event.getThrown(); cause != null; cause = cause.getCause()) {
                line.append(" | ").append(cause);
            }
            lines.add(line.toString());
        }

        @Override
        public void close() {
            context.getConfiguration().getRootLogger().removeAppender("seen");
            context.updateLoggers();
            Configurator.setLevel("org.pushbridge", Level.INFO);
            stop();
        }
    }

    private Config config(String more) throws Exception {
        return Config.load(Files.writeString(folder.resolve("pushbridge.conf"), """
                sip.listen = ["udp:127.0.0.1:0"]
                database.url = "jdbc:h2:file:%1$s/bridge"
                admin.socket = "%1$s/admin.sock"
                apns.simulated-log = "pushes.json"
                calls.ring-limit = 2s
                http { listen = "127.0.0.1:0", public-url = "http://127.0.0.1:1" }
                trunks.pbx.addresses = ["127.0.0.2"]
                %2$s
                """.formatted(folder, more)));
    }

    private static Party party(String user, String ip, InetSocketAddress bridge) throws Exception {
        return new Party(user, new DatagramSocket(new InetSocketAddress(ip, 0)), bridge);
    }

    private String admin(String request) throws Exception {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("admin.sock")))) {
            channel.write(ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8)));
            return new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8))
                    .readLine();
        }
    }

    private String show(String where, String text) {
        shown.add(where + ": " + text);
        return text;
    }

    @Test
    void noSecretIsInALogAnErrorOrAnAnswerToSomebodyElse() throws Exception {
        User alice = Ha1.of(Aor.parse("alice@example.com"), PASSWORD.toCharArray());
        secrets.put("password", PASSWORD);
        secrets.put("HA1", alice.ha1Md5());
        secrets.put("HA1 of SHA-256", alice.ha1Sha256());
        secrets.put("VoIP token", VOIP);
        secrets.put("alert token", ALERT);
        secrets.put("password of a database", "hunter-two-and-a-half");

        try (Server server = Server.start(config(""))) {
            InetSocketAddress bridge = server.sip().stack().listeners().get(0).address();
            show(
                    "admin",
                    admin("{\"do\":\"add\",\"address\":\"alice@example.com\",\"ha1-md5\":\"" + alice.ha1Md5()
                            + "\",\"ha1-sha256\":\"" + alice.ha1Sha256() + "\",\"replace\":false}"));
            show(
                    "admin",
                    admin("{\"do\":\"add\",\"address\":\"alice@example.com\",\"ha1-md5\":\"" + alice.ha1Md5()
                            + "\",\"ha1-sha256\":\"" + alice.ha1Sha256() + "xyz\",\"replace\":false}"));
            show("admin", admin("{\"do\":\"add\", " + alice.ha1Md5()));
            try (Party phone = party("alice", "127.0.0.1", bridge);
                    Party other = party("alice", "127.0.0.1", bridge);
                    Party pbx = party("pbx", "127.0.0.2", bridge)) {
                registrations(phone, other);
                show("admin", admin("{\"do\":\"devices\"}"));
                show("admin", admin("{\"do\":\"list\"}"));
                calls(server, phone, pbx);
            }
        }
        mistakes();

        assertThat(logs.lines).as("lines at DEBUG").anyMatch(line -> line.contains("Accepted a REGISTER"));
        assertThat(secrets).hasSizeGreaterThanOrEqualTo(7);
        secrets.forEach((name, secret) -> {
            assertThat(logs.lines).as("log lines with the " + name).noneMatch(line -> holds(line, secret));
            assertThat(shown).as("answers with the " + name).noneMatch(text -> holds(text, secret));
        });
    }

    private static boolean holds(String text, String secret) {
        return text.toLowerCase(Locale.ROOT).contains(secret.toLowerCase(Locale.ROOT));
    }

    /** Good, wrong and damaged ones. What the phone itself is answered is the phone's own. */
    private void registrations(Party phone, Party other) {
        String push = ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip&remote;pn-prid=" + VOIP + ":voip&"
                + ALERT + ":remote";
        String good = phone.request("REGISTER", "sip:example.com", "", "Expires: 3600")
                .replace(phone.contact(), phone.contact().replace(">", push + ">") + ";+sip.instance=\"<urn:uuid:1>\"");
        phone.send(good);
        String challenge = show("challenge", phone.expect("SIP/2.0 401"));
        phone.send(phone.withCredentials(good, challenge, PASSWORD));
        assertThat(phone.expect("SIP/2.0 200")).as("its own Contact").contains(VOIP);

        for (String damage : List.of(
                good.replace(VOIP, "<" + VOIP + ">"),
                good.replace(VOIP, VOIP + VOIP),
                good.replace(VOIP, VOIP.substring(1)),
                good.replace("pn-provider=apns", "pn-provider=fcm"),
                good.replace("com.example.phone", "com.example.unknown"),
                good.replace("Contact: <", "Contact: <<"),
                good.replace("Expires: 3600", "Expires: 1"),
                good.replace("Max-Forwards: 70", "Max-Forwards: " + VOIP),
                good.replace("Via: ", "Via: \0" + VOIP),
                good.replace("CSeq: 5 REGISTER", "CSeq: 5 REGISTER\r\npn-prid=" + VOIP))) {
            String fresh = damage.replaceFirst("Call-ID: .*", "Call-ID: d" + Party.next())
                    .replaceFirst("branch=[^;]*", "branch=z9hG4bKd" + Party.next());
            phone.send(fresh);
            Optional<String> answer = phone.listen();
            if (answer.isPresent() && answer.get().startsWith("SIP/2.0 401")) {
                phone.send(phone.withCredentials(fresh, answer.get(), PASSWORD));
                answer = phone.listen();
            }
            answer.filter(text -> !text.startsWith("SIP/2.0 200")).ifPresent(text -> show("refusal", text));
        }

        // The user's other phone sees that there is a phone, and not by what it is pushed to.
        String second = other.request("REGISTER", "sip:example.com", "", "Expires: 3600")
                .replace(other.contact(), other.contact() + ";+sip.instance=\"<urn:uuid:2>\"");
        other.send(second);
        String again = show("challenge", other.expect("SIP/2.0 401"));
        other.send(other.withCredentials(second, again, "wrong-" + PASSWORD.length()));
        other.send(other.withCredentials(second, show("challenge", other.expect("SIP/2.0 401")), PASSWORD)
                .replace("CSeq: 6", "CSeq: 7"));
        assertThat(show("other phone", other.expect("SIP/2.0 200")))
                .contains("urn:uuid:1")
                .doesNotContain(VOIP);
    }

    /** One that is answered, and one for which the phone is asleep: pushed to, asked after over HTTP, and given up. */
    private void calls(Server server, Party phone, Party pbx) throws Exception {
        String invite = pbx.send(pbx.invite("sip:alice@example.com"));
        show("INVITE", phone.expect("INVITE "));
        Path pushes = folder.resolve("pushes.json");
        await().untilAsserted(() -> assertThat(pushes).exists().content().contains("verdict-token"));
        String push = Files.readString(pushes);
        String token = Wire.first(push, "\"verdict-token\" ?: ?\"([^\"]+)\"");
        secrets.put("verdict token", token);
        String url = Wire.first(push, "\"verdict-url\" ?: ?\"([^\"]+)\"");
        HttpClient client = HttpClient.newHttpClient();
        int port = server.verdictApi().orElseThrow().address().getPort();
        for (String path : List.of(URI.create(url).getPath(), "/v1/calls/none", "/v1/calls/" + token, "/" + token)) {
            for (String given : List.of(token, token + "x", "none")) {
                var answer = client.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .header("Authorization", "Bearer " + given)
                                .build(),
                        BodyHandlers.ofString());
                // The path a client asks for is told back to it alone.
                shown.add("HTTP: " + answer.statusCode() + " " + (path.contains(token) ? "" : answer.body())
                        + answer.headers());
            }
        }
        String end = show("response", pbx.expect("SIP/2.0 "));
        while (end.startsWith("SIP/2.0 1")) {
            end = show("response", pbx.expect("SIP/2.0 "));
        }
        pbx.acknowledgeFailure(invite, end);
    }

    private void mistakes() {
        for (String mistake : List.of(
                "database.password = {a = \"hunter-two-and-a-half\"}",
                "database.url = \"jdbc:mysql://x?password=hunter-two-and-a-half\"",
                "database.pasword = \"hunter-two-and-a-half\"",
                "database { password = \"hunter-two-and-a-half\", pool-size = many }",
                "apps.\"com.example.phone\" { auth { certificate-file = \"none.p12\", certificate-password ="
                        + " \"hunter-two-and-a-half\" } }")) {
            ConfigException told = catchThrowableOfType(ConfigException.class, () -> config(mistake));
            assertThat(told).as(mistake).isNotNull();
            show("configuration", String.valueOf(told.getMessage()));
        }
    }
}
