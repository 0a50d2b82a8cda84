package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pushbridge.sim.ua.Credentials;

class TokenDialectTest {
    private static IphoneSettings phone() {
        return IphoneSettings.of(
                        "Alice",
                        Credentials.of("alice", "secret"),
                        "example.com",
                        InetSocketAddress.createUnresolved("pbx.example.com", 5060))
                .withVoipToken("00aa");
    }

    @ParameterizedTest
    @CsvSource({
        "RFC_8599, ;pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip&remote;pn-prid=00aa:voip&bb:remote",
        "LINPHONE, ;pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip&remote;pn-prid=00AA:voip&BB:remote",
        "LINPHONE_REMOTE_FIRST,"
                + " ;pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip&remote;pn-prid=BB:remote&00AA:voip",
        "OLD_LINPHONE, ;pn-type=apple;app-id=com.example.phone.voip.prod;pn-tok=00aa",
        "PORTSIP, ''",
    })
    void standsInTheContact(TokenDialect dialect, String parameters) {
        assertThat(dialect.uriParameters(phone().withRemoteToken("bb"))).isEqualTo(parameters);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "PORTSIP")
    void addsNoHeader(TokenDialect dialect) {
        assertThat(dialect.headers(phone())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"'', 00aa", "bb, 00aa|bb"})
    void portsipUsesAHeader(String remote, String tokens) {
        IphoneSettings phone = remote.isEmpty() ? phone() : phone().withRemoteToken(remote);
        assertThat(TokenDialect.PORTSIP.headers(phone))
                .isEqualTo(Map.of(
                        "x-p-push",
                        "device-os=ios;device-uid=" + tokens
                                + ";allow-call-push=true;allow-message-push=true;app-id=com.example.phone"));
    }
}
