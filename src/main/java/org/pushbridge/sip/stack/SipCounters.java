package org.pushbridge.sip.stack;

import java.util.concurrent.atomic.LongAdder;

/** What the stack has seen since it started. Safe for any thread; cheap to read. */
public final class SipCounters {
    final LongAdder received = new LongAdder();
    final LongAdder malformed = new LongAdder();
    final LongAdder tooLarge = new LongAdder();
    final LongAdder rejected = new LongAdder();
    final LongAdder overloaded = new LongAdder();
    final LongAdder flooded = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder datagramsDropped = new LongAdder();
    final LongAdder datagramsRepeated = new LongAdder();
    final LongAdder retransmissions = new LongAdder();
    final LongAdder listenerFailures = new LongAdder();
    final LongAdder connectionsOpened = new LongAdder();
    final LongAdder connectionsRefused = new LongAdder();
    final LongAdder connectionsRefusedPerAddress = new LongAdder();
    final LongAdder connectionsClosed = new LongAdder();

    SipCounters() {}

    /** Messages received, whatever became of them; keep-alives do not count. */
    public long received() {
        return received.sum();
    }

    /** Messages that broke the grammar or a rule of RFC 3261; some of them could be answered. */
    public long malformed() {
        return malformed.sum();
    }

    /** Those among them that were longer than a message may be: 413, 513. */
    public long tooLarge() {
        return tooLarge.sum();
    }

    /** Requests the stack itself refused: 400, 413, 414, 481, 482, 505, 513. */
    public long rejected() {
        return rejected.sum();
    }

    /** Requests refused with 503 because too many transactions were open. */
    public long overloaded() {
        return overloaded.sum();
    }

    /** Requests refused with 503, or dropped, because their address had sent too many. */
    public long flooded() {
        return flooded.sum();
    }

    /** Messages in or out that went nowhere: responses nobody waited for, answers to closed connections. */
    public long dropped() {
        return dropped.sum();
    }

    /** Datagrams dropped unseen because too many waited. */
    public long datagramsDropped() {
        return datagramsDropped.sum();
    }

    /** Datagrams left out because a copy of them still waited. */
    public long datagramsRepeated() {
        return datagramsRepeated.sum();
    }

    /** Requests that were received again and absorbed. */
    public long retransmissions() {
        return retransmissions.sum();
    }

    /** Times that something was thrown by the layer above. */
    public long listenerFailures() {
        return listenerFailures.sum();
    }

    /** Connections accepted or opened. */
    public long connectionsOpened() {
        return connectionsOpened.sum();
    }

    /** Connections turned away because there were too many. */
    public long connectionsRefused() {
        return connectionsRefused.sum();
    }

    /** Those among them whose address alone had too many. */
    public long connectionsRefusedPerAddress() {
        return connectionsRefusedPerAddress.sum();
    }

    public long connectionsClosed() {
        return connectionsClosed.sum();
    }
}
