package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pushbridge.sim.phone.PhoneStage.soon;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.sim.apns.LoopbackTls;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;

/** The app asks and tells over HTTPS; the server answers what the test says. */
class VerdictOverHttpsTest {
    private record Said(int status, String type, String body) {}

    private static final String CALL = "/v1/calls/1";
    private static final AppSettings APP = AppSettings.stock().learningBy(VerdictWay.HTTPS);

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final Map<String, Said> answers = new ConcurrentHashMap<>();
    private HttpServer server;
    private PhoneStage stage;

    @BeforeEach
    void open() throws Exception {
        serve(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
        stage = new PhoneStage(APP);
    }

    private void serve(HttpServer other) {
        server = other;
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void close() {
        stage.close();
        server.stop(0);
    }

    private void app(AppSettings app) throws Exception {
        stage.close();
        stage = new PhoneStage(app);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String what = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        asked.add(what + " " + exchange.getRequestHeaders().getFirst("Authorization"));
        Said said = answers.getOrDefault(what, new Said(200, "application/json", "{\"status\":\"live\"}"));
        byte[] body = said.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", said.type());
        exchange.sendResponseHeaders(said.status(), body.length == 0 ? -1 : body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }

    private void say(String request, int status, String type, String body) {
        answers.put(request + (request.equals("GET") ? " " + CALL : ""), new Said(status, type, body));
    }

    private void sayEnded(String reason) {
        say("GET", 200, "application/json", "{\"status\":\"ended\",\"reason\":\"" + reason + "\"}");
    }

    private CallScreen pushed() {
        stage.phone.voipPush(payload("http"));
        return stage.screen();
    }

    private String payload(String scheme) {
        return PhoneStage.payload(
                "incoming-call",
                ",\"verdict-url\":\"" + scheme + "://localhost:"
                        + server.getAddress().getPort() + CALL + "\",\"verdict-token\":\"t0ken\"");
    }

    private void awaitAsked(String what) {
        await().untilAsserted(() -> assertThat(asked).contains(what + " Bearer t0ken"));
    }

    // --- the verdict ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "answered-elsewhere, ANSWERED_ELSEWHERE",
        "declined-elsewhere, DECLINED_ELSEWHERE",
        "caller-gave-up, CANCELLED",
        "ring-limit, CANCELLED",
        "hung-up, CANCELLED"
    })
    void anEndedCallStopsRingingBeforeAnythingCameBySip(String reason, RingingEnd end) throws Exception {
        sayEnded(reason);
        CallScreen screen = pushed();

        assertThat(soon(screen.ringing())).isEqualTo(end);
        assertThat(asked).containsExactly("GET " + CALL + " Bearer t0ken");
        assertThat(screen.fromFirstPacketToSilence()).isPresent();
        assertThat(screen.rang().orElseThrow())
                .isGreaterThanOrEqualTo(screen.fromFirstPacketToSilence().orElseThrow());
        assertThat(stage.phone.violations()).isEmpty();
    }

    @Test
    void aLiveCallRingsOnAndGetsItsInvite() throws Exception {
        CallScreen screen = pushed();
        awaitAsked("GET " + CALL);
        stage.bridge.acceptRegister();
        stage.invite("a");
        stage.bridge.next("180 Ringing");

        assertThat(screen.isRinging()).isTrue();
        assertThat(stage.phone.violations()).isEmpty();
    }

    @Test
    void anInviteLongAfterTheVerdictIsHeldAgainstTheBridge() throws Exception {
        sayEnded("caller-gave-up");
        CallScreen screen = pushed();
        soon(screen.ringing());
        stage.bridge.acceptRegister();
        await().until(() -> screen.silentFor().orElseThrow().toMillis() > 1_000);
        stage.invite("a");

        stage.bridge.next("480 Temporarily Unavailable");
        stage.isHeldAgainstTheBridge("which was over, as both sides knew over HTTPS");
    }

    @Test
    void aCallThatNobodyKnowsAnyMoreStopsRinging() throws Exception {
        say("GET", 410, "application/problem+json", "{\"status\":410,\"title\":\"Gone\"}");

        assertThat(soon(pushed().ringing())).isEqualTo(RingingEnd.NOT_ALIVE);
        assertThat(stage.phone.violations()).isEmpty();
    }

    @Test
    void asksOverTlsAndTrustsWhomItIsTold() throws Exception {
        SSLContext tls = LoopbackTls.context();
        server.stop(0);
        HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        https.setHttpsConfigurator(new HttpsConfigurator(tls));
        serve(https);
        app(APP.trusting(tls));
        sayEnded("caller-gave-up");
        stage.phone.voipPush(payload("https"));

        assertThat(soon(stage.screen().ringing())).isEqualTo(RingingEnd.CANCELLED);
    }

    @Test
    void asksAgainWhileItRingsIfNobodyListens() throws Exception {
        int port = server.getAddress().getPort();
        CallScreen screen;
        server.stop(0);
        stage.phone.voipPush(payload("http"));
        screen = stage.screen();
        sayEnded("caller-gave-up");
        serve(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.CANCELLED);
    }

    @Test
    void asksAsSoonAsFlightModeEnds() throws Exception {
        soon(stage.phone.flightMode(true));
        sayEnded("caller-gave-up");
        CallScreen screen = pushed();
        assertThat(asked).isEmpty();
        soon(stage.phone.flightMode(false));

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.CANCELLED);
    }

