package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import gov.nist.javax.sip.message.SIPResponse;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.Destination.OverFlow;
import org.pushbridge.sip.stack.Destination.ToAddress;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;

class ListeningTest {
    private final BlockingQueue<InboundRequest> requests = new LinkedBlockingQueue<>();

    private final SipEvents events = new SipEvents() {
        @Override
        public void onRequest(InboundRequest request) {
            requests.add(request);
        }

        @Override
        public void onStrayResponse(SIPResponse response, Flow flow) {
            // None comes.
        }

        @Override
        public void onFlowClosed(Flow flow) {
            // Not of interest here.
        }
    };

    private SipStack listenOn(ListenAddress... addresses) throws SipStackException {
        return SipStack.start(SipStackSettings.listeningOn(List.of(addresses)), events);
    }

    private static InetSocketAddress at(String address, int port) {
        return new InetSocketAddress(Bridge.address(address), port);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aPortInUseIsNamedAndNothingIsLeftOpen(Transport transport) throws Exception {
        try (SipStack first = listenOn(ListenAddress.of(transport, at("127.0.0.1", 0)))) {
            int taken = first.listeners().get(0).address().getPort();
            int free;
            try (SipStack other = listenOn(ListenAddress.of(transport, at("127.0.0.1", 0)))) {
                free = other.listeners().get(0).address().getPort();
            }
            assertThatThrownBy(() -> listenOn(
                            ListenAddress.of(transport, at("127.0.0.1", free)),
                            ListenAddress.of(transport, at("127.0.0.1", taken))))
                    .isInstanceOf(SipStackException.class)
                    .hasMessageContaining("Cannot listen for SIP on " + transport + " 127.0.0.1:" + taken)
                    .hasMessageContaining("configure another");
            listenOn(ListenAddress.of(transport, at("127.0.0.1", free))).close();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void theWildcardTakesBothIpVersionsAndGivesTheAddressThePeerSees(Transport transport) throws Exception {
        try (SipStack stack = listenOn(ListenAddress.of(transport, at("::", 0)))) {
            int port = stack.listeners().get(0).address().getPort();
            for (InetAddress address : List.of(Bridge.V4, Bridge.V6)) {
                try (Peer peer = Peer.of(transport, new InetSocketAddress(address, port))) {
                    peer.send(Messages.request("OPTIONS", peer));
                    InboundRequest request = Bridge.next(requests);
                    ServerTransactionsTest.answer(request, 200);
                    assertThat(Messages.status(peer.receive())).isEqualTo(200);

                    LocalAddress expected = new LocalAddress(transport, Hosts.host(address), port);
                    assertThat(stack.localAddressFor(new OverFlow(request.flow())))
                            .isEqualTo(expected);
                    assertThat(stack.localAddressFor(new ToAddress(transport, peer.address())))
                            .isEqualTo(expected);
                    assertThat(expected.toString())
                            .isEqualTo(Hosts.host(address) + ":" + port + ";transport=" + transport.parameter());
                }
            }
        }
    }

    @Test
    void theListenerThatFitsTheDestinationIsTheOneToContact() throws Exception {
        try (SipStack stack = listenOn(
                ListenAddress.of(Transport.TCP, at("127.0.0.1", 0)),
                ListenAddress.of(Transport.UDP, at("127.0.0.1", 0)),
                ListenAddress.of(Transport.UDP, at("::1", 0)),
                ListenAddress.of(Transport.UDP, at("127.0.0.1", 0)))) {
            List<ListeningPointInfo> listeners = stack.listeners();
            assertThat(stack.localAddressFor(new ToAddress(Transport.UDP, at("::1", 9)))
                            .hostPort())
                    .isEqualTo(Hosts.text(listeners.get(2).address()));
            assertThat(stack.localAddressFor(new ToAddress(Transport.TCP, at("127.0.0.1", 9)))
                            .hostPort())
                    .isEqualTo(Hosts.text(listeners.get(0).address()));
            Flow flow = new Flow("udp", listeners.get(3).address(), at("127.0.0.1", 9), 0);
            assertThat(stack.localAddressFor(new OverFlow(flow)).hostPort())
                    .isEqualTo(Hosts.text(listeners.get(3).address()));
        }
    }

    @Test
    void theAdvertisedAddressIsGivenInsteadOfTheOwn() throws Exception {
        try (SipStack stack = listenOn(
                new ListenAddress(Transport.UDP, at("127.0.0.1", 0), Optional.of("sip.example.com:5070")),
                new ListenAddress(Transport.TCP, at("127.0.0.1", 0), Optional.of("sip.example.com")),
                new ListenAddress(Transport.UDP, at("::1", 0), Optional.of("[2001:db8::1]")))) {
            int tcp = stack.listeners().get(1).address().getPort();
            int udp6 = stack.listeners().get(2).address().getPort();
            assertThat(stack.localAddressFor(new ToAddress(Transport.UDP, at("127.0.0.1", 9)))
                            .toString())
                    .isEqualTo("sip.example.com:5070;transport=udp");
            assertThat(stack.localAddressFor(new ToAddress(Transport.TCP, at("127.0.0.1", 9)))
                            .hostPort())
                    .isEqualTo("sip.example.com:" + tcp);
            assertThat(stack.localAddressFor(new ToAddress(Transport.UDP, at("::1", 9)))
                            .hostPort())
                    .isEqualTo("[2001:db8::1]:" + udp6);
        }
        assertThatThrownBy(() ->
                        new ListenAddress(Transport.UDP, at("127.0.0.1", 0), Optional.of("sip:bridge@example.com")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("host:port");
    }

    @Test
    void afterARestartNoConnectionIsTakenForAnOldOne() throws Exception {
        Flow before;
        int port;
        try (SipStack stack = listenOn(ListenAddress.of(Transport.TCP, at("127.0.0.1", 0)))) {
            port = stack.listeners().get(0).address().getPort();
            try (Peer peer = Peer.tcp(at("127.0.0.1", port))) {
                peer.send(Messages.request("OPTIONS", peer));
                before = Bridge.next(requests).flow();
            }
        }
        try (SipStack stack = listenOn(ListenAddress.of(Transport.TCP, at("127.0.0.1", port)));
                Peer peer = Peer.tcp(at("127.0.0.1", port))) {
            peer.send(Messages.request("OPTIONS", peer));
            Flow after = Bridge.next(requests).flow();
            assertThat(after.connection()).isNotEqualTo(before.connection());
            assertThat(stack.isAlive(before)).isFalse();
            assertThat(stack.isAlive(after)).isTrue();
        }
    }

    @Test
    void noThreadOfAStackOutlivesIt() throws Exception {
        listenOn(ListenAddress.of(Transport.UDP, at("127.0.0.1", 0)), ListenAddress.of(Transport.TCP, at("::1", 0)))
                .close();
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("sip-") || name.contains("EventScanner")));
    }
}
