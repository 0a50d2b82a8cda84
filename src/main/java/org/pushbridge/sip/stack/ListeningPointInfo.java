package org.pushbridge.sip.stack;

import java.net.InetSocketAddress;

/**
 * An address the stack listens on.
 *
 * @param address with the port actually bound
 */
public record ListeningPointInfo(Transport transport, InetSocketAddress address) {
    @Override
    public String toString() {
        return transport + " " + Hosts.text(address);
    }
}
