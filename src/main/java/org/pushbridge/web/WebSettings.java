package org.pushbridge.web;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How the verdict API is served.
 *
 * @param listen an IP address and a port; port 0 lets the system choose
 * @param tls the certificate to show; plain HTTP without it
 * @param trustedProxy whether a peer is a reverse proxy whose {@code X-Forwarded-For} is believed
 * @param requestsPerSecondPerAddress how many requests one client address may make, also at once; 429 past it. The
 *     addresses of one IPv6 /64 count as one
 * @param requestsPerSecondPerCall the same for one device and call
 * @param maxConnections connections at a time; past it the system lets new ones wait
 * @param maxConnectionsPerAddress of one client address; past it new ones are closed. Does not count for proxies
 * @param requestWithin how long a connection may be open without bringing a whole request; also between two
 * @param deskWithin how long the {@link CallDesk} may take; past it the answer is 503
 * @param certificateLook how often to look whether the TLS files have changed
 */
public record WebSettings(
        InetSocketAddress listen,
        Optional<Tls> tls,
        Predicate<InetAddress> trustedProxy,
        int requestsPerSecondPerAddress,
        int requestsPerSecondPerCall,
        int maxConnections,
        int maxConnectionsPerAddress,
        Duration requestWithin,
        Duration deskWithin,
        Duration certificateLook) {
    /**
     * PEM files.
     *
     * @param certificates the server's certificate, then those that lead to the root
     * @param key its private key, PKCS #8 and not encrypted
     */
    public record Tls(Path certificates, Path key) {}
}
