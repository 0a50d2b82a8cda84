package org.pushbridge.app;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pushbridge.call.CallId;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.push.PushSender;
import org.pushbridge.sim.apns.PushType;
import org.pushbridge.sim.apns.ReceivedPush;
import org.pushbridge.sip.Waker;

@Timeout(60)
class PushWakerTest {
    private static final Aor ALICE = Aor.parse("alice@example.com");
    private static final DeviceId PHONE = DeviceId.of(ALICE, "instance:urn:uuid:1");
    private static final Optional<PushToken> VOIP = Optional.of(new PushToken("11".repeat(32)));
    private static final Optional<PushToken> REGULAR = Optional.of(new PushToken("22".repeat(32)));
    /** The simulated APNs takes tokens that begin so for those of an app that was removed. */
    private static final Optional<PushToken> DEAD = Optional.of(new PushToken(InnerApns.DEAD + "33".repeat(30)));

    private final Clock clock = Clock.systemUTC();
    private final InnerApns apple = InnerApns.start(Config.defaults());
    private final PushSender sender = new PushSender(apple.settings(), clock);
    private final DeviceDirectory directory = DeviceDirectory.load(new UnkeptDevices());
    private final PushBudget budget = new PushBudget(1, Duration.ofHours(1));
    private final PushWaker waker = new PushWaker(sender, directory, budget, clock, Optional.empty(), apple::adopt);

    /** What the call is told. */
    private sealed interface Told {
        record Taken(boolean voip) implements Told {}

        record Failed(String why, boolean appGone) implements Told {}
    }

    @AfterEach
    void stop() throws IOException {
        sender.close();
        apple.close();
    }

    @Test
    void theCallIsToldThatAppleTookThePush() {
        assertThat(ring(device(VOIP, REGULAR))).isEqualTo(new Told.Taken(true));

        assertThat(onlyPush().type()).contains(PushType.VOIP);
        assertThat(onlyPush().payload().path("uuid").asText()).isNotEmpty();
    }

    @Test
    void aDeadTokenIsToldAtOnceAndMarksTheDevice() {
        assertThat(ring(device(DEAD, REGULAR)))
                .isInstanceOfSatisfying(
                        Told.Failed.class,
                        failed -> assertThat(failed.appGone()).isTrue());

        assertThat(directory.device(PHONE).orElseThrow().targetFault().orElseThrow())
                .contains("Unregistered");
        assertThat(budget.mayRing(PHONE, clock.instant().plusSeconds(90)))
                .as("a push that Apple did not take wastes nothing")
                .isTrue();
    }

    @Test
    void aDeadTokenIsForgottenWhateverPushFindsItOut() {
        for (Wish wish : List.<Wish>of(
                waker::alertMissedCall, wake -> waker.endByBackground(wake, "caller-gave-up"), waker::wakeForRequest)) {
            Device device = device(VOIP, DEAD);
            wish.of(wake(device));
            await().untilAsserted(() -> assertThat(directory
                            .device(PHONE)
                            .orElseThrow()
                            .target()
                            .orElseThrow()
                            .regular())
                    .isEmpty());
            assertThat(directory.device(PHONE).orElseThrow().isPushable()).isTrue();
        }
        Device device = device(DEAD, REGULAR);
        waker.endByVoip(wake(device), "caller-gave-up");
        await().untilAsserted(() ->
                assertThat(directory.device(PHONE).orElseThrow().targetFault()).isPresent());
    }

    private interface Wish {
        void of(Waker.Wake wake);
    }

    @Test
    void aDeadTokenThatTheDeviceHasConfirmedSinceIsKept() {
        Device old = device(DEAD, REGULAR);
        device(DEAD, REGULAR, clock.instant().plusSeconds(60));

        ring(old);

        assertThat(directory.device(PHONE).orElseThrow().isPushable()).isTrue();
    }

    @Test
    void aPhoneThatWastedItsPushesIsRungByAlertUntilItRegisters() {
        budget.take(PHONE, clock.instant().minus(PushBudget.ANSWER_WITHIN));

        assertThat(ring(device(VOIP, REGULAR))).isEqualTo(new Told.Taken(false));
        assertThat(onlyPush().type()).contains(PushType.ALERT);

        waker.awake(device(VOIP, REGULAR));
        assertThat(ring(device(VOIP, REGULAR))).isEqualTo(new Told.Taken(true));
    }

