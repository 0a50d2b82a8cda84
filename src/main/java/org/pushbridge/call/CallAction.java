package org.pushbridge.call;

import java.time.Duration;
import java.util.Optional;

/**
 * What the rules ask the edges to do. Actions of one step are carried out in order.
 *
 * <p>Each {@link Invite}, {@link Forward} and {@link Bye} is answered by exactly one final event, whatever happens
 * on the wire: the edge owes it (a transaction always ends, RFC 3261 section 17).
 */
public sealed interface CallAction {
    /**
     * Whether somebody is told by it what must still be so after a crash: it is carried out once the journal has the
     * call as it stands after the step.
     */
    default boolean isPromise() {
        return false;
    }

    /** An action that an edge carries out. The others are the engine's. */
    sealed interface ForEdge extends CallAction {
        void applyTo(CallPorts ports);
    }

    /** Send a provisional or a failure response to the caller's INVITE, in the dialog of a leg if it came from one. */
    record RespondToCaller(int status, Optional<Verdict> reason, Optional<LegDialog> dialog, Optional<Content> content)
            implements ForEdge {
        @Override
        public boolean isPromise() {
            return status >= 200;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.respondToCaller(this);
        }
    }

    /** Send the leg's 2xx to the caller, and again until it is acknowledged (RFC 3261 section 13.3.1.4). */
    record AnswerCaller(LegDialog dialog, int status, Content content) implements ForEdge {
        @Override
        public boolean isPromise() {
            return true;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.answerCaller(this);
        }
    }

    /**
     * Go on sending the 2xx that the caller was sent before the bridge was started anew, unless it was acknowledged.
     */
    record AnswerAgain(LegDialog dialog) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.answerAgain(this);
        }
    }

    /**
     * Send the call's INVITE on the leg's newest flow. An attempt that was sent before the bridge was started anew may be
     * asked for again: it is the same request in the same transaction, which its receiver takes for a repetition.
     */
    record Invite(LegId leg, int attempt) implements ForEdge {
        @Override
        public boolean isPromise() {
            return true;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.invite(this);
        }
    }

    /**
     * Cancel an INVITE of the leg (RFC 3261 section 9.1), also one that was sent before the bridge was started anew; it
     * still owes its final event.
     */
    record Cancel(LegId leg, int attempt, Verdict reason) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.cancel(this);
        }
    }

    /** Acknowledge a leg's 2xx to the call's INVITE. */
    record Acknowledge(LegDialog dialog, Optional<Content> content) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.acknowledge(this);
        }
    }

    /** End a confirmed dialog; answered by {@link CallEvent.ByeCompleted} or {@link CallEvent.ByeUndelivered}. */
    record Bye(Side to, LegDialog dialog, Optional<Content> content) implements ForEdge {
        @Override
        public boolean isPromise() {
            return true;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.bye(this);
        }
    }

    /** Pass a request inside a dialog on to the other side; may be asked for again after {@link CallEvent.RequestUndelivered}. */
    record Forward(ExchangeId exchange, String method, Content content) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.forward(this);
        }
    }

    /** Answer a request inside a dialog, provisionally or finally. */
    record Reply(ExchangeId exchange, int status, Optional<Content> content) implements ForEdge {
        @Override
        public boolean isPromise() {
            return status >= 200;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.reply(this);
        }
    }

    /** Acknowledge the 2xx to a re-INVITE that was passed on. */
    record AcknowledgeExchange(ExchangeId exchange, Optional<Content> content) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.acknowledgeExchange(this);
        }
    }

    /** Cancel a re-INVITE that was passed on. */
    record CancelExchange(ExchangeId exchange) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.cancelExchange(this);
        }
    }

    /**
     * Send the one VoIP push of this leg; answered by {@link CallEvent.PushAccepted}, {@link CallEvent.PushFailed} or
     * {@link CallEvent.AppGone}, or by nothing if nobody knows.
     */
    record Push(LegId leg) implements ForEdge {
        @Override
        public boolean isPromise() {
            return true;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.push(this);
        }
    }

    /** Tell a pushable device by a regular push that it missed a call. */
    record AlertMissedCall(LegId leg) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.alertMissedCall(this);
        }
    }

    /**
     * Remember the end of the call for a device that was pushed to, or rang, and does not know yet. One that is
     * connected when this is asked for has to be told then and there: it may not register again for long.
     *
     * @param had whether it has, or had, the call by SIP: a new INVITE would not end what it shows
     */
    record Bury(LegId leg, Verdict verdict, boolean had) implements ForEdge {
        @Override
        public boolean isPromise() {
            return true;
        }

        @Override
        public void applyTo(CallPorts ports) {
            ports.bury(this);
        }
    }

    /**
     * Hint by a push that the call is over, to a device that has it on its screen and no connection: a background push,
     * or the opt-in VoIP push to an app that handles it.
     */
    record PushEnd(LegId leg, Verdict verdict, boolean voip) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.pushEnd(this);
        }
    }

    /** Ask a device by a background push to register, because a request inside its dialog waits for it (RFC 8599). */
    record PushForRequest(LegId leg) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.pushForRequest(this);
        }
    }

    /** Cancel an INVITE once more, over the newest flow: the first CANCEL went to a connection that is gone. */
    record CancelAgain(LegId leg, int attempt, Verdict reason) implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.cancelAgain(this);
        }
    }

    /** Send the final response to the caller's INVITE once more, over the caller's newest flow. */
    record RepeatFinal() implements ForEdge {
        @Override
        public void applyTo(CallPorts ports) {
            ports.repeatFinal(this);
        }
    }

    /** Start a timer; a fired timer of an older generation is stale. */
    record StartTimer(Timer timer, int generation, Duration after) implements CallAction {}

    /** Stop a timer. */
    record StopTimer(Timer timer) implements CallAction {}

    /** Nothing more is expected: forget the call. Always the last action. */
    record Finish(Ending ending) implements CallAction {}
}
