package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the server tells of itself, and that it goes when it is closed. */
class SimulatedApnsTest {
    private final SettableClock clock = new SettableClock();
    private AppleAccount account;

    @BeforeEach
    void openAccount() throws Exception {
        account = new AppleAccount(clock);
    }

    @Test
    void aReceivedPushIsKeptWithAllThatWasSaidInIt() throws Exception {
        try (SimulatedApns apns = SimulatedApns.start(account.settings().build())) {
            String token = AppleAccount.regularToken(apns);
            Provider.Push push = account.alert(token);
            Provider.of(apns).send(push);

            assertThat(apns.received()).singleElement().satisfies(received -> {
                assertThat(received.at()).isEqualTo(clock.instant());
                assertThat(received.environment()).isEqualTo(Environment.PRODUCTION);
                assertThat(received.connection()).isEqualTo(1);
                assertThat(received.apnsId()).isEqualTo(push.id());
                assertThat(received.topic()).isEqualTo(AppleAccount.BUNDLE);
                assertThat(received.type()).contains(PushType.ALERT);
                assertThat(received.priority()).hasValue(10);
                assertThat(received.expiration()).contains(clock.instant().plusSeconds(86_400));
                assertThat(received.collapseId()).contains("call-1");
                assertThat(received.token()).isEqualTo(token);
                assertThat(received.payload().at("/aps/alert/title").asText()).isEqualTo("Missed call");
                assertThat(received.callId()).isEmpty();
                assertThat(received.accepted()).isTrue();
            });
        }
    }

    @Test
    void theHistoryIsBoundedAndTheCountsAreNot() throws Exception {
        try (SimulatedApns apns =
                SimulatedApns.start(account.settings().history(3).build())) {
            Provider provider = Provider.of(apns);
            String token = AppleAccount.voipToken(apns);
            for (int call = 0; call < 5; call++) {
                provider.send(account.voip(token, "call-" + call).header("apns-priority", "5"));
            }

            assertThat(apns.received())
                    .extracting(push -> push.callId().orElseThrow())
                    .containsExactly("call-2", "call-3", "call-4");
            assertThat(apns.violations()).hasSize(3);
            assertThat(apns.counts().requests()).isEqualTo(5);
            assertThat(apns.counts().accepted()).isEqualTo(5);
            assertThat(apns.counts().violations()).isEqualTo(5);
            assertThat(apns.counts().connections()).isEqualTo(1);
        }
    }

    @Test
    void listenersAreToldOfEverythingInItsOrder() throws Exception {
        try (SimulatedApns apns = SimulatedApns.start(account.settings().build())) {
            List<ApnsEvent> told = new CopyOnWriteArrayList<>();
            apns.listen(told::add);
            apns.listen(event -> {
                throw new IllegalStateException("a listener that fails");
            });
            String token = AppleAccount.voipToken(apns);
            Provider provider = Provider.of(apns);
            provider.send(account.voip(token, "call-1"));
            await().until(() -> told.size() == 2);
            apns.attach(token, push -> {});
            await().until(() -> told.size() == 3);
            apns.block(token);
            provider.send(account.voip(token, "call-2").header("apns-priority", "5"));
            await().until(() -> told.size() == 6);

            assertThat(told.subList(0, 3))
                    .extracting(Object::getClass)
                    .containsExactly(ApnsEvent.Decided.class, ApnsEvent.Kept.class, ApnsEvent.Delivered.class);
            assertThat(told.subList(3, 6))
                    .extracting(Object::getClass)
                    .contains(ApnsEvent.Decided.class, ApnsEvent.Violated.class, ApnsEvent.Discarded.class);
            assertThat(told).allMatch(event -> event.at().equals(clock.instant()));
        }
    }

    @Test
    void closingLeavesNoThreadAndNoConnection() throws Exception {
        SimulatedApns apns = SimulatedApns.start(account.settings().build());
        try (FrameClient client = FrameClient.connect(apns)) {
            client.send(account.voip(AppleAccount.voipToken(apns), "call-1"));
            client.awaitFrame("1 HEADERS 200");
            apns.close();

            client.awaitFrame("END");
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("simulated-apns"));
        assertThatThrownBy(() -> Provider.of(apns).send(account.voip("00", "call-1")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void closingTwiceDoesNoHarm() {
        SimulatedApns apns = SimulatedApns.start(account.settings().build());
        apns.close();
        apns.close();
    }

    @Test
    void thePemTextIsTheCertificate() throws Exception {
        try (SimulatedApns apns = SimulatedApns.start(account.settings().build())) {
            byte[] pem = apns.trustedCertificatePem().getBytes(StandardCharsets.US_ASCII);

            assertThat(CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem)))
                    .isEqualTo(apns.trustedCertificate());
        }
    }

    @Test
    void tokensOfAnotherServerAreUnknown() {
        try (SimulatedApns apns = SimulatedApns.start(account.settings().build())) {
            assertThatThrownBy(() -> apns.unregister("abcdef0123456789", Instant.EPOCH))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("The token abcdef01… was not issued by this server");
        }
    }

    @Test
    void noMoreTokensAreIssuedThanTheSettingsAllow() {
        try (SimulatedApns apns =
                SimulatedApns.start(account.settings().maxDeviceTokens(1).build())) {
            AppleAccount.voipToken(apns);

            assertThatThrownBy(() -> AppleAccount.voipToken(apns))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("maxDeviceTokens");
        }
    }

    @Test
    void settingsThatCannotBeAreRefusedWithASentence() {
        assertThatThrownBy(() -> account.settings().history(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("history must be at least 1, not 0");
        assertThatThrownBy(() -> account.settings().key(account.key).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Two keys have the id KEY1234567");
    }

    @Test
    void aKeyDoesNotShowItsSecret() {
        assertThat(account.key.toString()).isEqualTo("TeamKey[TEAM123456 KEY1234567]");
        assertThat(account.settings().build().toString()).doesNotContain("PRIVATE");
    }
}
