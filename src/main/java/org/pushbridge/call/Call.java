package org.pushbridge.call;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One call between a caller leg and any number of legs away from it: a value, changed only by {@link #on}.
 *
 * @param plan what was known when it began
 * @param phase where the caller leg stands
 * @param legs the legs by id, in the order they joined
 * @param exchanges requests inside dialogs that are not over
 * @param answered the dialog whose 2xx the caller got, if the call was answered
 * @param byes dialogs that were sent a BYE whose answer is awaited, by side
 * @param ending how it ended, once it has
 * @param verdict what devices that did not take the call are told, once that is known
 * @param told whether the caller has heard more than 100
 * @param timers the generation of each running timer
 * @param generation the last generation given to a timer
 */
public record Call(
        CallPlan plan,
        Phase phase,
        Map<LegId, Leg> legs,
        Map<ExchangeId, Exchange> exchanges,
        Optional<LegDialog> answered,
        Set<PendingBye> byes,
        Optional<Ending> ending,
        Optional<Verdict> verdict,
        boolean told,
        Map<Timer, Integer> timers,
        int generation) {
    /** Where the caller leg stands. */
    public enum Phase {
        /** Nothing has happened yet. */
        NEW,
        /** The caller waits. */
        RINGING,
        /** The caller was sent a 2xx and has not acknowledged it. */
        ANSWERED,
        /** The caller acknowledged: both talk. */
        ESTABLISHED,
        /** The caller leg is over; legs or exchanges may still wait for their last answer. */
        ENDED
    }

    /** A BYE under way. */
    public record PendingBye(Side to, LegDialog dialog) {}

    /** A call that has not begun: its first event is {@link CallEvent.Begun}. */
    public static Call planned(CallPlan plan) {
        return new Call(
                plan,
                Phase.NEW,
                Map.of(),
                Map.of(),
                Optional.empty(),
                Set.of(),
                Optional.empty(),
                Optional.empty(),
                false,
                Map.of(),
                0);
    }

    public Call {
        legs = Collections.unmodifiableMap(new LinkedHashMap<>(legs));
        exchanges = Collections.unmodifiableMap(new LinkedHashMap<>(exchanges));
        byes = Set.copyOf(byes);
        timers = Map.copyOf(timers);
    }

    /** Applies one event. A finished call ignores all events. */
    public Step on(CallEvent event) {
        return CallRules.step(this, event);
    }

    /** Whether nothing more is expected and nothing is held. */
    public boolean isFinished() {
        return phase == Phase.ENDED
                && exchanges.isEmpty()
                && byes.isEmpty()
                && legs.values().stream().allMatch(Leg::awaitsNoEnd);
    }
}
