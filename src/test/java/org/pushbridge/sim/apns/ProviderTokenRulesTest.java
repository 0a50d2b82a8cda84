package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may push: provider tokens with their age and their changes, and provider certificates. */
class ProviderTokenRulesTest {
    private static final String TEAM = AppleAccount.TEAM;
    private static final String BUNDLE = AppleAccount.BUNDLE;

    private final SettableClock clock = new SettableClock();
    private final TeamKey sandboxKey = TeamKey.generate(TEAM, "SANDBOXKEY").onlyFor(Environment.SANDBOX);
    private final TeamKey secondKey = TeamKey.generate(TEAM, "SECONDKEY1");
    private AppleAccount account;
    private SimulatedApns apns;
    private Provider provider;
    private String token;

    @BeforeEach
    void start() throws Exception {
        account = new AppleAccount(clock);
        start(account.settings().key(sandboxKey).key(secondKey).providerTokensPerWindow(3));
    }

    private void start(SimulatedApnsSettings.Builder settings) throws Exception {
        apns = SimulatedApns.start(settings.build());
        provider = Provider.of(apns);
        token = AppleAccount.voipToken(apns);
    }

    @AfterEach
    void stop() {
        apns.close();
    }

    private HttpResponse<String> push(Provider from, String jwt) throws Exception {
        return from.send(account.voip(token, "call-" + System.nanoTime()).jwt(jwt));
    }

    private void expect(HttpResponse<String> response, int status, String reason) {
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(Provider.reason(response)).isEqualTo(reason);
    }

    @Test
    void aTokenSignedWithAnotherKeyIsInvalid() throws Exception {
        TeamKey forged = TeamKey.generate(TEAM, account.key.keyId());

        expect(push(provider, Provider.jwt(forged, clock.instant())), 403, "InvalidProviderToken");
        assertThat(apns.violations())
                .as("wrong credentials are the operator's mistake")
                .isEmpty();
    }

    @Test
    void anUnknownKeyIdIsInvalid() throws Exception {
        TeamKey unknown = TeamKey.generate(TEAM, "UNKNOWNKEY");

        expect(push(provider, Provider.jwt(unknown, clock.instant())), 403, "InvalidProviderToken");
    }

    @Test
    void aKeyOfAnotherTeamIsInvalid() throws Exception {
        String jwt = Provider.jwt(
                account.key,
                "{\"alg\":\"ES256\",\"kid\":\"" + account.key.keyId() + "\"}",
                "{\"iss\":\"OTHERTEAM1\",\"iat\":" + clock.instant().getEpochSecond() + "}");

        expect(push(provider, jwt), 403, "InvalidProviderToken");
    }

    @ParameterizedTest(name = "{2}")
    @MethodSource("malformed")
    void aMalformedTokenIsInvalidAndNoted(String header, String claims, String violation) throws Exception {
        expect(push(provider, Provider.jwt(account.key, header, claims)), 403, "InvalidProviderToken");
        assertThat(apns.violations()).hasSize(1).first().asString().contains(violation);
    }

    static Stream<Arguments> malformed() {
        String goodHeader = "{\"alg\":\"ES256\",\"kid\":\"KEY1234567\"}";
        String goodClaims = "{\"iss\":\"TEAM123456\",\"iat\":1772366400}";
        return Stream.of(
                arguments("{\"alg\":\"HS256\",\"kid\":\"KEY1234567\"}", goodClaims, "not ES256"),
                arguments("{\"alg\":\"ES256\"}", goodClaims, "names no key (kid)"),
                arguments(goodHeader, "{\"iat\":1772366400}", "names no team (iss)"),
                arguments(goodHeader, "{\"iss\":\"TEAM123456\"}", "no time of issue"),
                arguments(goodHeader, "{\"iss\":\"TEAM123456\",\"iat\":\"1772366400\"}", "no time of issue"),
                arguments("ES256", goodClaims, "not JSON in base64url"));
    }

    @Test
    void aTokenWithoutThreePartsIsInvalidAndNoted() throws Exception {
        expect(push(provider, "abc.def"), 403, "InvalidProviderToken");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("three parts");
    }

    @Test
    void aTokenServesForAnHourAndThenHasExpired() throws Exception {
        String jwt = Provider.jwt(account.key, clock.instant());

        assertThat(push(provider, jwt).statusCode()).isEqualTo(200);
        clock.advance(Duration.ofMinutes(60));
        assertThat(push(provider, jwt).statusCode()).isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
        clock.advance(Duration.ofSeconds(1));
        expect(push(provider, jwt), 403, "ExpiredProviderToken");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("more than an hour ago");
    }

    @Test
    void aTokenFromTheFutureIsInvalidAndNoted() throws Exception {
        Instant later = clock.instant().plus(Duration.ofMinutes(5));

        expect(push(provider, Provider.jwt(account.key, later)), 403, "InvalidProviderToken");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("in the future");
    }

