package org.pushbridge.device;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** For budgets that need not survive. */
final class UnkeptPushBudgets implements PushBudgetStore {
    @Override
    public List<Account> loadPushBudgets() {
        return List.of();
    }

    @Override
    public CompletionStage<Void> savePushBudget(Account account) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Void> forgetPushBudget(DeviceId device) {
        return CompletableFuture.completedStage(null);
    }
}
