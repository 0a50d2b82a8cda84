package org.pushbridge.sip.stack;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;
import org.pushbridge.sip.stack.SipStackSettings.UdpLimits;

/**
 * Receives datagrams. Each receiver has a socket of its own on the same port, and the system gives all datagrams of a peer
 * to the same one; one thread takes them in, another handles them to the end, one after another, so that a call's messages
 * stay in order. What waits between the two is bounded, and how long it has waited is known: of what waits in the
 * system's buffer one would only learn by callers that lose patience.
 *
 * <p>{@link DatagramSocket} rather than a channel: an interrupt in a sending thread would close the channel.
 */
final class UdpListener extends Listener {
    private static final QuietLog TROUBLE = new QuietLog(LogManager.getLogger(UdpListener.class), Level.WARN);
    private static final int LARGEST_DATAGRAM = 65_535;
    /** Half of T1: before, a client that has patience has not repeated anything. */
    private static final long LONG_NANOS = 250_000_000;

    private static final int SOCKET_BUFFER = 4 * 1024 * 1024;
    private static final boolean CAN_SHARE_PORTS = canSharePorts();

    private final List<DatagramSocket> sockets;
    private final Reception reception;
    private final UdpLimits limits;
    private final SipCounters counters;
    private final List<Inbox> inboxes;
    private final List<Thread> handlers = new CopyOnWriteArrayList<>();
    private volatile boolean stopped;

    private static final class Datagram {
        final byte[] data;
        final InetSocketAddress source;
        final long sinceNanos = System.nanoTime();

        Datagram(byte[] data, InetSocketAddress source) {
            this.data = data;
            this.source = source;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Datagram that && source.equals(that.source) && Arrays.equals(data, that.data);
        }

        @Override
        public int hashCode() {
            return 31 * source.hashCode() + Arrays.hashCode(data);
        }
    }

    /**
     * What waits for the handling thread of one socket. When that is behind, clients that lose patience repeat themselves:
     * of what waits already, no copy is added, so that the bridge catches up all the sooner.
     */
    private static final class Inbox {
        private final BlockingQueue<Datagram> waiting = new LinkedBlockingQueue<>();
        private final AtomicLong bytes = new AtomicLong();
        /** Those among them that came when others had waited for long. */
        private final Set<Datagram> late = ConcurrentHashMap.newKeySet();

        private final long mostBytes;

        Inbox(long mostBytes) {
            this.mostBytes = mostBytes;
        }

        boolean offer(Datagram datagram) {
            if (bytes.addAndGet(datagram.data.length) > mostBytes) {
                bytes.addAndGet(-datagram.data.length);
                return false;
            }
            return waiting.add(datagram);
        }

        /** Whether a datagram is a copy of one that waits; else the next copies of it are. */
        boolean isCopy(Datagram datagram) {
            return delayNanos() > LONG_NANOS && !late.add(datagram);
        }

        Datagram take() throws InterruptedException {
            Datagram next = waiting.take();
            bytes.addAndGet(-next.data.length);
            if (!late.isEmpty()) {
                late.remove(next);
            }
            return next;
        }

        long delayNanos() {
            Datagram next = waiting.peek();
            return next == null ? 0 : System.nanoTime() - next.sinceNanos;
        }
    }

    private UdpListener(
            JainStack stack,
            ListenAddress configured,
            List<DatagramSocket> sockets,
            Reception reception,
            SipCounters counters,
            UdpLimits limits) {
        super(stack, configured, (InetSocketAddress) sockets.get(0).getLocalSocketAddress());
        this.sockets = List.copyOf(sockets);
        this.reception = reception;
        this.counters = counters;
        this.inboxes = sockets.stream()
                .map(socket -> new Inbox(limits.maxWaitingBytes()))
                .toList();
        this.limits = limits;
    }

