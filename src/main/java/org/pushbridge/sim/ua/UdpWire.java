package org.pushbridge.sim.ua;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.Arrays;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

final class UdpWire implements Wire {
    private static final Logger log = LogManager.getLogger(UdpWire.class);
    private static final int LARGEST_DATAGRAM = 65_535;

    private final DatagramSocket socket;
    private final Receiver receiver;

    UdpWire(InetSocketAddress local, Receiver receiver) throws SocketException {
        this.socket = new DatagramSocket(local);
        this.receiver = receiver;
        Thread thread = new Thread(this::receive, "sip-udp-" + socket.getLocalPort());
        thread.setDaemon(true);
        thread.start();
    }

    private void receive() {
        DatagramPacket packet = new DatagramPacket(new byte[LARGEST_DATAGRAM], LARGEST_DATAGRAM);
        while (!socket.isClosed()) {
            try {
                packet.setLength(LARGEST_DATAGRAM);
                socket.receive(packet);
                receiver.received(
                        Arrays.copyOf(packet.getData(), packet.getLength()),
                        (InetSocketAddress) packet.getSocketAddress(),
                        this);
            } catch (IOException e) {
                // Closed, or an ICMP error for a datagram sent earlier: the loop's condition tells which.
                log.debug("Nothing received: {}", e.toString());
            }
        }
    }

    @Override
    public Transport transport() {
        return Transport.UDP;
    }

    @Override
    public InetSocketAddress local() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    @Override
    public void send(byte[] message, InetSocketAddress to) throws IOException {
        socket.send(new DatagramPacket(message, message.length, to));
    }

    @Override
    public void close() {
        socket.close();
    }
}
