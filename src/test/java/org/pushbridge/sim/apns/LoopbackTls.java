package org.pushbridge.sim.apns;

import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** TLS for tests on loopback: a server with the identity of the simulated APNs, and clients that trust it. */
public final class LoopbackTls {
    private static final char[] NO_PASSWORD = {};

    private LoopbackTls() {}

    /** One context for both sides. */
    public static SSLContext context() throws Exception {
        TlsIdentity identity = TlsIdentity.ofLocalhost();
        KeyStore store = store();
        store.setKeyEntry("server", identity.privateKey(), NO_PASSWORD, new Certificate[] {identity.certificate()});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, NO_PASSWORD);
        KeyStore trusted = store();
        trusted.setCertificateEntry("server", identity.certificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore store() throws GeneralSecurityException, java.io.IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        return store;
    }
}
