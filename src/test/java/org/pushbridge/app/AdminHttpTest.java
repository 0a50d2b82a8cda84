package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.config.Config;

/** The admin HTTP server as part of the whole server. */
class AdminHttpTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z0-9_]+)` \\|");
    private static final Pattern SAMPLE = Pattern.compile("(?m)^# TYPE ([a-z0-9_]+) ");

    private final Path folder;
    private final HttpClient client = HttpClient.newHttpClient();

    AdminHttpTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private Config config(String more) throws Exception {
        return Config.load(Files.writeString(folder.resolve("pushbridge.conf"), """
                sip.listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
                database.url = "jdbc:h2:file:%1$s/bridge"
                admin.socket = "%1$s/admin.sock"
                admin.http { listen = 0, key-file = "%1$s/keys/admin.key" }
                http { listen = "127.0.0.1:0", public-url = "http://127.0.0.1:1" }
                """.formatted(folder) + more));
    }

    private String key() throws Exception {
        return Files.readString(folder.resolve("keys/admin.key")).strip();
    }

    private HttpResponse<String> get(Server server, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:"
                        + server.adminHttp().orElseThrow().address().getPort() + path))
                .timeout(Duration.ofSeconds(30));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    @Test
    void metricsAreForWhoHasTheKeyThatWasMadeForTheServersAccountAlone() throws Exception {
        try (Server server = Server.start(config(""))) {
            assertThat(server.adminHttp().orElseThrow().address().getAddress().isLoopbackAddress())
                    .isTrue();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("keys/admin.key"))))
                    .isEqualTo("rw-------");
            assertThat(key()).hasSizeGreaterThan(40);

            assertThat(get(server, "/metrics").statusCode()).isEqualTo(401);
            assertThat(get(server, "/metrics", "Authorization", "Bearer wrong").statusCode())
                    .isEqualTo(401);
            assertThat(get(server, "/metrics", "Authorization", "Basic " + key())
                            .statusCode())
                    .isEqualTo(401);
            assertThat(get(server, "/elsewhere").statusCode()).isEqualTo(401);

            HttpResponse<String> metrics = get(server, "/metrics", "Authorization", "Bearer " + key());
            assertThat(metrics.statusCode()).isEqualTo(200);
            assertThat(metrics.headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
            assertThat(metrics.body())
                    .contains("pushbridge_calls_alive 0.0", "pushbridge_calls_refused_total{reason=\"behind\"} 0.0")
                    .doesNotContain(key());
            assertThat(get(server, "/elsewhere", "Authorization", "Bearer " + key())
                            .statusCode())
                    .isEqualTo(404);
        }
    }

    @Test
    void eachMetricIsInTheListAndNoOther() throws Exception {
        String list = Files.readString(Path.of("sip-config/metrics.md"));
        try (Server server = Server.start(config(""))) {
            String body =
                    get(server, "/metrics", "Authorization", "Bearer " + key()).body();

            assertThat(names(SAMPLE, body)).isEqualTo(names(ROW, list));
        }
    }

    /** Without the endings that counters and histograms have in one place and not in the other. */
    private static Set<String> names(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult found) -> found.group(1).replaceAll("_(total|bucket|count|sum|max)$", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void anyoneMayAskWhetherItTakesCalls() throws Exception {
        try (Server server = Server.start(config("calls.drain-limit = 1s"))) {
            assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);

            server.drain(() -> false);

            assertThat(get(server, "/healthz").statusCode()).isEqualTo(503);
        }
    }

    @Test
    void aKeyOfOnesOwnCountsUnlessItIsTooShort() throws Exception {
        Files.createDirectory(folder.resolve("keys"));
        Files.writeString(folder.resolve("keys/admin.key"), "0123456789abcdef-of-my-own\n");
        try (Server server = Server.start(config(""))) {
            assertThat(get(server, "/metrics", "Authorization", "bearer 0123456789abcdef-of-my-own")
                            .statusCode())
                    .isEqualTo(200);
        }

        Files.writeString(folder.resolve("keys/admin.key"), "short\n");
        assertThatThrownBy(() -> Server.start(config("")))
                .isInstanceOf(CannotStart.class)
                .hasMessageContaining("fewer than 16 characters")
                .hasMessageNotContaining("short\n");
    }
}
