package org.pushbridge.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PushReadingTest {
    private static final String VOIP = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    private static final String REGULAR = "11fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f1";

    @Test
    void aTopicEndingInVoipComesWithAVoipToken() {
        assertThat(read("apns", "ABCDE12345.com.example.phone.voip", VOIP))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.phone", VOIP, null));
    }

    @Test
    void aPlainTopicComesWithARegularToken() {
        assertThat(read("apns", "ABCDE12345.com.example.phone", REGULAR))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.phone", null, REGULAR));
    }

    @ParameterizedTest
    @CsvSource({"voip&remote", "remote&voip", "voip%26remote"})
    void linphoneGivesBothTokensInEitherOrder(String services) {
        String param = "ABCDE12345.com.example.phone." + services;
        PushReading both = target(ApnsEnvironment.SANDBOX, "com.example.phone", VOIP, REGULAR);

        assertThat(read("apns.dev", param, VOIP + ":voip&" + REGULAR + ":remote"))
                .isEqualTo(both);
        assertThat(read("apns.dev", param, REGULAR + ":remote&" + VOIP + ":voip"))
                .isEqualTo(both);
        assertThat(read("apns.dev", param, VOIP.toUpperCase(Locale.ROOT) + "%3Avoip%26" + REGULAR + ":remote"))
                .isEqualTo(both);
    }

    @Test
    void oneNamedTokenIsEnough() {
        assertThat(read("apns", "ABCDE12345.com.example.phone.voip&remote", VOIP + ":voip"))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.phone", VOIP, null));
        assertThat(read("apns", "ABCDE12345.com.example.phone.remote", REGULAR + ":remote"))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.phone", null, REGULAR));
    }

    @Test
    void aBundleMayItselfEndInRemote() {
        assertThat(read("apns", "ABCDE12345.com.example.remote", REGULAR))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.remote", null, REGULAR));
    }

    @Test
    void escapesInTheUriAreResolvedBeforeTheTokenIsRead() {
        String described = "%3C" + VOIP.replaceAll("(.{8})(?=.)", "$1%20") + "%3e";

        assertThat(read("APNS", "ABCDE12345.com.example%2Ephone.voip", described))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.phone", VOIP, null));
    }

    @Test
    void escapedBase64IsRead() {
        assertThat(read("apns", "ABCDE12345.com.example.phone.voip", "APwTrf94USK0rSiAmjQgmCNBJBQhNICXh45XfJkd6PA%3D"))
                .isEqualTo(target(ApnsEnvironment.PRODUCTION, "com.example.phone", VOIP, null));
    }

    @Test
    void escapedRawBytesAreRefusedAsSuch() {
        assertThat(fault("ABCDE12345.com.example.phone.voip", "%00%FC%13%AD%FFxQ%22%B4%AD%28"))
                .contains("raw bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%4", "%zz", "abc%"})
    void brokenEscapesAreRefused(String prid) {
        assertThat(fault("ABCDE12345.com.example.phone.voip", prid)).contains("%");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ABCDE12345", "ABCDE12345.", "ABCDE12345.voip", ".com.example", "a b.c", "A.b..c.voip"})
    void aTopicWithoutTeamAndAppIsRefused(String param) {
        assertThat(fault(param, VOIP)).contains("pn-param=ABCDE12345.com.example.phone.voip");
    }

    @Test
    void tokensWhosePurposeIsOpenAreRefused() {
        assertThat(fault("ABCDE12345.com.example.phone.voip&remote", VOIP)).contains("<token>:voip");
        assertThat(fault("ABCDE12345.com.example.phone.voip", VOIP + ":watch")).contains("<token>:voip");
        assertThat(fault("ABCDE12345.com.example.phone.voip", VOIP + ":voip&" + REGULAR + ":voip"))
                .contains("two tokens");
    }

    @Test
    void aTokenWithoutAProviderIsRefused() {
        assertThat(PushReading.of(Optional.empty(), Optional.empty(), Optional.of(VOIP)))
                .isInstanceOf(PushReading.Damaged.class);
        assertThat(PushReading.of(Optional.of(""), Optional.empty(), Optional.of(VOIP)))
                .isInstanceOf(PushReading.Damaged.class);
    }

    @Test
    void aProviderWithoutATokenAsks() {
        assertThat(PushReading.of(Optional.of("apns"), Optional.empty(), Optional.empty()))
                .isEqualTo(new PushReading.Query(Optional.of(ApnsEnvironment.PRODUCTION)));
        assertThat(PushReading.of(Optional.of(""), Optional.empty(), Optional.empty()))
                .isEqualTo(new PushReading.Query(Optional.empty()));
        assertThat(PushReading.of(Optional.empty(), Optional.empty(), Optional.empty()))
                .isEqualTo(new PushReading.Absent());
    }

    @Test
    void otherServicesAreNamedInAFormThatIsSafeToLog() {
        assertThat(read("fcm", "x", "y")).isEqualTo(new PushReading.Unsupported("fcm"));
        assertThat(read("f\r\ncm\u001b" + "x".repeat(100), "x", "y"))
                .isEqualTo(new PushReading.Unsupported("fcm" + "x".repeat(37)));
    }

    @Test
    void nothingThatADeviceWritesRaisesAnException() {
        Random random = new Random(8599);
        String letters = "apns.dev&:%3C<>voipremote ABC=+/\u00ff\0.";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder param = new StringBuilder();
            StringBuilder prid = new StringBuilder();
            random.ints(random.nextInt(30), 0, letters.length()).forEach(c -> param.append(letters.charAt(c)));
            random.ints(random.nextInt(60), 0, letters.length()).forEach(c -> prid.append(letters.charAt(c)));
            assertThat(read("apns", param.toString(), prid.toString())).isNotNull();
            assertThat(read("apns", "ABCDE12345.com.example.phone.voip", prid.toString()))
                    .isNotNull();
        }
    }

    private static PushReading read(String provider, String param, String prid) {
        return PushReading.of(Optional.of(provider), Optional.of(param), Optional.of(prid));
    }

    private static String fault(String param, String prid) {
        assertThat(read("apns", param, prid)).isInstanceOf(PushReading.Damaged.class);
        return ((PushReading.Damaged) read("apns", param, prid)).fault();
    }

    private static PushReading target(
            ApnsEnvironment environment, String bundle, @Nullable String voip, @Nullable String regular) {
        return new PushReading.Target(
                environment,
                "ABCDE12345",
                bundle,
                Optional.ofNullable(voip).map(PushToken::new),
                Optional.ofNullable(regular).map(PushToken::new));
    }
}
