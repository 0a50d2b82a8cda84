package org.pushbridge.sim.ua;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * A socket that carries SIP. Its thread hands everything received to the {@link Receiver}; sending is allowed on any
 * thread. Whoever opened it closes it.
 */
public interface Wire extends Closeable {
    /** Takes what a wire received; called on the wire's own thread. */
    interface Receiver {
        void received(byte[] message, InetSocketAddress from, Wire over);
    }

    /**
     * Opens a wire of a client, which nobody can connect to.
     *
     * @param local the address to send from; the port is a free one
     * @param peer whom it will talk to
     */
    static Wire open(Transport transport, InetAddress local, InetSocketAddress peer, Receiver receiver)
            throws IOException {
        return switch (transport) {
            case UDP -> new UdpWire(new InetSocketAddress(local, 0), receiver);
            case TCP -> TcpWire.connected(local, peer, receiver);
        };
    }

    /** Opens a wire of a server; port 0 means a free one. */
    static Wire listen(Transport transport, InetSocketAddress local, Receiver receiver) throws IOException {
        return switch (transport) {
            case UDP -> new UdpWire(local, receiver);
            case TCP -> TcpWire.listening(local, receiver);
        };
    }

    Transport transport();

    /** The address to name in Via and Contact. */
    InetSocketAddress local();

    /** Sends one message; a stream that is not there yet is opened. */
    void send(byte[] message, InetSocketAddress to) throws IOException;

    /** Ends all sockets; does not wait for the threads. */
    @Override
    void close();
}
