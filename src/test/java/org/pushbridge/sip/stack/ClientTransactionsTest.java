package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import gov.nist.javax.sip.message.SIPRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.Bridge.Sent;
import org.pushbridge.sip.stack.Destination.OverFlow;
import org.pushbridge.sip.stack.Destination.ToAddress;

class ClientTransactionsTest {
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

    /** The flow of a device that registers over this peer. */
    private Flow flowOf(Peer device) throws Exception {
        device.send(Messages.request("REGISTER", device));
        InboundRequest register = bridge.next("REGISTER");
        ServerTransactionsTest.answer(register, 200);
        device.receive();
        return register.flow();
    }

    private static ToAddress to(Peer peer) {
        return new ToAddress(Transport.of(peer.transport()), peer.address());
    }

    @ParameterizedTest
    @MethodSource("org.pushbridge.sip.stack.ServerTransactionsTest#everyWayIn")
    void anInviteGoesOverTheFlowOfTheRegister(Transport transport, InetAddress address) throws Exception {
        try (Peer device = Peer.of(transport, bridge.at(transport, address))) {
            Flow flow = flowOf(device);
            Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flow));

            String invite = device.receive();
            assertThat(Messages.firstLine(invite)).startsWith("INVITE ");
            assertThat(Messages.header(invite, "Max-Forwards")).contains("70");
            assertThat(Messages.headers(invite, "Via"))
                    .singleElement()
                    .satisfies(via -> assertThat(via)
                            .startsWith("SIP/2.0/" + transport.name() + " " + Hosts.text(bridge.at(transport, address)))
                            .contains(";rport")
                            .contains("branch=z9hG4bK"));

