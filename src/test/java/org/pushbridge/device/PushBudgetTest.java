package org.pushbridge.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.pushbridge.device.PushBudget.Ruling;

class PushBudgetTest {
    private static final Duration PAUSE = Duration.ofHours(1);
    private static final DeviceId PHONE = new DeviceId("0123456789abcdef");
    private static final DeviceId OTHER = new DeviceId("fedcba9876543210");

    private final PushBudget budget = new PushBudget(3, PAUSE);
    private Instant now = Instant.parse("2030-01-01T08:00:00Z");

    @Test
    void aDeviceThatNeverRegistersIsLeftInPeaceAfterItsLimit() {
        waste(3);

        assertThat(budget.mayRing(PHONE, now)).isFalse();
        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.PAUSE_BEGINS);
        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.PAUSED);
        assertThat(budget.state(PHONE, now).wasted()).isEqualTo(3);
        assertThat(budget.mayRing(OTHER, now)).isTrue();
    }

    @Test
    void aPushIsWastedWhenItsTimeIsOverAndNotBefore() {
        waste(2);
        budget.take(PHONE, now);

        now = now.plus(PushBudget.ANSWER_WITHIN).minusMillis(1);
        assertThat(budget.mayRing(PHONE, now)).isTrue();
        now = now.plusMillis(1);
        assertThat(budget.mayRing(PHONE, now)).isFalse();
    }

    @Test
    void aPushIsWastedByTheNextOneToo() {
        for (int i = 0; i < 4; i++) {
            assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.RING);
            now = now.plusSeconds(1);
        }

        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.PAUSE_BEGINS);
    }

    @Test
    void aRegistrationClearsTheRunAndEndsThePause() {
        waste(2);
        budget.registered(PHONE, now);
        waste(3);
        assertThat(budget.mayRing(PHONE, now)).isFalse();

        budget.registered(PHONE, now);

        assertThat(budget.mayRing(PHONE, now)).isTrue();
        assertThat(budget.state(PHONE, now).wasted()).isZero();
    }

    @Test
    void aRegistrationFromBeforeThePushDoesNotAnswerIt() {
        waste(2);
        budget.take(PHONE, now);

        budget.registered(PHONE, now.minusMillis(1));

        now = now.plus(PushBudget.ANSWER_WITHIN);
        assertThat(budget.mayRing(PHONE, now)).isFalse();
    }

    @Test
    void afterThePauseThereIsOneTrialAndThenTheNextPause() {
        waste(3);
        Instant end = budget.state(PHONE, now).pausedUntil().orElseThrow();
        assertThat(end).isEqualTo(now.plus(PAUSE));
        assertThat(budget.mayRing(PHONE, end.minusMillis(1))).isFalse();

        now = end;
        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.RING);
        assertThat(budget.mayRing(PHONE, now.plusSeconds(1))).isFalse();

        now = now.plus(PushBudget.ANSWER_WITHIN);
        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.PAUSE_BEGINS);
        assertThat(budget.state(PHONE, now).pausedUntil()).contains(now.plus(PAUSE));
    }

    @Test
    void aTrialThatWakesTheDeviceEndsItAll() {
        waste(3);
        now = now.plus(PAUSE);
        budget.take(PHONE, now);

        budget.registered(PHONE, now.plusSeconds(5));

        assertThat(budget.state(PHONE, now.plusSeconds(5)))
                .isEqualTo(new PushBudget.State(0, java.util.Optional.empty()));
    }

    @Test
    void aPushThatNeverLeftIsNotCounted() {
        waste(2);
        budget.take(PHONE, now);
        budget.notPushed(PHONE, now);

        now = now.plus(PushBudget.ANSWER_WITHIN);
        assertThat(budget.mayRing(PHONE, now)).isTrue();
        assertThat(budget.state(PHONE, now).wasted()).isEqualTo(2);
    }

    @Test
    void aLimitOfZeroSwitchesTheGuardOff() {
        PushBudget off = new PushBudget(0, PAUSE);
        for (int i = 0; i < 100; i++) {
            now = now.plusSeconds(90);
            assertThat(off.take(PHONE, now)).isEqualTo(Ruling.RING);
        }
        assertThat(off.state(PHONE, now).pausedUntil()).isEmpty();
    }

    @Test
    void settingsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new PushBudget(-1, PAUSE)).hasMessageContaining("limit of 0 or more");
        assertThatThrownBy(() -> new PushBudget(1, Duration.ZERO)).hasMessageContaining("pause");
    }

    private void waste(int pushes) {
        for (int i = 0; i < pushes; i++) {
            assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.RING);
            now = now.plus(PushBudget.ANSWER_WITHIN);
        }
    }
}
