package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an app hears that writes its device token into the Contact in another way than as hexadecimal digits. */
class DamagedTokensTest {
    private static final String TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    private static final String PARAMETERS = ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=";

    private final Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    @Test
    void tokensInAllSoundSpellingsAreTaken() {
        for (String spelled : new String[] {
            TOKEN,
            TOKEN.toUpperCase(java.util.Locale.ROOT),
            "<" + TOKEN.replaceAll("(.{8})(?=.)", "$1 ") + ">",
            "APwTrf94USK0rSiAmjQgmCNBJBQhNICXh45XfJkd6PA="
        }) {
            edge.phone("alice", PARAMETERS + spelled);
        }
    }

    @Test
    void rawBytesWithControlCharactersAreExplainedBeforeTheyAreEvenParsed() {
        Party phone = edge.stranger("alice");
        String latin1 = new String(HexFormat.of().parseHex(TOKEN.replace("0a", "0b")), StandardCharsets.ISO_8859_1);

        phone.send(register(phone, latin1));

        String refusal = phone.expect("SIP/2.0 400 Control Character in Header");
        assertThat(Wire.header(refusal, "Warning")).contains("raw bytes").contains(TOKEN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"\u00fc\u00ad\u00ffxQ\"\u00b4\u00ad(\u0080\u00f4", "\u00fc\u00ad\u00ff\u00b4", "x\u00c3\u00bcQ<z"
            })
    void rawBytesWithoutControlCharactersAreExplainedByTheRegistrar(String raw) {
        Party phone = edge.stranger("alice");
        String register = register(phone, raw);
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));

        String refusal = phone.expect("SIP/2.0 400");
        assertThat(Wire.header(refusal, "Warning")).contains("raw bytes").contains("such as");
        assertThat(refusal).doesNotContain(raw);
    }

    @ParameterizedTest
    @ValueSource(strings = {"(null)", "00fc13adff785", "00fc", "<00fc13ad ff785122", "{length=32,bytes=0x00fc...e8f0}"})
    void otherDamageIsExplainedByTheRegistrar(String damaged) {
        Party phone = edge.stranger("alice");
        String register = register(phone, damaged);
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));

        assertThat(Wire.header(phone.expect("SIP/2.0 400"), "Warning"))
                .contains("hexadecimal digits")
                .contains("such as");
    }

    @Test
    void rawBytesInPortSipsHeaderAreExplained() {
        Party phone = edge.stranger("alice");
        String register = phone.request(
                "REGISTER",
                "sip:example.com",
                "",
                "x-p-push: device-os=ios;device-uid=\u00fc\u00ad\u00ff\u00b4|x;allow-call-push=true;app-id=com.example.phone");
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));

        assertThat(Wire.header(phone.expect("SIP/2.0 400"), "Warning")).contains("raw bytes");
    }

    private static String register(Party phone, String token) {
        return phone.request("REGISTER", "sip:example.com", "")
                .replace(phone.contact(), "Contact: <sip:alice@" + phone.hostPort() + PARAMETERS + token + ">");
    }
}
