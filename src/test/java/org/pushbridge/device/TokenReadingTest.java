package org.pushbridge.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenReadingTest {
    private static final String HEX = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    private static final byte[] BYTES = HexFormat.of().parseHex(HEX);

    @Test
    void hexadecimalDigitsInEitherCaseAreTheToken() {
        assertThat(TokenReading.of(HEX)).isEqualTo(sound());
        assertThat(TokenReading.of(HEX.toUpperCase(Locale.ROOT))).isEqualTo(sound());
    }

    @Test
    void theDescriptionOfAnNsDataObjectIsTheToken() {
        assertThat(TokenReading.of("<" + HEX.replaceAll("(.{8})(?=.)", "$1 ") + ">"))
                .isEqualTo(sound());
        assertThat(TokenReading.of("<" + HEX + ">")).isEqualTo(sound());
    }

    @Test
    void base64InEitherAlphabetIsTheToken() {
        assertThat(TokenReading.of(Base64.getEncoder().encodeToString(BYTES))).isEqualTo(sound());
        assertThat(TokenReading.of(Base64.getUrlEncoder().withoutPadding().encodeToString(BYTES)))
                .isEqualTo(sound());
    }

    @Test
    void lengthIsNotAssumed() {
        String longer = HEX + HEX + HEX.substring(0, 40);

        assertThat(TokenReading.of(longer)).isEqualTo(new TokenReading.Sound(new PushToken(longer)));
    }

    @Test
    void rawBytesAreRefused() {
        assertThat(faultOf(new String(BYTES, StandardCharsets.ISO_8859_1))).contains("raw bytes");
        assertThat(faultOf(new String(BYTES, StandardCharsets.UTF_8))).contains("raw bytes");
    }

    @Test
    void aMissingDigitIsNamed() {
        assertThat(faultOf(HEX.substring(1))).contains("63 hexadecimal digits, an odd number");
    }

    @Test
    void theShortenedDescriptionOfNewerSystemsIsRefused() {
        assertThat(faultOf("{length = 32, bytes = 0x00fc13ad ff785122 ... 991de8f0 }"))
                .contains("leaves out the middle");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "<>", "<zz>", "(null)", "nil", "hello-world", "00fc13", "0x00fc13adff785122b4ad"})
    void garbageIsRefused(String garbage) {
        assertThat(faultOf(garbage)).startsWith("The device token ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(null)", "<null>", "nil", "undefined"})
    void aPlaceholderIsNamedAsSuch(String placeholder) {
        assertThat(faultOf(placeholder)).contains("registered before iOS had given it a token");
    }

    @Test
    void zerosAreNoToken() {
        assertThat(faultOf("0".repeat(64))).contains("all zeros");
    }

    @Test
    void aTokenWithoutEndIsRefused() {
        assertThat(faultOf("ab".repeat(4000))).contains("more than 1024");
    }

    @Test
    void everyFaultShowsAGoodOneAndNeverTheOneItGot() {
        Random random = new Random(20300101);
        for (int i = 0; i < 20_000; i++) {
            String text = mangled(random);
            if (TokenReading.of(text) instanceof TokenReading.Damaged damaged) {
                assertThat(damaged.fault()).contains("such as " + HEX);
                if (text.strip().length() > 8) {
                    assertThat(damaged.fault().replace(HEX, "")).doesNotContain(text.strip());
                }
            }
        }
    }

    /** A token with some of its characters replaced, dropped or doubled. */
    private static String mangled(Random random) {
        StringBuilder text = new StringBuilder("11223344556677889900aabbccddeeff");
        for (int edits = random.nextInt(6); edits >= 0 && text.length() > 0; edits--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(3)) {
                case 0 -> text.setCharAt(at, (char) random.nextInt(300));
                case 1 -> text.delete(at, Math.min(text.length(), at + random.nextInt(20)));
                default -> text.insert(at, text.charAt(at));
            }
        }
        return text.toString();
    }

    private static TokenReading sound() {
        return new TokenReading.Sound(new PushToken(HEX));
    }

    private static String faultOf(String text) {
        assertThat(TokenReading.of(text)).isInstanceOf(TokenReading.Damaged.class);
        return ((TokenReading.Damaged) TokenReading.of(text)).fault();
    }
}
