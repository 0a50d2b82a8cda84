package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.pushbridge.app.demo.Scenario;

/** What the README says of the scenarios is so. */
class ReadmeTest {
    private static final Pattern LIKE_A_SCENARIO =
            Pattern.compile("`((?:invite|cancel|answered-elsewhere|declined-elsewhere|ring-limit|decline|hang-up"
                    + "|re-invite|late-wake|network-change|stale-push|dead-token|bad-device-token|apns|push-budget)"
                    + "-[a-z0-9-]+|[a-z-]+-token)`");

    private final List<String> names =
            Demo.scenarios().stream().map(Scenario::name).toList();

    @Test
    void eachScenarioThatTheReadmeNamesExists() throws IOException {
        List<String> named = LIKE_A_SCENARIO
                .matcher(Files.readString(Path.of("README.md")))
                .results()
                .map((MatchResult found) -> found.group(1))
                .filter(name -> !name.equals("verdict-token"))
                .toList();

        assertThat(named).hasSizeGreaterThan(50);
        assertThat(names).containsAll(named);
    }

    @Test
    void noTwoScenariosHaveOneName() {
        assertThat(names).doesNotHaveDuplicates();
    }
}