    @Test
    void withoutATokenForAlertsAPhoneThatWastedItsPushesCannotBeRung() {
        budget.take(PHONE, clock.instant().minus(PushBudget.ANSWER_WITHIN));

        assertThat(ring(device(VOIP, Optional.empty()))).isEqualTo(new Told.Failed("push budget", false));
        assertThat(apple.apns().received()).isEmpty();
    }

    @Test
    void aPhoneThatGaveOnlyARegularTokenIsRungByAlert() {
        assertThat(ring(device(Optional.empty(), REGULAR))).isEqualTo(new Told.Taken(false));
        assertThat(onlyPush().type()).contains(PushType.ALERT);
    }

    @Test
    void thePushesOfACallSayWhichIsTheLatestAndWhatHappened() {
        Waker.Wake wake = wake(device(VOIP, REGULAR));
        ring(wake);
        waker.wakeForRequest(wake);
        awaitPushes(2);
        waker.endByBackground(wake, "answered-elsewhere");
        awaitPushes(3);
        waker.endByVoip(wake, "answered-elsewhere");
        awaitPushes(4);

        List<ReceivedPush> pushes = apple.apns().received();
        assertThat(pushes)
                .extracting(push -> push.payload().path("event").asText())
                .containsExactly("incoming-call", "request", "end", "end");
        assertThat(pushes)
                .extracting(push -> push.payload().path("reason").asText())
                .containsExactly("", "", "answered-elsewhere", "answered-elsewhere");
        assertThat(pushes)
                .extracting(push -> push.payload().path("uuid").asText())
                .containsOnly(wake.callKitUuid().toString());
        assertThat(pushes)
                .extracting(push -> push.payload().path("seq").asLong())
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @Test
    void theEndOfACallThatWasAnsweredLongAgoIsStillTold() {
        Waker.Wake wake = wake(device(VOIP, REGULAR), clock.instant().minusSeconds(3600));

        waker.endByBackground(wake, "caller-gave-up");
        awaitPushes(1);

        assertThat(onlyPush().payload().path("expires-at").asLong()).isGreaterThan(clock.millis());
        assertThat(apple.apns().violations()).isEmpty();
    }

    private void awaitPushes(int count) {
        await().untilAsserted(() -> assertThat(apple.apns().received()).hasSize(count));
    }

    private ReceivedPush onlyPush() {
        assertThat(apple.apns().received()).hasSize(1);
        return apple.apns().received().get(0);
    }

    private Told ring(Device device) {
        return ring(wake(device));
    }

    private Told ring(Waker.Wake wake) {
        CompletableFuture<Told> told = new CompletableFuture<>();
        waker.wake(
                wake,
                () -> true,
                accepted -> told.complete(new Told.Taken(accepted.voip())),
                failure -> told.complete(new Told.Failed(failure.why(), failure.appGone())));
        return told.orTimeout(30, SECONDS).join();
    }

    private Waker.Wake wake(Device device) {
        return wake(device, clock.instant());
    }

    private static Waker.Wake wake(Device device, Instant began) {
        return new Waker.Wake(
                new CallId(UUID.randomUUID()),
                device,
                UUID.randomUUID(),
                "call@bridge",
                "sip:bob@example.com",
                "Bob",
                false,
                began,
                began.plusSeconds(45),
                false);
    }

    /** A device with these tokens, known to the directory. */
    private Device device(Optional<PushToken> voip, Optional<PushToken> regular) {
        return device(voip, regular, clock.instant().minusSeconds(60));
    }

    private Device device(Optional<PushToken> voip, Optional<PushToken> regular, Instant registeredAt) {
        PushTarget target = new PushTarget(
                ApnsEnvironment.PRODUCTION,
                "TEAM123456",
                apple.settings().apps().keySet().iterator().next(),
                voip,
                regular,
                registeredAt,
                "apns",
                "param",
                "prid");
        Device device =
                new Device(PHONE, ALICE, "instance:urn:uuid:1", Optional.of(target), Optional.empty(), List.of());
        directory
                .update(ALICE, PHONE, known -> Optional.of(device))
                .toCompletableFuture()
                .join();
        return device;
    }
}
