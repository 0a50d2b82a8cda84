package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.pushbridge.sip.Mutator;

/** Damaged requests to the admin HTTP server, and keys that are none; {@code -Dpushbridge.fuzz.http} for more of them. */
class AdminFuzzTest {
    private static final long REQUESTS = Long.getLong("pushbridge.fuzz.http", 1_000);
    private static final long SEED = Long.getLong("pushbridge.fuzz.seed", 20_261_121);
    private static final String KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    private static final String METRICS = "pushbridge_calls_alive 0.0";
    /** What is not behind the key. */
    private static final String HEALTH = "ok\n";

    private static String request(String line, String... headers) {
        return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                + (headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n") + "\r\n";
    }

    private static String exchange(AdminServer server, String request) throws Exception {
        return RawHttp.exchange(
                () -> new Socket(server.address().getAddress(), server.address().getPort()), request);
    }

    private static AdminServer serve() {
        return AdminServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), KEY, () -> METRICS, () -> true);
    }

    private static void stillServes(AdminServer server) throws Exception {
        assertThat(exchange(server, request("GET /metrics", "Authorization: Bearer " + KEY)))
                .startsWith("HTTP/1.1 200")
                .contains(METRICS);
        assertThat(exchange(server, request("GET /metrics"))).startsWith("HTTP/1.1 401");
        await().untilAsserted(() ->
                assertThat(exchange(server, request("GET /healthz"))).contains(HEALTH));
    }

    @Test
    void withoutTheKeyNobodySeesMetricsWhateverIsSent() throws Exception {
        Random random = new Random(SEED);
        Mutator mutator = new Mutator(random);
        List<String> good = List.of(
                request("GET /metrics"),
                request("GET /metrics", "Authorization: Bearer " + KEY.replace('0', '1')),
                request("GET /metrics", "Authorization: Basic " + KEY.substring(1), "Accept: */*"),
                request("HEAD /metrics", "Authorization: Bearer"),
                request("POST /metrics", "Content-Length: 0"),
                request("GET /healthz"));
        try (LoggedErrors log = new LoggedErrors();
                AdminServer server = serve()) {
            for (long i = 0; i < REQUESTS; i++) {
                String sent = mutator.damaged(mutator.any(good), mutator.any(good));
                assertThat(exchange(server, sent))
                        .as("Seed %s, request %s:\n%s", SEED, i, sent)
                        .matches(answer -> answer.isEmpty()
                                || answer.matches("(?s)HTTP/1\\.[01] ([34]\\d\\d|501|505) .*")
                                || answer.endsWith("\r\n\r\n" + HEALTH)
                                || isHealthWithoutBody(answer))
                        .doesNotContain(METRICS, KEY, "Exception", "\tat ", "jetty");
            }
            stillServes(server);
            assertThat(log.lines()).isEmpty();
        }
    }

    /** The answer to HEAD /healthz, which has the length of what GET would get. */
    private static boolean isHealthWithoutBody(String answer) {
        return answer.startsWith("HTTP/1.1 200") && answer.contains("Content-Length: " + HEALTH.length() + "\r\n");
    }

    @Test
    void keysThatAreNoneAndHeadsThatAreTooLargeAreRefused() throws Exception {
        List<String> keys = new ArrayList<>(List.of(
                "",
                "Bearer",
                "Bearer ",
                "Bearer " + KEY.substring(1),
                "Bearer " + KEY + "0",
                "Bearer " + KEY + ", Bearer " + KEY,
                "Bearer \"" + KEY + "\"",
                "Bearer " + KEY.toUpperCase(Locale.ROOT),
                "Bearer \u00ff\u00fe",
                "Bearer%20" + KEY,
                "Basic " + KEY,
                "Digest " + KEY,
                KEY));
        for (int length : new int[] {1_000, 3_000, 5_000, 100_000, 1_000_000}) {
            keys.add("Bearer " + "0".repeat(length));
        }
        try (LoggedErrors log = new LoggedErrors();
                AdminServer server = serve()) {
            for (String key : keys) {
                for (String path : List.of("/metrics", "/metrics/", "//metrics", "/metrics?key=" + KEY, "/%6detrics")) {
                    assertThat(exchange(server, request("GET " + path, "Authorization: " + key)))
                            .as("%s with %.60s", path, key)
                            .matches("(?s)(HTTP/1\\.[01] (400|401|431) .*)?")
                            .doesNotContain(METRICS, KEY);
                }
            }
            for (String many : List.of("A: b\r\n".repeat(2_000), ("A".repeat(8_000) + ": b\r\n"))) {
                assertThat(exchange(server, request("GET /healthz", many.strip())))
                        .matches("(?s)(HTTP/1\\.[01] (400|431) .*)?");
            }
            stillServes(server);
            assertThat(log.lines()).isEmpty();
        }
    }
}
