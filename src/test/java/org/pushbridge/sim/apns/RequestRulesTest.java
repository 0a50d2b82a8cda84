package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each rule for a single request: what Apple answers, and what counts as a violation. */
class RequestRulesTest {
    private final SettableClock clock = new SettableClock();
    private AppleAccount account;
    private SimulatedApns apns;
    private Provider provider;

    @BeforeEach
    void start() throws Exception {
        account = new AppleAccount(clock);
        apns = SimulatedApns.start(
                account.settings().app("OTHERTEAM1", "com.example.other").build());
        provider = Provider.of(apns);
    }

    @AfterEach
    void stop() {
        apns.close();
    }

    @Test
    void rightRequestsOfEachTypeAreAcceptedWithoutAComplaint() throws Exception {
        HttpResponse<String> voip = provider.send(account.voip(AppleAccount.voipToken(apns), "call-1"));
        HttpResponse<String> alert = provider.send(account.alert(AppleAccount.regularToken(apns)));
        HttpResponse<String> background = provider.send(account.background(AppleAccount.regularToken(apns)));
        HttpResponse<String> pushToTalk = provider.send(pushToTalk());

        assertThat(Stream.of(voip, alert, background, pushToTalk).map(HttpResponse::statusCode))
                .containsOnly(200);
        assertThat(voip.body()).isEmpty();
        assertThat(apns.violations()).isEmpty();
        assertThat(apns.received())
                .extracting(push -> push.type().orElseThrow())
                .containsExactly(PushType.VOIP, PushType.ALERT, PushType.BACKGROUND, PushType.PUSH_TO_TALK);
    }

    private Provider.Push pushToTalk() {
        String token = apns.issueToken(AppleAccount.BUNDLE, TokenKind.PUSH_TO_TALK, Environment.PRODUCTION);
        return account.voip(token, "talk-1")
                .header("apns-push-type", "pushtotalk")
                .header("apns-topic", AppleAccount.BUNDLE + ".voip-ptt");
    }

    @Test
    void theAnswerCarriesTheIdOfTheRequestAndInTheSandboxOneMore() throws Exception {
        Provider.Push production = account.voip(AppleAccount.voipToken(apns), "call-1");
        Provider.Push sandbox = account.voip(
                        apns.issueToken(AppleAccount.BUNDLE, TokenKind.VOIP, Environment.SANDBOX), "call-1")
                .to(Environment.SANDBOX);

        HttpResponse<String> fromProduction = provider.send(production);
        HttpResponse<String> fromSandbox = provider.send(sandbox);

        assertThat(fromProduction.headers().firstValue("apns-id")).contains(production.id());
        assertThat(fromProduction.headers().firstValue("apns-unique-id")).isEmpty();
        assertThat(fromSandbox.headers().firstValue("apns-id")).contains(sandbox.id());
        assertThat(fromSandbox.headers().firstValue("apns-unique-id")).isPresent();
    }

    @ParameterizedTest(name = "{0}: {2} {3}")
    @MethodSource("refusedVoip")
    void aWrongVoipPushIsRefusedAndNoted(
            String mistake, UnaryOperator<Provider.Push> make, int status, String reason, String violation)
            throws Exception {
        Provider.Push push = make.apply(account.voip(AppleAccount.voipToken(apns), "call-1"));

        expectRefusal(push, status, reason, violation);
    }

