package org.pushbridge.push;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.sim.apns.ClientCertificate;

/** Settings that cannot work are refused at start, and the error says what to do. */
class PushSettingsTest {
    private static final String APP = "com.example.phone";

    private Path folder;

    @BeforeEach
    void findAFolder(@TempDir Path empty) {
        folder = empty;
    }

    @Test
    void aKeyFileThatIsNotThereIsNamed() {
        Path missing = folder.resolve("AuthKey_KEY1234567.p8");

        assertThatThrownBy(() -> start(key(missing)))
                .isInstanceOf(PushSettingsException.class)
                .hasMessage("App com.example.phone: cannot read its key file " + missing
                        + " (there is no such file); put it there, or correct the path in the settings");
    }

    @Test
    void aKeyFileThatHoldsSomethingElseIsNamed() throws IOException {
        Path text = Files.writeString(folder.resolve("notes.p8"), "remember the milk");
        Path garbled = Files.writeString(
                folder.resolve("garbled.p8"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");

        for (Path file : List.of(text, garbled)) {
            assertThatThrownBy(() -> start(key(file)))
                    .isInstanceOf(PushSettingsException.class)
                    .hasMessageStartingWith("App com.example.phone: " + file + " is not an APNs key (")
                    .hasMessageEndingWith("it must be the .p8 file as downloaded from developer.apple.com, Keys");
        }
    }

    @Test
    void aKeyOnAnotherCurveIsRefusedHereAndNotByAppleLater() throws IOException, GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp384r1"));
        Path file = Files.writeString(
                folder.resolve("wide.p8"),
                "-----BEGIN PRIVATE KEY-----\n"
                        + Base64.getMimeEncoder()
                                .encodeToString(
                                        generator.generateKeyPair().getPrivate().getEncoded())
                        + "\n-----END PRIVATE KEY-----\n");

        assertThatThrownBy(() -> start(key(file))).hasMessageContaining("it is not on the curve P-256");
    }

    @Test
    void aCertificateThatCannotBeOpenedIsNamedWithoutItsPassword() throws IOException {
        Path file = folder.resolve("legacy.p12");
        Files.write(file, ClientCertificate.issue(APP, "secret").p12());

        assertThatThrownBy(() -> start(new ApnsCredential.Certificate(file, "guess-work")))
                .isInstanceOf(PushSettingsException.class)
                .hasMessageStartingWith("App com.example.phone: cannot open " + file)
                .hasMessageEndingWith("check that it is a .p12 file and that the password is right")
                .hasMessageNotContaining("guess-work");
        assertThatThrownBy(() -> start(new ApnsCredential.Certificate(folder.resolve("no.p12"), "")))
                .hasMessageContaining("cannot read its certificate file");
        assertThat(new ApnsCredential.Certificate(file, "secret").toString()).doesNotContain("secret");
    }

    @Test
    void namesThatCannotBeRightAreRefused() {
        Path file = folder.resolve("key.p8");

        assertThatThrownBy(() -> new ApnsCredential.SigningKey(file, "short", "TEAM123456"))
                .hasMessageContaining("'short' is not a key id");
        assertThatThrownBy(() -> new ApnsCredential.SigningKey(file, "KEY1234567", "Example Inc."))
                .hasMessageContaining("'Example Inc.' is not a team id");
        assertThatThrownBy(() -> app(APP + ".voip", key(file))).hasMessageContaining("without '.voip'");
        assertThatThrownBy(() -> app("my app", key(file))).hasMessageContaining("is not a bundle identifier");
        assertThatThrownBy(() -> PushSettings.of(
                        List.of(app(APP, key(file)), app(APP, key(file))), Map.of(), PushSettings.Limits.DEFAULT))
                .hasMessage("App com.example.phone is configured twice; remove one of the two");
        assertThatThrownBy(() -> new PushSettings.Endpoint("localhost", 0, List.of()))
                .hasMessageContaining("'localhost:0'");
        assertThatThrownBy(() -> new PushSettings.Limits(
                        1,
                        1000,
                        Duration.ofSeconds(5),
                        Duration.ZERO,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        4,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1)))
                .hasMessageContaining("connect-within must be at least 1 ms");
    }

    @Test
    void withoutAnEndpointOfItsOwnAnEnvironmentIsApples() {
        PushSettings settings = PushSettings.of(List.of(), Map.of(), PushSettings.Limits.DEFAULT);

        assertThat(settings.endpoint(ApnsEnvironment.PRODUCTION).host()).isEqualTo("api.push.apple.com");
        assertThat(settings.endpoint(ApnsEnvironment.SANDBOX).host()).isEqualTo("api.sandbox.push.apple.com");
    }

    @Test
    void aCertificateThatIsRefusedInTheHandshakeIsToldFromOtherTroubleWithTls() {
        assertThat(LoadedCredential.refusalInHandshake(
                        new DecoderException(new SSLHandshakeException("Received fatal alert: certificate_revoked"))))
                .contains("certificate_revoked");
        assertThat(LoadedCredential.refusalInHandshake(
                        new SSLHandshakeException("Received fatal alert: protocol_version")))
                .isEmpty();
        assertThat(LoadedCredential.refusalInHandshake(new IOException("certificate_revoked")))
                .isEmpty();
    }

    private static ApnsCredential key(Path file) {
        return new ApnsCredential.SigningKey(file, "KEY1234567", "TEAM123456");
    }

    private static PushSettings.App app(String bundle, ApnsCredential credential) {
        return new PushSettings.App(
                bundle, credential, ApnsEnvironment.PRODUCTION, RingsBy.VOIP, true, PayloadTemplates.standard());
    }

    private static void start(ApnsCredential credential) {
        new PushSender(
                        PushSettings.of(List.of(app(APP, credential)), Map.of(), PushSettings.Limits.DEFAULT),
                        Clock.systemUTC())
                .close();
    }
}
