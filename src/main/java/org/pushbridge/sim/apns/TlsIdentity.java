package org.pushbridge.sim.apns;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A private key with its self-signed certificate.
 *
 * <p>Made by the {@code keytool} of the running Java: the JDK has no public API that signs a certificate, and this
 * needs neither another library nor access to its internals.
 *
 * @param certificate the certificate
 * @param privateKey its key
 */
public record TlsIdentity(X509Certificate certificate, PrivateKey privateKey) {
    private static final String ALIAS = "identity";

    /** The identity of every simulated server of this process: making one takes most of a second. */
    public static TlsIdentity ofLocalhost() {
        return Localhost.IDENTITY;
    }

    /** Makes an identity that is good for a year; takes most of a second, and a process of its own. */
    static TlsIdentity create(String distinguishedName, List<String> extensions) {
        String password = UUID.randomUUID().toString();
        try {
            Path folder = Files.createTempDirectory("simulated-apns");
            Path file = folder.resolve("identity.p12");
            try {
                runKeytool(file, password, distinguishedName, extensions);
                KeyStore store = KeyStore.getInstance("PKCS12");
                try (InputStream in = Files.newInputStream(file)) {
                    store.load(in, password.toCharArray());
                }
                return new TlsIdentity((X509Certificate) store.getCertificate(ALIAS), (PrivateKey)
                        store.getKey(ALIAS, password.toCharArray()));
            } finally {
                Files.deleteIfExists(file);
                Files.delete(folder);
            }
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("No certificate could be made for " + distinguishedName, e);
        }
    }

    private static void runKeytool(Path file, String password, String distinguishedName, List<String> extensions)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "365",
                "-dname",
                distinguishedName,
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass:env",
                "KEYTOOL_PASSWORD"));
        for (String extension : extensions) {
            command.add("-ext");
            command.add(extension);
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("KEYTOOL_PASSWORD", password);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException("keytool ended with " + exit + ": " + output.strip());
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while keytool ran", e);
        }
    }

    public String certificatePem() {
        try {
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("A certificate that was just read cannot be written", e);
        }
    }

    /** PKCS #8, unencrypted. */
    public String privateKeyPem() {
        return pem("PRIVATE KEY", privateKey.getEncoded());
    }

    private static String pem(String what, byte[] encoded) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded);
        return "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n";
    }

    /** For a client that trusts this identity and no other. */
    public SSLContext trustedByClients() {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry(ALIAS, certificate);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("A certificate that was just made cannot be trusted", e);
        }
    }

    @Override
    public String toString() {
        return "TlsIdentity[" + certificate.getSubjectX500Principal() + "]";
    }

    private static final class Localhost {
        static final TlsIdentity IDENTITY =
                create("CN=localhost", List.of("san=dns:localhost,ip:127.0.0.1,ip:::1", "eku=serverAuth"));
    }
}
