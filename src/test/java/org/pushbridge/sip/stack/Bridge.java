package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;

/** A stack on free loopback ports, over IPv4 and IPv6, with what it reported kept in queues. */
final class Bridge implements AutoCloseable {
    static final InetAddress V4 = address("127.0.0.1");
    static final InetAddress V6 = address("::1");
    /** 25 ms: 64 T1 are 1.6 s. */
    static final Duration T1 = Duration.ofMillis(25);

    final BlockingQueue<InboundRequest> requests = new LinkedBlockingQueue<>();
    final BlockingQueue<SIPResponse> strays = new LinkedBlockingQueue<>();
    final BlockingQueue<Flow> closedFlows = new LinkedBlockingQueue<>();
    final SipStack stack;
    /** What to do with a request beyond keeping it. */
    volatile Consumer<InboundRequest> behaviour = request -> {};
    /** What is said of a REGISTER before it is parsed. */
    volatile ToIntFunction<UnreadRequest> comeBackAfter = register -> 0;

    private Bridge(SipStackSettings settings) throws SipStackException {
        stack = SipStack.start(settings, new SipEvents() {
            @Override
            public void onRequest(InboundRequest request) {
                request.confirm(); // a CANCEL
                requests.add(request);
                behaviour.accept(request);
            }

            @Override
            public int comeBackAfter(UnreadRequest register) {
                return comeBackAfter.applyAsInt(register);
            }

            @Override
            public void onStrayResponse(SIPResponse response, Flow flow) {
                strays.add(response);
            }

            @Override
            public void onFlowClosed(Flow flow) {
                closedFlows.add(flow);
            }
        });
    }

    static Bridge start() throws SipStackException {
        return start(settings -> settings);
    }

    static Bridge start(UnaryOperator<SipStackSettings> change) throws SipStackException {
        List<ListenAddress> listen = new ArrayList<>();
        for (InetAddress address : List.of(V4, V6)) {
            for (Transport transport : Transport.values()) {
                listen.add(ListenAddress.of(transport, new InetSocketAddress(address, 0)));
            }
        }
        return new Bridge(change.apply(SipStackSettings.listeningOn(listen).withT1(T1)));
    }

    InetSocketAddress at(Transport transport, InetAddress address) {
        return stack.listeners().stream()
                .filter(each -> each.transport() == transport
                        && each.address().getAddress().equals(address))
                .findFirst()
                .orElseThrow()
                .address();
    }

    Peer peer(Transport transport) throws Exception {
        return Peer.of(transport, at(transport, V4));
    }

    Peer.Tcp tcpPeer() throws Exception {
        return Peer.tcp(at(Transport.TCP, V4));
    }

    InboundRequest nextRequest() throws InterruptedException {
        return next(requests);
    }

    /** The next request with that method; others before it fail the test. */
    InboundRequest next(String method) throws InterruptedException {
        InboundRequest request = nextRequest();
        if (!request.message().getMethod().equals(method)) {
            throw new AssertionError("Expected " + method + ", got " + request);
        }
        return request;
    }

    static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(Peer.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        if (next == null) {
            throw new AssertionError("Nothing came within " + Peer.PATIENCE);
        }
        return next;
    }

    /** Sends and keeps what becomes of it. */
    Sent send(SIPRequest request, Destination destination) {
        Sent sent = new Sent();
        sent.call = stack.send(request, destination, sent);
        return sent;
    }

    @Override
    public void close() {
        stack.close();
    }

    static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    /** What became of one request: a status, {@code timeout} or {@code failure: why}. */
    static final class Sent implements ResponseHandler {
        final BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
        private @Nullable ClientCall call;

        ClientCall call() {
            return Objects.requireNonNull(call, "sent");
        }

        @Override
        public void onResponse(SIPResponse response) {
            outcomes.add(Integer.toString(response.getStatusCode()));
        }

        @Override
        public void onTimeout() {
            outcomes.add("timeout");
        }

        @Override
        public void onTransportFailure(String why) {
            outcomes.add("failure: " + why);
        }

        String next() throws InterruptedException {
            return Bridge.next(outcomes);
        }
    }
}
