package org.pushbridge.sip.stack;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Writes IP addresses the way SIP does. */
final class Hosts {
    private Hosts() {}

    /** Without a zone, IPv6 not in brackets: as in a {@code received} parameter. */
    static String bare(InetAddress address) {
        String host = address.getHostAddress();
        int zone = host.indexOf('%');
        return zone < 0 ? host : host.substring(0, zone);
    }

    /** IPv6 in brackets: as in a URI or a Via. */
    static String host(InetAddress address) {
        return address instanceof Inet6Address ? "[" + bare(address) + "]" : bare(address);
    }

    static String text(InetSocketAddress address) {
        return host(address.getAddress()) + ":" + address.getPort();
    }
}
