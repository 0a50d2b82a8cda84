package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bucket4j.TimeMeter;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.device.DeviceId;
import org.pushbridge.web.CallDesk.CallState;

/** What the verdict API promises to apps and withstands from others: a real client, a real server, real sockets. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class VerdictApiContract {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    static final UUID CALL = UUID.fromString("0d6a5f0e-6f5d-4a53-9d57-52f4b6c3f0a1");
    static final DeviceId PHONE = new DeviceId("00112233445566ff");
    static final Instant SOME_TIME = Instant.parse("2026-03-01T10:15:30.123456789Z");

    final ScriptedDesk desk = new ScriptedDesk();
    final VerdictTokens tokens = new VerdictTokens(new byte[VerdictTokens.SECRET_BYTES]);
    final AtomicLong nanos = new AtomicLong();
    private VerdictServer usual;
    /** The usual one, or one of a test's own. */
    private VerdictServer server;

    private HttpClient client;
    private OpenApi openApi;

    abstract Optional<WebSettings.Tls> tls();

    abstract HttpClient.Builder client();

    abstract Socket socket(InetSocketAddress address) throws IOException;

    @BeforeAll
    final void startUsual() throws Exception {
        openApi = OpenApi.read();
        client = client().version(HttpClient.Version.HTTP_1_1).build();
        usual = start(UnaryOperator.identity());
        server = usual;
    }

    @AfterEach
    final void forget() {
        if (server != usual) {
            server.close();
            server = usual;
        }
        desk.forget();
    }

    @AfterAll
    final void stopUsual() {
        usual.close();
    }

    private VerdictServer start(UnaryOperator<WebSettings> changed) {
        WebSettings generous = new WebSettings(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                tls(),
                address -> false,
                10_000,
                10_000,
                1000,
                500,
                LONG,
                LONG,
                LONG);
        return VerdictServer.start(changed.apply(generous), tokens, desk, new TimeMeter() {
            @Override
            public long currentTimeNanos() {
                return nanos.get();
            }

            @Override
            public boolean isWallClockBased() {
                return false;
            }
        });
    }

    private void serveWith(UnaryOperator<WebSettings> changed) {
        server = start(changed);
    }

    private static UnaryOperator<WebSettings> rates(int perAddress, int perCall, Predicate<InetAddress> proxy) {
        return s -> new WebSettings(
                s.listen(),
                s.tls(),
                proxy,
                perAddress,
                perCall,
                s.maxConnections(),
                s.maxConnectionsPerAddress(),
                s.requestWithin(),
                s.deskWithin(),
                s.certificateLook());
    }

    private static UnaryOperator<WebSettings> times(Duration requestWithin, Duration deskWithin) {
        return s -> new WebSettings(
                s.listen(),
                s.tls(),
                s.trustedProxy(),
                s.requestsPerSecondPerAddress(),
                s.requestsPerSecondPerCall(),
                s.maxConnections(),
                s.maxConnectionsPerAddress(),
                requestWithin,
                deskWithin,
                s.certificateLook());
    }

    private static UnaryOperator<WebSettings> connections(int perAddress) {
        return s -> new WebSettings(
                s.listen(),
                s.tls(),
                s.trustedProxy(),
                s.requestsPerSecondPerAddress(),
                s.requestsPerSecondPerCall(),
                s.maxConnections(),
                perAddress,
                s.requestWithin(),
                s.deskWithin(),
                s.certificateLook());
    }

    private URI uri(String path) {
        return URI.create((tls().isPresent() ? "https" : "http") + "://127.0.0.1:"
                + server.address().getPort() + path);
    }

    private HttpRequest.Builder request(String method, String path, BodyPublisher body) {
        return HttpRequest.newBuilder(uri(path)).timeout(PATIENCE).method(method, body);
    }

    private HttpResponse<String> send(HttpRequest request) throws Exception {
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        openApi.check(request.method(), request.uri().getPath(), response);
        return response;
    }

    private HttpResponse<String> send(String method, String path, String token, BodyPublisher body) throws Exception {
        return send(request(method, path, body)
                .header("Authorization", "Bearer " + token)
                .build());
    }

    private HttpResponse<String> send(String method, String path) throws Exception {
        return send(method, path, tokens.issue(CALL, PHONE), BodyPublishers.noBody());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path);
    }

    private HttpResponse<String> decline(String type, BodyPublisher body) throws Exception {
        return send(request("POST", path("/decline"), body)
                .header("Authorization", "Bearer " + tokens.issue(CALL, PHONE))
                .header("Content-Type", type)
                .build());
    }

    private static String path(String rest) {
        return "/v1/calls/" + CALL + rest;
    }

    private static JsonNode json(HttpResponse<String> response) throws IOException {
        return JSON.readTree(response.body());
    }

    private void isProblem(HttpResponse<String> response, int status, String type) throws IOException {
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(response.headers().firstValue("Cache-Control")).contains("no-store");
        assertThat(json(response).get("type").textValue()).isEqualTo("urn:pushbridge:" + type);
        assertThat(json(response).get("status").intValue()).isEqualTo(status);
        assertThat(json(response).get("detail").textValue()).isNotBlank();
    }

    @Test
    void aDeviceLearnsThatItsCallLives() throws Exception {
        desk.states.put(CALL, CallState.ofLive());

        HttpResponse<String> answer = get(path(""));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{\"status\":\"live\"}");
        assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
        assertThat(answer.headers().firstValue("Server")).isEmpty();
        assertThat(desk.asked).containsExactly("state " + CALL + " " + PHONE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "caller-gave-up",
                "answered-elsewhere",
                "declined-elsewhere",
                "ring-limit",
                "failed",
                "answered-here",
                "declined-here",
                "hung-up"
            })
    void aDeviceLearnsWhyItsCallIsOver(String reason) throws Exception {
        desk.states.put(CALL, CallState.ofEnded(reason, SOME_TIME));

        HttpResponse<String> answer = get(path(""));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body())
                .isEqualTo("{\"status\":\"ended\",\"reason\":\"" + reason
                        + "\",\"ended-at\":\"2026-03-01T10:15:30.123Z\"}");
    }

    @Test
    void theDocumentHasExactlyTheWordsForReasons() {
        Set<String> words = new TreeSet<>();
        openApi.document().at("/components/schemas/Reason/enum").forEach(word -> words.add(word.textValue()));

        assertThat(words).isEqualTo(new TreeSet<>(CallState.REASONS));
    }

    @ParameterizedTest
    @CsvSource({"GET,''", "POST,/alerting", "POST,/decline"})
    void withoutItsOwnTokenNobodyIsAnswered(String method, String action) throws Exception {
        desk.states.put(CALL, CallState.ofLive());
        String genuine = tokens.issue(CALL, PHONE);
        String ofAnotherBridge = new VerdictTokens(new byte[] {
                    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                    28, 29, 30, 31, 32
                })
                .issue(CALL, PHONE);

        HttpResponse<String> without =
                send(request(method, path(action), BodyPublishers.noBody()).build());
        isProblem(without, 401, "token-missing");
        assertThat(without.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"pushbridge\"");
        for (String wrong : List.of(
                "Bearer ",
                "Bearer nonsense",
                "Bearer " + genuine + "=",
                "Bearer " + genuine.substring(1),
                "Bearer " + genuine + "," + genuine,
                "Bearer " + tokens.issue(UUID.randomUUID(), PHONE),
                "Bearer " + ofAnotherBridge,
                "Basic " + genuine,
                genuine)) {
            HttpResponse<String> refused = send(request(method, path(action), BodyPublishers.noBody())
                    .header("Authorization", wrong)
                    .build());
            isProblem(refused, 401, "token-invalid");
            assertThat(refused.headers().firstValue("WWW-Authenticate").orElse(""))
                    .startsWith("Bearer ")
                    .contains("error=\"invalid_token\"");
        }
        assertThat(desk.asked).isEmpty();
    }

    @Test
    void theSchemeBearerMayBeWrittenInAnyCaseAndTheIdToo() throws Exception {
        desk.states.put(CALL, CallState.ofLive());

        HttpResponse<String> answer = send(request(
                        "GET",
                        "/v1/calls/" + CALL.toString().toUpperCase(java.util.Locale.ROOT),
                        BodyPublishers.noBody())
                .header("Authorization", "bEARER " + tokens.issue(CALL, PHONE))
                .build());

        assertThat(answer.statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/v1",
                "/v1/calls",
                "/v1/calls/",
                "/v1/calls/1-1-1-1-1",
                "/v1/calls/not-a-uuid",
                "/v1/calls/0d6a5f0e-6f5d-4a53-9d57-52f4b6c3f0a1x",
                "/v1/calls/0d6a5f0e-6f5d-4a53-9d57-52f4b6c3f0a1/answer",
                "/v2/calls/0d6a5f0e-6f5d-4a53-9d57-52f4b6c3f0a1",
                "/favicon.ico"
            })
    void whatIsNotThereIsNotFound(String path) throws Exception {
        isProblem(get(path), 404, "not-found");
        assertThat(desk.asked).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"GET,''", "POST,/alerting", "POST,/decline"})
    void ofAForgottenCallAGenuineTokenLearnsThatItIsForgotten(String method, String action) throws Exception {
        isProblem(send(method, path(action)), 410, "call-forgotten");
    }

    @Test
    void whatADeviceDoesReachesTheCallAndTheAnswerSaysHowItStands() throws Exception {
        desk.states.put(CALL, CallState.ofLive());

        assertThat(send("POST", path("/alerting")).body()).isEqualTo("{\"status\":\"live\"}");
        desk.states.put(CALL, CallState.ofEnded("declined-here", SOME_TIME));
        assertThat(json(send("POST", path("/decline"))).get("reason").textValue())
                .isEqualTo("declined-here");
        decline("application/json", BodyPublishers.ofString("{\"reason\":\"busy\"}"));
        decline("application/json; charset=utf-8", BodyPublishers.ofString(" { \"reason\" : \"decline\" } "));
        decline("application/json", BodyPublishers.ofString("{}"));

        assertThat(desk.asked)
                .containsExactly(
                        "alerting " + CALL + " " + PHONE,
                        "decline " + CALL + " " + PHONE + " DECLINE",
                        "decline " + CALL + " " + PHONE + " BUSY",
                        "decline " + CALL + " " + PHONE + " DECLINE",
                        "decline " + CALL + " " + PHONE + " DECLINE");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/alerting", "/decline"})
    void whoActsOnACallThatIsOverIsToldSo(String action) throws Exception {
        desk.states.put(CALL, CallState.ofEnded("caller-gave-up", SOME_TIME));

        HttpResponse<String> answer = send("POST", path(action));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(json(answer).get("status").textValue()).isEqualTo("ended");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "[]",
                "null",
                "\"busy\"",
                "{\"reason\":\"no\"}",
                "{\"reason\":null}",
                "{\"reason\":[\"busy\"]}",
                "{\"raeson\":\"busy\"}",
                "{\"reason\":\"busy\",\"reason\":\"decline\"}",
                "{\"reason\":\"busy\"}{}",
                "{\"reason\":\"busy\"",
                "   "
            })
    void aBodyThatIsNotUnderstoodDeclinesNothing(String body) throws Exception {
        desk.states.put(CALL, CallState.ofLive());

        isProblem(decline("application/json", BodyPublishers.ofString(body)), 400, "body-invalid");
        assertThat(desk.asked).isEmpty();
    }

    @Test
    void aBodyOfAnotherTypeOrTooLargeDeclinesNothing() throws Exception {
        desk.states.put(CALL, CallState.ofLive());
        String padded = "{\"reason\":\"busy\"}" + " ".repeat(1024);

        isProblem(decline("text/plain", BodyPublishers.ofString("{\"reason\":\"busy\"}")), 415, "body-not-json");
        isProblem(decline("application/json", BodyPublishers.ofString(padded)), 413, "body-too-large");
        // Of unknown length, and so sent in chunks.
        isProblem(
                decline("application/json", BodyPublishers.fromPublisher(BodyPublishers.ofString(padded))),
                413,
                "body-too-large");
        isProblem(
                send("POST", path("/alerting"), tokens.issue(CALL, PHONE), BodyPublishers.ofString(padded)),
                413,
                "body-too-large");
        assertThat(desk.asked).isEmpty();
    }

    @Test
    void aBodyInChunksIsReadLikeAnyOther() throws Exception {
        desk.states.put(CALL, CallState.ofLive());

        HttpResponse<String> answer = decline(
                "application/json", BodyPublishers.fromPublisher(BodyPublishers.ofString("{\"reason\":\"busy\"}")));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(desk.asked).containsExactly("decline " + CALL + " " + PHONE + " BUSY");
    }

    @Test
    void theServerHasExactlyThePathsAndMethodsOfItsDocument() throws Exception {
        desk.states.put(CALL, CallState.ofLive());
        JsonNode served = json(get("/openapi.json"));
        assertThat(served).isEqualTo(openApi.document());
        assertThat(served.get("openapi").textValue()).startsWith("3.1");
        Map<String, Set<String>> found = new TreeMap<>();
        for (String path : openApi.routes().keySet()) {
            String real = path.replace("{id}", CALL.toString());
            Set<String> methods = new TreeSet<>();
            for (String method :
                    List.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY", "BREW")) {
                HttpResponse<String> answer = send(method, real);
                if (answer.statusCode() == 405) {
                    String allow = answer.headers().firstValue("Allow").orElseThrow();
                    assertThat(Set.of(allow.split(", ")))
                            .isEqualTo(openApi.routes().get(path));
                    if (!method.equals("HEAD")) {
                        isProblem(answer, 405, "method-not-allowed");
                    }
                } else {
                    assertThat(answer.statusCode()).as("%s %s", method, path).isBetween(200, 204);
                    methods.add(method);
                }
            }
            found.put(path, methods);
        }

        assertThat(found).isEqualTo(openApi.routes());
    }

    @Test
    void theExamplesOfTheDocumentAreRightByItsSchemas() {
        JsonNode state = openApi.document().at("/components/responses/State/content/application~1json");

        assertThat(state.get("examples")).hasSize(2);
        state.get("examples")
                .forEach(example -> assertThat(openApi.errors(state.get("schema"), example.get("value")))
                        .isEmpty());
        assertThat(openApi.errors(state.get("schema"), JSON.createObjectNode().put("status", "ended")))
                .isNotEmpty();
    }

    @Test
    void headSaysWhatGetWouldAndOptionsNeedsNoToken() throws Exception {
        assertThat(send("HEAD", path("")).statusCode()).isEqualTo(410);
        assertThat(send(request("HEAD", path(""), BodyPublishers.noBody()).build())
                        .statusCode())
                .isEqualTo(401);
        HttpResponse<String> options =
                send(request("OPTIONS", path(""), BodyPublishers.noBody()).build());
        assertThat(options.statusCode()).isEqualTo(204);
        assertThat(options.headers().firstValue("Allow")).contains("GET, HEAD, OPTIONS");
    }

    @Test
    void oneDeviceMayAskSoOftenForOneCallAndAgainASecondLater() throws Exception {
        serveWith(rates(10_000, 3, address -> false));
        desk.states.put(CALL, CallState.ofLive());
        for (int i = 0; i < 3; i++) {
            assertThat(get(path("")).statusCode()).isEqualTo(200);
        }

        HttpResponse<String> refused = send("POST", path("/alerting"));

        isProblem(refused, 429, "too-many-requests");
        assertThat(refused.headers().firstValue("Retry-After")).contains("1");
        String tablet = tokens.issue(CALL, new DeviceId("ffffffffffffffff"));
        assertThat(send("GET", path(""), tablet, BodyPublishers.noBody()).statusCode())
                .isEqualTo(200);
        nanos.addAndGet(1_000_000_000);
        assertThat(get(path("")).statusCode()).isEqualTo(200);
    }

    @Test
    void oneAddressMayAskSoOftenWhateverItAsksAndAgainASecondLater() throws Exception {
        serveWith(rates(4, 10_000, address -> false));
        desk.states.put(CALL, CallState.ofLive());
        get(path(""));
        get("/healthz");
        get("/nowhere");
        send(request("GET", path(""), BodyPublishers.noBody()).build());

        for (String path : List.of(path(""), "/healthz", "/openapi.json")) {
            isProblem(get(path), 429, "too-many-requests");
        }
        // Anyone can say so, and only a trusted proxy is believed.
        assertThat(forwarded("192.0.2.1").statusCode()).isEqualTo(429);
        nanos.addAndGet(1_000_000_000);
        assertThat(get(path("")).statusCode()).isEqualTo(200);
    }

    @Test
    void behindATrustedProxyEachClientIsCountedForItself() throws Exception {
        serveWith(rates(2, 10_000, InetAddress::isLoopbackAddress));
        desk.states.put(CALL, CallState.ofLive());

        for (String client : List.of("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1")) {
            assertThat(forwarded(client).statusCode()).isEqualTo(200);
            assertThat(forwarded("203.0.113.9, " + client + ", 127.0.0.1").statusCode())
                    .isEqualTo(200);
            assertThat(forwarded(client).statusCode()).isEqualTo(429);
        }
        assertThat(forwarded("2001:db8::ffff:1").statusCode())
                .as("another address of the same /64")
                .isEqualTo(429);
    }

    private HttpResponse<String> forwarded(String chain) throws Exception {
        return send(request("GET", path(""), BodyPublishers.noBody())
                .header("Authorization", "Bearer " + tokens.issue(CALL, PHONE))
                .header("X-Forwarded-For", chain)
                .build());
    }

    @Test
    void aDeskThatFailsOrIsSilentMakesTheAppAskAgain() throws Exception {
        serveWith(times(LONG, Duration.ofMillis(50)));
        desk.broken = true;
        isProblem(get(path("")), 503, "not-now");
        desk.later = Optional.of(() -> CompletableFuture.failedFuture(new IllegalStateException("no call thread")));
        isProblem(send("POST", path("/alerting")), 503, "not-now");
        desk.later = Optional.of(CompletableFuture::new);

        HttpResponse<String> silent = send("POST", path("/decline"));

        isProblem(silent, 503, "not-now");
        assertThat(silent.headers().firstValue("Retry-After")).contains("1");
    }

    @Test
    void whileTheBridgeShutsDownWhatIsUnderWayIsAnsweredAndWhatIsNewIsPutOff() throws Exception {
        serveWith(UnaryOperator.identity());
        desk.states.put(CALL, CallState.ofLive());
        CompletableFuture<Optional<CallState>> slow = new CompletableFuture<>();
        desk.later = Optional.of(() -> slow);
        try (Socket open = socket(server.address())) {
            say(open, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
            await().atMost(PATIENCE).until(() -> hears(open, "{\"status\":\"ok\"}"));
            CompletableFuture<HttpResponse<String>> underWay = client.sendAsync(
                    request("POST", path("/alerting"), BodyPublishers.noBody())
                            .header("Authorization", "Bearer " + tokens.issue(CALL, PHONE))
                            .build(),
                    BodyHandlers.ofString());
            await().atMost(PATIENCE).until(() -> desk.asked.size() == 1);
            CompletableFuture<Void> closed = CompletableFuture.runAsync(server::close);
            await().atMost(PATIENCE).until(() -> refuses(server.address()));
            say(open, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(readAll(open)).startsWith("HTTP/1.1 503 ").contains("urn:pushbridge:not-now", "Retry-After: 1");
            slow.complete(Optional.of(CallState.ofLive()));

            assertThat(underWay)
                    .succeedsWithin(PATIENCE)
                    .satisfies(answer -> assertThat(answer.body()).isEqualTo("{\"status\":\"live\"}"));
            assertThat(closed).succeedsWithin(PATIENCE);
        }
    }

    private static boolean refuses(InetSocketAddress address) {
        try (Socket probe = new Socket()) {
            probe.connect(address, 1000);
            return false;
        } catch (IOException refused) {
            return true;
        }
    }

    @Test
    void clientsThatNeverFinishARequestAreShutOutAndStopNobody() throws Exception {
        serveWith(times(Duration.ofSeconds(2), LONG));
        desk.states.put(CALL, CallState.ofLive());
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 60; i++) {
                Socket socket = socket(server.address());
                slow.add(socket);
                say(
                        socket,
                        i % 2 == 0
                                ? "GET /v1/calls HTTP/1.1\r\nX-A: "
                                : "POST " + path("/decline") + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                                        + tokens.issue(CALL, PHONE)
                                        + "\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n");
            }
            // Each byte in time, but never a whole request.
            await().atMost(PATIENCE).until(() -> {
                assertThat(get(path("")).statusCode()).isEqualTo(200);
                return slow.stream().filter(VerdictApiContract::isShutOut).count() == slow.size();
            });
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
        assertThat(desk.asked).allMatch(asked -> asked.startsWith("state"));
    }

    /** Says one byte more; whether the other side does not listen any more. */
    private static boolean isShutOut(Socket socket) {
        try {
            say(socket, "a");
            socket.setSoTimeout(1);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException stillOpen) {
            return false;
        } catch (IOException closed) {
            return true;
        }
    }

    @Test
    void bodiesThatDoNotComeHoldNoThread() throws Exception {
        desk.states.put(CALL, CallState.ofLive());
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                Socket socket = socket(server.address());
                slow.add(socket);
                say(
                        socket,
                        "POST " + path("/decline") + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                                + tokens.issue(CALL, PHONE)
                                + "\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"rea");
            }
            assertThat(get(path("")).statusCode()).isEqualTo(200);
            say(slow.get(0), "son\":\"busy\"}");

            await().atMost(PATIENCE).until(() -> hears(slow.get(0), "{\"status\":\"live\"}"));
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
        assertThat(desk.asked)
                .containsExactly("state " + CALL + " " + PHONE, "decline " + CALL + " " + PHONE + " BUSY");
    }

    @Test
    void oneAddressHasSoManyConnectionsAndGetsNewOnesForThoseItCloses() throws Exception {
        serveWith(connections(3));
        desk.states.put(CALL, CallState.ofLive());
        List<Socket> open = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Socket socket = socket(server.address());
            open.add(socket);
            say(socket, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
            await().atMost(PATIENCE).until(() -> hears(socket, "{\"status\":\"ok\"}"));
        }

        assertThat(answers(server.address())).isFalse();
        assertThat(answers(server.address())).isFalse();
        open.get(0).close();
        await().atMost(PATIENCE).until(() -> answers(server.address()));
        for (Socket socket : open) {
            socket.close();
        }
    }

    private boolean answers(InetSocketAddress address) {
        try (Socket socket = socket(address)) {
            say(socket, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            return readAll(socket).startsWith("HTTP/1.1 200");
        } catch (IOException closed) {
            return false;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET / HTTP/1.1 no host, 400",
        "nonsense, 400",
        "long path, 414",
        "long header, 431",
        "many headers, 431",
        "two lengths, 400",
        "path out of bounds, 400",
        "expectation, 417"
    })
    void whatIsNoProperRequestIsRefusedAsAProblem(String kind, int status) throws Exception {
        String request =
                switch (kind) {
                    case "GET / HTTP/1.1 no host" -> "GET /healthz HTTP/1.1\r\n\r\n";
                    case "long path" -> "GET /" + "a".repeat(9000) + " HTTP/1.1\r\nHost: x\r\n\r\n";
                    case "long header" -> "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + "a".repeat(9000) + "\r\n\r\n";
                    case "many headers" -> "GET /healthz HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(2000) + "\r\n";
                    case "two lengths" ->
                        "POST " + path("/decline")
                                + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx";
                    case "path out of bounds" -> "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n";
                    case "expectation" ->
                        "POST " + path("/decline")
                                + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: wonders\r\n\r\n{}";
                    default -> "nonsense\r\n\r\n";
                };
        try (Socket socket = socket(server.address())) {
            say(socket, request);
            String answer = readAll(socket);

            assertThat(answer)
                    .startsWith("HTTP/1.1 " + status + " ")
                    .contains("Content-Type: application/problem+json", "urn:pushbridge:request-refused", "no-store")
                    .doesNotContain("Jetty", "Exception");
        }
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
    }

    @Test
    void aBodyThatClaimsToBeHugeIsRefusedWithoutBeingRead() throws Exception {
        try (Socket socket = socket(server.address())) {
            say(socket, "POST " + path("/decline") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");

            assertThat(readAll(socket)).startsWith("HTTP/1.1 413 ").contains("urn:pushbridge:body-too-large");
        }
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
    }

    @Test
    void aHugeBodyIsNotTakenAndStopsNobody() throws Exception {
        desk.states.put(CALL, CallState.ofLive());
        BodyPublisher huge = BodyPublishers.ofString(" ".repeat(2_000_000));
        for (BodyPublisher body : List.of(huge, BodyPublishers.fromPublisher(huge))) {
            try {
                isProblem(decline("application/json", body), 413, "body-too-large");
            } catch (IOException closedBeforeAllWasSent) {
                // Then the client may not have seen the answer.
            }
        }

        assertThat(get(path("")).statusCode()).isEqualTo(200);
        assertThat(desk.asked).containsExactly("state " + CALL + " " + PHONE);
    }

    static void say(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** Reads on until this was heard; false if it was not, so far. */
    private static boolean hears(Socket socket, String wanted) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        StringBuilder heard = new StringBuilder();
        InputStream in = socket.getInputStream();
        while (heard.indexOf(wanted) < 0) {
            int one = in.read();
            assertThat(one).as("after: %s", heard).isNotNegative();
            heard.append((char) one);
        }
        return true;
    }

    /** Until the other side closes. */
    private static String readAll(Socket socket) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        StringBuilder heard = new StringBuilder();
        try {
            for (int one = socket.getInputStream().read();
                    one >= 0;
                    one = socket.getInputStream().read()) {
                heard.append((char) one);
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("Not closed after: " + heard, e);
        } catch (IOException reset) {
            // The other side did not read all that was sent, and closed.
        }
        return heard.toString();
    }
}
