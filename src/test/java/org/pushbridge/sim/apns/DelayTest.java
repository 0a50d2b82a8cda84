package org.pushbridge.sim.apns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Drawn waiting times keep to their bounds and are the same for the same seed. */
class DelayTest {
    private static List<Duration> draws(Delay delay) {
        Random random = new Random(42);
        return Stream.generate(() -> delay.draw(random)).limit(1000).toList();
    }

    @Test
    void noneAndFixedAreWhatTheySay() {
        assertThat(draws(Delay.none())).containsOnly(Duration.ZERO);
        assertThat(draws(Delay.of(Duration.ofMillis(5)))).containsOnly(Duration.ofMillis(5));
    }

    @Test
    void betweenStaysBetweenAndIsRepeatable() {
        Delay delay = Delay.between(Duration.ofMillis(10), Duration.ofMillis(20));

        assertThat(draws(delay))
                .allMatch(drawn ->
                        drawn.compareTo(Duration.ofMillis(10)) >= 0 && drawn.compareTo(Duration.ofMillis(20)) <= 0)
                .doesNotHaveDuplicates()
                .isEqualTo(draws(delay));
    }

    @Test
    void mostlyIsAroundItsMedianAndNeverOverItsLongest() {
        Duration longest = Duration.ofSeconds(25);
        List<Duration> sorted = draws(Delay.mostly(Duration.ofSeconds(2), longest)).stream()
                .sorted()
                .toList();

        assertThat(sorted.get(500)).isBetween(Duration.ofMillis(1700), Duration.ofMillis(2300));
        assertThat(sorted.get(999)).isBetween(Duration.ofSeconds(5), longest);
        assertThat(draws(Delay.mostly(Duration.ofSeconds(2), Duration.ofSeconds(3))))
                .allMatch(drawn -> drawn.compareTo(Duration.ofSeconds(3)) <= 0);
    }

    @Test
    void impossibleSpreadsAreRefused() {
        assertThatThrownBy(() -> Delay.of(Duration.ofMillis(-1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Delay.between(Duration.ofMillis(2), Duration.ofMillis(1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Delay.mostly(Duration.ofMillis(2), Duration.ofMillis(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