    static Stream<Arguments> refusedVoip() {
        return Stream.of(
                refused("GET", push -> push.method("GET"), 405, "MethodNotAllowed", "method is GET"),
                refused("another path", push -> push.path("/3/devices/00"), 404, "BadPath", "begins with /3/devices"),
                refused(
                        "no token",
                        push -> push.path("/3/device/"),
                        400,
                        "MissingDeviceToken",
                        "without a device token"),
                refused(
                        "no token, no slash",
                        push -> push.path("/3/device"),
                        400,
                        "MissingDeviceToken",
                        "device token"),
                refused(
                        "two topics",
                        push -> push.header("apns-topic", "com.example.phone.voip", "com.example.phone.voip"),
                        400,
                        "DuplicateHeaders",
                        "more than one apns-topic"),
                refused(
                        "two provider tokens",
                        push -> push.header("authorization", "bearer a.b.c", "bearer a.b.c"),
                        400,
                        "DuplicateHeaders",
                        "more than one authorization"),
                refused(
                        "no provider token",
                        push -> push.without("authorization"),
                        403,
                        "MissingProviderToken",
                        "neither a provider token nor a client certificate"),
                refused(
                        "another authorization",
                        push -> push.header("authorization", "basic YTpi"),
                        403,
                        "MissingProviderToken",
                        "not 'bearer'"),
                refused("bad apns-id", push -> push.header("apns-id", "17"), 400, "BadMessageId", "'17' is not a UUID"),
                refused(
                        "unknown type",
                        push -> push.header("apns-push-type", "carrier-pigeon"),
                        400,
                        "InvalidPushType",
                        "'carrier-pigeon'"),
                refused("no topic", push -> push.without("apns-topic"), 400, "MissingTopic", "no apns-topic"),
                refused("odd topic", push -> push.header("apns-topic", "a b"), 400, "BadTopic", "'a b'"),
                refused(
                        "VoIP push to the regular topic",
                        push -> push.header("apns-topic", "com.example.phone"),
                        400,
                        "InvalidPushType",
                        "instead of com.example.phone.voip"),
                refused(
                        "VoIP push to the push-to-talk topic",
                        push -> push.header("apns-topic", "com.example.phone.voip-ptt"),
                        400,
                        "InvalidPushType",
                        "instead of com.example.phone.voip"),
                refused(
                        "alert to the VoIP topic",
                        push -> push.header("apns-push-type", "alert"),
                        400,
                        "InvalidPushType",
                        "instead of com.example.phone"),
                refused("priority 7", push -> push.header("apns-priority", "7"), 400, "BadPriority", "is 7 and not"),
                refused("priority high", push -> push.header("apns-priority", "high"), 400, "BadPriority", "is high"),
                refused(
                        "expiration soon",
                        push -> push.header("apns-expiration", "soon"),
                        400,
                        "BadExpirationDate",
                        "'soon' is not a time"),
                refused(
                        "long collapse id",
                        push -> push.header("apns-collapse-id", "x".repeat(65)),
                        400,
                        "BadCollapseId",
                        "65 bytes"),
                refused("no payload", push -> push.body(""), 400, "PayloadEmpty", "payload is empty"),
                refused("payload not JSON", push -> push.body("{\"aps\":{}"), 400, "PayloadEmpty", "not JSON"),
                refused("two payloads", push -> push.body("{} {}"), 400, "PayloadEmpty", "not JSON"),
                refused("a key twice", push -> push.body("{\"a\":1,\"a\":2}"), 400, "PayloadEmpty", "not JSON"),
                refused("payload a list", push -> push.body("[1]"), 400, "PayloadEmpty", "not a JSON object"),
                refused("token not hex", push -> push.path("/3/device/xyz0"), 400, "BadDeviceToken", "hex digits"),
                refused(
                        "token of odd length",
                        push -> push.path("/3/device/abc"),
                        400,
                        "BadDeviceToken",
                        "even number"));
    }

    private static Arguments refused(
            String mistake, UnaryOperator<Provider.Push> make, int status, String reason, String violation) {
        return arguments(mistake, make, status, reason, violation);
    }

