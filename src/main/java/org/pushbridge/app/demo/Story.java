package org.pushbridge.app.demo;

import java.io.PrintWriter;
import java.util.List;

/**
 * A scenario with a stage of its own.
 *
 * @param cast the phones, as they are called on the ladder
 * @param settings what the bridge's configuration has beyond the stage's own, in its own words
 */
record Story(String name, String title, List<String> cast, String settings, Script script, DemoBridge bridge)
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
        try (Stage stage = new Stage(bridge, cast, settings, ladder)) {
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
