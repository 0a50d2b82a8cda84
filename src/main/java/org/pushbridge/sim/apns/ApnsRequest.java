package org.pushbridge.sim.apns;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A complete request, before it is judged.
 *
 * @param at when it was complete
 * @param environment the service it went to
 * @param connection the number of its connection
 * @param clientCertificate what the client showed in the TLS handshake
 * @param session what the connection's provider tokens were so far
 * @param method the HTTP method
 * @param path the path
 * @param headers by lower-case name, in the order of arrival
 * @param body no more of it than is needed to see that it is too long
 */
record ApnsRequest(
        Instant at,
        Environment environment,
        int connection,
        Optional<X509Certificate> clientCertificate,
        ProviderTokens.Session session,
        String method,
        String path,
        Map<String, List<String>> headers,
        Body body) {

    /** The payload's bytes. */
    static final class Body {
        private final byte[] bytes;

        Body(byte[] bytes) {
            this.bytes = bytes;
        }

        int length() {
            return bytes.length;
        }

        byte[] bytes() {
            return bytes.clone();
        }
    }

    Optional<String> header(String name) {
        List<String> values = headers.get(name);
        return values == null ? Optional.empty() : Optional.of(values.get(0));
    }
}
