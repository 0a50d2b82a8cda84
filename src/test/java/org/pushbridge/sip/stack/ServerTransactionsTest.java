package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ServerTransactionsTest {
    private static final Duration A_WHILE = Duration.ofMillis(300);

    private Bridge bridge;

    @BeforeEach
    void start() throws Exception {
        bridge = Bridge.start();
    }

    @AfterEach
    void stop() {
        bridge.close();
    }

    static Stream<Arguments> everyWayIn() {
        return Stream.of(Transport.values())
                .flatMap(transport -> Stream.of(Bridge.V4, Bridge.V6).map(address -> Arguments.of(transport, address)));
    }

    static void answer(InboundRequest request, int status) {
        request.respond(response(request, status));
    }

    static SIPResponse response(InboundRequest request, int status) {
        SIPResponse response = Responses.create(request.message(), status, Optional.of("bridge"));
        if (status == 200 && request.message().getMethod().equals("INVITE")) {
            try {
                response.setHeader(StringMsgParser.parseSIPHeader("Contact: <sip:bridge@127.0.0.1>"));
            } catch (java.text.ParseException e) {
                throw new AssertionError(e);
            }
        }
        return response;
    }

    @ParameterizedTest
    @MethodSource("everyWayIn")
    void aRequestIsPassedUpAndAnsweredTheWayItCame(Transport transport, InetAddress address) throws Exception {
        try (Peer peer = Peer.of(transport, bridge.at(transport, address))) {
            peer.send(Messages.request("OPTIONS", peer));

            InboundRequest options = bridge.next("OPTIONS");
            assertThat(options.flow().transport()).isEqualTo(transport.parameter());
            assertThat(options.flow().remote()).isEqualTo(peer.address());
            assertThat(options.flow().local()).isEqualTo(bridge.at(transport, address));
            assertThat(bridge.stack.isAlive(options.flow())).isTrue();
            answer(options, 200);

            String response = peer.receive();
            assertThat(Messages.status(response)).isEqualTo(200);
            assertThat(Messages.header(response, "Server")).contains("Pushbridge");
            assertThat(Messages.header(response, "To"))
                    .hasValueSatisfying(to -> assertThat(to).endsWith(";tag=bridge"));
            assertThat(Messages.header(response, "Via"))
                    .hasValueSatisfying(via -> assertThat(via)
                            .contains("rport=" + peer.address().getPort())
                            .contains("received=" + Hosts.bare(address)));
        }
    }

    @Test
    void aResponseGoesToThePortInViaWhenThereIsNoRport() throws Exception {
        try (Peer sender = bridge.peer(Transport.UDP);
                Peer listener = bridge.peer(Transport.UDP)) {
            sender.send(Messages.request("OPTIONS", listener).replace(";rport", ""));
            answer(bridge.next("OPTIONS"), 200);
            assertThat(Messages.status(listener.receive())).isEqualTo(200);
        }
    }

    @Test
    void aRequestThatIsRepeatedGetsTheSameResponseAndIsNotPassedUpAgain() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String options = Messages.request("OPTIONS", peer);
            peer.send(options);
            peer.send(options);
            answer(bridge.next("OPTIONS"), 200);
            String first = peer.receive();

            peer.send(options);
            assertThat(peer.receive()).isEqualTo(first);
            assertThat(bridge.requests).isEmpty();
            await().untilAsserted(() ->
                    assertThat(bridge.stack.counters().retransmissions()).isEqualTo(2));
        }
    }

    @ParameterizedTest
    @MethodSource("everyWayIn")
    void aRegisterForWhichThereIsNoTimeIsRefusedUnreadAndACopyOfOneThatWasTakenIsNot(
            Transport transport, InetAddress address) throws Exception {
        try (Peer peer = Peer.of(transport, bridge.at(transport, address))) {
            String taken = Messages.request("REGISTER", peer);
            peer.send(taken);
            InboundRequest register = bridge.next("REGISTER");
            List<UnreadRequest> unread = new CopyOnWriteArrayList<>();
            bridge.comeBackAfter = each -> {
                unread.add(each);
                return 7;
            };

            peer.send(taken);
            String other = Messages.request("REGISTER", peer)
                    .replace("Max-Forwards", "AUTHORIZATION: Digest nonce=\"n\"\r\nMax-Forwards");
            peer.send(other);

            String refusal = peer.receive();
            assertThat(refusal).startsWith("SIP/2.0 503 ");
            assertThat(Messages.header(refusal, "Retry-After")).contains("7");
            assertThat(Messages.header(refusal, "Call-ID")).isEqualTo(Messages.header(other, "Call-ID"));
            assertThat(unread)
                    .last()
                    .isEqualTo(new UnreadRequest(
                            address, Messages.header(other, "To").orElseThrow(), "Digest nonce=\"n\""));
            assertThat(bridge.requests).isEmpty();
            assertThat(bridge.stack.serverTransactions()).isEqualTo(1);
            answer(register, 200);
            assertThat(peer.receive()).startsWith("SIP/2.0 200 ");
            peer.send(Messages.request("OPTIONS", peer));
            answer(bridge.next("OPTIONS"), 200);
        }
    }

    @Test
    void whatWaitsForAThreadThatServesConnectionsIsNoticed() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        bridge.behaviour = request -> {
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        try (Peer peer = bridge.peer(Transport.TCP)) {
            peer.send(Messages.request("OPTIONS", peer));

            await().until(() -> bridge.stack.connectionsDelay().compareTo(A_WHILE) > 0);
        } finally {
            free.countDown();
        }
        await().until(() -> bridge.stack.connectionsDelay().isZero());
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aCancelledInviteEndsWith487AndItsAckIsAbsorbed(Transport transport) throws Exception {
        try (Peer peer = bridge.peer(transport)) {
            String invite = Messages.invite(peer);
            peer.send(invite);
            InboundRequest call = bridge.next("INVITE");
            call.attach("the call");
            answer(call, 180);
            String ringing = peer.receive();
            assertThat(Messages.status(ringing)).isEqualTo(180);

            peer.send(Messages.cancel(invite));
            String cancelled = peer.receive();
            assertThat(Messages.status(cancelled)).isEqualTo(200);
            assertThat(Messages.header(cancelled, "CSeq")).contains("1 CANCEL");
            assertThat(Messages.header(cancelled, "To")).isEqualTo(Messages.header(ringing, "To"));
            InboundRequest cancel = bridge.next("CANCEL");
            assertThat(cancel.cancelled().flatMap(InboundRequest::attachment)).contains("the call");

            answer(cancel.cancelled().orElseThrow(), 487);
            String terminated = peer.receive();
            assertThat(Messages.status(terminated)).isEqualTo(487);
            if (transport == Transport.UDP) {
                assertThat(peer.receive()).as("resent until acknowledged").isEqualTo(terminated);
            }
            peer.send(Messages.ack(invite, terminated));
            await().untilAsserted(
                            () -> assertThat(bridge.stack.serverTransactions()).isZero());
            assertThat(bridge.requests).as("the ACK is not passed up").isEmpty();
        }
    }

    @Test
    void aCancelThatMatchesNothingGets481() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.cancel(Messages.invite(peer)));
            String response = peer.receive();
            assertThat(Messages.status(response)).isEqualTo(481);
            assertThat(Messages.header(response, "CSeq")).contains("1 CANCEL");
            assertThat(bridge.requests).isEmpty();
        }
    }

    @Test
    void aCancelThatComesTooLateIsAnsweredAndNotPassedUp() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String invite = Messages.invite(peer);
            peer.send(invite);
            answer(bridge.next("INVITE"), 200);
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
            peer.send(Messages.cancel(invite));
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
            assertThat(bridge.requests).isEmpty();
        }
    }

    @Test
    void aCancelOfOneCallerDoesNotEndACallOfAnotherWithTheSameBranch() throws Exception {
        try (Peer caller = bridge.peer(Transport.UDP);
                Peer stranger = bridge.peer(Transport.UDP)) {
            String invite = Messages.invite(caller);
            caller.send(invite);
            bridge.next("INVITE");
            stranger.send(Messages.cancel(invite).replace(caller.hostPort(), stranger.hostPort()));
            assertThat(Messages.status(stranger.receive())).isEqualTo(481);
        }
    }

    @Test
    void theAckToA2xxIsPassedUpWithoutATransaction() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String invite = Messages.invite(peer);
            peer.send(invite);
            answer(bridge.next("INVITE"), 200);
            String ok = peer.receive();
            peer.send(Messages.ack(invite, ok).replace("branch=z9hG4bK", "branch=z9hG4bKack"));
            InboundRequest ack = bridge.next("ACK");
            assertThat(ack.isAck()).isTrue();
            assertThat(ack.respond(response(ack, 200))).isFalse();
        }
    }

    @Test
    void anInviteThatIsRepeatedAfterIts2xxIsNotANewCall() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String invite = Messages.invite(peer);
            peer.send(invite);
            InboundRequest call = bridge.next("INVITE");
            SIPResponse ok = response(call, 200);
            call.respond(ok);
            String first = peer.receive();
            await().untilAsserted(
                            () -> assertThat(bridge.stack.serverTransactions()).isZero());

            peer.send(invite);
            await().untilAsserted(() ->
                    assertThat(bridge.stack.counters().retransmissions()).isEqualTo(1));
            assertThat(bridge.requests).isEmpty();

            bridge.stack.sendStateless(ok, call);
            assertThat(peer.receive()).isEqualTo(first);
            await().untilAsserted(() -> assertThat(bridge.stack.remembered()).isZero());
        }
    }

    @Test
    void aRequestThatComesByAnotherWayAfterItWasAnsweredGets482() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String register = Messages.request("REGISTER", peer);
            peer.send(register);
            answer(bridge.next("REGISTER"), 200);
            assertThat(Messages.status(peer.receive())).isEqualTo(200);

            peer.send(register.replace("branch=z9hG4bK", "branch=z9hG4bKmerged"));

            assertThat(Messages.status(peer.receive())).isEqualTo(482);
            assertThat(bridge.requests).isEmpty();
        }
    }

    @Test
    void whoLostTheAnswerWithTheConnectionMaySendTheRequestAnew() throws Exception {
        String register;
        try (Peer peer = bridge.peer(Transport.TCP)) {
            register = Messages.request("REGISTER", peer);
            peer.send(register);
            answer(bridge.next("REGISTER"), 200);
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
        }
        try (Peer peer = bridge.peer(Transport.TCP)) {
            peer.send(register.replace("branch=z9hG4bK", "branch=z9hG4bKanew"));
            answer(bridge.next("REGISTER"), 200);
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
        }
    }

    @Test
    void aCopyOfARegisterThatWasAnsweredIsNotRefusedForWantOfTime() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String register = Messages.request("REGISTER", peer);
            peer.send(register);
            answer(bridge.next("REGISTER"), 200);
            String answer = peer.receive();
            bridge.comeBackAfter = each -> 7;

            peer.send(register);

            assertThat(peer.receive()).isEqualTo(answer);
            assertThat(bridge.requests).isEmpty();
        }
    }

    @Test
    void aMergedRequestGets482ButAForkToAnotherUserIsACallOfItsOwn() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String invite = Messages.invite(peer);
            peer.send(invite);
            answer(bridge.next("INVITE"), 180);
            assertThat(Messages.status(peer.receive())).isEqualTo(180);

            String merged = invite.replace("branch=z9hG4bK", "branch=z9hG4bKmerged");
            peer.send(merged);
            String refused = peer.receive();
            assertThat(Messages.status(refused)).isEqualTo(482);
            peer.send(Messages.ack(merged, refused));
            assertThat(bridge.requests).isEmpty();

            peer.send(invite.replace("branch=z9hG4bK", "branch=z9hG4bKforked").replace("sip:alice@", "sip:carol@"));
            bridge.next("INVITE");
        }
    }

    @Test
    void onlyTheFirstFinalResponseIsSent() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.request("OPTIONS", peer));
            InboundRequest options = bridge.next("OPTIONS");
            assertThat(options.respond(response(options, 200))).isTrue();
            assertThat(options.respond(response(options, 404))).isFalse();
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
            assertThat(peer.hearsNothingFor(A_WHILE)).isTrue();
        }
    }

    @Test
    void aRequestWhoseHandlerFailsIsAnswered500AndTheReceiverLivesOn() throws Exception {
        for (Transport transport : Transport.values()) {
            try (Peer peer = bridge.peer(transport)) {
                for (Throwable thrown :
                        new Throwable[] {new IllegalStateException("test"), new OutOfMemoryError("test")}) {
                    bridge.behaviour = request -> sneaky(thrown);
                    peer.send(Messages.request("OPTIONS", peer));
                    assertThat(Messages.status(peer.receive())).isEqualTo(500);
                }
                bridge.behaviour = request -> answer(request, 200);
                peer.send(Messages.request("OPTIONS", peer));
                assertThat(Messages.status(peer.receive())).isEqualTo(200);
            }
        }
        assertThat(bridge.stack.counters().listenerFailures()).isEqualTo(4);
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneaky(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @Test
    void tooManyTransactionsAreAnswered503WithRetryAfter() throws Exception {
        try (Bridge small = Bridge.start(settings -> settings.withMaxServerTransactions(2));
                Peer peer = small.peer(Transport.UDP)) {
            peer.send(Messages.invite(peer));
            small.next("INVITE");
            peer.send(Messages.invite(peer));
            small.next("INVITE");

            peer.send(Messages.request("OPTIONS", peer));
            String response = peer.receive();
            while (Messages.status(response) == 100) {
                response = peer.receive();
            }
            assertThat(Messages.status(response)).isEqualTo(503);
            assertThat(Messages.header(response, "Retry-After")).contains("5");
            assertThat(small.stack.counters().overloaded()).isEqualTo(1);

            peer.send(Messages.request("BYE", peer)
                    .replace("To: <sip:alice@example.com>", "To: <sip:alice@example.com>;tag=x"));
            small.next("BYE");
        }
    }

    @Test
    void nothingIsLeftOfTransactionsThatEnded() throws Exception {
        bridge.behaviour = request -> {
            if (!request.isAck()) {
                answer(request, request.message().getMethod().equals("INVITE") ? 486 : 200);
            }
        };
        try (Peer udp = bridge.peer(Transport.UDP);
                Peer tcp = bridge.peer(Transport.TCP)) {
            for (Peer peer : new Peer[] {udp, tcp}) {
                for (int i = 0; i < 500; i++) {
                    peer.send(Messages.request("OPTIONS", peer));
                    assertThat(Messages.status(peer.receive())).isEqualTo(200);
                }
            }
            for (int i = 0; i < 500; i++) {
                String invite = Messages.invite(tcp);
                tcp.send(invite);
                tcp.send(Messages.ack(invite, tcp.receive()));
            }
            udp.send(Messages.invite(udp)); // Never acknowledged.
        }
        await().untilAsserted(() -> {
            assertThat(bridge.stack.serverTransactions()).isZero();
            assertThat(bridge.stack.remembered()).isZero();
        });
    }

    @Test
    void aRequestTheLayerAboveNeverAnswersIsForgotten() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.request("OPTIONS", peer));
            bridge.next("OPTIONS");
            await().untilAsserted(
                            () -> assertThat(bridge.stack.serverTransactions()).isZero());
        }
    }
}