    @Test
    void aTokenReplacedTooSoonIsRefusedAndTheOldOneGoesOnServing() throws Exception {
        String first = Provider.jwt(account.key, clock.instant());
        assertThat(push(provider, first).statusCode()).isEqualTo(200);
        clock.advance(Duration.ofMinutes(19));
        String second = Provider.jwt(account.key, clock.instant());

        expect(push(provider, second), 429, "TooManyProviderTokenUpdates");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("replaced after PT19M");
        assertThat(push(provider, first).statusCode()).isEqualTo(200);
    }

    @Test
    void aTokenReplacedAfterTwentyMinutesIsWelcome() throws Exception {
        assertThat(push(provider, Provider.jwt(account.key, clock.instant())).statusCode())
                .isEqualTo(200);
        clock.advance(Duration.ofMinutes(20));

        assertThat(push(provider, Provider.jwt(account.key, clock.instant())).statusCode())
                .isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void aTokenThatWasToldToHaveExpiredIsReplacedAtOnce() throws Exception {
        String first = Provider.jwt(account.key, clock.instant());
        assertThat(push(provider, first).statusCode()).isEqualTo(200);
        apns.inject(Aim.next(1), Fault.answer(403, "ExpiredProviderToken"));
        expect(push(provider, first), 403, "ExpiredProviderToken");
        clock.advance(Duration.ofSeconds(1));

        assertThat(push(provider, Provider.jwt(account.key, clock.instant())).statusCode())
                .isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void eachConnectionMayMakeATokenButNotEachPush() throws Exception {
        for (int connection = 0; connection < 3; connection++) {
            String own = Provider.jwt(account.key, clock.instant());
            assertThat(push(Provider.of(apns), own).statusCode()).isEqualTo(200);
            clock.advance(Duration.ofSeconds(1));
        }
        assertThat(apns.violations()).isEmpty();

        expect(push(Provider.of(apns), Provider.jwt(account.key, clock.instant())), 429, "TooManyProviderTokenUpdates");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("more than 3 provider tokens");

        clock.advance(Duration.ofMinutes(20));
        assertThat(push(Provider.of(apns), Provider.jwt(account.key, clock.instant()))
                        .statusCode())
                .as("the window has passed")
                .isEqualTo(200);
    }

    @Test
    void aKeyForTheSandboxDoesNotServeInProduction() throws Exception {
        String jwt = Provider.jwt(sandboxKey, clock.instant());

        expect(push(provider, jwt), 403, "BadEnvironmentKeyIdInToken");
        token = apns.issueToken(BUNDLE, TokenKind.VOIP, Environment.SANDBOX);
        assertThat(provider.send(account.voip(token, "call").jwt(jwt).to(Environment.SANDBOX))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void aConnectionIsForOneKey() throws Exception {
        assertThat(push(provider, Provider.jwt(account.key, clock.instant())).statusCode())
                .isEqualTo(200);

        expect(push(provider, Provider.jwt(secondKey, clock.instant())), 403, "UnrelatedKeyIdInToken");
        assertThat(apns.violations()).hasSize(1).first().asString().contains("connections of its own");
        assertThat(push(Provider.of(apns), Provider.jwt(secondKey, clock.instant()))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void aCertificateServesForItsTopicsAndEnvironments() throws Exception {
        ClientCertificate.Issued issued = ClientCertificate.issue(BUNDLE, "secret");
        apns.close();
        start(account.settings()
                .app(TEAM, "com.example.second")
                .certificate(issued.certificate().onlyFor(Environment.PRODUCTION)));
        Provider withCertificate = Provider.of(apns, issued);

        assertThat(withCertificate
                        .send(account.voip(token, "1").without("authorization"))
                        .statusCode())
                .isEqualTo(200);
        expect(
                withCertificate.send(account.voip(token, "2")
                        .without("authorization")
                        .header("apns-topic", "com.example.second.voip")),
                400,
                "TopicDisallowed");
        expect(
                withCertificate.send(
                        account.voip(token, "3").without("authorization").to(Environment.SANDBOX)),
                403,
                "BadCertificateEnvironment");
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void aCertificateForOneTopicNeedsNoTopicInTheRequest() throws Exception {
        ClientCertificate.Issued issued = ClientCertificate.issue(BUNDLE, "secret");
        apns.close();
        start(account.settings()
                .certificate(new ClientCertificate(
                        issued.certificate().certificate(), Set.of(BUNDLE + ".voip"), Set.of(Environment.PRODUCTION))));

        HttpResponse<String> response = Provider.of(apns, issued)
                .send(account.voip(token, "1").without("authorization").without("apns-topic"));

        assertThat(response.statusCode()).isEqualTo(200);
    }

    @Test
    void anUnknownCertificateIsBad() throws Exception {
        ClientCertificate.Issued known = ClientCertificate.issue(BUNDLE, "secret");
        ClientCertificate.Issued unknown = ClientCertificate.issue(BUNDLE, "secret");
        apns.close();
        start(account.settings().certificate(known.certificate()));

        expect(
                Provider.of(apns, unknown).send(account.voip(token, "1").without("authorization")),
                403,
                "BadCertificate");
    }
}
