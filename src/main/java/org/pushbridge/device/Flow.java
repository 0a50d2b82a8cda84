package org.pushbridge.device;

import java.net.InetSocketAddress;

/**
 * The very connection, or the UDP address pair, a REGISTER came over (RFC 5626 section 3.3). An INVITE to the device
 * goes out on it.
 *
 * @param transport {@code udp}, {@code tcp} or {@code tls}, lower case
 * @param local the bridge's address and port
 * @param remote the device's address and port as seen by the bridge
 * @param connection tells one connection from a later one between the same addresses; unique across restarts;
 *     0 for UDP
 */
public record Flow(String transport, InetSocketAddress local, InetSocketAddress remote, long connection) {
    public boolean isConnection() {
        return !transport.equals("udp");
    }

    @Override
    public String toString() {
        return transport + " " + text(remote) + " to " + text(local)
                + (connection == 0 ? "" : " #" + Long.toHexString(connection));
    }

    private static String text(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + address.getPort() : host + ":" + address.getPort();
    }
}
