package org.pushbridge.device;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * Guards devices against wasted VoIP pushes: iOS stops delivering to an app that gets them and shows no call.
 *
 * <p>A push is wasted if the device has not registered within {@link #ANSWER_WITHIN}, or before the next one. So many in
 * a row begin a pause; after it one push is let through as a trial, and if that is wasted, too, the next pause begins. A
 * REGISTER ends all that.
 *
 * <p>Time comes from the caller only. Safe for any thread; never blocks for long. What is known is bounded: the devices
 * that were pushed to longest ago are forgotten first. It survives through a {@link PushBudgetStore}; a push does not wait
 * for that.
 */
public final class PushBudget {
    /** The field reports up to 25 s from push to REGISTER; a phone that takes longer does not wake. */
    public static final Duration ANSWER_WITHIN = Duration.ofSeconds(60);

    private static final Logger LOG = LogManager.getLogger(PushBudget.class);

    private static final int MOST_DEVICES = 100_000;

    private final int wastedLimit;
    private final Duration pause;
    private final PushBudgetStore store;
    private final Map<DeviceId, Account> accounts = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<DeviceId, Account> eldest) {
            boolean tooMany = size() > MOST_DEVICES;
            if (tooMany) {
                watched(store.forgetPushBudget(eldest.getKey()));
            }
            return tooMany;
        }
    };

    /**
     * Without a memory that survives.
     *
     * @param wastedLimit how many wasted pushes in a row begin a pause; 0 for none ever
     * @param pause for how long there are no VoIP pushes then
     */
    public PushBudget(int wastedLimit, Duration pause) {
        this(wastedLimit, pause, new UnkeptPushBudgets());
    }

    private PushBudget(int wastedLimit, Duration pause, PushBudgetStore store) {
        this.store = store;
        if (wastedLimit < 0 || pause.isNegative() || pause.isZero()) {
            throw new IllegalArgumentException(
                    "A push budget needs a limit of 0 or more and a pause that takes time, not " + wastedLimit + " and "
                            + pause);
        }
        this.wastedLimit = wastedLimit;
        this.pause = pause;
    }

    /**
     * Reads what the store knows. Blocks.
     *
     * @param wastedLimit how many wasted pushes in a row begin a pause; 0 for none ever
     * @param pause for how long there are no VoIP pushes then
     */
    public static PushBudget load(PushBudgetStore store, int wastedLimit, Duration pause) {
        PushBudget budget = new PushBudget(wastedLimit, pause, store);
        for (PushBudgetStore.Account saved : store.loadPushBudgets()) {
            budget.accounts.put(
                    saved.device(),
                    new Account(
                            saved.wasted(),
                            saved.waitingSince(),
                            saved.pausedUntil().orElse(Instant.MIN),
                            saved.refusalKnown()));
        }
        return budget;
    }

    /** What is to be done about a call. */
    public enum Ruling {
        /** Push. */
        RING,
        /** Do not push; said once in each pause. */
        PAUSE_BEGINS,
        /** Do not push. */
        PAUSED
    }

    /**
     * Where a device stands.
     *
     * @param wasted pushes in a row that led to no REGISTER
     * @param pausedUntil until when it gets no VoIP push, if it is so now
     */
    public record State(int wasted, Optional<Instant> pausedUntil) {}

    /** Whether a VoIP push may go to the device. */
    public synchronized boolean mayRing(DeviceId device, Instant now) {
        return known(device, now).mayRing(now, wastedLimit);
    }

    /** Asks for a push and, if it may go, notes that it did. */
    public synchronized Ruling take(DeviceId device, Instant now) {
        if (wastedLimit == 0) {
            return Ruling.RING;
        }
        Account known = known(device, now);
        if (known.mayRing(now, wastedLimit)) {
            // A put that replaces would keep its place among the eldest.
            accounts.remove(device);
            put(device, known.pushed(now, wastedLimit, pause));
            return Ruling.RING;
        }
        if (!known.refusalKnown()) {
            put(device, known.refused());
        }
        return known.refusalKnown() ? Ruling.PAUSED : Ruling.PAUSE_BEGINS;
    }

    /**
     * Takes back a push that never left, for whatever reason.
     *
     * @param at when it was asked for with {@link #take}
     */
    public synchronized void notPushed(DeviceId device, Instant at) {
        Account known = accounts.get(device);
        if (known != null && known.waitingSince().filter(at::equals).isPresent()) {
            put(device, known.withoutPush());
        }
    }

    /** Notes that the device registered. */
    public synchronized void registered(DeviceId device, Instant at) {
        Account known = accounts.get(device);
        // One that was on its way before the push says nothing about it.
        if (known != null
                && known.waitingSince().map(since -> !at.isBefore(since)).orElse(true)) {
            accounts.remove(device);
            watched(store.forgetPushBudget(device));
        }
    }

    public synchronized State state(DeviceId device, Instant now) {
        Account known = known(device, now);
        return new State(
                known.wasted(), known.mayRing(now, wastedLimit) ? Optional.empty() : Optional.of(known.pausedUntil()));
    }

    private void put(DeviceId device, Account account) {
        accounts.put(device, account);
        watched(store.savePushBudget(new PushBudgetStore.Account(
                device,
                account.wasted(),
                account.waitingSince(),
                Optional.of(account.pausedUntil()).filter(until -> until.isAfter(Instant.MIN)),
                account.refusalKnown())));
    }

    private static void watched(CompletionStage<Void> write) {
        var unused = write.exceptionally(fault -> {
            LOG.warn("A push budget could not be stored; a crash now would lose it", fault);
            return null;
        });
    }

    private Account known(DeviceId device, Instant now) {
        return accounts.getOrDefault(device, Account.NEW).at(now, wastedLimit, pause);
    }

    /**
     * @param waitingSince when the push was sent that may still lead to a REGISTER
     * @param pausedUntil the end of the last pause
     * @param refusalKnown whether a push was refused in it already
     */
    private record Account(int wasted, Optional<Instant> waitingSince, Instant pausedUntil, boolean refusalKnown) {
        static final Account NEW = new Account(0, Optional.empty(), Instant.MIN, false);

        /** As of now: a push that waited too long is wasted. */
        Account at(Instant now, int limit, Duration pause) {
            return waitingSince
                    .map(since -> since.plus(ANSWER_WITHIN))
                    .filter(end -> !now.isBefore(end))
                    .map(end -> wastedAt(end, limit, pause))
                    .orElse(this);
        }

        private Account wastedAt(Instant when, int limit, Duration pause) {
            boolean begins = wasted + 1 >= limit;
            return new Account(
                    wasted + 1, Optional.empty(), begins ? when.plus(pause) : pausedUntil, !begins && refusalKnown);
        }

        boolean mayRing(Instant now, int limit) {
            return limit == 0 || wasted < limit || (waitingSince.isEmpty() && !now.isBefore(pausedUntil));
        }

        Account pushed(Instant now, int limit, Duration pause) {
            Account before = waitingSince.isPresent() ? wastedAt(now, limit, pause) : this;
            return new Account(before.wasted, Optional.of(now), before.pausedUntil, before.refusalKnown);
        }

        Account refused() {
            return new Account(wasted, waitingSince, pausedUntil, true);
        }

        Account withoutPush() {
            return new Account(wasted, Optional.empty(), pausedUntil, refusalKnown);
        }
    }
}
