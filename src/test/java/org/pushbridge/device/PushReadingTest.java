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

    @ParameterizedTest
    @CsvSource({
        "com.example.phone.voip.prod, PRODUCTION",
        "com.example.phone.VOIP.Dev, SANDBOX",
        "com.example.phone.prod, PRODUCTION",
        "com.example.phone.dev, SANDBOX"
    })
    void theAppIdOfFlexisipNamesTheServiceAndTheTokenRings(String appId, ApnsEnvironment environment) {
        assertThat(flexisip("apple", appId, VOIP.toUpperCase(Locale.ROOT)))
                .isEqualTo(new PushReading.Target(
                        environment, "", "com.example.phone", Optional.of(new PushToken(VOIP)), Optional.empty()));
    }

    @Test
    void flexisipsParametersForOtherSystemsSayNothing() {
        assertThat(flexisip("firebase", "123456", "x:y")).isEqualTo(new PushReading.Absent());
    }

    @Test
    void whatIsWrongWithFlexisipsParametersIsSaid() {
        assertThat(flexisip("apple", "com.example.phone", VOIP))
                .isInstanceOfSatisfying(
                        PushReading.Damaged.class,
                        d -> assertThat(d.fault()).contains("app-id=com.example.phone.voip.prod"));
        assertThat(flexisip("apple", "com.example.phone.prod", "%28null%29"))
                .isInstanceOfSatisfying(
                        PushReading.Damaged.class, d -> assertThat(d.fault()).contains("placeholder"));
        assertThat(PushReading.ofFlexisip(Optional.of("apple"), Optional.of("a.b.prod"), Optional.empty()))
                .isInstanceOfSatisfying(
                        PushReading.Damaged.class, d -> assertThat(d.fault()).contains("pn-tok"));
    }

    @Test
    void portSipsHeaderHoldsTheVoipTokenAndThenTheRegularOne() {
        PushReading both = portSip("device-os=ios;device-uid=" + VOIP + "|" + REGULAR + CALLS);

        assertThat(both)
                .isEqualTo(new PushReading.Target(
                        ApnsEnvironment.SANDBOX,
                        "",
                        "com.example.phone",
                        Optional.of(new PushToken(VOIP)),
                        Optional.of(new PushToken(REGULAR))));
        assertThat(portSip(" Device-OS = iOS ; device-uid=<" + VOIP.replaceAll("(.{8})(?=.)", "$1 ") + ">|" + REGULAR
                        + CALLS))
                .isEqualTo(both);
        assertThat(portSip("device-os=ios;device-uid=" + VOIP + CALLS))
                .isInstanceOfSatisfying(
                        PushReading.Target.class, t -> assertThat(t.regular()).isEmpty());
        assertThat(portSip("device-os=ios;device-uid=|" + REGULAR + CALLS))
                .isInstanceOfSatisfying(
                        PushReading.Target.class, t -> assertThat(t.voip()).isEmpty());
    }

    @Test
    void portSipsHeaderForOtherSystemsOrWithoutCallsSaysNothing() {
        assertThat(portSip("device-os=android;device-uid=abc:def" + CALLS)).isEqualTo(new PushReading.Absent());
        assertThat(portSip("device-os=ios;device-uid=" + VOIP + CALLS.replace("=true", "=false")))
                .isEqualTo(new PushReading.Absent());
        assertThat(portSip("")).isEqualTo(new PushReading.Absent());
    }

    @ParameterizedTest
    @ValueSource(strings = {"(null)|(null)", "", "|", "é|", "abc|abc", "a|b|c"})
    void damagedTokensInPortSipsHeaderAreRefused(String tokens) {
        assertThat(portSip("device-os=ios;device-uid=" + tokens + CALLS)).isInstanceOf(PushReading.Damaged.class);
    }

    private static final String CALLS = ";allow-call-push=true;allow-message-push=true;app-id=com.example.phone";

    private static PushReading portSip(String header) {
        return PushReading.ofPortSip(header, app -> ApnsEnvironment.SANDBOX);
    }

    private static PushReading flexisip(String type, String appId, String token) {
        return PushReading.ofFlexisip(Optional.of(type), Optional.of(appId), Optional.of(token));
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
