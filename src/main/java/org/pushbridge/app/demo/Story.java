package org.pushbridge.app.demo;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;

/**
 * A scenario with a stage of its own.
 *
 * @param cast the phones, as they are called on the ladder
 * @param ringLimit the bridge's, for this story
 */
record Story(String name, String title, List<String> cast, Duration ringLimit, Script script, DemoBridge bridge)
        implements Scenario {
    Story {
        cast = List.copyOf(cast);
    }

    /** What happens. */
    interface Script {
        void play(Stage stage) throws Exception;
    }

    @Override
    public void play(PrintWriter ladder, PrintWriter json) throws Exception {
        try (Stage stage = new Stage(bridge, cast, ringLimit, ladder)) {
            try {
                script.play(stage);
                stage.mustBeClean();
            } catch (Unmet unmet) {
                throw new Unmet(String.join("\n", stage.withViolations(unmet.sentence())));
            } finally {
                json.print(stage.toJsonLines());
            }
        }
    }
}
