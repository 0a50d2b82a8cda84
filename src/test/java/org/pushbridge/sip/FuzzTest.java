package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Damaged messages, by hand, for as many as one likes:
 *
 * <pre>mvn test -Dtest=FuzzTest -Dpushbridge.fuzz=10000000 -Dpushbridge.fuzz.seed=1</pre>
 */
@EnabledIfSystemProperty(named = "pushbridge.fuzz", matches = "\\d+")
class FuzzTest {
    private static final long MESSAGES = Long.getLong("pushbridge.fuzz", 60_000);
    private static final long SEED = Long.getLong("pushbridge.fuzz.seed", 20_261_121);

    @Test
    void whateverComesTheBridgeGoesOn() {
        try (Fuzz fuzz = new Fuzz(SEED)) {
            Fuzz.Result result = fuzz.run(MESSAGES);
            System.out.println(result);
            assertThat(result.messages()).isEqualTo(MESSAGES);
        }
    }
}
