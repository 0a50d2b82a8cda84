package org.pushbridge.call;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What happens to a call, as the edges report it. Events may come late, twice, crossed, or not at all; the rules cope.
 */
public sealed interface CallEvent {
    void applyTo(CallRules rules);

    /** The first event of each call: the caller's INVITE was accepted for processing. */
    record Begun() implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onBegun();
        }
    }

    /**
     * The first event of a call that is taken up from the journal: the bridge was started anew. All transactions and
     * connections of the time before are gone.
     *
     * @param elapsed since the call began
     * @param reachable the legs that can be reached as before: trunks, and devices without a connection to lose
     * @param callerReachable the same of the caller
     */
    record Resumed(Duration elapsed, Set<LegId> reachable, boolean callerReachable) implements CallEvent {
        public Resumed {
            reachable = Set.copyOf(reachable);
        }

        @Override
        public void applyTo(CallRules rules) {
            rules.onResumed(this);
        }
    }

    /** A device registered: it is awake and has a flow, perhaps a new one. The caller's device, or one to ring. */
    record DeviceRegistered(LegId leg, Pushes pushes) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onDeviceRegistered(leg, pushes);
        }
    }

    /** The app of a device asked over HTTP what became of the call: it is awake, though it has not registered yet. */
    record AppAwake(LegId leg) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onAppAwake(leg);
        }
    }

    /** The app of a device says over HTTP that it alerts its user, as a 180 would. */
    record Alerting(LegId leg) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onAlerting(leg);
        }
    }

    /**
     * The user of a device declines over HTTP, perhaps before any INVITE got there.
     *
     * @param status 486 or 603, as if the device had answered so
     */
    record Declined(LegId leg, int status) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onDeclined(leg, status);
        }
    }

    /** APNs accepted the push. It may never be delivered. */
    record PushAccepted(LegId leg) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onPushAccepted(leg);
        }
    }

    /** The push will not wake the device: wrong credentials, APNs out of reach. It may still be awake. */
    record PushFailed(LegId leg) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onPushFailed(leg);
        }
    }

    /** APNs says that the app or its token is gone from the device: neither push nor INVITE can reach it any more. */
    record AppGone(LegId leg) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onAppGone(leg);
        }
    }

    /** A provisional response to the leg's INVITE; 100 only shows that the device is awake. */
    record Provisional(LegDialog dialog, int attempt, int status, Content content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onProvisional(dialog, attempt, status, content);
        }
    }

    /** A 2xx to the leg's INVITE; never a retransmission of one reported before. */
    record Answered(LegDialog dialog, int attempt, int status, Content content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onAnswered(dialog, attempt, status, content);
        }
    }

    /** The leg's INVITE transaction ended without a 2xx. */
    record LegFailed(LegId leg, int attempt, Failure failure, int status, Optional<Content> content)
            implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onLegFailed(leg, attempt, failure, status, content);
        }
    }

    /** The connection a device was reached over is gone: a leg's, or the caller's. */
    record FlowLost(LegId leg) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onFlowLost(leg);
        }
    }

    /** The caller's CANCEL. The edge has answered the CANCEL itself. */
    record CallerCancelled() implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onCallerCancelled();
        }
    }

    /** The caller's ACK to the 2xx. */
    record CallerAcknowledged(LegDialog dialog, Content content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onCallerAcknowledged(dialog, content);
        }
    }

    /** The caller never acknowledged the 2xx, resent for 64*T1. */
    record CallerAckMissing() implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onCallerAckMissing();
        }
    }

    /** A BYE inside a dialog. */
    record ByeReceived(ExchangeId exchange, Content content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onByeReceived(exchange, content);
        }
    }

    /** The BYE the bridge sent has its final answer, or never will. */
    record ByeCompleted(Side to, LegDialog dialog) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onByeCompleted(to, dialog);
        }
    }

    /** The BYE the bridge sent can not reach its device, whose connection is gone. Not for trunks. */
    record ByeUndelivered(Side to, LegDialog dialog) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onByeUndelivered(to, dialog);
        }
    }

    /**
     * A request that was to be passed on can not reach its device, whose connection is gone; the device has said that
     * it may be woken for such a request (RFC 8599 section 6). Else it is a {@link ResponseReceived} with 480.
     */
    record RequestUndelivered(ExchangeId exchange) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onRequestUndelivered(exchange);
        }
    }

    /** Any other request inside a dialog. */
    record RequestReceived(ExchangeId exchange, String method, Content content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onRequestReceived(exchange, method, content);
        }
    }

    /** A response above 100 to a request that was passed on; 408 or 503 when none came. */
    record ResponseReceived(ExchangeId exchange, int status, Optional<Content> content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onResponseReceived(exchange, status, content);
        }
    }

    /** The ACK to the 2xx of a re-INVITE. */
    record ExchangeAcknowledged(ExchangeId exchange, Content content) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onExchangeAcknowledged(exchange, content);
        }
    }

    /** The ACK to the 2xx of a re-INVITE never came. */
    record ExchangeAckMissing(ExchangeId exchange) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onExchangeAckMissing(exchange);
        }
    }

    /** A CANCEL of a re-INVITE. */
    record ExchangeCancelled(ExchangeId exchange) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onExchangeCancelled(exchange);
        }
    }

    /** A timer ran out. */
    record TimerFired(Timer timer, int generation) implements CallEvent {
        @Override
        public void applyTo(CallRules rules) {
            rules.onTimerFired(timer, generation);
        }
    }

    /** Why a leg's INVITE transaction ended without a 2xx. */
    enum Failure {
        /** The far side said so. */
        REFUSED,
        /** No final response came in time (timer B, or after CANCEL). */
        TIMEOUT,
        /** The message could not be sent, or the connection broke. */
        TRANSPORT
    }
}
