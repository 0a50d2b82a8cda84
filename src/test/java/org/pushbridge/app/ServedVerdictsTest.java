package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.call.CallId;
import org.pushbridge.config.Config;
import org.pushbridge.device.DeviceId;
import org.pushbridge.store.Store;
import org.pushbridge.web.VerdictTokens;

/** The verdict API as part of the whole server. */
class ServedVerdictsTest {
    private static final DeviceId PHONE = new DeviceId("0123456789abcdef");

    private final Path folder;
    private final HttpClient client = HttpClient.newHttpClient();

    ServedVerdictsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private Config config(int port) throws Exception {
        return Config.load(Files.writeString(folder.resolve("pushbridge.conf"), """
                sip.listen = ["udp:127.0.0.1:0"]
                database.url = "jdbc:h2:file:%1$s/bridge"
                admin.socket = "%1$s/admin.sock"
                http { listen = "127.0.0.1:%2$d", public-url = "http://127.0.0.1:%2$d" }
                """.formatted(folder, port)));
    }

    private int status(Server server, UUID call, String token) throws Exception {
        URI uri = URI.create("http://127.0.0.1:"
                + server.verdictApi().orElseThrow().address().getPort() + "/v1/calls/" + call);
        return client.send(
                        HttpRequest.newBuilder(uri)
                                .timeout(Duration.ofSeconds(30))
                                .header("Authorization", "Bearer " + token)
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }

    @Test
    void whatAPushSaysIsGoodAfterARestartToo() throws Exception {
        CallId call = CallId.random();
        Server.start(config(0)).close();
        VerdictLinks links;
        try (Store store = Store.open(Settings.store(config(0)))) {
            links = new VerdictLinks(
                    "https://push.example.com", new VerdictTokens(store.secret("verdict-tokens", () -> {
                        throw new AssertionError("The server has made one up");
                    })));
        }

        try (Server server = Server.start(config(0))) {
            assertThat(links.url(call)).isEqualTo("https://push.example.com/v1/calls/" + call);
            assertThat(status(server, call.value(), links.token(call, PHONE)))
                    .as("genuine, of a call that is unknown")
                    .isEqualTo(410);
            assertThat(status(server, CallId.random().value(), links.token(call, PHONE)))
                    .isEqualTo(401);
        }
    }

    @Test
    void withoutAPlaceToListenItIsNotServed() throws Exception {
        Files.writeString(folder.resolve("off.conf"), """
                sip.listen = ["udp:127.0.0.1:0"]
                database.url = "jdbc:h2:file:%1$s/bridge"
                admin.socket = "%1$s/admin.sock"
                """.formatted(folder));

        try (Server server = Server.start(Config.load(folder.resolve("off.conf")))) {
            assertThat(server.verdictApi()).isEmpty();
        }
    }

    @Test
    void aPortThatIsTakenIsSaidInOneSentence() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            assertThatThrownBy(() -> Server.start(config(taken.getLocalPort())))
                    .isInstanceOf(CannotStart.class)
                    .hasMessageContaining("The verdict API cannot listen on")
                    .hasMessageContaining("" + taken.getLocalPort());
        }
    }
}
