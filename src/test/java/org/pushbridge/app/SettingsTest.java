package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.config.Config;
import org.pushbridge.sip.SipSettings;
import org.pushbridge.sip.stack.SipStackSettings;
import org.pushbridge.store.StoreSettings;

/** What the file says reaches the part that it is about. */
class SettingsTest {
    private final Path folder;

    SettingsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private Config config(String text) throws Exception {
        return Config.load(Files.writeString(folder.resolve("pushbridge.conf"), text));
    }

    @Test
    void theSizesOfMessagesReachTheStack() throws Exception {
        SipStackSettings stack = Settings.stack(config("""
                sip {
                  max-datagram-size = 5k
                  max-message-size = 20k
                  max-header-size = 3k
                  max-waiting-size = 100k
                }
                """));

        assertThat(stack.udp().maxMessageBytes()).isEqualTo(5 * 1024);
        assertThat(stack.udp().maxHeaderBytes()).isEqualTo(3 * 1024);
        assertThat(stack.udp().maxWaitingBytes()).isEqualTo(100 * 1024);
        assertThat(stack.stream().maxMessageBytes()).isEqualTo(20 * 1024);
        assertThat(stack.stream().maxHeaderBytes()).isEqualTo(3 * 1024);
    }

    @Test
    void theRoomForSubscriptionsReachesTheEdge() throws Exception {
        SipSettings sip = Settings.sip(config("sip { max-subscriptions = 7, max-subscriptions-per-user = 3 }"));

        assertThat(sip.maxSubscriptions()).isEqualTo(7);
        assertThat(sip.maxSubscriptionsPerUser()).isEqualTo(3);
    }

    @Test
    void whatMayWaitForTheDatabaseReachesTheStore() throws Exception {
        StoreSettings store = Settings.store(config("database { max-waiting = 200, patience = 3s }"));

        assertThat(store.queueLimit()).isEqualTo(200);
        assertThat(store.patience()).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void aHeaderMayBeAsLargeAsAMessageAtMost() throws Exception {
        SipStackSettings stack = Settings.stack(config("sip.max-message-size = 2k"));

        assertThat(stack.stream().maxHeaderBytes()).isEqualTo(2 * 1024);
    }
}
