package org.pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.sip.Mutator;

/** Damaged configurations: each holds, or is refused in sentences; {@code -Dpushbridge.fuzz.config=100000} for more. */
class ConfigFuzzTest {
    private static final long FILES = Long.getLong("pushbridge.fuzz.config", 1_000);
    private static final long SEED = Long.getLong("pushbridge.fuzz.seed", 20_261_121);

    private final Path folder;

    ConfigFuzzTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void whateverAFileHoldsItIsReadOrRefusedInSentences() throws Exception {
        Mutator mutator = new Mutator(new Random(SEED));
        // With the examples as settings, and without what explains them: damage is to hit what is read.
        String settings = Files.readString(Path.of("sip-config", "pushbridge.conf"), StandardCharsets.ISO_8859_1)
                .replaceAll("(?m)^ *# .*\n", "")
                .replaceAll("(?m)^( *)#", "$1");
        String plain = settings.replaceAll("(?s)\n(trunks|apps) .*?\n}", "");
        Path file = folder.resolve("pushbridge.conf");
        for (long i = 0; i < FILES; i++) {
            String damaged = mutator.damaged(i % 2 == 0 ? settings : plain, settings);
            Files.writeString(file, damaged, StandardCharsets.ISO_8859_1);
            try {
                assertThat(Config.load(file).domains()).isNotEmpty();
            } catch (ConfigException told) {
                assertThat(told.problems())
                        .as(damaged)
                        .isNotEmpty()
                        .allSatisfy(sentence -> assertThat(sentence).hasSizeGreaterThan(20));
            } catch (RuntimeException | Error e) {
                throw new AssertionError("Seed " + SEED + ", file " + i + " threw " + e + ":\n" + damaged, e);
            }
        }
    }
}
