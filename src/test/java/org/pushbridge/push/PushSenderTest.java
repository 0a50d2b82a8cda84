package org.pushbridge.push;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.sim.apns.Aim;
import org.pushbridge.sim.apns.ClientCertificate;
import org.pushbridge.sim.apns.Environment;
import org.pushbridge.sim.apns.Fault;
import org.pushbridge.sim.apns.PushType;
import org.pushbridge.sim.apns.ReceivedPush;
import org.pushbridge.sim.apns.SimulatedApns;
import org.pushbridge.sim.apns.SimulatedApnsSettings;
import org.pushbridge.sim.apns.TeamKey;
import org.pushbridge.sim.apns.TokenKind;

/** The whole Apple edge against the simulated APNs: real HTTP/2, real TLS, real JWTs. */
@Timeout(60)
class PushSenderTest {
    private static final String PHONE = "com.example.phone";
    private static final String OTHER = "org.example.other";
    private static final String LEGACY = "com.example.legacy";
    private static final Duration RING = Duration.ofSeconds(20);

    private static final TeamKey KEY = TeamKey.generate("TEAM123456", "KEY1234567");
    private static final TeamKey OTHER_KEY = TeamKey.generate("OTHER12345", "KEY7654321");
    private static ClientCertificate.Issued certificate;

    private static final PushSettings.Limits QUICK = new PushSettings.Limits(
            1,
            1000,
            Duration.ofSeconds(15),
            Duration.ofSeconds(5),
            Duration.ofMillis(50),
            Duration.ofMillis(50),
            4,
            Duration.ofMillis(300),
            Duration.ofMillis(500));

    private static Path files;

    private SimulatedApns apple;
    private Optional<PushSender> opened = Optional.empty();

    @BeforeAll
    static void handOutCredentials(@TempDir Path folder) throws IOException {
        files = folder;
        certificate = ClientCertificate.issue(LEGACY, "secret");
        Files.writeString(files.resolve("phone.p8"), KEY.p8());
        Files.writeString(files.resolve("other.p8"), OTHER_KEY.p8());
        Files.write(files.resolve("legacy.p12"), certificate.p12());
    }

    @BeforeEach
    void startApple() {
        apple = SimulatedApns.start(SimulatedApnsSettings.builder()
                .key(KEY)
                .key(OTHER_KEY)
                .app(KEY.teamId(), PHONE)
                .app(OTHER_KEY.teamId(), OTHER)
                .app(KEY.teamId(), LEGACY)
                .certificate(certificate.certificate())
                .build());
    }

    @AfterEach
    void stop() {
        opened.ifPresent(PushSender::close);
        apple.close();
    }

    // What is sent.

    @Test
    void aCallGoesOutAsOneVoipPushExactlyAsAppleAsks() {
        PushOutcome outcome = send(sender(), voip(device()));

        ReceivedPush push = onlyPush();
        assertThat(outcome).isEqualTo(new PushOutcome.Accepted(UUID.fromString(push.apnsId())));
        assertThat(push.apnsId()).isLowerCase();
        assertThat(push.environment()).isEqualTo(Environment.PRODUCTION);
        assertThat(push.topic()).isEqualTo(PHONE + ".voip");
        assertThat(push.type()).contains(PushType.VOIP);
        assertThat(push.priority()).hasValue(10);
        assertThat(push.expiration()).contains(Instant.EPOCH);
        assertThat(push.collapseId()).isEmpty();
        assertThat(push.payload().path("uuid").asText()).isEqualTo(Calls.CALL_KIT.toString());
        assertNoViolations();
    }

    @Test
    void aMissedCallGoesOutAsAnAlertThatIsKeptForADay() {
        send(sender(), push(PushKind.MISSED_CALL_ALERT, device()));

        ReceivedPush push = onlyPush();
        assertThat(push.topic()).isEqualTo(PHONE);
        assertThat(push.type()).contains(PushType.ALERT);
        assertThat(push.priority()).hasValue(10);
        assertThat(push.expiration().orElseThrow())
                .isBetween(
                        Instant.now().plus(24, ChronoUnit.HOURS).minusSeconds(30),
                        Instant.now().plus(24, ChronoUnit.HOURS).plusSeconds(1));
        assertThat(push.collapseId()).contains(Calls.CALL.toString());
        assertNoViolations();
    }

    @Test
    void theEndOfALostCallGoesOutInTheBackground() {
        Push wanted = push(PushKind.BACKGROUND_END, device());

        send(sender(), wanted);

        ReceivedPush push = onlyPush();
        assertThat(push.topic()).isEqualTo(PHONE);
        assertThat(push.type()).contains(PushType.BACKGROUND);
        assertThat(push.priority()).hasValue(5);
        assertThat(push.expiration().orElseThrow())
                .isBetween(wanted.deadline(), wanted.deadline().plusSeconds(1));
        assertThat(push.payload().at("/aps/content-available").asInt()).isEqualTo(1);
        assertNoViolations();
    }

