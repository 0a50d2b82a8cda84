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

/** What the README says of the scenarios is so: each is named once, and no other. */
class ReadmeTest {
    private static final Pattern TABLE =
            Pattern.compile("## What happens when.*?## When something breaks", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("`([a-z0-9]+(?:-[a-z0-9]+)+)`");

    private final List<String> names =
            Demo.scenarios().stream().map(Scenario::name).toList();

    @Test
    void theReadmeNamesEachScenarioAndNoOther() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String table = TABLE.matcher(readme)
                .results()
                .map(MatchResult::group)
                .findFirst()
                .orElseThrow();

        assertThat(NAME.matcher(table).results().map(found -> found.group(1)))
                .containsOnlyOnceElementsOf(names)
                .hasSameElementsAs(names);
    }

    @Test
    void noTwoScenariosHaveOneName() {
        assertThat(names).doesNotHaveDuplicates();
    }
}
