package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.sim.apns.Answer;
import org.pushbridge.sim.apns.ApnsEvent;
import org.pushbridge.sim.apns.Environment;
import org.pushbridge.sim.apns.PushType;
import org.pushbridge.sim.apns.ReceivedPush;

class PushLogTest {
    private final Path folder;

    PushLogTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private static ApnsEvent decided(String payload, Answer answer) throws Exception {
        return new ApnsEvent.Decided(
                Instant.EPOCH,
                new ReceivedPush(
                        Instant.EPOCH,
                        Environment.PRODUCTION,
                        1,
                        "4d1f7a52-0000-4000-8000-000000000000",
                        "com.example.phone.voip",
                        Optional.of(PushType.VOIP),
                        OptionalInt.of(10),
                        Optional.empty(),
                        Optional.empty(),
                        "ab12",
                        new ObjectMapper().readTree(payload),
                        Optional.empty(),
                        answer,
                        List.of()));
    }

    @Test
    void eachPushIsALineForItsOwnerAloneAndOldOnesStay() throws Exception {
        Path file = folder.resolve("pushes.json");
        PushLog.to(file).accept(decided("{\"verdict-token\":\"secret\"}", new Answer.Accepted()));
        PushLog.to(file).accept(decided("{}", new Answer.Rejected(410, "Unregistered", Optional.of(Instant.EPOCH))));

        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(2);
        JsonNode first = new ObjectMapper().readTree(lines.get(0));
        assertThat(first.at("/payload/verdict-token").asText()).isEqualTo("secret");
        assertThat(first.at("/push-type").asText()).isEqualTo("voip");
        assertThat(first.at("/apns-id").asText()).hasSize(36);
        assertThat(first.at("/device-token").asText()).isEqualTo("ab12");
        assertThat(new ObjectMapper().readTree(lines.get(1)).at("/refused-with").asText())
                .isEqualTo("Unregistered");
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void aFileThatCannotBeMadeIsNamed() {
        Path file = folder.resolve("missing").resolve("pushes.json");

        assertThatThrownBy(() -> PushLog.to(file))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("apns.simulated-log")
                .hasMessageContaining(file.toString());
    }
}
