package org.pushbridge.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.entry;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Tombstone;
import org.pushbridge.device.Tombstones;

/** The ends of calls on a real store, before and after a restart. */
class TombstonesOnDiskTest {
    private static final DeviceId PHONE = DeviceId.of(ALICE, "1");
    private static final UUID CALL = new UUID(1, 2);

    private final StoreSettings settings;
    private Store store;
    private Tombstones tombstones;

    TombstonesOnDiskTest(@TempDir Path path) {
        settings = StoreSettings.of("jdbc:h2:file:" + path.resolve("database"), "pushbridge", "");
        store = Store.open(settings);
        tombstones = load();
    }

    private Tombstones load() {
        return Tombstones.load(store, Duration.ofHours(24), Clock.systemUTC());
    }

    private void restart() {
        store.close();
        store = Store.open(settings);
        tombstones = load();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Tombstone made() {
        return tombstones.make(CALL, PHONE, "caller-cancelled", "sip:bob@example.com", "Bob", false);
    }

    @Test
    void oneThatIsBuriedIsThereAfterARestart() {
        Tombstone buried = tombstones.bury(CALL, PHONE, "caller-cancelled", "sip:bob@example.com", "Bob", false);

        assertThat(tombstones.untold(PHONE)).containsExactly(buried);
        restart();
        assertThat(tombstones.untold(PHONE)).containsExactly(buried);
    }

    @Test
    void oneThatIsMadeIsNeitherToldNorStored() {
        made();

        assertThat(tombstones.count()).isZero();
        restart();
        assertThat(tombstones.count()).isZero();
    }

    @Test
    void oneThatIsPlacedIsToldAndSurvivesOnlyWithItsCall() {
        tombstones.place(made());
        assertThat(tombstones.untold(PHONE)).hasSize(1);
        restart();
        assertThat(tombstones.count()).isZero();

        Tombstone made = made();
        StoreContract.done(store.write(entry(CALL, "over"), List.of(made)));
        tombstones.place(made);
        assertThat(tombstones.untold(PHONE)).containsExactly(made);
        restart();
        assertThat(tombstones.untold(PHONE)).containsExactly(made);
    }

    @Test
    void oneThatIsForgottenStaysSo() {
        tombstones.bury(CALL, PHONE, "caller-cancelled", "sip:bob@example.com", "Bob", false);
        Tombstone other = tombstones.bury(new UUID(3, 4), PHONE, "ring-limit", "sip:bob@example.com", "Bob", false);
        tombstones.forget(CALL, PHONE);

        assertThat(tombstones.untold(PHONE)).containsExactly(other);
        restart();
        assertThat(tombstones.untold(PHONE)).containsExactly(other);
    }
}