    static UdpListener bind(
            JainStack stack, ListenAddress listen, UdpLimits limits, Reception reception, SipCounters counters)
            throws IOException {
        InetSocketAddress address = claim(listen.address());
        boolean shared = limits.receivers() > 1 && CAN_SHARE_PORTS;
        List<DatagramSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < (shared ? limits.receivers() : 1); i++) {
                DatagramSocket socket = new DatagramSocket(null);
                sockets.add(socket);
                if (shared) {
                    socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
                }
                socket.setReceiveBufferSize(SOCKET_BUFFER);
                socket.setSendBufferSize(SOCKET_BUFFER);
                socket.bind(address);
            }
            return new UdpListener(stack, listen, sockets, reception, counters, limits);
        } catch (IOException e) {
            sockets.forEach(DatagramSocket::close);
            throw e;
        }
    }

    /** Sockets that share a port would also share it with another process; one that does not share tells. */
    private static InetSocketAddress claim(InetSocketAddress address) throws IOException {
        try (DatagramSocket claim = new DatagramSocket(null)) {
            claim.bind(address);
            return (InetSocketAddress) claim.getLocalSocketAddress();
        }
    }

    private static boolean canSharePorts() {
        try (DatagramSocket any = new DatagramSocket(null)) {
            return any.supportedOptions().contains(StandardSocketOptions.SO_REUSEPORT);
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void start() {
        for (int i = 0; i < sockets.size(); i++) {
            DatagramSocket socket = sockets.get(i);
            Inbox inbox = inboxes.get(i);
            run("sip-udp-in-", () -> receive(socket, inbox));
            handlers.add(run("sip-udp-", () -> handle(inbox)));
        }
    }

    private Thread run(String name, Runnable work) {
        Thread thread = new Thread(work, name + bound().getPort());
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Override
    public void stop() {
        stopped = true;
        sockets.forEach(DatagramSocket::close);
        handlers.forEach(Thread::interrupt);
    }

    @Override
    long delayNanos() {
        long longest = 0;
        for (Inbox inbox : inboxes) {
            longest = Math.max(longest, inbox.delayNanos());
        }
        return longest;
    }

    @Override
    long waitingBytes() {
        return inboxes.stream().mapToLong(inbox -> inbox.bytes.get()).max().orElse(0);
    }

    private void receive(DatagramSocket socket, Inbox inbox) {
        byte[] buffer = new byte[LARGEST_DATAGRAM];
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        while (!stopped) {
            try {
                packet.setData(buffer);
                socket.receive(packet);
                Datagram datagram = new Datagram(
                        Arrays.copyOf(buffer, packet.getLength()),
                        new InetSocketAddress(packet.getAddress(), packet.getPort()));
                if (inbox.isCopy(datagram)) {
                    counters.datagramsRepeated.increment();
                } else if (!inbox.offer(datagram)) {
                    inbox.late.remove(datagram);
                    counters.datagramsDropped.increment();
                    TROUBLE.log(() -> "The bridge is behind, a datagram is dropped; address=" + Hosts.text(bound()));
                }
            } catch (Throwable e) {
                // Whatever it is, even an OutOfMemoryError: a server that goes on deaf is worse.
                if (!stopped) {
                    TROUBLE.log(
                            () -> "A datagram could not be received; address=" + Hosts.text(bound()) + " cause=" + e);
                }
            }
        }
    }

    private void handle(Inbox inbox) {
        while (!stopped) {
            try {
                Datagram next = inbox.take();
                reception.datagram(next.data, next.data.length, limits, this, next.source, next.sinceNanos);
            } catch (InterruptedException e) {
                return; // as stop() asks
            } catch (Throwable e) {
                if (!stopped) {
                    TROUBLE.log(
                            () -> "A datagram could not be handled; address=" + Hosts.text(bound()) + " cause=" + e);
                }
            }
        }
    }

    @Override
    Link linkTo(InetSocketAddress remote) {
        return new UdpLink(remote);
    }

    @Override
    public int getMaximumMessageSize() {
        return LARGEST_DATAGRAM;
    }

    private final class UdpLink implements Link {
        private final InetSocketAddress remote;

        UdpLink(InetSocketAddress remote) {
            this.remote = remote;
        }

        @Override
        public Transport transport() {
            return Transport.UDP;
        }

        @Override
        public Flow flow() {
            return new Flow(Transport.UDP.parameter(), bound(), remote, 0);
        }

        @Override
        public void send(byte[] message, Consumer<String> onFailure) {
            try {
                sockets.get(0).send(new DatagramPacket(message, message.length, remote));
            } catch (IOException | RuntimeException e) {
                onFailure.accept("udp to " + Hosts.text(remote) + ": " + e.getMessage());
            }
        }

        @Override
        public void expect(ClientTransaction transaction) {
            // A datagram socket does not close under a transaction.
        }

        @Override
        public void expectNoMore(ClientTransaction transaction) {
            // As above.
        }
    }
}
