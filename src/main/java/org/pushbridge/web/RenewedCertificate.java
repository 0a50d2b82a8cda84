package org.pushbridge.web;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/**
 * The TLS side of the server: shows what the files hold, and what they hold anew after a renewal. New connections get
 * the new certificate; those that are open keep theirs.
 */
final class RenewedCertificate implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(RenewedCertificate.class);

    private final WebSettings.Tls files;
    private final SslContextFactory.Server context = new SslContextFactory.Server();
    private final ScheduledExecutorService looker;
    private PemIdentity shown;
    private String lastComplaint = "";

    /** @throws WebServerException if the files are of no use */
    RenewedCertificate(WebSettings.Tls files, Duration lookEvery) {
        this.files = files;
        this.shown = PemIdentity.load(files);
        show(context, shown);
        context.setIncludeProtocols("TLSv1.3", "TLSv1.2");
        context.setRenegotiationAllowed(false);
        looker = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "verdict-api-certificate");
            thread.setDaemon(true);
            return thread;
        });
        var unused = looker.scheduleWithFixedDelay(
                this::look, lookEvery.toMillis(), lookEvery.toMillis(), TimeUnit.MILLISECONDS);
    }

    SslContextFactory.Server context() {
        return context;
    }

    private void look() {
        try {
            PemIdentity found = PemIdentity.load(files);
            if (!found.sameFilesAs(shown)) {
                context.reload(factory -> show((SslContextFactory.Server) factory, found));
                shown = found;
                LOG.info(
                        "The verdict API shows a new certificate, valid until {}",
                        found.certificate().getNotAfter().toInstant());
            }
            lastComplaint = "";
        } catch (Exception e) {
            // Perhaps one file is written and the other is not yet; said once, and tried again.
            if (!lastComplaint.equals(e.toString())) {
                lastComplaint = e.toString();
                LOG.warn("The verdict API keeps its old certificate: {}", e.getMessage());
            }
        }
    }

    private static void show(SslContextFactory.Server context, PemIdentity identity) {
        context.setKeyStore(identity.keyStore());
        context.setKeyStorePassword("");
    }

    @Override
    public void close() {
        looker.shutdownNow();
    }
}
