package org.pushbridge.sip.stack;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a {@link SipStack} listens on and how much it puts up with.
 *
 * @param listen the addresses to listen on; at least one
 * @param server the value of the Server header of every response that has none
 * @param t1 RFC 3261's T1, from which all transaction timers follow; 500 ms, shorter only in tests
 * @param maxServerTransactions how many transactions of others may be open at once; beyond that, requests outside a
 *     dialog are answered 503 with Retry-After; requests within a dialog get a quarter more
 * @param retryAfter what Retry-After then says; whole seconds
 * @param udp limits of datagrams
 * @param stream limits of connections
 * @param addressLimits what one address may begin; no limit by default
 */
public record SipStackSettings(
        List<ListenAddress> listen,
        String server,
        Duration t1,
        int maxServerTransactions,
        Duration retryAfter,
        UdpLimits udp,
        StreamLimits stream,
        AddressLimits addressLimits) {
    public SipStackSettings {
        listen = List.copyOf(listen);
        require(!listen.isEmpty(), "The SIP stack needs at least one address to listen on");
        require(!server.isBlank() && server.indexOf('\n') < 0, "The Server header needs one line of text");
        require(t1.toMillis() >= 10, "T1 must be 10 ms or more, not " + t1);
        require(maxServerTransactions > 0, "At least one server transaction must be allowed");
        require(retryAfter.toSeconds() >= 1, "Retry-After must be a second or more, not " + retryAfter);
    }

    /** Everything at its default. */
    public static SipStackSettings listeningOn(List<ListenAddress> listen) {
        return new SipStackSettings(
                listen,
                "Pushbridge",
                Duration.ofMillis(500),
                100_000,
                Duration.ofSeconds(5),
                UdpLimits.defaults(),
                StreamLimits.defaults(),
                AddressLimits.NONE);
    }

    public SipStackSettings withServer(String value) {
        return new SipStackSettings(listen, value, t1, maxServerTransactions, retryAfter, udp, stream, addressLimits);
    }

    public SipStackSettings withT1(Duration value) {
        return new SipStackSettings(
                listen, server, value, maxServerTransactions, retryAfter, udp, stream, addressLimits);
    }

    public SipStackSettings withMaxServerTransactions(int value) {
        return new SipStackSettings(listen, server, t1, value, retryAfter, udp, stream, addressLimits);
    }

    public SipStackSettings withUdp(UdpLimits value) {
        return new SipStackSettings(
                listen, server, t1, maxServerTransactions, retryAfter, value, stream, addressLimits);
    }

    public SipStackSettings withStream(StreamLimits value) {
        return new SipStackSettings(listen, server, t1, maxServerTransactions, retryAfter, udp, value, addressLimits);
    }

    public SipStackSettings withAddressLimits(AddressLimits value) {
        return new SipStackSettings(listen, server, t1, maxServerTransactions, retryAfter, udp, stream, value);
    }

    /**
     * What one IP address, or one IPv6 /64, may send: so many a second in the long run, and ten seconds' worth at once.
     *
     * @param registersPerSecond REGISTERs
     * @param othersPerSecond other requests that begin something: INVITE, OPTIONS, SUBSCRIBE and what the bridge does
     *     not know. Requests inside a call and responses are not limited
     * @param exempt addresses without limit: trunks
     */
    public record AddressLimits(int registersPerSecond, int othersPerSecond, Predicate<InetAddress> exempt) {
        static final AddressLimits NONE = new AddressLimits(1, 1, address -> true);

        public AddressLimits {
            require(registersPerSecond > 0 && othersPerSecond > 0, "At least one request a second must be allowed");
        }
    }

    /**
     * One address to listen on.
     *
     * @param address where to bind; port 0 takes a free one; the wildcard {@code ::} also takes IPv4
     * @param advertised the {@code host} or {@code host:port} to give to peers instead of the bound address, for a
     *     bridge behind NAT; an IPv6 address in brackets
     */
    public record ListenAddress(Transport transport, InetSocketAddress address, Optional<String> advertised) {
        public ListenAddress {
            require(!address.isUnresolved(), "Cannot listen on " + address + ": the host name is not known");
            require(
                    advertised.isEmpty()
                            || advertised.get().matches("([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:\\d{1,5})?"),
                    "An advertised address is host or host:port, IPv6 in brackets, not '" + advertised.orElse("")
                            + "'");
        }

        /** Without an advertised address. */
        public static ListenAddress of(Transport transport, InetSocketAddress address) {
            return new ListenAddress(transport, address, Optional.empty());
        }
    }

    /**
     * @param receivers threads that receive, for each address; each has its own socket, and a peer always meets the
     *     same one (where the system can: SO_REUSEPORT), so that its messages stay in order
     * @param maxMessageBytes larger datagrams are answered 513 before they are parsed
     * @param maxHeaderBytes so are messages with longer start line and headers
     * @param maxWaitingBytes datagrams that may wait to be looked at, for each receiver; more are dropped
     */
    public record UdpLimits(int receivers, int maxMessageBytes, int maxHeaderBytes, int maxWaitingBytes) {
        public UdpLimits {
            require(receivers >= 1 && receivers <= 64, "1 to 64 UDP receivers, not " + receivers);
            require(
                    maxMessageBytes >= 1300 && maxMessageBytes <= 65_535,
                    "A UDP message limit is 1300 to 65535 bytes, not " + maxMessageBytes);
            require(maxHeaderBytes >= 1024, "A header limit is 1024 bytes or more, not " + maxHeaderBytes);
            require(
                    maxWaitingBytes >= maxMessageBytes,
                    "At least one whole datagram must be allowed to wait: maxWaitingBytes >= maxMessageBytes");
        }

        /** A receiver a core, 8 KB a message; 4 MB that wait are some thousand messages. */
        public static UdpLimits defaults() {
            return new UdpLimits(
                    Math.min(64, Runtime.getRuntime().availableProcessors()), 8 * 1024, 32 * 1024, 4 * 1024 * 1024);
        }
    }

    /**
     * @param maxMessageBytes larger messages close the connection
     * @param maxHeaderBytes messages with longer start line and headers close the connection
     * @param maxConnections how many connections may be open at once
     * @param maxConnectionsPerAddress how many of them from one IP address; many phones share one behind carrier NAT
     * @param idleTimeout a connection over which nothing came for so long is closed; RFC 5626 clients ping every
     *     14 minutes at the latest
     * @param messageTimeout how long the first message after connecting, the rest of a message that has begun, and the
     *     writing of a message may take
     * @param connectTimeout how long to wait for a peer to accept a connection
     * @param maxUnsentBytes a connection whose peer reads so slowly that more than this is waiting is closed
     */
    public record StreamLimits(
            int maxMessageBytes,
            int maxHeaderBytes,
            int maxConnections,
            int maxConnectionsPerAddress,
            Duration idleTimeout,
            Duration messageTimeout,
            Duration connectTimeout,
            int maxUnsentBytes) {
        public StreamLimits {
            require(maxHeaderBytes >= 1024, "A header limit is 1024 bytes or more, not " + maxHeaderBytes);
            require(
                    maxMessageBytes >= maxHeaderBytes,
                    "The message limit must not be below the header limit of " + maxHeaderBytes + " bytes");
            require(maxConnections > 0 && maxConnectionsPerAddress > 0, "At least one connection must be allowed");
            require(idleTimeout.toMillis() > 0, "The idle timeout must be positive");
            require(messageTimeout.toMillis() > 0, "The message timeout must be positive");
            require(connectTimeout.toMillis() > 0, "The connect timeout must be positive");
            require(
                    maxUnsentBytes >= maxMessageBytes,
                    "At least one whole message must be allowed to wait: maxUnsentBytes >= maxMessageBytes");
        }

        public static StreamLimits defaults() {
            return new StreamLimits(
                    64 * 1024,
                    32 * 1024,
                    20_000,
                    2_000,
                    Duration.ofMinutes(16),
                    Duration.ofSeconds(20),
                    Duration.ofSeconds(5),
                    512 * 1024);
        }

        public StreamLimits withMaxConnections(int value, int perAddress) {
            return new StreamLimits(
                    maxMessageBytes,
                    maxHeaderBytes,
                    value,
                    perAddress,
                    idleTimeout,
                    messageTimeout,
                    connectTimeout,
                    maxUnsentBytes);
        }

        public StreamLimits withTimeouts(Duration idle, Duration message, Duration connect) {
            return new StreamLimits(
                    maxMessageBytes,
                    maxHeaderBytes,
                    maxConnections,
                    maxConnectionsPerAddress,
                    idle,
                    message,
                    connect,
                    maxUnsentBytes);
        }

        public StreamLimits withMaxUnsentBytes(int value) {
            return new StreamLimits(
                    maxMessageBytes,
                    maxHeaderBytes,
                    maxConnections,
                    maxConnectionsPerAddress,
                    idleTimeout,
                    messageTimeout,
                    connectTimeout,
                    value);
        }
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
