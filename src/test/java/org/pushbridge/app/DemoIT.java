package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Plays the whole demo as a user does, from the packaged jar; a test for each scenario. */
class DemoIT {
    private static final Path LAUNCHER = Path.of("pushbridge").toAbsolutePath();

    @TestFactory
    Stream<DynamicTest> scenarios() throws IOException, InterruptedException {
        Played played = play("demo");
        String text = played.text();
        int code = played.code();
        List<String> lines = text.lines().toList();
        List<DynamicTest> tests = new ArrayList<>();
        for (var scenario : Demo.scenarios()) {
            tests.add(DynamicTest.dynamicTest(
                    scenario.name(),
                    () -> assertThat(lines).as(text).anyMatch(line -> line.matches(scenario.name() + " +passed.*"))));
        }
        tests.add(DynamicTest.dynamicTest("the exit code and the last line say the same", () -> {
            assertThat(lines).last().isEqualTo(Demo.scenarios().size() + " passed, 0 failed");
            assertThat(code).isZero();
        }));
        return tests.stream();
    }

    private record Played(int code, String text) {}

    private static Played play(String... command) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(LAUNCHER.toString()));
        line.addAll(List.of(command));
        Process process = new ProcessBuilder(line)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        try (InputStream in = process.getInputStream()) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return new Played(process.waitFor(), text);
        }
    }

    @Test
    void theBenchmarkMeasuresLateWakesInEachOfTheThreeWays() throws IOException, InterruptedException {
        Played played = play("bench", "late-wake", "--count", "3", "--json");

        assertThat(played.code()).isZero();
        assertThat(played.text().lines())
                .hasSize(3)
                .allMatch(line -> line.contains("\"wakes\":3") && line.contains("\"p99\""));
    }
}
