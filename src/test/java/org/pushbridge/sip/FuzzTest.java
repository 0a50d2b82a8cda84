package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * Damaged messages: some thousand in each build, and by hand as many as one likes:
 *
 * <pre>mvn test -Dtest=FuzzTest -Dpushbridge.fuzz=10000000 -Dpushbridge.fuzz.seed=1</pre>
 */
class FuzzTest {
    private static final String MESSAGES = "pushbridge.fuzz";
    private static final long SEED = Long.getLong("pushbridge.fuzz.seed", 20_261_121);

    @Test
    void whateverComesTheBridgeGoesOn() {
        fuzz(SEED, Long.getLong(MESSAGES, 3_000));
    }

    /** What fails is played again by its seed, which is told. */
    @Test
    @DisabledIfSystemProperty(named = MESSAGES, matches = ".*", disabledReason = "one long run is enough")
    void norDoesWhatNobodyHasTriedBeforeStopIt() {
        fuzz(LocalDate.now(ZoneOffset.UTC).toEpochDay(), 1_000);
    }

    private static void fuzz(long seed, long messages) {
        try (Fuzz fuzz = new Fuzz(seed)) {
            Fuzz.Result result = fuzz.run(messages);
            System.out.println(result);
            assertThat(result.messages()).isEqualTo(messages);
        }
    }
}
