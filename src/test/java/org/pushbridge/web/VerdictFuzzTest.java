package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
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

    /** What comes back until the other side closes, which it does at the latest when no more can come. */
    private static String exchange(InetSocketAddress server, String request) throws IOException {
        StringBuilder heard = new StringBuilder();
        try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            for (int one = socket.getInputStream().read();
                    one >= 0;
                    one = socket.getInputStream().read()) {
                heard.append((char) one);
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("Neither answered nor closed, but: " + heard, e);
        } catch (IOException reset) {
            // It did not read all that was sent, and closed.
        }
        return heard.toString();
    }

    @Test
    void whateverComesIsAnsweredOrClosedAndTheNextIsServed() throws Exception {
        Mutator mutator = new Mutator(new Random(SEED));
        List<String> good = List.of(
                request("GET /v1/calls/" + CALL, ""),
                request("POST /v1/calls/" + CALL + "/alerting", ""),
                request("POST /v1/calls/" + CALL + "/decline", "{\"reason\":\"busy\"}"),
                request("GET /healthz", ""));
        WebSettings settings = new WebSettings(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Optional.empty(),
                address -> false,
                1_000_000,
                1_000_000,
                1000,
                500,
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofMinutes(1));
        ScriptedDesk desk = new ScriptedDesk();
        desk.states.put(CALL, CallDesk.CallState.ofLive());
        try (VerdictServer server = VerdictServer.start(settings, tokens, desk)) {
            for (long i = 0; i < REQUESTS; i++) {
                String sent = mutator.damaged(mutator.any(good), mutator.any(good));
                assertThat(exchange(server.address(), sent))
                        .as("Seed %s, request %s:\n%s", SEED, i, sent)
                        .matches("(?s)(HTTP/1\\.[01] ([1-4]\\d\\d|501|505) .*)?")
                        .doesNotContain("Exception", "\tat ", "jetty", token);
                desk.asked.removeIf(asked -> {
                    assertThat(asked).contains(CALL + " " + PHONE); // only ever by whose token it was
                    return true;
                });
            }
            assertThat(exchange(server.address(), good.get(0))).startsWith("HTTP/1.1 200");
            assertThat(exchange(server.address(), good.get(2))).startsWith("HTTP/1.1 200");
            await().until(() -> server.connections() == 0);
        }
    }
}
