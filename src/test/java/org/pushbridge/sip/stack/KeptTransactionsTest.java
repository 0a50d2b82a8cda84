package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gov.nist.javax.sip.message.SIPResponse;
import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is left of a transaction for the 32 s that it outlives its final response. */
class KeptTransactionsTest {
    private final List<WeakReference<Object>> messages = new CopyOnWriteArrayList<>();
    private final List<WeakReference<Object>> transactions = new CopyOnWriteArrayList<>();
    private Bridge bridge;

    @BeforeEach
    void start() throws Exception {
        bridge = Bridge.start(settings -> settings.withT1(Duration.ofMillis(500)));
    }

    @AfterEach
    void stop() {
        bridge.close();
    }

    /** Answers with this status, and remembers weakly what there was. */
    private void answerWith(int status) {
        bridge.behaviour = request -> {
            bridge.requests.remove(request);
            if (request.isAck()) {
                return;
            }
            SIPResponse response = Responses.create(request.message(), status, Optional.of("tag-of-ours"));
            messages.add(new WeakReference<>(request.message()));
            messages.add(new WeakReference<>(response));
            transactions.add(new WeakReference<>(transactionOf(request)));
            request.respond(response);
        };
    }

    private static Object transactionOf(InboundRequest request) {
        try {
            Field field = InboundRequest.class.getDeclaredField("transaction");
            field.setAccessible(true);
            return ((Optional<?>) field.get(request)).orElseThrow();
        } catch (NoSuchFieldException | IllegalAccessException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private static void awaitCollected(List<WeakReference<Object>> references) {
        await().pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            System.gc();
            assertThat(references).isNotEmpty().allMatch(reference -> reference.get() == null);
        });
    }

    @ParameterizedTest
    @CsvSource({"OPTIONS, 200", "REGISTER, 401", "INVITE, 486"})
    void itHoldsTheBytesOfItsResponseAndNoMessage(String method, int status) throws Exception {
        answerWith(status);
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String request = Messages.request(method, peer);
            peer.send(request);
            String answer = peer.receive();
            assertThat(Messages.status(answer)).isEqualTo(status);

            awaitCollected(messages);
            if (!method.equals("INVITE")) {
                awaitCollected(transactions);
            }

            assertThat(bridge.stack.serverTransactions()).isEqualTo(1);
            peer.send(request);
            assertThat(peer.receive()).isEqualTo(answer);
        }
    }

    @ParameterizedTest
    @CsvSource({"OPTIONS, TCP", "INVITE, TCP", "INVITE, UDP"})
    void nothingIsLeftWhereNothingIsResent(String method, Transport transport) throws Exception {
        answerWith(200);
        try (Peer peer = bridge.peer(transport)) {
            peer.send(Messages.request(method, peer));
            assertThat(Messages.status(peer.receive())).isEqualTo(200);

            awaitCollected(messages);
            awaitCollected(transactions);

            assertThat(bridge.stack.serverTransactions()).isZero();
        }
    }

    @Test
    void aCancelledInviteIsNotHeldByItsCancel() throws Exception {
        bridge.behaviour = request -> {
            bridge.requests.remove(request);
            messages.add(new WeakReference<>(request.message()));
            if (request.message().getMethod().equals("CANCEL")) {
                InboundRequest invite = request.cancelled().orElseThrow();
                invite.respond(Responses.create(invite.message(), 487, Optional.of("tag-of-ours")));
            }
        };
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String invite = Messages.request("INVITE", peer);
            peer.send(invite);
            await().until(() -> messages.size() == 1);
            peer.send(invite.replaceFirst("^INVITE", "CANCEL").replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL"));
            assertThat(List.of(Messages.status(peer.receive()), Messages.status(peer.receive())))
                    .containsExactlyInAnyOrder(200, 487);

            awaitCollected(messages);

            assertThat(bridge.stack.serverTransactions()).isEqualTo(2);
        }
    }
}
