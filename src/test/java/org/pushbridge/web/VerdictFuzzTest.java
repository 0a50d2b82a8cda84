package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.DeviceId;
import org.pushbridge.sip.Mutator;

/** Damaged HTTP requests, over real connections; {@code -Dpushbridge.fuzz.http=100000} for more of them. */
class VerdictFuzzTest {
    private static final long REQUESTS = Long.getLong("pushbridge.fuzz.http", 1_000);
    private static final long SEED = Long.getLong("pushbridge.fuzz.seed", 20_261_121);
    private static final UUID CALL = UUID.fromString("0f5b7d3e-1111-4222-8333-444455556666");
    private static final DeviceId PHONE = new DeviceId("00112233445566ff");

    private final VerdictTokens tokens = new VerdictTokens(new byte[VerdictTokens.SECRET_BYTES]);
    private final String token = tokens.issue(CALL, PHONE);

    private String request(String line, String body) {
        return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token
                + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length()
                + "\r\nConnection: close\r\n\r\n" + body;
    }

    @Test
    void whateverComesIsAnsweredOrClosedAndTheNextIsServed() throws Exception {
        play(Optional.empty(), REQUESTS, server -> () -> new Socket(server.getAddress(), server.getPort()));
    }

    @Test
    void overTlsToo(@TempDir Path folder) throws Exception {
        PemFiles files = PemFiles.create(folder, "fuzzed", "EC");
        SSLContext trusting = files.client();
        play(
                Optional.of(files.tls()),
                REQUESTS / 4,
                server -> () -> trusting.getSocketFactory().createSocket(server.getAddress(), server.getPort()));
    }

    /** What is no TLS, or TLS cut short and damaged, costs its connection and nothing else. */
    @Test
    void whatIsNoTlsEndsItsConnection(@TempDir Path folder) throws Exception {
        PemFiles files = PemFiles.create(folder, "fuzzed", "EC");
        SSLContext trusting = files.client();
        Random random = new Random(SEED);
        String hello = clientHello(trusting);
        Mutator mutator = new Mutator(random);
        try (LoggedErrors log = new LoggedErrors();
                VerdictServer server = VerdictServer.start(settings(Optional.of(files.tls())), tokens, desk())) {
            InetSocketAddress at = server.address();
            for (long i = 0; i < REQUESTS / 4; i++) {
                String sent = i % 2 == 0
                        ? mutator.damaged(hello, hello)
                        : hello.substring(0, random.nextInt(hello.length())) + request("GET /healthz", "");
                assertThat(RawHttp.exchange(() -> new Socket(at.getAddress(), at.getPort()), sent))
                        .as("Seed %s, request %s", SEED, i)
                        .doesNotContain("HTTP/", token);
            }
            assertThat(RawHttp.exchange(
                            () -> trusting.getSocketFactory().createSocket(at.getAddress(), at.getPort()),
                            request("GET /v1/calls/" + CALL, "")))
                    .startsWith("HTTP/1.1 200");
            await().until(() -> server.connections() == 0);
            assertThat(log.lines()).isEmpty();
        }
    }

    /** The first bytes of a client that wants TLS. */
    private static String clientHello(SSLContext client) throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                SSLSocket socket = (SSLSocket)
                        client.getSocketFactory().createSocket(listener.getInetAddress(), listener.getLocalPort())) {
            Thread greeting = new Thread(() -> {
                try {
                    socket.startHandshake();
                } catch (IOException e) {
                    // Nobody answers.
                }
            });
            greeting.start();
            byte[] some = new byte[4096];
            int count;
            try (Socket accepted = listener.accept()) {
                count = accepted.getInputStream().read(some);
            }
            greeting.join();
            return new String(some, 0, count, StandardCharsets.ISO_8859_1);
        }
    }

    private static WebSettings settings(Optional<WebSettings.Tls> tls) {
        return new WebSettings(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                tls,
                address -> false,
                1_000_000,
                1_000_000,
                1000,
                500,
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofMinutes(1));
    }

    private static ScriptedDesk desk() {
        ScriptedDesk desk = new ScriptedDesk();
        desk.states.put(CALL, CallDesk.CallState.ofLive());
        return desk;
    }

    private void play(
            Optional<WebSettings.Tls> tls, long requests, Function<InetSocketAddress, RawHttp.Opening> connection)
            throws Exception {
        Mutator mutator = new Mutator(new Random(SEED));
        List<String> good = List.of(
                request("GET /v1/calls/" + CALL, ""),
                request("POST /v1/calls/" + CALL + "/alerting", ""),
                request("POST /v1/calls/" + CALL + "/decline", "{\"reason\":\"busy\"}"),
                request("GET /healthz", ""));
        ScriptedDesk desk = desk();
        try (LoggedErrors log = new LoggedErrors();
                VerdictServer server = VerdictServer.start(settings(tls), tokens, desk)) {
            RawHttp.Opening opening = connection.apply(server.address());
            for (long i = 0; i < requests; i++) {
                String sent = mutator.damaged(mutator.any(good), mutator.any(good));
                assertThat(RawHttp.exchange(opening, sent))
                        .as("Seed %s, request %s:\n%s", SEED, i, sent)
                        .matches("(?s)(HTTP/1\\.[01] ([1-4]\\d\\d|501|505) .*)?")
                        .doesNotContain("Exception", "\tat ", "jetty", token);
                desk.asked.removeIf(asked -> {
                    assertThat(asked).contains(CALL + " " + PHONE); // only ever by whose token it was
                    return true;
                });
            }
            assertThat(RawHttp.exchange(opening, good.get(0))).startsWith("HTTP/1.1 200");
            assertThat(RawHttp.exchange(opening, good.get(2))).startsWith("HTTP/1.1 200");
            await().until(() -> server.connections() == 0);
            assertThat(log.lines()).isEmpty();
        }
    }
}
