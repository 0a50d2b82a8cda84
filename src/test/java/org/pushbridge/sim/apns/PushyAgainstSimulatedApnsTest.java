package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;

import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.DeliveryPriority;
import com.eatthepath.pushy.apns.PushNotificationResponse;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The client that production uses gets along with the simulated server, with tokens and with certificates. */
class PushyAgainstSimulatedApnsTest {
    private static final String TEAM = "TEAM123456";
    private static final String BUNDLE = "com.example.phone";

    @Test
    void aBurstOfVoipPushesOverSeveralConnectionsIsAcceptedAndReachesThePhones() throws Exception {
        TeamKey key = TeamKey.generate(TEAM, "KEY1234567");
        SimulatedApnsSettings settings =
                SimulatedApnsSettings.builder().key(key).app(TEAM, BUNDLE).build();
        try (SimulatedApns apns = SimulatedApns.start(settings)) {
            ApnsClient client = clientOf(apns)
                    .setSigningKey(ApnsSigningKey.loadFromInputStream(
                            new ByteArrayInputStream(key.p8().getBytes(StandardCharsets.UTF_8)),
                            key.teamId(),
                            key.keyId()))
                    .setConcurrentConnections(2)
                    .build();
            try {
                BlockingQueue<DeliveredPush> arrived = new LinkedBlockingQueue<>();
                List<Future<PushNotificationResponse<SimpleApnsPushNotification>>> sent = new ArrayList<>();
                for (int call = 0; call < 200; call++) {
                    String token = apns.issueToken(BUNDLE, TokenKind.VOIP, Environment.PRODUCTION);
                    apns.attach(token, arrived::add);
                    sent.add(client.sendNotification(voip(token, "call-" + call)));
                }
                for (var future : sent) {
                    assertThat(future.get(20, TimeUnit.SECONDS).isAccepted()).isTrue();
                }
                for (int call = 0; call < 200; call++) {
                    assertThat(arrived.poll(10, TimeUnit.SECONDS)).isNotNull();
                }
                assertThat(apns.violations()).isEmpty();
                assertThat(apns.counts().connections()).isEqualTo(2);
            } finally {
                client.close().get(20, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void aDeadTokenIsReportedWithTheMomentOfItsDeath() throws Exception {
        TeamKey key = TeamKey.generate(TEAM, "KEY1234567");
        SimulatedApnsSettings settings =
                SimulatedApnsSettings.builder().key(key).app(TEAM, BUNDLE).build();
        try (SimulatedApns apns = SimulatedApns.start(settings)) {
            ApnsClient client = clientOf(apns)
                    .setSigningKey(ApnsSigningKey.loadFromInputStream(
                            new ByteArrayInputStream(key.p8().getBytes(StandardCharsets.UTF_8)),
                            key.teamId(),
                            key.keyId()))
                    .build();
            try {
                String token = apns.issueToken(BUNDLE, TokenKind.VOIP, Environment.PRODUCTION);
                apns.unregister(token, Instant.ofEpochMilli(1_700_000_000_123L));

                PushNotificationResponse<?> response =
                        client.sendNotification(voip(token, "call-1")).get(20, TimeUnit.SECONDS);

                assertThat(response.getStatusCode()).isEqualTo(410);
                assertThat(response.getRejectionReason()).contains("Unregistered");
                assertThat(response.getTokenInvalidationTimestamp()).contains(Instant.ofEpochMilli(1_700_000_000_123L));
            } finally {
                client.close().get(20, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void aProviderCertificateServesInsteadOfAToken() throws Exception {
        ClientCertificate.Issued issued = ClientCertificate.issue(BUNDLE, "secret");
        SimulatedApnsSettings settings = SimulatedApnsSettings.builder()
                .certificate(issued.certificate())
                .build();
        try (SimulatedApns apns = SimulatedApns.start(settings)) {
            ApnsClient client = clientOf(apns)
                    .setClientCredentials(new ByteArrayInputStream(issued.p12()), issued.password())
                    .build();
            try {
                String token = apns.issueToken(BUNDLE, TokenKind.VOIP, Environment.PRODUCTION);

                PushNotificationResponse<?> response =
                        client.sendNotification(voip(token, "call-1")).get(20, TimeUnit.SECONDS);

                assertThat(response.isAccepted()).isTrue();
                assertThat(apns.violations()).isEmpty();
            } finally {
                client.close().get(20, TimeUnit.SECONDS);
            }
        }
    }

    private static ApnsClientBuilder clientOf(SimulatedApns apns) {
        return new ApnsClientBuilder()
                .setApnsServer(apns.host(), apns.port(Environment.PRODUCTION))
                .setTrustedServerCertificateChain(apns.trustedCertificate());
    }

    private static SimpleApnsPushNotification voip(String token, String callId) {
        return new SimpleApnsPushNotification(
                token,
                BUNDLE + ".voip",
                "{\"aps\":{},\"call-id\":\"" + callId + "\"}",
                Instant.EPOCH,
                DeliveryPriority.IMMEDIATE,
                com.eatthepath.pushy.apns.PushType.VOIP,
                null,
                UUID.randomUUID());
    }
}