    @Test
    void aPhoneThatGetsNoVoipPushForNowIsRungByAlert() {
        Push wanted = push(PushKind.RING_ALERT, device());

        send(sender(), wanted);

        ReceivedPush push = onlyPush();
        assertThat(push.topic()).isEqualTo(PHONE);
        assertThat(push.type()).contains(PushType.ALERT);
        assertThat(push.priority()).hasValue(10);
        assertThat(push.expiration().orElseThrow())
                .isBetween(wanted.deadline(), wanted.deadline().plusSeconds(1));
        assertThat(push.payload().path("event").asText()).isEqualTo("incoming-call");
        assertNoViolations();
    }

    @Test
    void aCallScreenIsEndedByAVoipPushAboutTheSameCall() {
        PushSender sender = sender();
        PushTarget device = device();
        send(sender, push(PushKind.END_VOIP, device));

        ReceivedPush push = onlyPush();
        assertThat(push.topic()).isEqualTo(PHONE + ".voip");
        assertThat(push.type()).contains(PushType.VOIP);
        assertThat(push.priority()).hasValue(10);
        assertThat(push.expiration()).contains(Instant.EPOCH);
        assertThat(push.collapseId()).isEmpty();
        assertThat(push.payload().path("event").asText()).isEqualTo("end");
        assertThat(push.payload().path("uuid").asText()).isEqualTo(Calls.CALL_KIT.toString());
        assertNoViolations();
    }

    @Test
    void anAppThatIsNotRungByVoipPushIsNotToldOfTheEndByOne() {
        PushSender sender = open(
                new PushSettings.App(
                        PHONE,
                        key("phone.p8", KEY),
                        ApnsEnvironment.PRODUCTION,
                        RingsBy.ALERT,
                        true,
                        PayloadTemplates.standard()),
                QUICK);

        assertThat(send(sender, push(PushKind.END_VOIP, device())))
                .isEqualTo(new PushOutcome.SwitchedOff(PushKind.END_VOIP));
        assertThat(apple.received()).isEmpty();
    }

    @Test
    void aRequestThatWaitsAsksForARegistrationInTheBackground() {
        Push wanted = push(PushKind.REQUEST_WAITING, device());

        send(sender(), wanted);

        ReceivedPush push = onlyPush();
        assertThat(push.topic()).isEqualTo(PHONE);
        assertThat(push.type()).contains(PushType.BACKGROUND);
        assertThat(push.priority()).hasValue(5);
        assertThat(push.expiration().orElseThrow())
                .isBetween(wanted.deadline(), wanted.deadline().plusSeconds(1));
        assertThat(push.collapseId().orElseThrow()).startsWith("request-").hasSizeLessThanOrEqualTo(64);
        assertThat(push.payload().path("event").asText()).isEqualTo("request");
        assertNoViolations();
    }

    @ParameterizedTest
    @EnumSource(PushKind.class)
    void linphonesPayloadsAreTakenByAppleToo(PushKind kind) {
        PushSender sender = open(
                new PushSettings.App(
                        PHONE,
                        key("phone.p8", KEY),
                        ApnsEnvironment.PRODUCTION,
                        RingsBy.VOIP,
                        true,
                        PayloadTemplates.of(PHONE, "linphone", Map.of())),
                QUICK);

        assertThat(send(sender, push(kind, device()))).isInstanceOf(PushOutcome.Accepted.class);
        assertNoViolations();
    }

    @Test
    void anAppThatMayNotUseCallKitIsRungByAlert() {
        PushSettings.App app = new PushSettings.App(
                PHONE,
                key("phone.p8", KEY),
                ApnsEnvironment.PRODUCTION,
                RingsBy.ALERT,
                true,
                PayloadTemplates.standard());
        PushSender sender = open(app, QUICK);
        PushTarget device = device();

        send(sender, voip(device));

        ReceivedPush push = onlyPush();
        assertThat(push.type()).contains(PushType.ALERT);
        assertThat(push.topic()).isEqualTo(PHONE);
        assertThat(push.token()).isEqualTo(device.regular().orElseThrow().hex());
        assertNoViolations();
    }

    @ParameterizedTest
    @EnumSource(PushKind.class)
    void anEndlessNameStillFitsWhatAppleTakes(PushKind kind) {
        Push push = push(kind, device());
        CallFacts facts = Calls.from("\"محمد\" 📞 \\ ".repeat(1000));

        PushOutcome outcome = send(
                sender(), new Push(kind, push.device(), push.target(), facts, push.stillWanted(), push.deadline()));

        assertThat(outcome).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(onlyPush().payload().path("display-name").asText()).startsWith("\"محمد\" 📞 \\ \"محمد\"");
        assertNoViolations();
    }

