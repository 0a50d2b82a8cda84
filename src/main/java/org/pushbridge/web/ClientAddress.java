package org.pushbridge.web;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * Whom a request is counted for: an IPv4 address, or an IPv6 /64, since that is what one customer has at the least.
 *
 * @param network the address, with the last eight bytes of an IPv6 one zero
 */
record ClientAddress(InetAddress network) {
    static ClientAddress of(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return new ClientAddress(address);
        }
        Arrays.fill(bytes, 8, 16, (byte) 0);
        return new ClientAddress(fromBytes(bytes));
    }

    /**
     * The client behind trusted proxies.
     *
     * @param peer who sent the request
     * @param forwardedFor the values of {@code X-Forwarded-For}; each proxy has added to the end whom it was asked by
     */
    static ClientAddress of(InetAddress peer, List<String> forwardedFor, Predicate<InetAddress> trustedProxy) {
        InetAddress client = peer;
        String[] hops = String.join(",", forwardedFor).split(",", -1);
        for (int i = hops.length - 1; i >= 0 && trustedProxy.test(client); i--) {
            byte[] bytes = NetUtil.createByteArrayFromIpAddressString(hops[i].strip());
            if (bytes == null) {
                break;
            }
            client = fromBytes(bytes);
        }
        return of(client);
    }

    private static InetAddress fromBytes(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("An address of " + bytes.length + " bytes was refused", e);
        }
    }
}
