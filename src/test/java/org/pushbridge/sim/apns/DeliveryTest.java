package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What reaches a phone, what is kept for it while it is away, and what it never sees. */
class DeliveryTest {
    private final SettableClock clock = new SettableClock();
    private final List<DeliveredPush> arrived = new CopyOnWriteArrayList<>();
    private AppleAccount account;
    private SimulatedApns apns;
    private Provider provider;
    private String voipToken;
    private String regularToken;

    @BeforeEach
    void start() throws Exception {
        account = new AppleAccount(clock);
        start(account.settings());
    }

    private void start(SimulatedApnsSettings.Builder settings) throws Exception {
        apns = SimulatedApns.start(settings.build());
        provider = Provider.of(apns);
        voipToken = AppleAccount.voipToken(apns);
        regularToken = AppleAccount.regularToken(apns);
        apns.attach(voipToken, arrived::add);
        apns.attach(regularToken, arrived::add);
    }

    @AfterEach
    void stop() {
        apns.close();
    }

    private String send(Provider.Push push) throws Exception {
        assertThat(provider.send(push).statusCode()).isEqualTo(200);
        return push.id();
    }

    private void flightMode(boolean on) {
        apns.setOnline(voipToken, !on);
        apns.setOnline(regularToken, !on);
    }

    /** Every accepted push has come to one end or another. */
    private void awaitKept(long kept) {
        await().until(() -> apns.counts().kept() == kept);
    }

    private void awaitArrived(String... ids) {
        await().untilAsserted(() ->
                assertThat(arrived).extracting(DeliveredPush::apnsId).containsExactly(ids));
    }

    @Test
    void aPhoneThatIsOnlineGetsThePushAsItWasSent() throws Exception {
        String id = send(account.voip(voipToken, "call-1"));

        awaitArrived(id);
        DeliveredPush push = arrived.get(0);
        assertThat(push.payload().at("/call-id").asText()).isEqualTo("call-1");
        assertThat(push.type()).isEqualTo(PushType.VOIP);
        assertThat(push.token()).isEqualTo(voipToken);
        assertThat(push.acceptedAt()).isEqualTo(clock.instant());
        assertThat(push.late()).isFalse();
    }

    @Test
    void aRefusedPushReachesNoPhone() throws Exception {
        provider.send(account.voip(voipToken, "call-1").header("apns-priority", "7"));
        apns.inject(Aim.next(1), Fault.answer(503, "ServiceUnavailable"));
        provider.send(account.voip(voipToken, "call-2"));

        awaitArrived(send(account.voip(voipToken, "call-3")));
    }

    @Test
    void onlyTheLatestPushIsKeptForAPhoneThatIsAway() throws Exception {
        flightMode(true);
        send(account.alert(regularToken));
        String latest = send(account.alert(regularToken));
        awaitKept(2);
        flightMode(false);

        awaitArrived(latest);
        assertThat(arrived.get(0).late()).isTrue();
        assertThat(apns.counts().discarded()).isEqualTo(1);
    }

    @Test
    void voipAndRegularPushesAreKeptApart() throws Exception {
        flightMode(true);
        String voip = send(account.voip(voipToken, "call-1"));
        String alert = send(account.alert(regularToken));
        awaitKept(2);
        flightMode(false);

        awaitArrived(voip, alert);
    }

    @Test
    void whatWasKeptIsDeliveredOnce() throws Exception {
        flightMode(true);
        String id = send(account.alert(regularToken));
        awaitKept(1);
        flightMode(false);
        awaitArrived(id);
        flightMode(true);
        flightMode(false);

        String next = send(account.voip(voipToken, "call-1"));
        awaitArrived(id, next);
    }

    @Test
    void anAlertIsKeptUntilItExpires() throws Exception {
        flightMode(true);
        send(account.alert(regularToken, clock.instant().plusSeconds(100)));
        awaitKept(1);
        clock.advance(Duration.ofSeconds(101));
        flightMode(false);

        await().until(() -> apns.counts().discarded() == 1);
        assertThat(arrived).isEmpty();
    }

