package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What goes wrong on demand, seen in the very frames that a client gets. */
class FaultsTest {
    private static final Duration LONG = Duration.ofHours(1);

    private final SettableClock clock = new SettableClock();
    private AppleAccount account;
    private SimulatedApns apns;
    private String token;

    @BeforeEach
    void start() throws Exception {
        account = new AppleAccount(clock);
        start(account.settings().streamsBeforeAuthentication(100));
    }

    private void start(SimulatedApnsSettings.Builder settings) {
        apns = SimulatedApns.start(settings.build());
        token = AppleAccount.voipToken(apns);
    }

    @AfterEach
    void stop() {
        apns.close();
    }

    private Provider.Push push(String callId) {
        return account.voip(token, callId);
    }

    @Test
    void theNextRequestsAreAnsweredAsToldAndLaterOnesAsEver() throws Exception {
        Provider provider = Provider.of(apns);
        apns.inject(Aim.next(2), Fault.answer(503, "ServiceUnavailable"));

        assertThat(provider.send(push("1")).body()).isEqualTo("{\"reason\":\"ServiceUnavailable\"}");
        assertThat(provider.send(push("2")).statusCode()).isEqualTo(503);
        assertThat(provider.send(push("3")).statusCode()).isEqualTo(200);
        assertThat(apns.counts().rejected()).isEqualTo(2);
    }

    @Test
    void anInjected410CarriesItsMoment() throws Exception {
        apns.inject(Aim.token(token), Fault.gone("Unregistered", Instant.ofEpochMilli(1234)));

        HttpResponse<String> response = Provider.of(apns).send(push("1"));

        assertThat(response.statusCode()).isEqualTo(410);
        assertThat(response.body()).isEqualTo("{\"reason\":\"Unregistered\",\"timestamp\":1234}");
    }

    @Test
    void aFaultStrikesOnlyWhatItIsAimedAt() throws Exception {
        Provider provider = Provider.of(apns);
        String other = AppleAccount.voipToken(apns);
        String regular = AppleAccount.regularToken(apns);
        apns.inject(Aim.token(token).times(1), Fault.answer(500, "InternalServerError"));
        apns.inject(Aim.type(PushType.ALERT).times(1), Fault.answer(429, "TooManyRequests"));
        apns.inject(Aim.bundle("com.example.other"), Fault.answer(503, "Shutdown"));

        assertThat(provider.send(account.voip(other, "1")).statusCode()).isEqualTo(200);
        assertThat(provider.send(account.voip(token, "2")).statusCode()).isEqualTo(500);
        assertThat(provider.send(account.alert(regular)).statusCode()).isEqualTo(429);
        apns.inject(Aim.bundle(AppleAccount.BUNDLE), Fault.answer(503, "ServiceUnavailable"));
        assertThat(provider.send(account.voip(other, "3")).statusCode()).isEqualTo(503);
        apns.clearFaults();
        assertThat(provider.send(account.voip(other, "4")).statusCode()).isEqualTo(200);
    }

    @Test
    void aFaultHidesNoViolation() throws Exception {
        apns.inject(Aim.next(1), Fault.answer(503, "ServiceUnavailable"));

        Provider.of(apns).send(push("1").header("apns-expiration", "1900000000"));

        assertThat(apns.violations()).hasSize(1);
    }

    @Test
    void aSlowAnswerComesAfterAQuickOne() throws Exception {
        apns.inject(Aim.next(1), Fault.slow(Duration.ofMillis(300)));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("slow"));
            client.send(push("quick"));
            client.awaitFrame("1 HEADERS 200");

