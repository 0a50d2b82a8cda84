package org.pushbridge.sip.stack;

/**
 * How a peer reaches the bridge: what to put in Contact, Record-Route and Via.
 *
 * @param host a name or an IP address, IPv6 in brackets
 */
public record LocalAddress(Transport transport, String host, int port) {
    public String hostPort() {
        return host + ":" + port;
    }

    /** {@code host:port;transport=tcp}, ready to stand behind {@code sip:}. */
    @Override
    public String toString() {
        return hostPort() + ";transport=" + transport;
    }
}
