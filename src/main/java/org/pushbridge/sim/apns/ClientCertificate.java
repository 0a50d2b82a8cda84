package org.pushbridge.sim.apns;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A provider certificate, the older way to authenticate: a client that shows it in the TLS handshake needs no token.
 *
 * @param certificate what the client shows
 * @param topics what it may push to; a request without a topic goes to the only one
 * @param environments where it may be used
 */
public record ClientCertificate(X509Certificate certificate, Set<String> topics, Set<Environment> environments) {
    public ClientCertificate {
        topics = Set.copyOf(topics);
        environments = Set.copyOf(environments);
        if (topics.isEmpty()) {
            throw new IllegalArgumentException("A provider certificate is for at least one topic");
        }
    }

    /** A certificate together with the .p12 file that a client loads. */
    public static final class Issued {
        private final ClientCertificate certificate;
        private final byte[] p12;
        private final String password;

        private Issued(ClientCertificate certificate, byte[] p12, String password) {
            this.certificate = certificate;
            this.p12 = p12;
            this.password = password;
        }

        /** What the server is told. */
        public ClientCertificate certificate() {
            return certificate;
        }

        /** The content of the .p12 file: key and certificate. */
        public byte[] p12() {
            return p12.clone();
        }

        /** The password of the .p12 file. */
        public String password() {
            return password;
        }

        @Override
        public String toString() {
            return "Issued[" + certificate.topics() + "]";
        }
    }

    /** Makes a certificate for an app's regular and VoIP topics in both environments; takes most of a second. */
    public static Issued issue(String bundleId, String password) {
        TlsIdentity identity = TlsIdentity.create(
                "CN=Apple Push Services: " + bundleId + ",UID=" + bundleId, List.of("eku=clientAuth"));
        ByteArrayOutputStream p12 = new ByteArrayOutputStream();
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry(
                    bundleId, identity.privateKey(), password.toCharArray(), new Certificate[] {identity.certificate()
                    });
            store.store(p12, password.toCharArray());
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("No .p12 file could be made for " + bundleId, e);
        }
        ClientCertificate certificate = new ClientCertificate(
                identity.certificate(),
                Set.of(TokenKind.REGULAR.topic(bundleId), TokenKind.VOIP.topic(bundleId)),
                EnumSet.allOf(Environment.class));
        return new Issued(certificate, p12.toByteArray(), password);
    }

    /** The same certificate, good for one environment only. */
    public ClientCertificate onlyFor(Environment environment) {
        return new ClientCertificate(certificate, topics, Set.of(environment));
    }

    @Override
    public String toString() {
        return "ClientCertificate[" + topics + "]";
    }
}