            assertThat(client.frames()).containsSubsequence("3 HEADERS 200", "1 HEADERS 200");
        }
    }

    @Test
    void theDelayOfAllAnswersIsASetting() throws Exception {
        apns.close();
        start(account.settings().answerDelay(Delay.of(LONG)));

        CompletableFuture<HttpResponse<String>> answer = Provider.of(apns).sendAsync(push("1"));

        await().until(() -> apns.counts().accepted() == 1);
        assertThat(answer).isNotDone();
    }

    @Test
    void silenceLeavesARequestWithoutAnAnswerAndTheConnectionUp() throws Exception {
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.SILENCE));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.send(push("2"));
            client.awaitFrame("3 HEADERS 200");

            assertThat(client.frames()).noneMatch(frame -> frame.startsWith("1 "));
            assertThat(apns.received().get(0).answer()).isEqualTo(new Answer.Withheld("never answered"));
        }
    }

    @Test
    void aRefusedStreamIsResetAndNotProcessed() throws Exception {
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.REFUSED_STREAM));
        try (FrameClient client = FrameClient.connect(apns)) {
            Provider.Push push = push("1");
            client.send(push);
            client.awaitFrame("1 RST_STREAM 7");
            client.send(push);
            client.awaitFrame("3 HEADERS 200");

            assertThat(apns.violations()).as("a resend with the same apns-id").isEmpty();
            assertThat(apns.counts().accepted()).isEqualTo(1);
        }
    }

    @Test
    void aGracefulGoAwayAnswersWhatCameBeforeAndEnds() throws Exception {
        apns.inject(Aim.next(1), Fault.slow(Duration.ofMillis(300)));
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.GOAWAY_AFTER_ANSWER));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.send(push("2"));
            client.awaitFrame("END");

            assertThat(client.frames())
                    .containsSubsequence(
                            "3 HEADERS 200", "GOAWAY last 3 {\"reason\":\"Shutdown\"}", "1 HEADERS 200", "END");
        }
    }

    @Test
    void aGoAwayInsteadOfAnAnswerNamesTheRequestBeforeAsTheLast() throws Exception {
        apns.inject(Aim.next(1), Fault.slow(Duration.ofMillis(300)));
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.GOAWAY_INSTEAD));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.send(push("2"));
            client.awaitFrame("END");

            assertThat(client.frames())
                    .containsSubsequence("GOAWAY last 1 {\"reason\":\"Shutdown\"}", "1 HEADERS 200", "END")
                    .noneMatch(frame -> frame.startsWith("3 "));
            assertThat(apns.counts().accepted()).isEqualTo(1);
        }
    }

    @Test
    void anAbruptGoAwayLeavesEarlierRequestsUnanswered() throws Exception {
        apns.inject(Aim.next(1), Fault.slow(LONG));
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.GOAWAY_AND_CUT));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.send(push("2"));
            client.awaitFrame("END");

            assertThat(client.frames())
                    .containsSubsequence("GOAWAY last 1 {\"reason\":\"Shutdown\"}", "END")
                    .noneMatch(frame -> frame.contains("HEADERS"));
        }
    }

    @Test
    void aCutConnectionEndsWithoutAWord() throws Exception {
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.CUT));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.awaitFrame("END");

            assertThat(client.frames()).noneMatch(frame -> frame.contains("HEADERS") || frame.contains("GOAWAY"));
            assertThat(apns.counts().accepted()).isZero();
        }
    }

    @Test
    void aConnectionCutAfterProcessingLosesTheAnswerOnly() throws Exception {
        CompletableFuture<DeliveredPush> arrived = new CompletableFuture<>();
        apns.attach(token, arrived::complete);
        apns.inject(Aim.next(1), Fault.of(Fault.Ending.CUT_AFTER_PROCESSING));
        Provider.Push push = push("1");
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push);
            client.awaitFrame("END");
        }

        assertThat(arrived).succeedsWithin(Duration.ofSeconds(10));
        assertThat(Provider.of(apns).send(push).statusCode()).isEqualTo(200);
        assertThat(apns.violations())
                .as("the client cannot know that it was accepted")
                .isEmpty();
    }

    @Test
    void anAnswerThatWasNeverWrittenDoesNotForbidAResend() throws Exception {
        apns.inject(Aim.next(1), Fault.slow(LONG));
        Provider.Push push = push("1");
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push);
            await().until(() -> apns.counts().accepted() == 1);
        }

        assertThat(Provider.of(apns).send(push).statusCode()).isEqualTo(200);
        assertThat(apns.violations()).isEmpty();
    }

    @Test
    void refusedConnectionsFailUntilTheyAreNoLongerRefused() throws Exception {
        apns.refuseConnections(true);

        assertThatThrownBy(() -> Provider.of(apns).send(push("1"))).isInstanceOf(IOException.class);
        assertThat(apns.counts().connections()).isZero();
        apns.refuseConnections(false);
        assertThat(Provider.of(apns).send(push("2")).statusCode()).isEqualTo(200);
    }

    @Test
    void droppedConnectionsEndAndNewOnesAreWelcome() throws Exception {
        try (FrameClient client = FrameClient.connect(apns)) {
            apns.dropConnections();
            client.awaitFrame("END");
            await().until(() -> apns.openConnections() == 0);
        }
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.awaitFrame("1 HEADERS 200");
        }
    }

    @Test
    void askingAllToLeaveEndsEachConnectionOnceItIsAnswered() throws Exception {
        apns.inject(Aim.next(1), Fault.slow(Duration.ofMillis(300)));
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            await().until(() -> apns.counts().requests() == 1);
            apns.goAway();
            client.awaitFrame("END");

            assertThat(client.frames())
                    .containsSubsequence("GOAWAY last 1 {\"reason\":\"Shutdown\"}", "1 HEADERS 200", "END");
        }
    }

    @Test
    void tooManyBadDeviceTokensEndTheConnection() throws Exception {
        apns.close();
        start(account.settings().badTokensPerConnection(3));
        try (FrameClient client = FrameClient.connect(apns)) {
            for (int wrong = 0; wrong < 3; wrong++) {
                int stream = client.send(account.voip("0" + wrong + "00".repeat(31), "call-" + wrong));
                client.awaitFrame(stream + " DATA {\"reason\":\"BadDeviceToken\"}");
            }
            client.awaitFrame("END");

            assertThat(client.frames()).contains("GOAWAY last 5 {\"reason\":\"BadDeviceToken\"}");
        }
    }

    @Test
    void otherErrorsDoNotEndTheConnection() throws Exception {
        apns.close();
        start(account.settings().badTokensPerConnection(1));
        apns.unregister(token, clock.instant());
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.awaitFrame("1 DATA");
            client.send(account.voip(AppleAccount.voipToken(apns), "2"));
            client.awaitFrame("3 HEADERS 200");
        }
    }

    @Test
    void aConnectionHasOneStreamUntilItsProviderIsKnown() throws Exception {
        apns.close();
        start(account.settings().maxConcurrentStreams(70));
        try (FrameClient client = FrameClient.connect(apns)) {
            assertThat(client.frames()).containsExactly("SETTINGS streams 1");
            client.send(push("1").without("authorization"));
            client.awaitFrame("1 HEADERS 403");
            client.send(push("2"));
            client.awaitFrame("SETTINGS streams 70");
            assertThat(client.frames()).containsSubsequence("1 HEADERS 403", "SETTINGS streams 70");
        }
    }

    @Test
    void theNumberOfStreamsCanChangeLater() throws Exception {
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(push("1"));
            client.awaitFrame("SETTINGS streams 1000");
            apns.setMaxConcurrentStreams(5);
            client.awaitFrame("SETTINGS streams 5");
        }
        try (FrameClient client = FrameClient.connect(apns)) {
            assertThat(client.frames()).containsExactly("SETTINGS streams 5");
        }
    }
}
