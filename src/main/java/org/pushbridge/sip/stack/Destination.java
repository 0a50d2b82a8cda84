package org.pushbridge.sip.stack;

import java.net.InetSocketAddress;
import org.pushbridge.device.Flow;

/** Where a request goes. */
public sealed interface Destination {
    /**
     * Over the very connection, or from the very local address to the very remote one, that a REGISTER came over. The
     * stack never connects to a client: if the connection is gone, sending fails.
     */
    record OverFlow(Flow flow) implements Destination {}

    /**
     * To a peer that listens, such as a trunk. For TCP, a connection is opened and then kept for all that follows.
     *
     * @param address resolved
     */
    record ToAddress(Transport transport, InetSocketAddress address) implements Destination {
        public ToAddress {
            if (address.isUnresolved()) {
                throw new IllegalArgumentException(
                        "The stack sends to IP addresses; '" + address.getHostString() + "' must be looked up first");
            }
        }
    }
}
