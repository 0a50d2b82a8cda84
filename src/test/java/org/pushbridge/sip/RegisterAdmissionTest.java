package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.device.Aor;
import org.pushbridge.sip.stack.UnreadRequest;

/** Which REGISTERs a bridge that is behind takes: in simulated time, with a bound of 100 ms. */
class RegisterAdmissionTest {
    private static final Aor CALLED = Aor.parse("called@example.com");

    private long now = 1;
    private Duration delay = Duration.ZERO;
    private final RegisterAdmission admission = new RegisterAdmission(
            Duration.ofMillis(100),
            () -> delay,
            register -> register.authorization().equals("a good one"),
            CALLED::equals,
            () -> now);

    @BeforeEach
    void hasBeenUpForLong() {
        pass(Duration.ofMinutes(1));
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private int register(String to, String authorization) {
        return admission.comeBackAfter(new UnreadRequest(InetAddress.getLoopbackAddress(), to, authorization));
    }

    private int refresh() {
        return register("<sip:alice@example.com>", "");
    }

    /** For a second, with a REGISTER every 10 ms, as in a flood. */
    private void isBehindBy(Duration wait) {
        delay = wait;
        for (int i = 0; i < 100; i++) {
            var unused = refresh();
            pass(Duration.ofMillis(10));
        }
    }

    @Test
    void aBridgeInTimeTakesAll() {
        isBehindBy(Duration.ofMillis(100));

        assertThat(refresh()).isZero();
        assertThat(admission.refused()).isZero();
    }

    @Test
    void phonesThatOnlyRefreshAreSentAwayEachForAnotherTime() {
        isBehindBy(Duration.ofMillis(101));

        Set<Integer> seconds = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            seconds.add(refresh());
        }
        assertThat(seconds).allMatch(s -> s >= 5 && s <= 30).hasSizeGreaterThan(20);
        assertThat(admission.refused()).isGreaterThan(1000);
        assertThat(admission.delay()).isEqualTo(delay);
    }

    @Test
    void whoAnswersAChallengeIsTakenForLonger() {
        isBehindBy(Duration.ofMillis(140));
        assertThat(register("<sip:alice@example.com>", "a good one")).isZero();
        assertThat(register("<sip:alice@example.com>", "a made-up one")).isPositive();

        isBehindBy(Duration.ofMillis(160));
        assertThat(register("<sip:alice@example.com>", "a good one")).isPositive();
    }

    @Test
    void whoseCallerWaitsIsTakenForLonger() {
        isBehindBy(Duration.ofMillis(190));
        for (String to : Set.of(
                "<sip:called@example.com>",
                "\"Called\" <sip:called@EXAMPLE.com>;x=y",
                "sip:called@example.com;x=y",
                "<sip:c%61lled@example.com>")) {
            assertThat(register(to, "")).as(to).isZero();
        }
        assertThat(register("<sip:other@example.com>", "")).isPositive();
        assertThat(register("<tel:+4930>", "")).isPositive();
        assertThat(register("", "")).isPositive();
    }

    @Test
    void whoseCallerWaitsAndHasBegunIsTakenBeforeThoseThatBegin() {
        isBehindBy(Duration.ofMillis(390));
        assertThat(register("<sip:called@example.com>", "")).isPositive();
        assertThat(register("<sip:called@example.com>", "a made-up one")).isPositive();
        assertThat(register("<sip:called@example.com>", "a good one")).isZero();

        isBehindBy(Duration.ofMillis(410));
        assertThat(register("<sip:called@example.com>", "a good one")).isPositive();
    }

    @Test
    void whenTooManyCallersWaitEachPhoneIsToldWhenThereWillBeRoomForIt() {
        for (int i = 0; i < 1000; i++) { // 200 a second, and as many beginnings
            assertThat(register("<sip:called@example.com>", "")).isZero();
            assertThat(register("<sip:called@example.com>", "a good one")).isZero();
            pass(Duration.ofMillis(5));
        }
        isBehindBy(Duration.ofMillis(410));

        int[] told = new int[31];
        for (int i = 0; i < 4000; i++) {
            told[register("<sip:called@example.com>", "")]++;
        }
        // In the second behind, what was served has faded.
        assertThat(told[1]).isBetween(150, 300);
        for (int second = 2; second < 12; second++) {
            assertThat(told[second]).as("second %s", second).isBetween(told[1] - 1, told[1] + 1);
        }
    }

    @Test
    void aMomentsDelayIsNone() {
        delay = Duration.ofSeconds(1);
        assertThat(refresh()).isZero();
        pass(Duration.ofMillis(99));
        assertThat(refresh()).isZero();
        delay = Duration.ZERO;
        assertThat(refresh()).isZero();
        delay = Duration.ofSeconds(1);
        pass(Duration.ofMillis(50));
        assertThat(refresh()).isZero();
    }

    @Test
    void twoMomentsFarApartAreNone() {
        delay = Duration.ofSeconds(1);
        assertThat(refresh()).isZero();
        pass(Duration.ofSeconds(10));
        assertThat(refresh()).isZero();
    }

    @Test
    void itEndsWhenTheBridgeHasCaughtUp() {
        isBehindBy(Duration.ofSeconds(1));
        assertThat(refresh()).isPositive();

        delay = Duration.ofMillis(10);

        assertThat(refresh()).isZero();
    }
}