    @Test
    void appsOfSeveralTeamsAndEnvironmentsAndACertificateLiveInOneBridge() {
        PushSender sender = open(
                List.of(
                        app(PHONE, key("phone.p8", KEY)),
                        app(OTHER, key("other.p8", OTHER_KEY)),
                        app(LEGACY, new ApnsCredential.Certificate(files.resolve("legacy.p12"), "secret"))),
                QUICK);

        List<CompletableFuture<PushOutcome>> outcomes = new ArrayList<>();
        for (String bundle : List.of(PHONE, OTHER, LEGACY)) {
            for (ApnsEnvironment environment : ApnsEnvironment.values()) {
                outcomes.add(sender.send(voip(device(bundle, environment))).toCompletableFuture());
            }
        }

        assertThat(outcomes)
                .allSatisfy(
                        outcome -> assertThat(outcome).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class));
        assertThat(apple.received()).hasSize(6);
        assertThat(apple.received().stream().map(ReceivedPush::connection).distinct())
                .hasSize(6);
        assertThat(sender.statistics().links()).hasSize(6);
        assertThat(sender.statistics().count("accepted")).isEqualTo(6);
        assertNoViolations();
    }

    // Answers from APNs.

    @Test
    void aTokenThatAppleCallsDeadIsReportedWithApplesTime() {
        PushTarget device = device();
        Instant since = Instant.now().minusSeconds(3600).truncatedTo(ChronoUnit.MILLIS);
        apple.unregister(device.voip().orElseThrow().hex(), since);

        PushOutcome outcome = send(sender(), voip(device));

        assertThat(outcome)
                .isEqualTo(new PushOutcome.TokenDead(
                        "Unregistered", since, device.voip().orElseThrow()));
        onlyPush();
    }

    @Test
    void aDeadTokenWithoutATimeIsDeadSinceThePushWasSent() {
        apple.inject(Aim.everything(), Fault.answer(410, "ExpiredToken"));
        Instant before = Instant.now();

        PushOutcome outcome = send(sender(), voip(device()));

        assertThat(outcome)
                .isInstanceOfSatisfying(
                        PushOutcome.TokenDead.class,
                        dead -> assertThat(dead.since()).isBetween(before, Instant.now()));
    }

    @Test
    void aTokenOfTheOtherEnvironmentIsNotRetriedAndTheCauseIsNamed() {
        PushTarget sandbox = device(PHONE, ApnsEnvironment.SANDBOX);
        PushTarget mistaken = target(PHONE, ApnsEnvironment.PRODUCTION, sandbox.voip(), sandbox.regular());

        PushOutcome outcome = send(sender(), voip(mistaken));

        assertThat(outcome).isInstanceOfSatisfying(PushOutcome.TargetWrong.class, wrong -> {
            assertThat(wrong.reason()).isEqualTo("BadDeviceToken");
            assertThat(wrong.explanation()).contains("does not know this token in the production environment");
        });
        onlyPush();
    }

    @Test
    void aTokenOfTheWrongKindIsNotRetriedAndTheCauseIsNamed() {
        PushTarget device = device();
        PushTarget swapped =
                target(PHONE, ApnsEnvironment.PRODUCTION, /* voip= */ device.regular(), /* regular= */ device.voip());

        PushOutcome outcome = send(sender(), voip(swapped));

        assertThat(outcome).isInstanceOfSatisfying(PushOutcome.TargetWrong.class, wrong -> {
            assertThat(wrong.reason()).isEqualTo("DeviceTokenNotForTopic");
            assertThat(wrong.explanation()).contains("com.example.phone.voip").contains("swapped");
        });
        onlyPush();
    }

    @ParameterizedTest
    @CsvSource({"400, BadTopic", "400, PayloadEmpty", "404, BadPath", "405, MethodNotAllowed", "413, PayloadTooLarge"})
    void aRequestThatAppleFindsWrongIsOurFaultAndNotRetried(int status, String reason) {
        apple.inject(Aim.everything(), Fault.answer(status, reason));

        assertThat(send(sender(), voip(device()))).isEqualTo(new PushOutcome.OurFault(status, reason));

        onlyPush();
    }

    @Test
    void anExpiredJwtIsMadeAnewOnANewConnectionAndThePushResentOnce() {
        PushSender sender = sender();
        send(sender, voip(device()));
        apple.inject(Aim.next(1), Fault.answer(403, "ExpiredProviderToken"));

        PushOutcome outcome = send(sender, voip(device()));

        assertThat(outcome).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(apple.received()).hasSize(3);
        ReceivedPush refused = apple.received().get(1);
        ReceivedPush resent = apple.received().get(2);
        assertThat(resent.apnsId()).isEqualTo(refused.apnsId());
        assertThat(resent.connection()).isNotEqualTo(refused.connection());
    }

    @Test
    void requestsBehindOneThatAnExpiredJwtEndedAreResentToo() {
        PushSender sender = sender();
        send(sender, voip(device()));
        PushTarget first = device();
        PushTarget second = device();
        apple.inject(
                Aim.token(first.voip().orElseThrow().hex()).times(1),
                Fault.answer(403, "ExpiredProviderToken").after(Duration.ofSeconds(1)));
        apple.inject(Aim.token(second.voip().orElseThrow().hex()).times(1), Fault.of(Fault.Ending.SILENCE));

        CompletableFuture<PushOutcome> refused = sender.send(voip(first)).toCompletableFuture();
        CompletableFuture<PushOutcome> behind = sender.send(voip(second)).toCompletableFuture();

        assertThat(refused).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(behind).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(apple.received()).hasSize(5);
    }

    @Test
    void aJwtThatIsExpiredWhenNewMeansThatCredentialsDoNotWork() {
        apple.inject(Aim.everything(), Fault.answer(403, "ExpiredProviderToken"));

        assertThat(send(sender(), voip(device()))).isEqualTo(new PushOutcome.CredentialsWrong("ExpiredProviderToken"));

        assertThat(apple.received()).hasSize(2);
    }

    @Test
    void aKeyThatAppleDoesNotKnowOpensTheCircuitSoThatCallsFailAtOnce() throws IOException {
        Files.writeString(
                files.resolve("revoked.p8"),
                TeamKey.generate("TEAM123456", "KEY1234567").p8());
        PushSender sender = open(app(PHONE, key("revoked.p8", KEY)), withCircuitPause(Duration.ofMinutes(5)));

        assertThat(send(sender, voip(device()))).isEqualTo(new PushOutcome.CredentialsWrong("InvalidProviderToken"));
        assertThat(send(sender, voip(device()))).isEqualTo(new PushOutcome.CredentialsWrong("InvalidProviderToken"));

        onlyPush();
        assertThat(sender.statistics().links().get(0).refused()).contains("InvalidProviderToken");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "MissingProviderToken",
                "BadEnvironmentKeyIdInToken",
                "UnrelatedKeyIdInToken",
                "Forbidden",
                "BadCertificate",
                "BadCertificateEnvironment"
            })
    void afterAPauseOnePushFindsOutWhetherCredentialsWorkAgain(String reason) {
        PushSender sender = sender();
        apple.inject(Aim.next(1), Fault.answer(403, reason));
        assertThat(send(sender, voip(device()))).isEqualTo(new PushOutcome.CredentialsWrong(reason));

        await().atMost(20, SECONDS).until(() -> send(sender, voip(device())) instanceof PushOutcome.Accepted);

        assertThat(apple.received()).hasSize(2);
        assertThat(sender.statistics().links().get(0).refused()).isEmpty();
    }

    @Test
    void refusedCredentialsOfOneTeamDoNotStopAnother() {
        PushSender sender =
                open(List.of(app(PHONE, key("phone.p8", KEY)), app(OTHER, key("other.p8", OTHER_KEY))), QUICK);
        apple.inject(Aim.bundle(PHONE), Fault.answer(403, "InvalidProviderToken"));

        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.CredentialsWrong.class);
        assertThat(send(sender, voip(device(OTHER, ApnsEnvironment.PRODUCTION))))
                .isInstanceOf(PushOutcome.Accepted.class);
    }

    @Test
    void aThrottledDeviceIsTriedAgainAfterAPause() {
        apple.inject(Aim.next(2), Fault.answer(429, "TooManyRequests"));

        assertThat(send(sender(), voip(device()))).isInstanceOf(PushOutcome.Accepted.class);

        assertThat(apple.received()).hasSize(3);
        assertThat(apnsIds()).hasSize(1);
    }

    @Test
    void aThrottledPushIsDroppedWhenItsNextTryWouldComeTooLate() {
        apple.inject(Aim.everything(), Fault.answer(429, "TooManyRequests"));
        Push push = voip(device(), () -> true, Duration.ofSeconds(2));

        assertThat(send(sender(), push)).isEqualTo(new PushOutcome.Throttled("TooManyRequests"));

        assertThat(Instant.now()).isBefore(push.deadline().plusSeconds(5));
    }

    @Test
    void theJwtIsKeptWhenAppleFindsThatItChangesTooOften() {
        PushSender sender = sender();
        apple.inject(Aim.next(1), Fault.answer(429, "TooManyProviderTokenUpdates"));

        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);

        assertThat(connections()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"500, InternalServerError", "503, ServiceUnavailable", "503, Shutdown"})
    void aCallGetsOneQuickRetryWhenAppleIsInTrouble(int status, String reason) {
        apple.inject(Aim.next(1), Fault.answer(status, reason));

        assertThat(send(sender(), voip(device()))).isInstanceOf(PushOutcome.Accepted.class);

        assertThat(apple.received()).hasSize(2);
        assertThat(apnsIds()).hasSize(1);
        assertNoViolations();
    }

    @Test
    void aCallGetsNoMoreThanOneQuickRetry() {
        apple.inject(Aim.everything(), Fault.answer(503, "ServiceUnavailable"));

        assertThat(send(sender(), voip(device())))
                .isEqualTo(new PushOutcome.Unavailable("APNs answered 503 ServiceUnavailable", false));

        assertThat(apple.received()).hasSize(2);
    }

    @Test
    void aMissedCallAlertIsTriedAgainAndAgainButNotForEver() {
        PushSender sender = sender();
        apple.inject(Aim.next(3), Fault.answer(503, "ServiceUnavailable"));
        assertThat(send(sender, push(PushKind.MISSED_CALL_ALERT, device()))).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(apple.received()).hasSize(4);

        apple.inject(Aim.everything(), Fault.answer(503, "ServiceUnavailable"));
        assertThat(send(sender, push(PushKind.MISSED_CALL_ALERT, device())))
                .isInstanceOf(PushOutcome.Unavailable.class);
        assertThat(apple.received()).hasSize(8);
    }

    // Connections that end.

    @ParameterizedTest
    @EnumSource(
            value = Fault.Ending.class,
            names = {"REFUSED_STREAM", "GOAWAY_INSTEAD", "GOAWAY_AND_CUT"})
    void aRequestThatAppleHasNotProcessedIsResentWithTheSameId(Fault.Ending ending) {
        apple.inject(Aim.next(1), Fault.of(ending));

        assertThat(send(sender(), voip(device()))).isInstanceOf(PushOutcome.Accepted.class);

        assertThat(apple.received()).hasSize(2);
        assertThat(apnsIds()).hasSize(1);
        if (ending != Fault.Ending.REFUSED_STREAM) {
            assertThat(connections()).hasSize(2);
        }
        assertNoViolations();
    }

    @Test
    void aStreamThatIsRefusedEachTimeIsNotResentWithoutPause() {
        PushSender sender = sender();
        send(sender, voip(device()));
        apple.inject(Aim.everything(), Fault.of(Fault.Ending.REFUSED_STREAM));

        PushOutcome outcome = send(sender, voip(device(), () -> true, Duration.ofSeconds(2)));

        assertThat(outcome).isInstanceOf(PushOutcome.Unavailable.class);
        assertThat(apple.received()).hasSizeBetween(3, 40);
    }

    @Test
    void requestsBeforeAGoAwayStillGetTheirAnswers() {
        PushSender sender = sender();
        send(sender, voip(device()));
        PushTarget slow = device();
        PushTarget last = device();
        apple.inject(Aim.token(slow.voip().orElseThrow().hex()).times(1), Fault.slow(Duration.ofMillis(700)));
        apple.inject(Aim.token(last.voip().orElseThrow().hex()).times(1), Fault.of(Fault.Ending.GOAWAY_AFTER_ANSWER));

        CompletableFuture<PushOutcome> early = sender.send(voip(slow)).toCompletableFuture();
        CompletableFuture<PushOutcome> late = sender.send(voip(last)).toCompletableFuture();

        assertThat(early).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(late).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(apple.received()).hasSize(3);
        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(connections()).hasSize(2);
        assertNoViolations();
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Ending.class,
            names = {"CUT", "CUT_AFTER_PROCESSING"})
    void aCallWhoseAnswerIsLostWithTheConnectionIsNotPushedTwice(Fault.Ending ending) {
        PushSender sender = sender();
        apple.inject(Aim.next(1), Fault.of(ending));

        PushOutcome outcome = send(sender, voip(device()));

        assertThat(outcome)
                .isInstanceOfSatisfying(
                        PushOutcome.Unavailable.class,
                        unavailable -> assertThat(unavailable.mayHaveArrived()).isTrue());
        assertThat(apple.received()).hasSize(1);
        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);
        assertNoViolations();
    }

    @Test
    void anAlertWhoseAnswerIsLostWithTheConnectionIsResentAndReplacesItself() {
        apple.inject(Aim.next(1), Fault.of(Fault.Ending.CUT));

        assertThat(send(sender(), push(PushKind.MISSED_CALL_ALERT, device()))).isInstanceOf(PushOutcome.Accepted.class);

        assertThat(apple.received()).hasSize(2);
        assertThat(apnsIds()).hasSize(1);
        assertThat(apple.received())
                .allSatisfy(push -> assertThat(push.collapseId()).isPresent());
        assertNoViolations();
    }

    @Test
    void aPushThatIsNotAnsweredByItsDeadlineEndsThen() {
        PushSender sender = sender();
        send(sender, voip(device()));
        apple.inject(Aim.everything(), Fault.of(Fault.Ending.SILENCE));
        Push push = voip(device(), () -> true, Duration.ofSeconds(1));

        PushOutcome outcome = send(sender, push);

        assertThat(outcome).isEqualTo(new PushOutcome.Unavailable("APNs did not answer in time", true));
        assertThat(Instant.now())
                .isBetween(push.deadline().minusMillis(50), push.deadline().plusSeconds(5));
        assertThat(apple.received()).hasSize(2);
    }

    @Test
    void aConnectionThatFellSilentIsNotUsedForTheNextCall() {
        PushSender sender = sender();
        send(sender, voip(device()));
        apple.inject(Aim.next(1), Fault.of(Fault.Ending.SILENCE));
        send(sender, voip(device(), () -> true, Duration.ofSeconds(1)));

        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);

        assertThat(connections()).hasSize(2);
    }

    @Test
    void anApnsThatNeverFinishesTheHandshakeEndsThePushAtItsDeadline() throws IOException {
        try (ServerSocket deaf = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            PushSender sender = openAt(
                    new PushSettings.Endpoint("localhost", deaf.getLocalPort(), List.of(apple.trustedCertificate())));
            AtomicBoolean asked = new AtomicBoolean();

            PushOutcome outcome = send(
                    sender,
                    voip(
                            device(),
                            () -> {
                                asked.set(true);
                                return true;
                            },
                            Duration.ofSeconds(1)));

            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            PushOutcome.Unavailable.class,
                            unavailable ->
                                    assertThat(unavailable.mayHaveArrived()).isFalse());
            assertThat(asked).isTrue();
        }
    }

    @Test
    void aCallThatEndsWhileThereIsNoConnectionIsNotPushedWhenThereIsOne() throws Exception {
        AtomicBoolean alive = new AtomicBoolean(true);
        try (Passage passage = new Passage(apple.port(Environment.PRODUCTION))) {
            PushSender sender =
                    openAt(new PushSettings.Endpoint("localhost", passage.port(), List.of(apple.trustedCertificate())));
            CompletableFuture<PushOutcome> ended =
                    sender.send(voip(device(), alive::get, RING)).toCompletableFuture();
            passage.awaitCaller();

            alive.set(false);
            passage.open();

            assertThat(ended).succeedsWithin(RING).isEqualTo(new PushOutcome.NoLongerWanted());
            assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);
        }
        assertThat(apple.received()).hasSize(1);
        assertNoViolations();
    }

    @Test
    void aPushWaitsForAnApnsThatCannotBeReachedYetAndThenGoesOutOnce() throws Exception {
        try (Passage passage = new Passage(apple.port(Environment.PRODUCTION))) {
            passage.turnAway();
            PushSender sender =
                    openAt(new PushSettings.Endpoint("localhost", passage.port(), List.of(apple.trustedCertificate())));
            CompletableFuture<PushOutcome> waiting = sender.send(voip(device())).toCompletableFuture();
            await().atMost(20, SECONDS).until(() -> passage.turnedAway() >= 3);
            assertThat(waiting).isNotDone();

            passage.open();

            assertThat(waiting).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class);
        }
        onlyPush();
        assertNoViolations();
    }

    // Whether it is still wanted.

    @Test
    void aPushForACallThatHasEndedIsNotSent() {
        assertThat(send(sender(), voip(device(), () -> false, RING))).isEqualTo(new PushOutcome.NoLongerWanted());

        assertThat(apple.received()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"503, ServiceUnavailable", "429, TooManyRequests", "403, ExpiredProviderToken"})
    void aCallThatEndsBetweenTryAndRetryIsNotPushedAgain(int status, String reason) {
        apple.inject(Aim.everything(), Fault.answer(status, reason));

        PushOutcome outcome = send(sender(), voip(device(), this::beforeFirstRequest, RING));

        assertThat(outcome).isEqualTo(new PushOutcome.NoLongerWanted());
        assertThat(apple.received()).hasSize(1);
    }

    @Test
    void aCallThatEndsWhileItsStreamIsRefusedIsNotPushedAgainAndTheConnectionLives() {
        PushSender sender = sender();
        apple.inject(Aim.next(1), Fault.of(Fault.Ending.REFUSED_STREAM));

        PushOutcome outcome = send(sender, voip(device(), this::beforeFirstRequest, RING));

        assertThat(outcome).isEqualTo(new PushOutcome.NoLongerWanted());
        assertThat(apple.received()).hasSize(1);
        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(connections()).hasSize(1);
        assertNoViolations();
    }

    // Bounds.

    @Test
    void whatIsInFlightIsBoundedAndAlertsLeaveRoomForCalls() {
        PushSettings.Limits four = new PushSettings.Limits(
                1,
                4,
                QUICK.answerWithin(),
                QUICK.connectWithin(),
                QUICK.quickRetry(),
                QUICK.backOff(),
                QUICK.alertAttempts(),
                QUICK.circuitPause(),
                QUICK.closeWithin());
        PushSender sender = open(app(PHONE, key("phone.p8", KEY)), four);
        send(sender, voip(device()));
        apple.inject(Aim.next(4), Fault.slow(Duration.ofSeconds(2)));

        List<CompletableFuture<PushOutcome>> taken = new ArrayList<>();
        taken.add(sender.send(push(PushKind.MISSED_CALL_ALERT, device())).toCompletableFuture());
        taken.add(sender.send(push(PushKind.MISSED_CALL_ALERT, device())).toCompletableFuture());
        assertThat(sender.send(push(PushKind.MISSED_CALL_ALERT, device())).toCompletableFuture())
                .isCompletedWithValue(new PushOutcome.Overloaded(2));
        taken.add(sender.send(voip(device())).toCompletableFuture());
        taken.add(sender.send(voip(device())).toCompletableFuture());
        assertThat(sender.statistics().links().get(0).inFlight()).isEqualTo(4);
        assertThat(sender.send(voip(device())).toCompletableFuture())
                .isCompletedWithValue(new PushOutcome.Overloaded(4));

        assertThat(taken)
                .allSatisfy(each -> assertThat(each).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class));
        assertThat(send(sender, voip(device()))).isInstanceOf(PushOutcome.Accepted.class);
        assertThat(sender.statistics().links().get(0).inFlight()).isZero();
    }

    @Test
    void hundredsOfCallsAtOnceAllGetTheirPush() {
        PushSender sender = sender();

        List<CompletableFuture<PushOutcome>> outcomes = new ArrayList<>();
        for (int n = 0; n < 300; n++) {
            outcomes.add(sender.send(voip(device())).toCompletableFuture());
        }

        assertThat(outcomes)
                .allSatisfy(each -> assertThat(each).succeedsWithin(RING).isInstanceOf(PushOutcome.Accepted.class));
        assertThat(apple.received()).hasSize(300);
        assertNoViolations();
    }

    @Test
    void closingTakesABoundedTimeAndLeavesNoPushWithoutAnOutcome() {
        PushSender sender = sender();
        apple.inject(Aim.everything(), Fault.of(Fault.Ending.SILENCE));
        CompletableFuture<PushOutcome> waiting = sender.send(voip(device())).toCompletableFuture();
        await().until(() -> apple.received().size() == 1);
        Instant before = Instant.now();

        sender.close();

        assertThat(Duration.between(before, Instant.now())).isLessThan(Duration.ofSeconds(10));
        assertThat(waiting).isCompletedWithValue(new PushOutcome.Unavailable("the bridge is shutting down", true));
        assertThat(sender.send(voip(device())).toCompletableFuture())
                .isCompletedWithValue(new PushOutcome.Unavailable("the bridge is shutting down", false));
    }

    // Start.

    @Test
    void connectionsAreOpenBeforeTheFirstCall() {
        PushSender sender = sender();

        assertThat(sender.warmUp().toCompletableFuture())
                .succeedsWithin(RING)
                .satisfies(warm -> assertThat(warm)
                        .singleElement()
                        .satisfies(link -> assertThat(link.failure()).isEmpty()));
        assertThat(apple.counts().connections()).isEqualTo(1);
        assertThat(apple.counts().requests()).isZero();

        send(sender, voip(device()));

        assertThat(apple.counts().connections()).isEqualTo(1);
        assertNoViolations();
    }

    @Test
    void anApnsThatCannotBeReachedOrTrustedIsReportedAndDoesNotKeepTheBridgeFromStarting() throws IOException {
        PushSender unreachable = openAt(new PushSettings.Endpoint("localhost", freePort(), List.of()));
        assertThat(unreachable.warmUp().toCompletableFuture())
                .succeedsWithin(RING)
                .satisfies(
                        warm -> assertThat(warm.get(0).failure().orElseThrow()).contains("refused"));
        unreachable.close();

        PushSender distrusting =
                openAt(new PushSettings.Endpoint("localhost", apple.port(Environment.PRODUCTION), List.of()));
        assertThat(distrusting.warmUp().toCompletableFuture())
                .succeedsWithin(RING)
                .satisfies(
                        warm -> assertThat(warm.get(0).failure().orElseThrow()).contains("does not trust APNs"));
    }

    // What is not sent at all.

    @Test
    void aDeviceWithoutTheTokenThatIsNeededIsToldApart() {
        PushTarget device = device();
        PushTarget voipOnly = target(PHONE, ApnsEnvironment.PRODUCTION, device.voip(), Optional.empty());
        PushTarget regularOnly = target(PHONE, ApnsEnvironment.PRODUCTION, Optional.empty(), device.regular());
        PushSender sender = sender();

        assertThat(send(sender, voip(regularOnly))).isEqualTo(new PushOutcome.NoToken("VoIP"));
        assertThat(send(sender, push(PushKind.MISSED_CALL_ALERT, voipOnly)))
                .isEqualTo(new PushOutcome.NoToken("regular"));
        assertThat(apple.received()).isEmpty();
    }

    @Test
    void anAppThatIsNotInTheSettingsIsNamed() {
        PushTarget device = device();
        PushTarget strange = target("com.example.strange", ApnsEnvironment.PRODUCTION, device.voip(), Optional.empty());

        assertThat(send(sender(), voip(strange))).isEqualTo(new PushOutcome.AppUnknown("com.example.strange"));
    }

    @Test
    void anAppCanDoWithoutMissedCallAlerts() {
        PushSender sender = open(
                new PushSettings.App(
                        PHONE,
                        key("phone.p8", KEY),
                        ApnsEnvironment.PRODUCTION,
                        RingsBy.VOIP,
                        false,
                        PayloadTemplates.standard()),
                QUICK);

        assertThat(send(sender, push(PushKind.MISSED_CALL_ALERT, device())))
                .isEqualTo(new PushOutcome.SwitchedOff(PushKind.MISSED_CALL_ALERT));
        assertThat(apple.received()).isEmpty();
    }

    // Set-up.

    private PushSender sender() {
        return open(app(PHONE, key("phone.p8", KEY)), QUICK);
    }

    private PushSender open(PushSettings.App app, PushSettings.Limits limits) {
        return open(List.of(app), limits);
    }

    private PushSender open(List<PushSettings.App> apps, PushSettings.Limits limits) {
        return open(
                apps,
                limits,
                Map.of(
                        ApnsEnvironment.PRODUCTION, endpoint(Environment.PRODUCTION),
                        ApnsEnvironment.SANDBOX, endpoint(Environment.SANDBOX)));
    }

    private PushSender openAt(PushSettings.Endpoint endpoint) {
        return open(List.of(app(PHONE, key("phone.p8", KEY))), QUICK, Map.of(ApnsEnvironment.PRODUCTION, endpoint));
    }

    private PushSender open(
            List<PushSettings.App> apps,
            PushSettings.Limits limits,
            Map<ApnsEnvironment, PushSettings.Endpoint> endpoints) {
        PushSender sender = new PushSender(PushSettings.of(apps, endpoints, limits), Clock.systemUTC());
        opened = Optional.of(sender);
        return sender;
    }

    private PushSettings.Endpoint endpoint(Environment environment) {
        return new PushSettings.Endpoint("localhost", apple.port(environment), List.of(apple.trustedCertificate()));
    }

    private static PushSettings.Limits withCircuitPause(Duration pause) {
        return new PushSettings.Limits(
                1,
                1000,
                QUICK.answerWithin(),
                QUICK.connectWithin(),
                QUICK.quickRetry(),
                QUICK.backOff(),
                QUICK.alertAttempts(),
                pause,
                QUICK.closeWithin());
    }

    private static PushSettings.App app(String bundle, ApnsCredential credential) {
        return new PushSettings.App(
                bundle, credential, ApnsEnvironment.PRODUCTION, RingsBy.VOIP, true, PayloadTemplates.standard());
    }

    private static ApnsCredential key(String file, TeamKey key) {
        return new ApnsCredential.SigningKey(files.resolve(file), key.keyId(), key.teamId());
    }

    private PushTarget device() {
        return device(PHONE, ApnsEnvironment.PRODUCTION);
    }

    private PushTarget device(String bundle, ApnsEnvironment environment) {
        Environment apples = Environment.valueOf(environment.name());
        return target(
                bundle,
                environment,
                Optional.of(new PushToken(apple.issueToken(bundle, TokenKind.VOIP, apples))),
                Optional.of(new PushToken(apple.issueToken(bundle, TokenKind.REGULAR, apples))));
    }

    private static PushTarget target(
            String bundle, ApnsEnvironment environment, Optional<PushToken> voip, Optional<PushToken> regular) {
        return new PushTarget(
                environment, KEY.teamId(), bundle, voip, regular, Instant.EPOCH, "apns", "as received", "as received");
    }

    private static Push voip(PushTarget target) {
        return voip(target, () -> true, RING);
    }

    private static Push voip(PushTarget target, BooleanSupplier stillWanted, Duration time) {
        return new Push(
                PushKind.VOIP,
                new DeviceId("0123456789abcdef"),
                target,
                Calls.from("Bob"),
                stillWanted,
                Instant.now().plus(time));
    }

    private static Push push(PushKind kind, PushTarget target) {
        return new Push(
                kind,
                new DeviceId("0123456789abcdef"),
                target,
                Calls.from("Bob"),
                () -> true,
                Instant.now().plus(RING));
    }

    /** Wanted by a call that ends when APNs has its first request. */
    private boolean beforeFirstRequest() {
        return apple.received().isEmpty();
    }

    private static PushOutcome send(PushSender sender, Push push) {
        return sender.send(push).toCompletableFuture().orTimeout(40, SECONDS).join();
    }

    private ReceivedPush onlyPush() {
        assertThat(apple.received()).hasSize(1);
        return apple.received().get(0);
    }

    private List<String> apnsIds() {
        return apple.received().stream().map(ReceivedPush::apnsId).distinct().toList();
    }

    private List<Integer> connections() {
        return apple.received().stream()
                .map(ReceivedPush::connection)
                .distinct()
                .toList();
    }

    private void assertNoViolations() {
        assertThat(apple.violations()).isEmpty();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