    @Test
    void anAlertThatMustNotBeKeptIsLost() throws Exception {
        flightMode(true);
        send(account.alert(regularToken).header("apns-expiration", "0"));

        await().until(() -> apns.counts().discarded() == 1);
        assertThat(apns.counts().kept()).isZero();
    }

    @Test
    void aVoipPushThatMustNotBeKeptStillArrivesHalfAMinuteLate() throws Exception {
        flightMode(true);
        String id = send(account.voip(voipToken, "call-1"));
        awaitKept(1);
        clock.advance(Duration.ofSeconds(30));
        flightMode(false);

        awaitArrived(id);
        assertThat(arrived.get(0).late()).isTrue();
    }

    @Test
    void aVoipPushThatMustNotBeKeptDoesNotArriveLaterThanThat() throws Exception {
        flightMode(true);
        send(account.voip(voipToken, "call-1"));
        awaitKept(1);
        clock.advance(Duration.ofSeconds(31));
        flightMode(false);

        await().until(() -> apns.counts().discarded() == 1);
        assertThat(arrived).isEmpty();
    }

    @Test
    void theLateWindowIsASetting() throws Exception {
        apns.close();
        start(account.settings().lateVoipWindow(Duration.ZERO));
        flightMode(true);
        send(account.voip(voipToken, "call-1"));
        awaitKept(1);
        clock.advance(Duration.ofSeconds(1));
        flightMode(false);

        await().until(() -> apns.counts().discarded() == 1);
    }

    @Test
    void aPhoneThatIsNotThereYetGetsItsPushWhenItAttaches() throws Exception {
        String token = AppleAccount.voipToken(apns);
        String id = send(account.voip(token, "call-1"));
        awaitKept(1);
        apns.attach(token, arrived::add);

        awaitArrived(id);
    }

    @Test
    void aPhoneThatHasLeftGetsNothingMore() throws Exception {
        apns.detach(voipToken);
        send(account.voip(voipToken, "call-1"));

        awaitKept(1);
        assertThat(arrived).isEmpty();
    }

    @Test
    void aBlockedAppGetsNoMoreVoipPushesThoughTheyAreAccepted() throws Exception {
        apns.block(voipToken);
        send(account.voip(voipToken, "call-1"));
        await().until(() -> apns.counts().discarded() == 1);
        apns.unblock(voipToken);

        awaitArrived(send(account.voip(voipToken, "call-2")));
    }

    @Test
    void whatWasKeptForATokenThatDiedIsLost() throws Exception {
        flightMode(true);
        send(account.voip(voipToken, "call-1"));
        awaitKept(1);
        apns.unregister(voipToken, clock.instant());
        flightMode(false);

        await().until(() -> apns.counts().discarded() == 1);
        assertThat(arrived).isEmpty();
    }

    @Test
    void aPhoneThatLeavesWhileThePushIsOnItsWayHasItKept() throws Exception {
        apns.close();
        start(account.settings().deliveryDelay(Delay.of(Duration.ofMillis(200))));
        send(account.voip(voipToken, "call-1"));
        flightMode(true);

        awaitKept(1);
        assertThat(arrived).isEmpty();
    }

    @Test
    void pushesWithDrawnDelaysAllArriveThoughNotAlwaysInOrder() throws Exception {
        apns.close();
        start(account.settings().seed(7).deliveryDelay(Delay.between(Duration.ZERO, Duration.ofMillis(300))));
        for (int call = 0; call < 20; call++) {
            send(account.voip(voipToken, "call-" + call));
        }

        await().until(() -> arrived.size() == 20);
        assertThat(arrived)
                .extracting(push -> push.payload().at("/call-id").asText())
                .doesNotHaveDuplicates();
    }

    @Test
    void aPhoneThatFailsOnAPushDoesNotDisturbTheOthers() throws Exception {
        String broken = AppleAccount.voipToken(apns);
        apns.attach(broken, push -> {
            throw new IllegalStateException("the app crashed");
        });
        send(account.voip(broken, "call-1"));

        awaitArrived(send(account.voip(voipToken, "call-2")));
    }
}
