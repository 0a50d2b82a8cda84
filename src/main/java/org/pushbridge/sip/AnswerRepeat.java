package org.pushbridge.sip;

import gov.nist.javax.sip.message.SIPResponse;
import java.time.Duration;
import org.pushbridge.engine.RunningCall;
import org.pushbridge.sip.stack.InboundRequest;

/**
 * Sends a 2xx to an INVITE again until its ACK comes: after T1, then at doubled intervals up to T2, on any transport,
 * for 64*T1 (RFC 3261 section 13.3.1.4). Belongs to the call's thread.
 */
final class AnswerRepeat {
    private static final Duration T2 = Duration.ofSeconds(4);

    private final Bridge bridge;
    private final RunningCall<BridgedCall> call;
    private final InboundRequest request;
    private final SIPResponse answer;
    private final Runnable ackMissing;
    private final Duration limit;
    private Duration interval;
    private Duration waited = Duration.ZERO;
    private RunningCall.Delayed next;

    AnswerRepeat(
            Bridge bridge,
            RunningCall<BridgedCall> call,
            InboundRequest request,
            SIPResponse answer,
            Runnable ackMissing) {
        this.bridge = bridge;
        this.call = call;
        this.request = request;
        this.answer = answer;
        this.ackMissing = ackMissing;
        this.interval = bridge.settings().t1();
        this.limit = Duration.ofNanos(64 * interval.toNanos());
        this.next = call.after(interval, this::again);
    }

    private void again() {
        waited = waited.plus(interval);
        if (waited.compareTo(limit) >= 0) {
            ackMissing.run();
            return;
        }
        bridge.stack().sendStateless(answer, request);
        interval = interval.plus(interval);
        interval = interval.compareTo(T2) > 0 ? T2 : interval;
        next = call.after(interval, this::again);
    }

    /** The ACK came, or nobody waits for it any more. */
    void stop() {
        next.cancel();
    }
}
