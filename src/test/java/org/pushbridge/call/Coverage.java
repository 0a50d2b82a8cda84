package org.pushbridge.call;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** How often the simulation met each situation that it is there for. Not thread-safe: one for each thread, then added up. */
final class Coverage {
    /** A situation worth reaching. */
    enum Situation {
        CALLS,
        ANSWERED,
        CANCELLED,
        ENDED_BY_EARLY_BYE,
        DECLINED_FOR_ALL,
        RING_LIMIT,
        FAILED_AS_HOPELESS,
        PARKED,
        PUSH_FAILED_WHILE_ASLEEP,
        APP_GONE,
        TRYING,
        PUSHED_AFTER_SILENCE,
        PUSHED_AFTER_BROKEN_CONNECTION,
        WOKEN_AND_INVITED,
        JOINED_LATE,
        INVITED_AGAIN,
        REGISTERED_WHILE_INVITED,
        MERGED,
        FLOW_LOST_WHILE_RINGING,
        CAME_BACK_AFTER_FLOW_LOST,
        LATE_2XX_DISMISSED,
        SECOND_2XX_OF_A_FORK,
        ANSWER_ON_AN_ENDED_ATTEMPT,
        CANCEL_CROSSED_ANSWER,
        REGISTERED_AT_RING_LIMIT,
        REGISTERED_AFTER_THE_END,
        CANCEL_UNDELIVERED,
        MISSED_CALL_ALERT,
        ACK_MISSING,
        HUNG_UP_BEFORE_ACK,
        BYES_CROSSED,
        BYE_CROSSED_RE_INVITE,
        DURATION_LIMIT,
        EARLY_DIALOG_REQUEST,
        RE_INVITE_ACCEPTED,
        RE_INVITE_CANCELLED,
        RE_INVITE_ACK_MISSING,
        GLARE_491,
        OWN_GLARE_500,
        REQUEST_OUTSIDE_ANY_DIALOG,
        FURTHER_CALL,
        CALLED_ONCE_MORE,
        PUSH_ACCEPTED,
        HELD_BACK_BY_THE_PUSH_BUDGET,
        AWAKE_OVER_HTTP,
        ALERTING_OVER_HTTP,
        DECLINED_OVER_HTTP,
        DECLINED_BEFORE_INVITE,
        SPARED,
        SPARED_AND_PUSHED,
        SPARED_AND_INVITED,
        PUSHED_AS_THE_FLOW_WAS_LOST,
        RINGS_FOR_AN_OLD_COPY,
        END_PUSH_BY_VOIP,
        END_PUSH_IN_BACKGROUND,
        CANCELLED_AGAIN,
        TOLD_BY_TOMBSTONE,
        CALLER_LOST_AT_THE_END,
        CALLER_TOLD_BY_TOMBSTONE,
        FINAL_REPEATED,
        BYE_HELD,
        BYE_DELIVERED_LATE,
        BYE_BURIED,
        REQUEST_HELD,
        REQUEST_DELIVERED_LATE,
        REQUEST_HELD_IN_VAIN,
        HELD_RE_INVITE_CANCELLED,
        CRASHED_BEFORE_THE_FIRST_WRITE,
        CRASHED_WHILE_PARKED,
        CRASHED_WHILE_RINGING,
        CRASHED_BEFORE_THE_CALLERS_ACK,
        CRASHED_WHILE_TALKING,
        CRASHED_DURING_A_RE_INVITE,
        CRASHED_AFTER_THE_END,
        CRASHED_WITH_A_BYE_PENDING,
        CRASHED_WITH_ACTIONS_HELD,
        SECOND_CRASH,
        RING_LIMIT_PASSED_MEANWHILE,
        PUSHED_ONCE_MORE,
        INVITE_SENT_AGAIN,
        CANCEL_SENT_AGAIN,
        FINAL_SENT_AGAIN,
        ANSWER_SENT_AGAIN,
        LATE_WORD_OF_AN_ANSWER,
        CANCEL_REPEATED,
        BYE_REPEATED,
        STALE_TIMER,
        EVENT_AFTER_FINISH
    }

    private final Map<Situation, Long> counts = new EnumMap<>(Situation.class);

    void saw(Situation situation) {
        counts.merge(situation, 1L, Long::sum);
    }

    long of(Situation situation) {
        return counts.getOrDefault(situation, 0L);
    }

    void add(Coverage other) {
        other.counts.forEach((situation, count) -> counts.merge(situation, count, Long::sum));
    }

    /** All counts in one line. */
    @Override
    public String toString() {
        return counts.entrySet().stream()
                .map(e -> e.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' ') + " " + e.getValue())
                .collect(Collectors.joining(", "));
    }
}
