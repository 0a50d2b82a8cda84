package org.pushbridge.engine;

import java.time.Duration;

/**
 * The engine's limits.
 *
 * @param shards how many threads run calls
 * @param mailbox how much work may wait for each of them before requests from outside are refused
 * @param maxCalls how many calls may be alive at once, ended ones that still wait for a last answer included
 * @param maxUnanswered how many of them may ring or wait for a phone
 * @param maxDelay how long work may wait before the engine counts as behind and no new calls should begin
 */
public record EngineSettings(int shards, int mailbox, int maxCalls, int maxUnanswered, Duration maxDelay) {
    public EngineSettings {
        if (shards < 1 || mailbox < 1 || maxCalls < 1 || maxUnanswered < 1) {
            throw new IllegalArgumentException("Shards, mailbox and maxima of calls are at least 1");
        }
        if (maxDelay.isNegative() || maxDelay.isZero()) {
            throw new IllegalArgumentException("The longest delay must be positive, not " + maxDelay);
        }
    }

    /** With the usual delay of 200 ms, and as many calls unanswered as there may be. */
    public EngineSettings(int shards, int mailbox, int maxCalls) {
        this(shards, mailbox, maxCalls, maxCalls, Duration.ofMillis(200));
    }
}
