package org.pushbridge.engine;

/**
 * The engine's limits.
 *
 * @param shards how many threads run calls
 * @param mailbox how much work may wait for each of them before requests from outside are refused
 * @param maxCalls how many calls may be alive at once, ended ones that still wait for a last answer included
 */
public record EngineSettings(int shards, int mailbox, int maxCalls) {
    public EngineSettings {
        if (shards < 1 || mailbox < 1 || maxCalls < 1) {
            throw new IllegalArgumentException("Shards, mailbox and maximum of calls are at least 1");
        }
    }

    /** A shard for each processor, 10,000 entries each. */
    public static EngineSettings withMaxCalls(int maxCalls) {
        return new EngineSettings(Runtime.getRuntime().availableProcessors(), 10_000, maxCalls);
    }
}
