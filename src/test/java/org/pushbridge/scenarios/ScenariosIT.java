package org.pushbridge.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Plays scenarios/ with real SIPp against the packaged server in its own process; a test for each scenario. */
class ScenariosIT {
    private static final Path RUN = Path.of("scenarios", "run").toAbsolutePath();

    @TestFactory
    Stream<DynamicTest> scenarios() throws IOException, InterruptedException {
        List<String> names = output(0, "--list")
                .map(line -> line.substring(0, line.indexOf(' ')))
                .toList();
        assertThat(names).hasSizeGreaterThanOrEqualTo(46);
        List<String> told = output(-1).toList();
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : names) {
            tests.add(DynamicTest.dynamicTest(
                    name,
                    () -> assertThat(told)
                            .as(String.join("\n", told))
                            .anyMatch(line -> line.matches("passed +" + name + " .*"))));
        }
        tests.add(DynamicTest.dynamicTest(
                "no scenario failed", () -> assertThat(told).last().isEqualTo(names.size() + " passed, 0 failed")));
        return tests.stream();
    }

    /** What the script prints on standard output. */
    private static Stream<String> output(int expectedCode, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(RUN.toString()));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        if (expectedCode >= 0) {
            assertThat(code).as(text).isEqualTo(expectedCode);
        }
        return text.lines();
    }
}
