package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class WakeTimesTest {
    @Test
    void areTheSameForTheSameSeedAndScale() {
        WakeTimes life = new WakeTimes(7, 1);
        WakeTimes fast = new WakeTimes(7, 0.1);

        for (int i = 0; i < 20; i++) {
            long tenth = life.next().toNanos() / 10;
            assertThat(fast.next().toNanos()).isBetween(tenth - 1, tenth + 1);
        }
    }

    @Test
    void areTwoSecondsTypicallyAndNeverBeyondTwentyFive() {
        WakeTimes times = new WakeTimes(1, 1);
        List<Duration> many =
                Stream.generate(times::next).limit(10_001).sorted().toList();

        assertThat(many.get(5_000)).isBetween(Duration.ofMillis(1_900), Duration.ofMillis(2_100));
        assertThat(many.get(0)).isGreaterThanOrEqualTo(Duration.ofMillis(500));
        assertThat(many.get(10_000)).isBetween(Duration.ofSeconds(8), Duration.ofSeconds(25));
    }
}
