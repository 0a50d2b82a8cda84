package org.pushbridge.sim.ua;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** SIP over TCP: the connections, by the address of the peer; with or without a socket that takes more. */
final class TcpWire implements Wire {
    private static final Logger log = LogManager.getLogger(TcpWire.class);
    private static final int CONNECT_TIMEOUT_MILLIS = 5_000;
    private static final int LARGEST_HEAD = 64 * 1024;
    private static final int EMPTY_LINE = 0x0D0A0D0A;
    private static final Pattern CONTENT_LENGTH = Pattern.compile(
            "^(?:Content-Length|l)[ \t]*:[ \t]*(\\d{1,7})", Pattern.CASE_INSENSITIVE | Pattern.MULTILINE);

    private final Optional<ServerSocket> server;
    private final InetSocketAddress local;
    private final Receiver receiver;
    private final Map<InetSocketAddress, Socket> connections = new ConcurrentHashMap<>();
    private volatile boolean closed;

    private TcpWire(Optional<ServerSocket> server, InetSocketAddress local, Receiver receiver) {
        this.server = server;
        this.local = local;
        this.receiver = receiver;
    }

    static TcpWire connected(InetAddress local, InetSocketAddress peer, Receiver receiver) throws IOException {
        Socket socket = connect(local, peer);
        TcpWire wire = new TcpWire(Optional.empty(), (InetSocketAddress) socket.getLocalSocketAddress(), receiver);
        wire.serve(socket);
        return wire;
    }

    static TcpWire listening(InetSocketAddress local, Receiver receiver) throws IOException {
        ServerSocket server = new ServerSocket();
        server.bind(local);
        TcpWire wire = new TcpWire(Optional.of(server), (InetSocketAddress) server.getLocalSocketAddress(), receiver);
        start("sip-tcp-accept-" + server.getLocalPort(), () -> wire.accept(server));
        return wire;
    }

    private static Socket connect(InetAddress local, InetSocketAddress peer) throws IOException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.bind(new InetSocketAddress(local, 0));
            socket.connect(peer, CONNECT_TIMEOUT_MILLIS);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept(ServerSocket listener) {
        while (!closed) {
            try {
                Socket socket = listener.accept();
                socket.setTcpNoDelay(true);
                serve(socket);
            } catch (IOException e) {
                log.debug("No connection was taken: local={} cause={}", local, e.toString());
            }
        }
    }

    private void serve(Socket socket) {
        InetSocketAddress peer = (InetSocketAddress) socket.getRemoteSocketAddress();
        connections.put(peer, socket);
        start("sip-tcp-" + socket.getLocalPort(), () -> read(socket, peer));
    }

    private void read(Socket socket, InetSocketAddress peer) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                receiver.received(readMessage(in), peer, this);
            }
        } catch (IOException e) {
            connections.remove(peer, socket);
        }
    }

    /** Reads one message (RFC 3261 section 18.3); empty lines before it are keep-alives (RFC 5626 section 3.5.1). */
    private static byte[] readMessage(InputStream in) throws IOException {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        int lastFour = 0;
        while (lastFour != EMPTY_LINE) {
            int b = in.read();
            if (b < 0 || message.size() > LARGEST_HEAD) {
                throw new EOFException("The connection ended");
            }
            if (message.size() == 0 && (b == '\r' || b == '\n')) {
                continue;
            }
            message.write(b);
            lastFour = (lastFour << 8) | b;
        }
        Matcher length = CONTENT_LENGTH.matcher(message.toString(StandardCharsets.UTF_8));
        message.write(in.readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0));
        return message.toByteArray();
    }

    @Override
    public Transport transport() {
        return Transport.TCP;
    }

    @Override
    public InetSocketAddress local() {
        return local;
    }

    @Override
    public void send(byte[] message, InetSocketAddress to) throws IOException {
        Socket socket = connections.get(to);
        if (socket == null) {
            if (closed) {
                throw new IOException("The wire is closed");
            }
            socket = connect(local.getAddress(), to);
            serve(socket);
        }
        synchronized (socket) {
            socket.getOutputStream().write(message);
        }
    }

    @Override
    public void close() {
        closed = true;
        server.ifPresent(TcpWire::closeQuietly);
        connections.values().forEach(TcpWire::closeQuietly);
        connections.clear();
    }

    private static void closeQuietly(AutoCloseable socket) {
        try {
            socket.close();
        } catch (Exception e) {
            log.debug("Not closed: {}", e.toString()); // it is of no more use either way
        }
    }
}
