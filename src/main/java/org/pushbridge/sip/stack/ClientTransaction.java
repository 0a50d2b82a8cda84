package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.stack.MessageChannel;
import gov.nist.javax.sip.stack.SIPClientTransactionImpl;
import gov.nist.javax.sip.stack.SIPDialog;
import gov.nist.javax.sip.stack.SIPTransactionErrorEvent;
import gov.nist.javax.sip.stack.ServerResponseInterface;
import java.io.IOException;
import java.time.Duration;
import javax.sip.TransactionState;

/**
 * One client transaction (RFC 3261 section 17.1): JAIN-SIP's state machine behind one lock, telling its
 * {@link Outcome} what comes of the request. Nothing of the layer above is called under the lock.
 */
final class ClientTransaction extends SIPClientTransactionImpl {
    /** What the transaction tells; the receiver sees to it that there is one final outcome. */
    interface Outcome {
        void response(SIPResponse response);

        void timeout();

        void failure(String why);

        /** The link closed; no response can come over it any more. */
        void linkClosed(String why);
    }

    private final JainStack stack;
    private final LinkChannel channel;
    private final String key;
    private final Outcome outcome;
    private boolean passUp;
    private volatile boolean linkIsClosed;

    /** @param request with its Via */
    ClientTransaction(JainStack stack, LinkChannel channel, SIPRequest request, Outcome outcome) {
        super(stack, channel);
        this.stack = stack;
        this.channel = channel;
        this.key = JainStack.clientKey(request);
        this.outcome = outcome;
        setRetransmitTimer(stack.t1Millis());
        setOriginalRequest(request);
        setResponseInterface(new ServerResponseInterface() {
            @Override
            public void processResponse(SIPResponse response, MessageChannel from, SIPDialog dialog) {
                passUp = true;
            }

            @Override
            public void processResponse(SIPResponse response, MessageChannel from) {
                passUp = true;
            }
        });
        channel.onFailure(this::failed);
    }

    String key() {
        return key;
    }

    @Override
    public String getTransactionId() {
        return key;
    }

    Link link() {
        return channel.link();
    }

    void start(SIPRequest request) {
        stack.addClient(this);
        try {
            synchronized (this) {
                sendMessage(request);
            }
        } catch (IOException e) {
            failed(String.valueOf(e.getMessage()));
        }
        channel.link().expect(this);
    }

    /** As {@link #start}, but the request left before, from a stack that is gone, and may have arrived. */
    void takeUp(SIPRequest request) {
        stack.addClient(this);
        try {
            synchronized (this) {
                channel.mute(true);
                sendMessage(request);
                channel.mute(false);
                disableRetransmissionTimer();
                disableTimeoutTimer();
                setState(TransactionState._PROCEEDING);
            }
        } catch (IOException e) {
            failed(String.valueOf(e.getMessage()));
        }
        channel.link().expect(this);
    }

    /**
     * Takes a response; passes it on unless it is a retransmission.
     *
     * @param over what it came over: if the request's own link is gone, the ACK takes this one
     */
    void receive(SIPResponse response, Link over) {
        if (linkIsClosed) {
            channel.moveTo(over);
        }
        boolean pass;
        synchronized (this) {
            if (originalRequest == null) {
                return; // A timer cleaned up between the look-up and here; JAIN-SIP would throw.
            }
            passUp = false;
            processResponse(response, channel, null);
            pass = passUp;
            if (pass && isInviteTransaction() && response.getStatusCode() / 100 == 2) {
                stack.rememberAccepted(key, outcome);
            }
        }
        if (pass) {
            outcome.response(response);
        }
    }

    /** Ends it, whatever state it is in; the outcome is not told. */
    synchronized void end() {
        setState(TransactionState._TERMINATED);
        stack.removeTransaction(this);
    }

    // Both are told elsewhere, for this may be the thread that sends, in the middle of it.

    void linkClosed(String why) {
        linkIsClosed = true;
        stack.wheel().after(Duration.ZERO, () -> outcome.linkClosed(why));
    }

    private void failed(String why) {
        stack.wheel().after(Duration.ZERO, () -> outcome.failure(why));
    }

    @Override
    public synchronized void fireTimer() {
        super.fireTimer();
    }

    // JAIN-SIP cleans up on its timers' thread, without a lock, what a response needs that comes just then.

    /** Until its last timer, it only has to know that the next responses are copies. */
    @Override
    protected synchronized void cleanUpOnTimer() {
        super.cleanUpOnTimer();
        if (originalRequest == null) {
            channel.forget();
        }
    }

    @Override
    public synchronized void cleanUp() {
        super.cleanUp();
    }

    @Override
    public void raiseErrorEvent(int error) {
        setState(TransactionState._TERMINATED);
        if (error == SIPTransactionErrorEvent.TIMEOUT_ERROR) {
            stack.wheel().after(Duration.ZERO, outcome::timeout);
        } else {
            failed("the request could not be sent");
        }
    }

    @Override
    public void raiseIOExceptionEvent() {
        // raiseErrorEvent follows.
    }

    /** Called when the stack has forgotten it. */
    void removed() {
        channel.link().expectNoMore(this);
        channel.forget();
    }
}
