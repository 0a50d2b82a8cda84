package org.pushbridge.call;

import java.util.Collections;
import java.util.HashSet;
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
 * @param byes the BYEs of the bridge that are not over
 * @param ending how it ended, once it has
 * @param verdict what devices that did not take the call are told, once that is known
 * @param told whether the caller has heard more than 100
 * @param callerAt how the caller can be reached
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
        CallerAt callerAt,
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
        ENDED;

        /** Whether the caller still waits for a final response. */
        public boolean isUnanswered() {
            return this == NEW || this == RINGING;
        }
    }

    /** How a caller can be reached. */
    public enum CallerAt {
        /** Its connection stands, as far as one knows. */
        REACHABLE,
        /** Its connection is gone. */
        LOST,
        /** Its connection is gone, and it was sent its final response, which it cannot have got. */
        LOST_AND_ANSWERED
    }

    /**
     * A BYE of the bridge.
     *
     * @param content what it carries
     * @param state how far it has come
     */
    public record PendingBye(Side to, LegDialog dialog, Optional<Content> content, State state) {
        /** How far a BYE has come. */
        public enum State {
            /** It was sent. */
            SENT,
            /** The same, and its receiver has registered since: perhaps on another connection. */
            OVERTAKEN,
            /** It was sent, and its receiver has sent one itself: it need not arrive any more. */
            CROSSED,
            /** The connection of its receiver is gone: it waits for the next one. */
            HELD
        }
    }

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
                CallerAt.REACHABLE,
                Map.of(),
                0);
    }

    public Call {
        legs = inTheirOrder(legs);
        exchanges = inTheirOrder(exchanges);
        byes = Set.copyOf(byes);
        timers = Map.copyOf(timers);
    }

    private static <K, V> Map<K, V> inTheirOrder(Map<K, V> map) {
        return map.size() < 2 ? Map.copyOf(map) : Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }

    /** Applies one event. A finished call ignores all events. */
    public Step on(CallEvent event) {
        return CallRules.step(this, event);
    }

    /** Why the call is over for a device, whose leg or the caller's this is; empty while it is alive for it. */
    public Optional<Verdict> endFor(LegId id) {
        boolean inIt = plan.caller().equals(Optional.of(id))
                || answered.map(LegDialog::leg).equals(Optional.of(id));
        Leg leg = legs.get(id);
        if (leg != null && leg.refused()) {
            return Optional.of(Verdict.DECLINED_HERE);
        }
        return switch (phase) {
            case NEW, RINGING -> Optional.empty();
            case ANSWERED, ESTABLISHED -> inIt ? Optional.empty() : verdict;
            case ENDED -> Optional.of(inIt && answered.isPresent() ? Verdict.HUNG_UP : verdict.orElse(Verdict.FAILED));
        };
    }

    /**
     * The call as a journal keeps it. What is left out can be had again from the parties, who repeat what they have no
     * answer to, or does not matter to how the call goes on: the first event after is {@link CallEvent.Resumed}.
     */
    public Call remembered() {
        Map<LegId, Leg> rememberedLegs = new LinkedHashMap<>();
        legs.forEach((id, leg) -> rememberedLegs.put(id, leg.remembered()));
        Set<PendingBye> rememberedByes = new HashSet<>();
        for (PendingBye bye : byes) {
            PendingBye.State state =
                    bye.state() == PendingBye.State.HELD ? PendingBye.State.HELD : PendingBye.State.SENT;
            rememberedByes.add(new PendingBye(bye.to(), bye.dialog(), Optional.empty(), state));
        }
        return new Call(
                plan,
                phase,
                rememberedLegs,
                Map.of(),
                answered,
                rememberedByes,
                ending,
                verdict,
                false,
                callerAt == CallerAt.LOST_AND_ANSWERED ? callerAt : CallerAt.REACHABLE,
                Map.of(),
                0);
    }

    /** Whether somebody who lost his connection still has to hear of its end when he has another, or by tombstone. */
    public boolean owesWord() {
        return callerAt == CallerAt.LOST_AND_ANSWERED
                || byes.stream().anyMatch(bye -> bye.state() == PendingBye.State.HELD)
                || legs.values().stream().anyMatch(Leg::wantsVerdict);
    }

    /** Whether nothing more is expected and nothing is held. */
    public boolean isFinished() {
        return phase == Phase.ENDED
                && exchanges.isEmpty()
                && byes.isEmpty()
                && callerAt != CallerAt.LOST_AND_ANSWERED
                && !timers.containsKey(Timer.LINGER)
                && legs.values().stream().allMatch(Leg::awaitsNoEnd);
    }
}
