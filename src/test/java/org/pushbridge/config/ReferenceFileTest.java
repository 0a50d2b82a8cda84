package org.pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commented file that users copy from says what is true. */
class ReferenceFileTest {
    private static final Path REFERENCE = Path.of("sip-config", "pushbridge.conf");

    private final Path folder;

    ReferenceFileTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void itHoldsExactlyTheDefaults() {
        assertThat(Config.load(REFERENCE)).isEqualTo(Config.defaults());
    }

    @Test
    void itsExamplesAreRightAndNoKeyIsLeftOut() throws Exception {
        Files.writeString(folder.resolve("AuthKey_ABC1234567.p8"), "-----BEGIN PRIVATE KEY-----\n");
        for (String file : List.of(
                "apns-root.pem",
                "fullchain.pem",
                "privkey.pem",
                "ring.json",
                "ring-by-alert.json",
                "missed.json",
                "end.json",
                "end-by-voip.json",
                "request.json")) {
            Files.writeString(folder.resolve(file), "");
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (OutputStream out = Files.newOutputStream(folder.resolve("voip.p12"))) {
            store.store(out, "x".toCharArray());
        }
        // An app has one way to authenticate, so the two examples are tried one after the other.
        Path withKey = uncommented("certificate-file");
        Path withCertificate = uncommented("key-file");

        assertThat(Config.load(withKey).apps().get(0).credentials()).containsInstanceOf(Config.TokenKey.class);
        assertThat(Config.load(withKey).trunks().get(0).prefixes()).contains("");
        assertThat(Config.load(withCertificate).apps().get(0).credentials())
                .containsInstanceOf(Config.Certificate.class);
        com.typesafe.config.Config one = ConfigFactory.parseFile(withKey.toFile());
        com.typesafe.config.Config other = ConfigFactory.parseFile(withCertificate.toFile());
        assertThat(ConfigReader.keysOf(withKey))
                .hasSizeGreaterThan(50)
                .allSatisfy(key -> assertThat(one.hasPath(key) || other.hasPath(key))
                        .as(key)
                        .isTrue());
    }

    /** The file with its examples as settings, but for the one that holds {@code leftOut}. */
    private Path uncommented(String leftOut) throws IOException {
        String text = Files.readString(REFERENCE)
                .lines()
                .filter(line -> !line.contains(leftOut) || !line.strip().startsWith("#auth"))
                .map(line -> line.replaceFirst("^( *)#(?=[^ ])", "$1"))
                .map(line -> line.replaceAll("\\$\\{\\?[A-Z0-9_]+}", "x"))
                .collect(Collectors.joining("\n"));
        return Files.writeString(folder.resolve("without-" + leftOut + ".conf"), text);
    }
}
