package org.pushbridge.sip;

import java.time.Duration;

/**
 * The limits of subscriptions to dialog events.
 *
 * @param defaultExpires how long one lasts that names no time (RFC 4235 section 3.4)
 * @param minExpires the shortest; less is answered 423
 * @param maxExpires the longest; more is shortened
 * @param interval what lies at least between two notifications of a call that goes on (RFC 4235 section 3.10); the end
 *     of a call does not wait
 * @param maxPerUser how many one user may have, those that wait for their last answer included
 * @param maxInAll how many there may be
 */
record SubscriptionSettings(
        Duration defaultExpires,
        Duration minExpires,
        Duration maxExpires,
        Duration interval,
        int maxPerUser,
        int maxInAll) {
    static final SubscriptionSettings DEFAULT = withRoom(32, 100_000);

    static SubscriptionSettings withRoom(int maxPerUser, int maxInAll) {
        return new SubscriptionSettings(
                Duration.ofHours(1),
                Duration.ofMinutes(1),
                Duration.ofDays(1),
                Duration.ofSeconds(1),
                maxPerUser,
                maxInAll);
    }
}
