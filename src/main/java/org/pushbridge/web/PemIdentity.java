package org.pushbridge.web;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The server's certificate and key, as they were on disk at one moment. */
final class PemIdentity {
    private static final Pattern PRIVATE_KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private final byte[] certificateFile;
    private final byte[] keyFile;
    private final List<X509Certificate> chain;
    private final PrivateKey key;

    private PemIdentity(byte[] certificateFile, byte[] keyFile, WebSettings.Tls files) {
        this.certificateFile = certificateFile;
        this.keyFile = keyFile;
        this.chain = chain(certificateFile, files);
        this.key = key(
                new String(keyFile, StandardCharsets.ISO_8859_1), chain.get(0).getPublicKey(), files);
        if (!belongTogether(key, chain.get(0).getPublicKey())) {
            throw new WebServerException("The private key in " + files.key() + " does not belong to the first"
                    + " certificate in " + files.certificates() + "; put the server's own certificate first, and its"
                    + " own key beside it");
        }
    }

    /** @throws WebServerException if the files cannot be read or do not fit */
    static PemIdentity load(WebSettings.Tls files) {
        try {
            return new PemIdentity(Files.readAllBytes(files.certificates()), Files.readAllBytes(files.key()), files);
        } catch (IOException e) {
            throw new WebServerException("The TLS files of the verdict API cannot be read: " + e, e);
        }
    }

    boolean sameFilesAs(PemIdentity other) {
        return Arrays.equals(certificateFile, other.certificateFile) && Arrays.equals(keyFile, other.keyFile);
    }

    X509Certificate certificate() {
        return chain.get(0);
    }

    /** With one entry and an empty password, in memory only. */
    KeyStore keyStore() {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("server", key, new char[0], chain.toArray(X509Certificate[]::new));
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw new WebServerException("The certificate of the verdict API is of no use: " + e.getMessage(), e);
        }
    }

    private static List<X509Certificate> chain(byte[] pem, WebSettings.Tls files) {
        List<X509Certificate> chain;
        try {
            chain = CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem)).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (CertificateException e) {
            throw new WebServerException(
                    files.certificates() + " cannot be read as PEM certificates: " + e.getMessage(), e);
        }
        if (chain.isEmpty()) {
            throw new WebServerException(files.certificates()
                    + " holds no certificate; it must hold the server's and those that lead to the root, as PEM");
        }
        return chain;
    }

    private static PrivateKey key(String pem, PublicKey ofCertificate, WebSettings.Tls files) {
        Matcher block = PRIVATE_KEY.matcher(pem);
        if (!block.find()) {
            throw new WebServerException(files.key() + " holds no unencrypted PKCS #8 key, which begins with"
                    + " -----BEGIN PRIVATE KEY-----; make one of another kind of key by: openssl pkcs8 -topk8 -nocrypt"
                    + " -in OLD.pem -out NEW.pem");
        }
        try {
            return KeyFactory.getInstance(ofCertificate.getAlgorithm())
                    .generatePrivate(
                            new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(block.group(1))));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            // The cause might quote the key.
            throw new WebServerException("The private key in " + files.key() + " is damaged, or no "
                    + ofCertificate.getAlgorithm() + " key as the certificate in " + files.certificates() + " needs");
        }
    }

    private static boolean belongTogether(PrivateKey key, PublicKey ofCertificate) {
        String algorithm =
                switch (key.getAlgorithm()) {
                    case "RSA", "RSASSA-PSS" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> key.getAlgorithm();
                };
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update((byte) 1);
            byte[] signed = signature.sign();
            signature.initVerify(ofCertificate);
            signature.update((byte) 1);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** Hides the key. */
    @Override
    public String toString() {
        return "PemIdentity[" + certificate().getSubjectX500Principal() + "]";
    }
}
