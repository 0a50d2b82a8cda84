package org.pushbridge.sip.stack;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A SIP element reduced to its socket: sends what the test wrote and hands over what comes, as text. */
interface Peer extends Closeable {
    Duration PATIENCE = Duration.ofSeconds(10);

    void send(String message) throws IOException;

    /** The next message; fails if none comes. */
    String receive() throws IOException;

    /** Whether nothing comes within the time. */
    boolean hearsNothingFor(Duration time) throws IOException;

    InetSocketAddress address();

    String transport();

    @Override
    void close() throws IOException;

    /** {@code sip:} host and port of this peer. */
    default String hostPort() {
        return Hosts.text(address());
    }

    static Peer udp(InetSocketAddress bridge) throws IOException {
        return new Udp(new DatagramSocket(new InetSocketAddress(bridge.getAddress(), 0)), bridge);
    }

    static Tcp tcp(InetSocketAddress bridge) throws IOException {
        return new Tcp(new Socket(bridge.getAddress(), bridge.getPort()));
    }

    static Peer of(Transport transport, InetSocketAddress bridge) throws IOException {
        return transport == Transport.UDP ? udp(bridge) : tcp(bridge);
    }

    final class Udp implements Peer {
        private final DatagramSocket socket;
        private final InetSocketAddress bridge;

        Udp(DatagramSocket socket, InetSocketAddress bridge) {
            this.socket = socket;
            this.bridge = bridge;
        }

        @Override
        public void send(String message) throws IOException {
            send(message.getBytes(StandardCharsets.UTF_8));
        }

        void send(byte[] bytes) throws IOException {
            socket.send(new DatagramPacket(bytes, bytes.length, bridge));
        }

        @Override
        public String receive() throws IOException {
            return receive(PATIENCE);
        }

        private String receive(Duration patience) throws IOException {
            socket.setSoTimeout((int) patience.toMillis());
            DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
            socket.receive(packet);
            return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
        }

        @Override
        public boolean hearsNothingFor(Duration time) throws IOException {
            try {
                receive(time);
                return false;
            } catch (SocketTimeoutException e) {
                return true;
            }
        }

        @Override
        public InetSocketAddress address() {
            return (InetSocketAddress) socket.getLocalSocketAddress();
        }

        @Override
        public String transport() {
            return "UDP";
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    final class Tcp implements Peer {
        final Socket socket;

        Tcp(Socket socket) throws IOException {
            this.socket = socket;
            socket.setTcpNoDelay(true);
        }

        @Override
        public void send(String message) throws IOException {
            socket.getOutputStream().write(message.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
        }

        @Override
        public String receive() throws IOException {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            InputStream in = socket.getInputStream();
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                int next = in.read();
                if (next < 0) {
                    throw new IOException("closed after: " + head);
                }
                head.append((char) next);
            }
            String length = Messages.header(head.toString(), "Content-Length").orElse("0");
            byte[] body = in.readNBytes(Integer.parseInt(length));
            return head + new String(body, StandardCharsets.UTF_8);
        }

        /** So many bytes, whatever they are. */
        String receiveRaw(int bytes) throws IOException {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            return new String(socket.getInputStream().readNBytes(bytes), StandardCharsets.UTF_8);
        }

        /** Reads on until the bridge closes the connection; fails if it does not. */
        boolean isClosedByBridge() throws IOException {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            try {
                byte[] sink = new byte[8192];
                while (socket.getInputStream().read(sink) >= 0) {
                    // What it still sends does not matter.
                }
                return true;
            } catch (SocketTimeoutException e) {
                return false;
            } catch (IOException reset) {
                return true;
            }
        }

        @Override
        public boolean hearsNothingFor(Duration time) throws IOException {
            socket.setSoTimeout((int) time.toMillis());
            try {
                socket.getInputStream().read();
                return false;
            } catch (SocketTimeoutException e) {
                return true;
            }
        }

        @Override
        public InetSocketAddress address() {
            return (InetSocketAddress) socket.getLocalSocketAddress();
        }

        @Override
        public String transport() {
            return "TCP";
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
