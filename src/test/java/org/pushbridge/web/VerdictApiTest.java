package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The verdict API without TLS, as behind a reverse proxy. */
class VerdictApiTest extends VerdictApiContract {
    @Override
    Optional<WebSettings.Tls> tls() {
        return Optional.empty();
    }

    @Override
    HttpClient.Builder client() {
        return HttpClient.newBuilder();
    }

    @Override
    Socket socket(InetSocketAddress address) throws IOException {
        return new Socket(address.getAddress(), address.getPort());
    }

    @Test
    void anAddressThatIsTakenIsNamed() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            WebSettings settings = new WebSettings(
                    new InetSocketAddress(taken.getInetAddress(), taken.getLocalPort()),
                    tls(),
                    address -> false,
                    1,
                    1,
                    1,
                    1,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1));

            assertThatThrownBy(() -> VerdictServer.start(settings, tokens, desk))
                    .isInstanceOf(WebServerException.class)
                    .hasMessageContaining("cannot listen on")
                    .hasMessageContaining("" + taken.getLocalPort());
        }
    }
}