            device.send(Messages.response(invite, 180, "device"));
            assertThat(sent.next()).isEqualTo("180");
            device.send(Messages.response(invite, 486, "device"));
            assertThat(sent.next()).isEqualTo("486");
            String ack = device.receive();
            assertThat(Messages.firstLine(ack)).startsWith("ACK sip:alice@phone.example.com");
            assertThat(Messages.header(ack, "Via")).isEqualTo(Messages.header(invite, "Via"));
            assertThat(Messages.header(ack, "Route")).isEqualTo(Messages.header(invite, "Route"));
            assertThat(Messages.header(ack, "To"))
                    .hasValueSatisfying(to -> assertThat(to).endsWith("tag=device"));
        }
    }

    @Test
    void aFailureThatIsRepeatedIsAcknowledgedAgainAndReportedOnce() throws Exception {
        try (Peer device = bridge.peer(Transport.UDP)) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), to(device));
            String busy = Messages.response(device.receive(), 486, "device");
            device.send(busy);
            String ack = device.receive();
            device.send(busy);
            assertThat(device.receive()).isEqualTo(ack);
            assertThat(sent.outcomes).containsExactly("486");
        }
    }

    @Test
    void aRequestIsResentOverUdpUntilItTimesOut() throws Exception {
        try (Peer deaf = bridge.peer(Transport.UDP)) {
            for (String method : List.of("INVITE", "OPTIONS")) {
                Sent sent = bridge.send(Messages.outgoing(method), to(deaf));
                String first = deaf.receive();
                assertThat(deaf.receive()).isEqualTo(first);
                assertThat(deaf.receive()).isEqualTo(first);
                assertThat(sent.next()).isEqualTo("timeout");
                while (!deaf.hearsNothingFor(A_WHILE)) {
                    // What was on its way.
                }
            }
        }
        await().untilAsserted(
                        () -> assertThat(bridge.stack.clientTransactions()).isZero());
    }

    @Test
    void aRequestOverTcpTimesOutToo() throws Exception {
        try (Peer device = bridge.peer(Transport.TCP)) {
            Sent sent = bridge.send(Messages.outgoing("OPTIONS"), new OverFlow(flowOf(device)));
            device.receive();
            assertThat(sent.next()).isEqualTo("timeout");
        }
    }

    @Test
    void everythingAnAnsweredInviteStillBringsComesToItsHandlerAndLaterIsStray() throws Exception {
        try (Peer device = bridge.peer(Transport.UDP)) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), to(device));
            String invite = device.receive();
            device.send(Messages.response(invite, 200, "one"));
            assertThat(sent.next()).isEqualTo("200");
            device.send(Messages.response(invite, 200, "one"));
            assertThat(sent.next()).as("resent").isEqualTo("200");
            device.send(Messages.response(invite, 200, "two"));
            assertThat(sent.next()).as("another fork").isEqualTo("200");

            await().untilAsserted(() -> assertThat(bridge.stack.remembered()).isZero());
            device.send(Messages.response(invite, 200, "three"));
            assertThat(Bridge.next(bridge.strays).getToTag()).isEqualTo("three");
            assertThat(sent.outcomes).isEmpty();
        }
    }

    @Test
    void anAckTo2xxIsSentOnceOutsideAnyTransaction() throws Exception {
        try (Peer device = bridge.peer(Transport.UDP)) {
            bridge.stack.sendAck(Messages.outgoing("ACK"), to(device));
            String ack = device.receive();
            assertThat(Messages.firstLine(ack)).startsWith("ACK ");
            assertThat(Messages.headers(ack, "Via")).singleElement().asString().contains("branch=z9hG4bK");
            assertThat(device.hearsNothingFor(A_WHILE)).isTrue();
            assertThat(bridge.stack.clientTransactions()).isZero();
        }
    }

    @Test
    void aCancelWaitsForAProvisionalResponse() throws Exception {
        for (Transport transport : Transport.values()) {
            try (Peer device = bridge.peer(transport)) {
                Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flowOf(device)));
                String invite = device.receive();
                sent.call().cancel(Optional.of("SIP;cause=200;text=\"Call completed elsewhere\""));
                sent.call().cancel(Optional.empty());
                device.send(Messages.response(invite, 180, "device"));
                assertThat(sent.next()).isEqualTo("180");

                String cancel = device.receive();
                while (cancel.startsWith("INVITE")) {
                    cancel = device.receive();
                }
                assertThat(Messages.firstLine(cancel))
                        .isEqualTo(Messages.firstLine(invite).replace("INVITE", "CANCEL"));
                assertThat(Messages.header(cancel, "Via")).isEqualTo(Messages.header(invite, "Via"));
                assertThat(Messages.header(cancel, "Route")).isEqualTo(Messages.header(invite, "Route"));
                assertThat(Messages.header(cancel, "Reason"))
                        .contains("SIP;cause=200;text=\"Call completed elsewhere\"");
                device.send(Messages.response(cancel, 200, "device"));
                device.send(Messages.response(invite, 487, "device"));
                assertThat(sent.next()).isEqualTo("487");
                String ack = device.receive();
                while (ack.equals(cancel)) {
                    ack = device.receive();
                }
                assertThat(Messages.firstLine(ack)).startsWith("ACK ");
            }
        }
    }

    @Test
    void aCancelAfterTheFinalResponseIsNotSent() throws Exception {
        try (Peer device = bridge.peer(Transport.UDP)) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), to(device));
            String invite = device.receive();
            device.send(Messages.response(invite, 180, "device"));
            device.send(Messages.response(invite, 200, "device"));
            assertThat(sent.next()).isEqualTo("180");
            assertThat(sent.next()).isEqualTo("200");
            sent.call().cancel(Optional.empty());
            assertThat(device.hearsNothingFor(A_WHILE)).isTrue();
        }
    }

    @Test
    void aCancelledInviteWithoutAnEndTimesOut() throws Exception {
        try (Peer device = bridge.peer(Transport.UDP)) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), to(device));
            String invite = device.receive();
            device.send(Messages.response(invite, 180, "device"));
            assertThat(sent.next()).isEqualTo("180");
            sent.call().cancel(Optional.empty());
            device.send(Messages.response(device.receive(), 200, "device"));
            assertThat(sent.next()).isEqualTo("timeout");
            await().untilAsserted(
                            () -> assertThat(bridge.stack.clientTransactions()).isZero());
        }
    }

    @Test
    void aReasonThatIsNoneIsRefused() throws Exception {
        try (Peer device = bridge.peer(Transport.UDP)) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), to(device));
            assertThatThrownBy(() -> sent.call().cancel(Optional.of(";;=")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Reason");
        }
    }

    @Test
    void aFlowThatIsGoneFailsAndNobodyIsConnectedTo() throws Exception {
        Flow flow;
        InetSocketAddress device;
        try (Peer.Tcp peer = bridge.tcpPeer()) {
            flow = flowOf(peer);
            device = peer.address();
            peer.socket.setSoLinger(true, 0); // Leaves no TIME_WAIT behind that would hold the address.
        }
        assertThat(Bridge.next(bridge.closedFlows)).isEqualTo(flow);
        assertThat(bridge.stack.isAlive(flow)).isFalse();

        try (ServerSocket trap = new ServerSocket()) {
            trap.setReuseAddress(true);
            trap.bind(device);
            trap.setSoTimeout((int) A_WHILE.toMillis());
            Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flow));
            assertThat(sent.next()).startsWith("failure: ").contains("is gone");
            assertThatThrownBy(trap::accept).isInstanceOf(java.net.SocketTimeoutException.class);
        }
    }

    @Test
    void aNewConnectionFromTheSameAddressIsAnotherFlow() throws Exception {
        int port;
        Flow old;
        try (Peer.Tcp peer = bridge.tcpPeer()) {
            old = flowOf(peer);
            port = peer.address().getPort();
            peer.socket.setSoLinger(true, 0);
        }
        Bridge.next(bridge.closedFlows);
        InetSocketAddress at = bridge.at(Transport.TCP, Bridge.V4);
        try (Peer.Tcp again = new Peer.Tcp(new Socket(at.getAddress(), at.getPort(), Bridge.V4, port))) {
            Flow fresh = flowOf(again);
            assertThat(fresh.remote()).isEqualTo(old.remote());
            assertThat(bridge.stack.isAlive(fresh)).isTrue();
            assertThat(bridge.stack.isAlive(old)).isFalse();
        }
    }

    @Test
    void aCallThatHasNoAnswerYetFailsAtOnceWhenTheDevicesConnectionCloses() throws Exception {
        try (Peer.Tcp device = bridge.tcpPeer()) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flowOf(device)));
            device.receive();
            device.socket.close();
            assertThat(sent.next()).startsWith("failure: ");
        }
        await().untilAsserted(
                        () -> assertThat(bridge.stack.clientTransactions()).isZero());
    }

    @Test
    void aDeviceThatRingsMayAnswerOverItsNextConnection() throws Exception {
        try (Peer.Tcp before = bridge.tcpPeer();
                Peer.Tcp after = bridge.tcpPeer()) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flowOf(before)));
            String invite = before.receive();
            before.send(Messages.response(invite, 180, "device"));
            assertThat(sent.next()).isEqualTo("180");
            before.socket.close();
            Bridge.next(bridge.closedFlows);
            after.send(Messages.response(invite, 200, "device"));
            assertThat(sent.next()).isEqualTo("200");
        }
    }

    @Test
    void aCancelIsSentAgainOverTheDevicesNextConnection() throws Exception {
        try (Peer.Tcp before = bridge.tcpPeer();
                Peer.Tcp after = bridge.tcpPeer()) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flowOf(before)));
            String invite = before.receive();
            before.send(Messages.response(invite, 180, "device"));
            assertThat(sent.next()).isEqualTo("180");
            before.socket.close();
            Bridge.next(bridge.closedFlows);
            Flow fresh = flowOf(after);
            sent.call().cancelAgain(new OverFlow(fresh), () -> {});
            sent.call().cancel(Optional.of("SIP;cause=200;text=\"Call completed elsewhere\""));
            sent.call().cancelAgain(new OverFlow(fresh), () -> {});
            String cancel = after.receive();
            assertThat(cancel).startsWith("CANCEL ").contains("Call completed elsewhere");
            assertThat(Messages.header(cancel, "Via")).isEqualTo(Messages.header(invite, "Via"));
            after.send(Messages.response(invite, 487, "device"));
            assertThat(sent.next()).isEqualTo("487");
            assertThat(after.receive()).startsWith("ACK ");
        }
    }

    @Test
    void aDeviceThatLostItsInviteWithTheConnectionSaysSoToTheCancel() throws Exception {
        try (Peer.Tcp before = bridge.tcpPeer();
                Peer.Tcp after = bridge.tcpPeer()) {
            Sent sent = bridge.send(Messages.outgoing("INVITE"), new OverFlow(flowOf(before)));
            String invite = before.receive();
            before.send(Messages.response(invite, 180, "device"));
            assertThat(sent.next()).isEqualTo("180");
            before.socket.close();
            Bridge.next(bridge.closedFlows);
            CompletableFuture<Void> unknown = new CompletableFuture<>();
            sent.call().cancel(Optional.empty());
            sent.call().cancelAgain(new OverFlow(flowOf(after)), () -> unknown.complete(null));
            after.send(Messages.response(after.receive(), 481, "device"));
            assertThat(unknown).succeedsWithin(Duration.ofSeconds(10));
        }
    }

    @Test
    void fiveRequestsAtOnceShareOneOutgoingConnection() throws Exception {
        ExecutorService together = Executors.newFixedThreadPool(5);
        try (ServerSocket trunk = new ServerSocket(0, 50, Bridge.V4)) {
            ToAddress to = new ToAddress(Transport.TCP, (InetSocketAddress) trunk.getLocalSocketAddress());
            List<Sent> all = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Sent sent = new Sent();
                all.add(sent);
                SIPRequest options = Messages.outgoing("OPTIONS");
                together.execute(() -> bridge.stack.send(options, to, sent));
            }
            Set<String> calls = new HashSet<>();
            try (Peer.Tcp connection = new Peer.Tcp(trunk.accept())) {
                for (int i = 0; i < 5; i++) {
                    String options = connection.receive();
                    calls.add(Messages.header(options, "Call-ID").orElseThrow());
                    connection.send(Messages.response(options, 200, "trunk"));
                }
                assertThat(calls).hasSize(5);
                for (Sent sent : all) {
                    assertThat(sent.next()).isEqualTo("200");
                }
                trunk.setSoTimeout((int) A_WHILE.toMillis());
                assertThatThrownBy(trunk::accept).isInstanceOf(java.net.SocketTimeoutException.class);
                assertThat(bridge.stack.openConnections()).isEqualTo(1);

                connection.send(Messages.request("OPTIONS", connection));
                InboundRequest overIt = bridge.next("OPTIONS");
                ServerTransactionsTest.answer(overIt, 200);
                assertThat(Messages.status(connection.receive())).isEqualTo(200);
                assertThat(bridge.stack.isAlive(overIt.flow())).isTrue();
            }
        } finally {
            together.shutdown();
            assertThat(together.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void requestsToOnePeerArriveInTheOrderTheyWereSent() throws Exception {
        try (ServerSocket trunk = new ServerSocket(0, 50, Bridge.V4)) {
            ToAddress to = new ToAddress(Transport.TCP, (InetSocketAddress) trunk.getLocalSocketAddress());
            List<String> sent = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                SIPRequest options = Messages.outgoing("OPTIONS");
                sent.add(options.getCallId().getCallId());
                bridge.send(options, to);
            }
            try (Peer.Tcp connection = new Peer.Tcp(trunk.accept())) {
                List<String> arrived = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    arrived.add(Messages.header(connection.receive(), "Call-ID").orElseThrow());
                }
                assertThat(arrived).isEqualTo(sent);
            }
        }
    }

    @Test
    void aPeerThatRefusesTheConnectionIsATransportFailure() throws Exception {
        InetSocketAddress nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, Bridge.V4)) {
            nobody = (InetSocketAddress) socket.getLocalSocketAddress();
        }
        Sent sent = bridge.send(Messages.outgoing("INVITE"), new ToAddress(Transport.TCP, nobody));
        assertThat(sent.next()).startsWith("failure: ").contains("refused");
        assertThat(sent.outcomes).isEmpty();
        await().untilAsserted(
                        () -> assertThat(bridge.stack.clientTransactions()).isZero());
    }

    @Test
    void aTransportTheBridgeDoesNotListenOnIsATransportFailure() throws Exception {
        try (Bridge udpOnly = Bridge.start(settings ->
                        SipStackSettings.listeningOn(settings.listen().subList(0, 1)));
                ServerSocket trunk = new ServerSocket(0, 1, Bridge.V4)) {
            Sent sent = udpOnly.send(Messages.outgoing("OPTIONS"), new ToAddress(Transport.TCP, (InetSocketAddress)
                    trunk.getLocalSocketAddress()));
            assertThat(sent.next()).isEqualTo("failure: the bridge does not listen on tcp over IPv4");
        }
    }

    @Test
    void nothingIsLeftOfRequestsThatEnded() throws Exception {
        try (Peer udp = bridge.peer(Transport.UDP);
                Peer tcp = bridge.peer(Transport.TCP)) {
            Flow flow = flowOf(tcp);
            for (Peer peer : List.of(udp, tcp)) {
                Destination destination = peer == udp ? to(udp) : new OverFlow(flow);
                for (int i = 0; i < 250; i++) {
                    SIPRequest outgoing = Messages.outgoing(i % 2 == 0 ? "INVITE" : "OPTIONS");
                    Sent sent = bridge.send(outgoing, destination);
                    String request = peer.receive();
                    while (request.startsWith("ACK")
                            || !request.contains(outgoing.getCallId().getCallId())) {
                        request = peer.receive(); // An ACK, or the request before, resent.
                    }
                    peer.send(Messages.response(request, i % 3 == 0 ? 200 : 404, "peer"));
                    assertThat(sent.next()).isIn("200", "404");
                }
            }
        }
        await().untilAsserted(() -> {
            assertThat(bridge.stack.clientTransactions()).isZero();
            assertThat(bridge.stack.remembered()).isZero();
        });
    }
}
