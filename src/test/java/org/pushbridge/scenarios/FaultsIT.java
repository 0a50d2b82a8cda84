package org.pushbridge.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Plays a short form of the drill of scenarios/faults that everything else stands on. */
class FaultsIT {
    private static final Path KILL_9 = Path.of("scenarios", "faults", "kill-9").toAbsolutePath();

    @Test
    void killingTheServerLosesNothing() throws IOException, InterruptedException {
        Process drill = new ProcessBuilder(
                        KILL_9.toString(), "--kills", "3", "--rate", "20", "--ring-limit", "10", "--seed", "1")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        drill.getOutputStream().close();
        List<String> told = new String(drill.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(drill.waitFor()).as(String.join("\n", told)).isZero();
        assertThat(told).last().asString().matches("kill -9: 3 kills, [0-9,]+ calls, 0 lost, 0 hanging");
    }
}
