package org.pushbridge.sip;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A PBX or carrier that the bridge trusts by address.
 *
 * @param name as in the configuration
 * @param sources where its calls come from
 * @param destination where calls to it are sent, if it takes any
 * @param prefixes numbers that begin with one of these go out through it, the longest of all trunks' wins; an empty
 *     prefix takes all
 * @param trustIdentity whether its P-Asserted-Identity is believed, and asserted identities are shown to it (RFC 3325)
 * @param whileParked the provisional status its calls hear while parked, if it is not the general one
 */
public record Trunk(
        String name,
        List<Source> sources,
        Optional<Destination> destination,
        List<String> prefixes,
        boolean trustIdentity,
        OptionalInt whileParked) {
    public Trunk {
        sources = List.copyOf(sources);
        prefixes = List.copyOf(prefixes);
    }

    /**
     * Where a trunk takes calls.
     *
     * @param host a name or an IP address
     * @param transport {@code udp} or {@code tcp}
     */
    public record Destination(String host, int port, String transport) {}

    boolean owns(InetSocketAddress source) {
        for (Source range : sources) {
            if (range.contains(source)) {
                return true;
            }
        }
        return false;
    }

    /** How long the longest prefix is that this number begins with; -1 if the number does not go out here. */
    int match(String number) {
        return destination.isEmpty()
                ? -1
                : prefixes.stream()
                        .filter(number::startsWith)
                        .mapToInt(String::length)
                        .max()
                        .orElse(-1);
    }

    /**
     * Addresses a trunk's calls come from, in CIDR notation.
     *
     * @param address the first or only address
     * @param prefixBits how many leading bits count
     */
    public record Source(InetAddress address, int prefixBits) {
        boolean contains(InetSocketAddress source) {
            byte[] first = address.getAddress();
            byte[] other = source.getAddress().getAddress();
            if (first.length != other.length) {
                return false;
            }
            int whole = prefixBits / Byte.SIZE;
            int rest = prefixBits % Byte.SIZE;
            return Arrays.equals(first, 0, whole, other, 0, whole)
                    && (rest == 0 || ((first[whole] ^ other[whole]) & 0xff) >> (Byte.SIZE - rest) == 0);
        }
    }
}
