package org.pushbridge.device;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Where push budgets survive. Writes return at once; their stage completes when they are on disk. Safe for any thread.
 */
public interface PushBudgetStore {
    /**
     * What is known of one device.
     *
     * @param wasted pushes in a row that led to no REGISTER
     * @param waitingSince when the push was sent that may still lead to one
     * @param pausedUntil the end of the last pause, if there was one
     * @param refusalKnown whether a push was refused in it already
     */
    record Account(
            DeviceId device,
            int wasted,
            Optional<Instant> waitingSince,
            Optional<Instant> pausedUntil,
            boolean refusalKnown) {}

    /** All of them, those that were pushed to longest ago first. Blocks. */
    List<Account> loadPushBudgets();

    /** Remembers one; replaces what was remembered of the device. */
    CompletionStage<Void> savePushBudget(Account account);

    CompletionStage<Void> forgetPushBudget(DeviceId device);
}
