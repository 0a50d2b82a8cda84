package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verdict API with a certificate of its own. */
class VerdictApiOverTlsTest extends VerdictApiContract {
    private final PemFiles first;
    private final PemFiles second;
    private final SSLContext trustsFirst;

    VerdictApiOverTlsTest(@TempDir Path folder) throws Exception {
        first = PemFiles.create(folder, "first", "EC");
        second = PemFiles.create(folder, "second", "RSA");
        trustsFirst = first.client();
    }

    @Override
    Optional<WebSettings.Tls> tls() {
        return Optional.of(first.tls());
    }

    @Override
    HttpClient.Builder client() {
        return HttpClient.newBuilder().sslContext(trustsFirst);
    }

    @Override
    Socket socket(InetSocketAddress address) throws IOException {
        return trustsFirst.getSocketFactory().createSocket(address.getAddress(), address.getPort());
    }

    private VerdictServer serve(WebSettings.Tls files) {
        return VerdictServer.start(
                new WebSettings(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        Optional.of(files),
                        address -> false,
                        100,
                        100,
                        100,
                        100,
                        Duration.ofMinutes(1),
                        Duration.ofMinutes(1),
                        Duration.ofMillis(20)),
                tokens,
                desk);
    }

    private static X509Certificate shownTo(PemFiles trusting, VerdictServer server) {
        try (SSLSocket socket = (SSLSocket) trusting.client()
                .getSocketFactory()
                .createSocket(server.address().getAddress(), server.address().getPort())) {
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aRenewedCertificateIsShownWithoutARestartOnceBothFilesFit(@TempDir Path folder) throws Exception {
        WebSettings.Tls files = new WebSettings.Tls(folder.resolve("crt"), folder.resolve("key"));
        Files.copy(first.certificates(), files.certificates());
        Files.copy(first.key(), files.key());
        try (VerdictServer server = serve(files)) {
            assertThat(shownTo(first, server)).isEqualTo(first.certificate());
            Files.copy(second.certificates(), files.certificates(), StandardCopyOption.REPLACE_EXISTING);
            assertThat(shownTo(first, server))
                    .as("the key is still the old one")
                    .isEqualTo(first.certificate());
            Files.copy(second.key(), files.key(), StandardCopyOption.REPLACE_EXISTING);

            await().atMost(Duration.ofSeconds(30))
                    .ignoreException(UncheckedIOException.class)
                    .until(() -> shownTo(second, server).equals(second.certificate()));
        }
    }

    @Test
    void filesThatAreOfNoUseAreNamedWithWhatToDo(@TempDir Path folder) throws Exception {
        Path sec1 = Files.writeString(
                folder.resolve("sec1.key"), "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
        Path empty = Files.writeString(folder.resolve("empty.crt"), "");
        Path damaged = Files.writeString(
                folder.resolve("damaged.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");

        assertThatThrownBy(() -> serve(new WebSettings.Tls(first.certificates(), second.key())))
                .isInstanceOf(WebServerException.class)
                .hasMessageContaining("no EC key as the certificate");
        assertThatThrownBy(() -> serve(new WebSettings.Tls(
                        first.certificates(), PemFiles.create(folder, "x", "EC").key())))
                .isInstanceOf(WebServerException.class)
                .hasMessageContaining("does not belong to the first certificate");
        assertThatThrownBy(() -> serve(new WebSettings.Tls(first.certificates(), sec1)))
                .isInstanceOf(WebServerException.class)
                .hasMessageContaining("openssl pkcs8 -topk8");
        assertThatThrownBy(() -> serve(new WebSettings.Tls(empty, first.key())))
                .isInstanceOf(WebServerException.class)
                .hasMessageContaining("empty.crt holds no certificate");
        assertThatThrownBy(() -> serve(new WebSettings.Tls(first.certificates(), damaged)))
                .isInstanceOf(WebServerException.class)
                .hasMessageContaining("damaged")
                .hasMessageNotContaining("c2VjcmV0");
        assertThatThrownBy(() -> serve(new WebSettings.Tls(folder.resolve("none"), first.key())))
                .isInstanceOf(WebServerException.class)
                .hasMessageContaining("cannot be read");
    }
}
