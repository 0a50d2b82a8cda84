package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Phones that give their token in a dialect of their own, over real sockets. */
class PushDialectsTest {
    private static final String TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    private static final String PORTSIP = "x-p-push: device-os=ios;device-uid=" + TOKEN
            + ";allow-call-push=true;allow-message-push=true;app-id=com.example.phone";

    private final Edge edge = Edge.start();
    private final Party phone = edge.stranger("alice");

    @AfterEach
    void stop() {
        edge.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + TOKEN,
                ";pn-prid=" + TOKEN + ":voip&" + TOKEN + "00:remote;pn-provider=apns"
                        + ";pn-param=ABCDE12345.com.example.phone.remote&voip",
                ";app-id=com.example.phone.voip.prod;pn-tok=" + TOKEN + ";pn-type=apple;pn-silent=1;pn-timeout=0"
            })
    void aPhoneIsPushableAndItsTokenStaysBetweenItAndTheBridge(String parameters) {
        String accepted = register(parameters);
        assertThat(Wire.header(accepted, "Feature-Caps"))
                .matches(".*\\+sip.pns=\"apns\".*\\+sip.pnspurr=\"[0-9a-f]{32}\"");
        assertThat(Wire.header(accepted, "Contact")).contains(TOKEN);

        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");

        assertThat(edge.pbx.expect("SIP/2.0 180")).doesNotContain("pn-", "app-id", TOKEN);
        assertThat(invite).doesNotContain(TOKEN);
    }

    @Test
    void aPhoneThatTellsItsTokenInAHeaderIsPushable() {
        assertThat(Wire.header(register("", PORTSIP), "Feature-Caps")).contains("+sip.pns=\"apns\"");
    }

    @Test
    void theReferenceIsTheSameWhateverTheDialect() {
        String first = register(";app-id=com.example.phone.voip.prod;pn-tok=" + TOKEN + ";pn-type=apple");
        String second = register("", PORTSIP);
        String third = register(";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + TOKEN);

        assertThat(Wire.header(second, "Feature-Caps")).isEqualTo(Wire.header(first, "Feature-Caps"));
        assertThat(Wire.header(third, "Feature-Caps")).isEqualTo(Wire.header(first, "Feature-Caps"));
        assertThat(Wire.headers(third, "Contact")).hasSize(1);
    }

    @Test
    void theOlderDialectsParametersInToDoNotCross() {
        phone.register("");
        edge.pbx.send(edge.pbx
                .invite("sip:alice@example.com")
                .replace("<sip:alice@example.com>", "<sip:alice@example.com;app-id=com.example.phone.prod>"));

        assertThat(Wire.header(phone.expect("INVITE "), "To")).isEqualTo("<sip:alice@example.com>");
    }

    /** The 200, after the round trip for the credentials. */
    private String register(String parameters, String... headers) {
        String register = phone.request("REGISTER", "sip:example.com", "", headers)
                .replace(phone.contact(), "Contact: <sip:alice@" + phone.hostPort() + parameters + ">");
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));
        return phone.expect("SIP/2.0 200");
    }
}
