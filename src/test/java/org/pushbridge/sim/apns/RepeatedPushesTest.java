package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What must not be sent twice, and what may. */
class RepeatedPushesTest {
    private final SettableClock clock = new SettableClock();
    private AppleAccount account;
    private SimulatedApns apns;
    private Provider provider;
    private String token;

    @BeforeEach
    void start() throws Exception {
        account = new AppleAccount(clock);
        start(account.settings());
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

    private int send(Provider.Push push) throws Exception {
        return provider.send(push).statusCode();
    }

    private void expectViolation(String words) {
        assertThat(apns.violations()).hasSize(1).first().asString().contains(words);
    }

    @Test
    void aSecondVoipPushForACallIsAViolation() throws Exception {
        send(account.voip(token, "call-1"));
        send(account.voip(token, "call-1"));

        expectViolation("second VoIP push for one call: call call-1");
    }

    @Test
    void theCallIsAlsoFoundWhereLinphoneLooksForIt() throws Exception {
        send(account.voip(token, "").body("{\"aps\":{\"call-id\":\"call-1\"}}"));
        send(account.voip(token, "").body("{\"aps\":{\"call-id\":\"call-1\"}}"));

        expectViolation("second VoIP push for one call");
        assertThat(apns.received().get(0).callId()).contains("call-1");
    }

    @Test
    void whereTheCallIsFoundIsASetting() throws Exception {
        apns.close();
        start(account.settings()
                .callId(payload -> Optional.of(payload.path("x-push-id").asText())));
        send(account.voip(token, "1").body("{\"x-push-id\":\"call-1\",\"call-id\":\"1\"}"));
        send(account.voip(token, "2").body("{\"x-push-id\":\"call-1\",\"call-id\":\"2\"}"));

        expectViolation("second VoIP push for one call");
    }

    @Test
    void eachPhoneIsToldOfACallAndEachCallIsTold() throws Exception {
        send(account.voip(token, "call-1"));
        send(account.voip(token, "call-2"));
        send(account.voip(AppleAccount.voipToken(apns), "call-1"));
        send(account.alert(AppleAccount.regularToken(apns)));

        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void aResendAfterAServerErrorKeepsItsId() throws Exception {
        apns.inject(Aim.next(2), Fault.answer(503, "ServiceUnavailable"));
        Provider.Push push = account.voip(token, "call-1");
        send(push);
        send(push);
        send(push);
        assertThat(apns.violations()).isEmpty();

        apns.inject(Aim.next(1), Fault.answer(503, "ServiceUnavailable"));
        send(account.voip(token, "call-2"));
        send(account.voip(token, "call-2"));
        expectViolation("second VoIP push for one call");
    }

    @Test
    void aPushThatWasAcceptedIsNotSentAgain() throws Exception {
        Provider.Push alert = account.alert(AppleAccount.regularToken(apns));
        send(alert);
        send(alert);

        expectViolation("sent again although it had been answered 200");
    }

    @Test
    void aVoipPushThatWasAcceptedIsNotSentAgain() throws Exception {
        Provider.Push push = account.voip(token, "call-1");
        send(push);
        send(push);

        expectViolation("second VoIP push for one call: push " + push.id());
    }

    @Test
    void aPushThatWasRefusedForGoodIsNotSentAgain() throws Exception {
        Provider.Push push = account.voip("00".repeat(32), "call-1");
        send(push);
        send(push);

        expectViolation("sent again although it had been answered 400 BadDeviceToken");
    }

    @Test
    void wrongCredentialsAreNotTriedAgainWithTheSamePush() throws Exception {
        apns.inject(Aim.next(1), Fault.answer(403, "InvalidProviderToken"));
        Provider.Push push = account.voip(token, "call-1");
        send(push);
        send(push);

        expectViolation("sent again although it had been answered 403 InvalidProviderToken");
    }

    @Test
    void anExpiredProviderTokenIsReasonForOneResend() throws Exception {
        apns.inject(Aim.next(2), Fault.answer(403, "ExpiredProviderToken"));
        Provider.Push push = account.voip(token, "call-1");
        send(push);
        send(push);
        assertThat(apns.violations()).isEmpty();
        send(push);

        expectViolation("sent again although it had been answered 403 ExpiredProviderToken");
    }

    @Test
    void aThrottledPushMayBeSentAgain() throws Exception {
        apns.inject(Aim.next(1), Fault.answer(429, "TooManyRequests"));
        Provider.Push push = account.voip(token, "call-1");
        send(push);
        send(push);

        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void anIdIsForOnePushOnly() throws Exception {
        Provider.Push first = account.voip(token, "call-1");
        send(first);
        send(account.voip(AppleAccount.voipToken(apns), "call-1").header("apns-id", first.id()));

        expectViolation("was used again for another token or topic");
    }

    @Test
    void aTokenThatWasFoundDeadIsLeftAlone() throws Exception {
        apns.unregister(token, clock.instant());
        send(account.voip(token, "call-1"));
        send(account.voip(token, "call-2"));
        assertThat(apns.violations()).as("pushes that crossed the answer").isEmpty();
        clock.advance(Duration.ofSeconds(2));
        send(account.voip(token, "call-3"));

        expectViolation("had been answered 410 Unregistered");
    }

    @Test
    void aTokenForAnotherTopicIsLeftAloneButServesItsOwn() throws Exception {
        String regular = AppleAccount.regularToken(apns);
        send(account.voip(regular, "call-1"));
        clock.advance(Duration.ofSeconds(2));
        assertThat(send(account.alert(regular))).isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
        send(account.voip(regular, "call-2"));

        expectViolation("had been answered 400 DeviceTokenNotForTopic");
    }

    @Test
    void anInjectedDeathIsNotHeldAgainstLaterPushes() throws Exception {
        apns.inject(Aim.next(1), Fault.gone("Unregistered", clock.instant()));
        send(account.voip(token, "call-1"));
        clock.advance(Duration.ofSeconds(2));

        assertThat(send(account.voip(token, "call-2"))).isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void aTokenThatWasIssuedAgainIsAsGoodAsNew() throws Exception {
        apns.unregister(token, clock.instant());
        send(account.voip(token, "call-1"));
        clock.advance(Duration.ofSeconds(2));
        apns.reissue(token);

        assertThat(send(account.voip(token, "call-2"))).isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
    }
}