    @Test
    void anAppWithoutHttpsAsksNobody() throws Exception {
        app(AppSettings.stock());
        pushed();
        stage.bridge.acceptRegister();

        assertThat(asked).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "401, application/problem+json, {\"status\":401}, answered with 401",
        "404, application/problem+json, {\"status\":404}, answered with 404",
        "503, application/problem+json, {\"status\":503}, answered with 503",
        "410, text/plain, gone, without a JSON problem",
        "410, application/problem+json, {\"status\":404}, without a JSON problem",
        "200, text/plain, {\"status\":\"live\"}, the Content-Type 'text/plain'",
        "200, application/json, {\"status\":\"dead\"}, neither live nor ended",
        "200, application/json, live, neither live nor ended",
        "200, application/json, '{\"status\":\"ended\",\"reason\":\"bored\"}', 'the reason ''bored'', which is none'",
        "204, application/json, '', answered with 204",
    })
    void anAnswerThatIsWrong(int status, String type, String body, String sentence) {
        say("GET", status, type, body);
        pushed();
        stage.isHeldAgainstTheBridge(sentence);
    }

    @ParameterizedTest
    @ValueSource(strings = {"verdict-url", "verdict-token"})
    void aPushWithHalfOfWhatItTakesToAsk(String key) {
        stage.phone.voipPush(payload("http").replace(key, "x"));
        stage.isHeldAgainstTheBridge("only one of verdict-url and verdict-token");
        stage.isHeldAgainstTheBridge("A VoIP push has no " + key);
    }

    @Test
    void aPushWithAnAddressThatIsNone() {
        stage.phone.voipPush(payload("ftp"));
        stage.isHeldAgainstTheBridge("a verdict-url that the app cannot use");
    }

    // --- what the app tells --------------------------------------------------------------------------------------

    @Test
    void declinesOverHttpsBeforeAnyInviteAndRefusesOneThatCrosses() throws Exception {
        CallScreen screen = pushed();
        stage.phone.declineNow(screen);
        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.DECLINED_HERE);
        awaitAsked("POST " + CALL + "/decline");
        stage.bridge.acceptRegister();
        stage.invite("a");

        stage.bridge.next("486 Declined Before");
        assertThat(stage.phone.violations()).isEmpty();
    }

    @Test
    void declinesWhatRingsBySipWithAResponse() throws Exception {
        CallScreen screen = pushed();
        awaitAsked("GET " + CALL);
        stage.bridge.acceptRegister();
        stage.invite("a");
        stage.bridge.next("180 Ringing");
        stage.phone.declineEverywhereNow(screen);

        stage.bridge.next("603 Decline");
        assertThat(asked).hasSize(1);
    }

    @Test
    void aDeclineThatFails() {
        say("POST " + CALL + "/decline", 500, "application/problem+json", "{\"status\":500}");
        stage.phone.declineNow(pushed());
        stage.isHeldAgainstTheBridge("POST " + CALL + "/decline with the token of the push was answered with 500");
    }

    @Test
    void saysThatItRings() throws Exception {
        app(APP.tellingThatItRings());
        say("POST " + CALL + "/alerting", 204, "text/plain", "");
        pushed();

        awaitAsked("POST " + CALL + "/alerting");
        assertThat(stage.phone.violations()).isEmpty();
    }
}
