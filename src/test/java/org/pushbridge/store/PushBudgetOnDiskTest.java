package org.pushbridge.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.BOB;
import static org.pushbridge.store.Samples.SOME_TIME;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.PushBudget.Ruling;

/** Push budgets on a real store, before and after a restart. */
class PushBudgetOnDiskTest {
    private static final DeviceId PHONE = DeviceId.of(ALICE, "1");
    private static final DeviceId OTHER = DeviceId.of(BOB, "1");

    private final StoreSettings settings;
    private Store store;
    private PushBudget budget;
    private Instant now = SOME_TIME;

    PushBudgetOnDiskTest(@TempDir Path path) {
        settings = StoreSettings.of("jdbc:h2:file:" + path.resolve("database"), "pushbridge", "");
        store = Store.open(settings);
        budget = load();
    }

    private PushBudget load() {
        return PushBudget.load(store, 2, Duration.ofHours(1));
    }

    private void restart() {
        store.close();
        store = Store.open(settings);
        budget = load();
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void pushesThatWereWastedBeforeARestartCountAfterIt() {
        budget.take(PHONE, now);
        budget.take(OTHER, now);
        restart();
        now = now.plus(PushBudget.ANSWER_WITHIN);
        assertThat(budget.state(PHONE, now).wasted()).isEqualTo(1);
        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.RING);
        restart();
        now = now.plus(PushBudget.ANSWER_WITHIN);

        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.PAUSE_BEGINS);
        PushBudget.State paused = budget.state(PHONE, now);
        restart();
        assertThat(budget.take(PHONE, now)).isEqualTo(Ruling.PAUSED);
        assertThat(budget.state(PHONE, now)).isEqualTo(paused);
        assertThat(budget.take(OTHER, now)).isEqualTo(Ruling.RING);
    }

    @Test
    void aRegistrationAndAPushThatNeverLeftAreRememberedToo() {
        budget.take(PHONE, now);
        budget.registered(PHONE, now.plusSeconds(1));
        budget.take(OTHER, now);
        budget.notPushed(OTHER, now);
        restart();

        now = now.plus(PushBudget.ANSWER_WITHIN);
        assertThat(budget.state(PHONE, now).wasted()).isZero();
        assertThat(budget.state(OTHER, now).wasted()).isZero();
    }
}
