package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** When those come back who find no room: in simulated time. */
class AppointmentsTest {
    private long now = Long.MAX_VALUE - Duration.ofSeconds(20).toNanos(); // a clock that begins anew meanwhile
    private final Appointments appointments = new Appointments(30, () -> now, new Random(1));

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private void serve(int perSecond, int seconds) {
        for (int i = 0; i < perSecond * seconds; i++) {
            pass(Duration.ofSeconds(1).dividedBy(perSecond));
            appointments.served();
        }
    }

    /** How many of so many are told to come back after each number of seconds. */
    private int[] sentAway(int count) {
        int[] told = new int[31];
        for (int i = 0; i < count; i++) {
            told[appointments.seconds()]++;
        }
        return told;
    }

    @Test
    void threeTimesAsManyAsWereServedComeBackInEachSecond() {
        serve(1000, 10);

        int[] told = sentAway(15_000);

        for (int second = 1; second <= 4; second++) {
            assertThat(told[second]).as("second %s", second).isBetween(2900, 3100);
        }
        assertThat(told[0]).isZero();
    }

    @Test
    void theFirstOnesComeBackFirst() {
        serve(1000, 10);

        int before = 0;
        for (int i = 0; i < 40_000; i++) {
            int seconds = appointments.seconds();
            assertThat(seconds).isGreaterThanOrEqualTo(before);
            before = seconds;
        }
        assertThat(before).isBetween(13, 15);
    }

    @Test
    void whenAllTimesAreGivenAwayNobodyIsSentAwayForLongerThanTheLongest() {
        int[] told = sentAway(100_000);

        assertThat(told[0]).isZero();
        for (int second = 1; second <= 15; second++) {
            assertThat(told[second]).as("second %s", second).isBetween(149, 151); // a server that has served nobody yet
        }
        for (int second = 16; second <= 30; second++) {
            assertThat(told[second]).as("second %s", second).isGreaterThan(6000);
        }
    }

    @Test
    void timesThatHavePassedAreGivenToNobody() {
        sentAway(150 * 10 + 10);
        assertThat(appointments.seconds()).isEqualTo(11);

        pass(Duration.ofSeconds(5));
        assertThat(appointments.seconds()).isEqualTo(6);

        pass(Duration.ofSeconds(60));
        assertThat(appointments.seconds()).isEqualTo(1);
    }

    @Test
    void whatWasServedLongAgoDoesNotCount() {
        serve(1000, 10);
        pass(Duration.ofMinutes(1));

        int[] told = sentAway(300);

        assertThat(told[1]).isBetween(149, 151);
        assertThat(told[2]).isBetween(149, 151);
    }
}
