package org.pushbridge.push;

import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** Credentials read from their file, ready for use. */
final class LoadedCredential {
    private static final Logger LOG = LogManager.getLogger(LoadedCredential.class);

    /** TLS alerts by which a server refuses a client's certificate (RFC 8446 section 6.2). */
    private static final Pattern REFUSAL = Pattern.compile(
            "(bad_certificate|unsupported_certificate|certificate_revoked|certificate_expired|certificate_unknown"
                    + "|certificate_required|unknown_ca|access_denied)");

    private final String label;
    private final boolean certificate;
    private final Consumer<ApnsClientBuilder> apply;

    private LoadedCredential(String label, boolean certificate, Consumer<ApnsClientBuilder> apply) {
        this.label = label;
        this.certificate = certificate;
        this.apply = apply;
    }

    /**
     * @param app names the app in an error
     * @throws PushSettingsException if the file is not there or is not what it should be
     */
    static LoadedCredential load(String app, ApnsCredential credential, Instant now) {
        if (credential instanceof ApnsCredential.SigningKey key) {
            ApnsSigningKey signingKey = signingKey(app, key);
            return new LoadedCredential(key.label(), false, builder -> builder.setSigningKey(signingKey));
        }
        if (credential instanceof ApnsCredential.Certificate file) {
            KeyStore.PrivateKeyEntry entry = certificate(app, file, now);
            X509Certificate certificate = (X509Certificate) entry.getCertificate();
            PrivateKey privateKey = entry.getPrivateKey();
            return new LoadedCredential(
                    file.label(),
                    true,
                    builder -> builder.setClientCredentials(certificate, privateKey, file.password()));
        }
        throw new IllegalStateException("There are two kinds of credentials");
    }

    String label() {
        return label;
    }

    boolean isCertificate() {
        return certificate;
    }

    void applyTo(ApnsClientBuilder builder) {
        apply.accept(builder);
    }

    /** The name of the TLS alert that refused our certificate, if that is what went wrong. */
    static Optional<String> refusalInHandshake(Throwable cause) {
        Throwable each = cause;
        for (int depth = 0; each != null && depth < 10; depth++, each = each.getCause()) {
            if (each instanceof SSLException
                    && String.valueOf(each.getMessage()).contains("fatal alert")) {
                Matcher alert = REFUSAL.matcher(each.getMessage());
                if (alert.find()) {
                    return Optional.of(alert.group(1));
                }
            }
        }
        return Optional.empty();
    }

    private static ApnsSigningKey signingKey(String app, ApnsCredential.SigningKey key) {
        try (InputStream in = open(app, "key", key.keyFile())) {
            ApnsSigningKey signingKey = ApnsSigningKey.loadFromInputStream(in, key.teamId(), key.keyId());
            if (signingKey.getParams().getCurve().getField().getFieldSize() != 256) {
                throw new PushSettingsException(wrongKey(app, key.keyFile(), "it is not on the curve P-256"));
            }
            return signingKey;
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            if (e instanceof PushSettingsException settings) {
                throw settings;
            }
            throw new PushSettingsException(wrongKey(app, key.keyFile(), ApnsLink.describe(e)), e);
        }
    }

    private static String wrongKey(String app, Path file, String why) {
        return "App " + app + ": " + file + " is not an APNs key (" + why + "); it must be the .p8 file as downloaded"
                + " from developer.apple.com, Keys";
    }

    private static KeyStore.PrivateKeyEntry certificate(String app, ApnsCredential.Certificate file, Instant now) {
        KeyStore.PrivateKeyEntry entry;
        try (InputStream in = open(app, "certificate", file.p12File())) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            char[] password = file.password().toCharArray();
            store.load(in, password);
            entry = entry(store, password)
                    .orElseThrow(() -> new PushSettingsException("App " + app + ": " + file.p12File()
                            + " holds no certificate with its private key; export both together from Keychain Access"));
        } catch (IOException | GeneralSecurityException e) {
            throw new PushSettingsException(
                    "App " + app + ": cannot open " + file.p12File() + " (" + ApnsLink.describe(e)
                            + "); check that it is a .p12 file and that the password is right",
                    e);
        }
        X509Certificate certificate = (X509Certificate) entry.getCertificate();
        if (now.isAfter(certificate.getNotAfter().toInstant())) {
            // Not a reason to leave the other apps without pushes.
            LOG.error(
                    "The certificate of app {} expired on {}: APNs will refuse it; get a new one and replace {}",
                    app,
                    certificate.getNotAfter().toInstant(),
                    file.p12File());
        }
        return entry;
    }

    private static Optional<KeyStore.PrivateKeyEntry> entry(KeyStore store, char[] password)
            throws GeneralSecurityException {
        List<String> aliases = Collections.list(store.aliases());
        for (String alias : aliases) {
            if (store.isKeyEntry(alias)
                    && store.getEntry(alias, new KeyStore.PasswordProtection(password))
                            instanceof KeyStore.PrivateKeyEntry entry
                    && entry.getCertificate() instanceof X509Certificate) {
                return Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    private static InputStream open(String app, String what, Path file) {
        try {
            return Files.newInputStream(file);
        } catch (IOException e) {
            throw new PushSettingsException(
                    "App " + app + ": cannot read its " + what + " file " + file.toAbsolutePath() + " ("
                            + (Files.exists(file) ? ApnsLink.describe(e) : "there is no such file")
                            + "); put it there, or correct the path in the settings",
                    e);
        }
    }
}
