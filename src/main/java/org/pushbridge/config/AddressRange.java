package org.pushbridge.config;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * One IP address, or a block of them in CIDR form (RFC 4632).
 *
 * @param network the first address of the block
 * @param prefixLength how many leading bits count; 32 or 128 for a single address
 */
public record AddressRange(InetAddress network, int prefixLength) {
    /**
     * Reads {@code 192.0.2.7}, {@code 192.0.2.0/24} or {@code 2001:db8::/32}.
     *
     * @throws IllegalArgumentException with the rest of a sentence that began with the key's name
     */
    static AddressRange parse(String text) {
        int slash = text.indexOf('/');
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(slash < 0 ? text : text.substring(0, slash));
        if (bytes == null) {
            throw new IllegalArgumentException(
                    "holds \"" + text
                            + "\", which is not an IP address or block; write for example \"192.0.2.7\", \"192.0.2.0/24\" or \"2001:db8::/32\"");
        }
        int bits = bytes.length * 8;
        int length = bits;
        if (slash >= 0) {
            String digits = text.substring(slash + 1);
            if (!digits.matches("[0-9]{1,3}") || Integer.parseInt(digits) > bits) {
                throw new IllegalArgumentException(
                        "holds \"" + text + "\", but after the slash stands the number of network bits, 0 to " + bits);
            }
            length = Integer.parseInt(digits);
        }
        byte[] first = masked(bytes, length);
        try {
            InetAddress network = InetAddress.getByAddress(first);
            if (!Arrays.equals(first, bytes)) {
                throw new IllegalArgumentException("holds \"" + text
                        + "\", which begins in the middle of its block; write \""
                        + NetUtil.toAddressString(network) + "/" + length + "\" for the block, or leave out /" + length
                        + " for the one address");
            }
            return new AddressRange(network, length);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("An address of " + bytes.length + " bytes was refused", e);
        }
    }

    /** Whether the address lies in the block. An IPv4 address never lies in an IPv6 block. */
    public boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == network.getAddress().length
                && Arrays.equals(masked(bytes, prefixLength), network.getAddress());
    }

    boolean overlaps(AddressRange other) {
        return contains(other.network) || other.contains(network);
    }

    private static byte[] masked(byte[] address, int length) {
        byte[] masked = address.clone();
        for (int i = 0; i < masked.length; i++) {
            int kept = Math.min(8, Math.max(0, length - 8 * i));
            masked[i] &= (byte) (0xff << (8 - kept));
        }
        return masked;
    }

    @Override
    public String toString() {
        String text = NetUtil.toAddressString(network);
        return prefixLength == network.getAddress().length * 8 ? text : text + "/" + prefixLength;
    }
}