    private void expectRefusal(Provider.Push push, int status, String reason, String violation) throws Exception {
        HttpResponse<String> response = provider.send(push);

        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(Provider.reason(response)).isEqualTo(reason);
        assertThat(apns.violations()).hasSize(1).first().asString().contains(violation);
        assertThat(apns.received()).hasSize(1);
        assertThat(apns.received().get(0).answer()).isEqualTo(new Answer.Rejected(status, reason));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("toleratedVoip")
    void aVoipPushThatAppleLetsPassIsStillNoted(String mistake, UnaryOperator<Provider.Push> make, String violation)
            throws Exception {
        expectNote(make.apply(account.voip(AppleAccount.voipToken(apns), "call-1")), violation);
    }

    static Stream<Arguments> toleratedVoip() {
        return Stream.of(
                noted("no apns-id", push -> push.without("apns-id"), "no apns-id"),
                noted(
                        "apns-id in upper case",
                        push -> push.header("apns-id", "0A0B0C0D-0000-4000-8000-00000000000F"),
                        "not in lower case"),
                noted("no type", push -> push.without("apns-push-type"), "no apns-push-type"),
                noted("priority 5", push -> push.header("apns-priority", "5"), "apns-priority 5 and not 10"),
                noted("priority 1", push -> push.header("apns-priority", "1"), "apns-priority 1 and not 10"),
                noted("no expiration", push -> push.without("apns-expiration"), "(none) and not 0"),
                noted("an expiration", push -> push.header("apns-expiration", "1900000000"), "1900000000 and not 0"),
                noted("a collapse id", push -> push.header("apns-collapse-id", "call-1"), "has an apns-collapse-id"),
                noted("aps not an object", push -> push.body("{\"aps\":\"ring\"}"), "aps is not a JSON object"));
    }

    private static Arguments noted(String mistake, UnaryOperator<Provider.Push> make, String violation) {
        return arguments(mistake, make, violation);
    }

    private void expectNote(Provider.Push push, String violation) throws Exception {
        HttpResponse<String> response = provider.send(push);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(apns.violations()).hasSize(1).first().asString().contains(violation);
        assertThat(apns.received().get(0).violations()).isEqualTo(apns.violations());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("toleratedAlerts")
    void anAlertThatAppleLetsPassIsStillNoted(String mistake, UnaryOperator<Provider.Push> make, String violation)
            throws Exception {
        expectNote(make.apply(account.alert(AppleAccount.regularToken(apns))), violation);
    }

    static Stream<Arguments> toleratedAlerts() {
        return Stream.of(
                noted("priority 1", push -> push.header("apns-priority", "1"), "priority is 1"),
                noted("no expiration", push -> push.without("apns-expiration"), "(none) and not the time"),
                noted("expiration 0", push -> push.header("apns-expiration", "0"), "0 and not the time"),
                // The test's clock stands at 1772366400.
                noted("expired", push -> push.header("apns-expiration", "1772366300"), "was over when"),
                noted("milliseconds", push -> push.header("apns-expiration", "177245280000"), "ahead"),
                noted("no collapse id", push -> push.without("apns-collapse-id"), "no apns-collapse-id"),
                noted("no alert", push -> push.body("{\"aps\":{\"sound\":\"default\"}}"), "no alert to show"),
                noted(
                        "an empty alert",
                        push -> push.body("{\"aps\":{\"alert\":{\"title\":\"\"}}}"),
                        "no alert to show"),
                noted("no aps", push -> push.body("{\"call-id\":\"1\"}"), "no alert to show"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("toleratedBackground")
    void aBackgroundPushThatAppleLetsPassIsStillNoted(
            String mistake, UnaryOperator<Provider.Push> make, String violation) throws Exception {
        expectNote(make.apply(account.background(AppleAccount.regularToken(apns))), violation);
    }

    static Stream<Arguments> toleratedBackground() {
        return Stream.of(
                noted("no content-available", push -> push.body("{\"aps\":{}}"), "content-available"),
                noted(
                        "an alert",
                        push -> push.body("{\"aps\":{\"content-available\":1,\"alert\":\"Hi\"}}"),
                        "background push has alert"),
                noted(
                        "a sound",
                        push -> push.body("{\"aps\":{\"content-available\":1,\"sound\":\"x\"}}"),
                        "background push has sound"),
                noted("a day of life", push -> push.header("apns-expiration", "1772452800"), "more than PT5M ahead"),
                noted("no collapse id", push -> push.without("apns-collapse-id"), "no apns-collapse-id"));
    }

    @Test
    void aBackgroundPushMustHavePriorityFive() throws Exception {
        expectRefusal(
                account.background(AppleAccount.regularToken(apns)).header("apns-priority", "10"),
                400,
                "BadPriority",
                "apns-priority 10 and not 5");
    }

    @Test
    void aBackgroundPushWithoutPriorityCountsAsPriorityTen() throws Exception {
        expectRefusal(
                account.background(AppleAccount.regularToken(apns)).without("apns-priority"),
                400,
                "BadPriority",
                "apns-priority 10 and not 5");
    }

    @Test
    void aVoipPayloadMayHave5120BytesAndNoMore() throws Exception {
        String token = AppleAccount.voipToken(apns);

        assertThat(provider.send(account.voip(token, "1").body(payloadOf(5120))).statusCode())
                .isEqualTo(200);
        HttpResponse<String> tooLong = provider.send(account.voip(token, "2").body(payloadOf(5121)));

        assertThat(tooLong.statusCode()).isEqualTo(413);
        assertThat(Provider.reason(tooLong)).isEqualTo("PayloadTooLarge");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("more than 5120 bytes");
    }

    @Test
    void aRegularPayloadMayHave4096BytesAndNoMore() throws Exception {
        String token = AppleAccount.regularToken(apns);
        String background = "{\"aps\":{\"content-available\":1},\"x\":\"" + "x".repeat(4096 - 38) + "\"}";

        assertThat(background).hasSize(4096);
        assertThat(provider.send(account.background(token).body(background)).statusCode())
                .isEqualTo(200);
        assertThat(provider.send(account.background(token).body(background + " "))
                        .statusCode())
                .isEqualTo(413);
        assertThat(apns.violations()).hasSize(1).first().asString().contains("more than 4096 bytes");
    }

    @Test
    void aHugePayloadIsRefusedWithoutBeingKept() throws Exception {
        HttpResponse<String> response =
                provider.send(account.voip(AppleAccount.voipToken(apns), "1").body(payloadOf(1_000_000)));

        assertThat(response.statusCode()).isEqualTo(413);
    }

    private static String payloadOf(int bytes) {
        return "{\"x\":\"" + "x".repeat(bytes - 8) + "\"}";
    }

    @Test
    void aCollapseIdIsMeasuredInBytes() throws Exception {
        String token = AppleAccount.regularToken(apns);

        assertThat(provider.send(account.alert(token).header("apns-collapse-id", "x".repeat(64)))
                        .statusCode())
                .isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void aTokenInUpperCaseWorksButIsNoted() throws Exception {
        String token = AppleAccount.voipToken(apns);
        String upper = token.toUpperCase(Locale.ROOT);

        expectNote(account.voip(token, "call-1").path("/3/device/" + upper), "device token is not in lower case");
    }

    @Test
    void anUnknownTokenIsBadWithoutBeingAViolation() throws Exception {
        expectQuietRefusal(account.voip("00".repeat(32), "call-1"), 400, "BadDeviceToken");
    }

    @Test
    void aTokenOfTheOtherEnvironmentIsBad() throws Exception {
        String sandboxToken = apns.issueToken(AppleAccount.BUNDLE, TokenKind.VOIP, Environment.SANDBOX);

        expectQuietRefusal(account.voip(sandboxToken, "call-1"), 400, "BadDeviceToken");
        assertThat(provider.send(account.voip(sandboxToken, "call-1").to(Environment.SANDBOX))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void aTokenOfAnotherAppIsNotForTheTopic() throws Exception {
        String token = apns.issueToken("com.example.other", TokenKind.VOIP, Environment.PRODUCTION);

        expectQuietRefusal(account.voip(token, "call-1"), 400, "DeviceTokenNotForTopic");
    }

    @Test
    void aRegularTokenIsNotForTheVoipTopic() throws Exception {
        expectQuietRefusal(account.voip(AppleAccount.regularToken(apns), "call-1"), 400, "DeviceTokenNotForTopic");
    }

    @Test
    void anotherTeamsAppIsDisallowed() throws Exception {
        expectQuietRefusal(
                account.voip(AppleAccount.voipToken(apns), "call-1").header("apns-topic", "com.example.other.voip"),
                400,
                "TopicDisallowed");
    }

    @Test
    void aDeadTokenIsAnsweredWithTheMomentOfItsDeathInMilliseconds() throws Exception {
        String removed = AppleAccount.voipToken(apns);
        String replaced = AppleAccount.voipToken(apns);
        apns.unregister(removed, clock.instant().minusMillis(1));
        apns.expire(replaced, clock.instant().minusMillis(2));

        HttpResponse<String> first = provider.send(account.voip(removed, "call-1"));
        HttpResponse<String> second = provider.send(account.voip(replaced, "call-1"));

        assertThat(first.statusCode()).isEqualTo(410);
        assertThat(first.body()).isEqualTo("{\"reason\":\"Unregistered\",\"timestamp\":1772366399999}");
        assertThat(second.statusCode()).isEqualTo(410);
        assertThat(second.body()).isEqualTo("{\"reason\":\"ExpiredToken\",\"timestamp\":1772366399998}");
        assertThat(apns.violations()).isEmpty();
    }

    private void expectQuietRefusal(Provider.Push push, int status, String reason) throws Exception {
        HttpResponse<String> response = provider.send(push);

        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(Provider.reason(response)).isEqualTo(reason);
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void tokensAreHexOfManyLengths() {
        assertThat(Stream.generate(() -> AppleAccount.voipToken(apns)).limit(200))
                .allMatch(token -> token.matches("([0-9a-f]{2}){32,80}"))
                .extracting(String::length)
                .contains(64)
                .satisfies(lengths ->
                        assertThat(lengths.stream().distinct().count()).isGreaterThan(20));
    }
}
