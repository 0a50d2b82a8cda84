package org.pushbridge.push;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.push.Circuit.Admission.GO;
import static org.pushbridge.push.Circuit.Admission.PROBE;
import static org.pushbridge.push.Circuit.Admission.REFUSED;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class CircuitTest {
    private static final Instant NOON = Instant.parse("2025-03-04T12:00:00Z");

    private final Circuit circuit = new Circuit(Duration.ofSeconds(30));

    @Test
    void refusedCredentialsAreNotUsedUntilThePauseIsOver() {
        assertThat(circuit.admit(NOON)).isEqualTo(GO);

        assertThat(circuit.open("InvalidProviderToken", NOON)).isTrue();

        assertThat(circuit.admit(NOON.plusSeconds(29))).isEqualTo(REFUSED);
        assertThat(circuit.refusal()).contains("InvalidProviderToken");
    }

    @Test
    void afterThePauseOnePushIsTheProbeForAll() {
        circuit.open("InvalidProviderToken", NOON);

        assertThat(circuit.admit(NOON.plusSeconds(30))).isEqualTo(PROBE);
        assertThat(circuit.admit(NOON.plusSeconds(31))).isEqualTo(REFUSED);

        assertThat(circuit.close()).isTrue();
        assertThat(circuit.admit(NOON.plusSeconds(31))).isEqualTo(GO);
        assertThat(circuit.refusal()).isEmpty();
    }

    @Test
    void aProbeThatIsRefusedIsNoNewsAndStartsThePauseAnew() {
        circuit.open("InvalidProviderToken", NOON);
        circuit.admit(NOON.plusSeconds(30));

        assertThat(circuit.open("InvalidProviderToken", NOON.plusSeconds(31))).isFalse();

        assertThat(circuit.admit(NOON.plusSeconds(60))).isEqualTo(REFUSED);
        assertThat(circuit.admit(NOON.plusSeconds(61))).isEqualTo(PROBE);
    }

    @Test
    void aProbeThatIsLostLeavesTheNextPushToBeOne() {
        circuit.open("InvalidProviderToken", NOON);
        circuit.admit(NOON.plusSeconds(30));

        circuit.probeSaidNothing();

        assertThat(circuit.admit(NOON.plusSeconds(31))).isEqualTo(PROBE);
    }

    @Test
    void itIsNewsOnlyOnceThatCredentialsWork() {
        assertThat(circuit.close()).isFalse();
    }
}
