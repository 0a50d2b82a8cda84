package org.pushbridge.sip.stack;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;
import org.pushbridge.sip.stack.SipStackSettings.UdpLimits;

/**
 * Receives datagrams and handles each to the end on the thread that received it: no queue that could grow, no copy
 * for messages that are refused. Each receiver has a socket of its own on the same port, and the system gives all
 * datagrams of a peer to the same one, so that a call's messages stay in order.
 *
 * <p>{@link DatagramSocket} rather than a channel: an interrupt in a sending thread would close the channel.
 */
final class UdpListener extends Listener {
    private static final QuietLog TROUBLE = new QuietLog(LogManager.getLogger(UdpListener.class), Level.WARN);
    private static final int LARGEST_DATAGRAM = 65_535;
    private static final int SOCKET_BUFFER = 4 * 1024 * 1024;

    private static final boolean CAN_SHARE_PORTS = canSharePorts();

    private final List<DatagramSocket> sockets;
    private final Reception reception;
    private final int maxMessageBytes;
    private volatile boolean stopped;

    private UdpListener(
            JainStack stack,
            ListenAddress configured,
            List<DatagramSocket> sockets,
            Reception reception,
            int maxMessageBytes) {
        super(stack, configured, (InetSocketAddress) sockets.get(0).getLocalSocketAddress());
        this.sockets = List.copyOf(sockets);
        this.reception = reception;
        this.maxMessageBytes = maxMessageBytes;
    }

    static UdpListener bind(JainStack stack, ListenAddress listen, UdpLimits limits, Reception reception)
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
            return new UdpListener(stack, listen, sockets, reception, limits.maxMessageBytes());
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
        for (DatagramSocket socket : sockets) {
            Thread receiver = new Thread(() -> receive(socket), "sip-udp-" + bound().getPort());
            receiver.setDaemon(true);
            receiver.start();
        }
    }

    @Override
    public void stop() {
        stopped = true;
        sockets.forEach(DatagramSocket::close);
    }

    private void receive(DatagramSocket socket) {
        byte[] buffer = new byte[LARGEST_DATAGRAM];
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        while (!stopped) {
            try {
                packet.setData(buffer);
                socket.receive(packet);
                reception.datagram(
                        buffer,
                        packet.getLength(),
                        maxMessageBytes,
                        this,
                        new InetSocketAddress(packet.getAddress(), packet.getPort()));
            } catch (Throwable e) {
                // Whatever it is, even an OutOfMemoryError: a server that goes on deaf is worse.
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
