package org.pushbridge.app;

import java.util.List;
import org.pushbridge.app.demo.Scenario;

/** The scenarios of {@code pushbridge demo}, in the order in which they are played. */
final class Demo {
    private Demo() {}

    static List<Scenario> scenarios() {
        return List.of();
    }
}
