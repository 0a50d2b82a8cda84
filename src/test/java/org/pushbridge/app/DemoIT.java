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
import org.junit.jupiter.api.TestFactory;

/** Plays the whole demo as a user does, from the packaged jar; a test for each scenario. */
class DemoIT {
    private static final Path LAUNCHER = Path.of("pushbridge").toAbsolutePath();

    @TestFactory
    Stream<DynamicTest> scenarios() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(LAUNCHER.toString(), "demo")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        String text;
        try (InputStream in = process.getInputStream()) {
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        int code = process.waitFor();
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
}
