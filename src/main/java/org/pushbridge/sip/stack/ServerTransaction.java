package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.stack.SIPServerTransactionImpl;
import io.netty.util.Timeout;
import java.io.IOException;
import java.time.Duration;
import javax.sip.TransactionState;
import javax.sip.message.Response;
import org.jspecify.annotations.Nullable;

/**
 * One server transaction (RFC 3261 section 17.2): JAIN-SIP's state machine, with answers going back the way the
 * request came and one lock around what JAIN-SIP leaves to luck. Nothing of the layer above is called under the lock.
 *
 * <p>That of an INVITE that failed outlives its response until the ACK, with the bytes alone of that response. Any other is
 * over with its final response; of it the stack keeps, for 32 s, what copies of the request that come over UDP are answered.
 */
final class ServerTransaction extends SIPServerTransactionImpl {
    private final JainStack stack;
    private final LinkChannel channel;
    private final String key;
    private final String mergeKey;
    private volatile @Nullable InboundRequest inbound;
    private @Nullable Timeout giveUp;
    private boolean passUp;
    private int finalStatus;
    private boolean quiet;
    private boolean settled;
    private boolean removed;
    private @Nullable Runnable whenSettled;
    private volatile String toTag = "";

    /** @param mergeKey empty if merging is not an issue */
    ServerTransaction(JainStack stack, LinkChannel channel, SIPRequest request, String key, String mergeKey) {
        super(stack, channel);
        this.stack = stack;
        this.channel = channel;
        this.key = key;
        this.mergeKey = mergeKey;
        setRetransmitTimer(stack.t1Millis());
        setOriginalRequest(request);
        setRequestInterface((passed, from) -> passUp = true);
    }

    String key() {
        return key;
    }

    @Override
    public String getTransactionId() {
        return key;
    }

    void belongsTo(InboundRequest request) {
        inbound = request;
    }

    /** Null once there was a final response. */
    @Nullable
    InboundRequest inbound() {
        return inbound;
    }

    /** The To tag of the last response that had one; empty before. */
    String toTag() {
        return toTag;
    }

    /** 0 before there is one. */
    synchronized int finalStatus() {
        return finalStatus;
    }

    /** @return whether this is for the layer above */
    boolean receive(SIPRequest request) {
        boolean pass;
        synchronized (this) {
            if (removed && !isInviteTransaction()) {
                resendLastResponseAsBytes(); // it ended between the look-up and here
                return false;
            }
            passUp = false;
            processRequest(request, channel);
            pass = passUp;
        }
        if (request.getMethod().equals("ACK")) {
            settled();
        }
        return pass;
    }

    /** See {@link InboundRequest#whenSettled}. */
    void whenSettled(Runnable work) {
        synchronized (this) {
            if (!settled && finalStatus >= 300) {
                whenSettled = work;
                return;
            }
        }
        work.run();
    }

    synchronized boolean isSettled() {
        return settled || finalStatus < 300;
    }

    private void settled() {
        Runnable work;
        synchronized (this) {
            settled = true;
            work = whenSettled;
            whenSettled = null;
        }
        if (work != null) {
            work.run();
        }
    }

    /**
     * Has the transaction forgotten when its client must have given up. An INVITE's does not; its 100 is for the layer
     * above to send, which has to have it for good first (RFC 3261 section 17.2.1 wants it within 200 ms).
     */
    void started() {
        if (!isInviteTransaction()) {
            Timeout limit = stack.wheel().after(stack.transactionTimeout(), () -> {
                if (finalStatus() == 0) {
                    stack.removeTransaction(this);
                }
            });
            synchronized (this) {
                giveUp = limit;
            }
        }
    }

    /** Its client is reached another way now. */
    void moveTo(Link other) {
        channel.moveTo(other);
    }

    /** @return whether it was sent; a response after the final one is not */
    synchronized boolean respond(SIPResponse response) {
        if (finalStatus != 0) {
            return false;
        }
        if (response.getToTag() != null) {
            toTag = response.getToTag();
        }
        int status = response.getStatusCode();
        if (status >= Response.OK) {
            finalStatus = status;
            if (!isInviteTransaction()) {
                complete(response);
                return true;
            }
            if (status < 300) {
                stack.rememberAnswered(key, toTag);
            }
        }
        try {
            sendMessage(response);
        } catch (IOException e) {
            stack.removeTransaction(this); // JAIN-SIP's own reasons; our channel throws none.
        }
        if (isTerminated() && !transactionTimerStarted.get()) {
            stack.removeTransaction(this);
        }
        if (finalStatus != 0) {
            letGo();
        }
        return true;
    }

    /** RFC 3261 section 17.2.2, Completed: of all that there is, only the response is of use. */
    private void complete(SIPResponse response) {
        channel.sendMessage(response);
        if (!isReliable()) {
            stack.rememberResponse(key, channel.sent());
        }
        end();
    }

    /** @return whether it was sent; the transaction is over then, and nothing is kept of it */
    synchronized boolean respondAndForget(SIPResponse response) {
        if (finalStatus != 0) {
            return false;
        }
        finalStatus = response.getStatusCode();
        if (!mergeKey.isEmpty()) {
            stack.forgetMerge(mergeKey, key);
        }
        channel.sendMessage(response);
        end();
        return true;
    }

    private void end() {
        setState(TransactionState._TERMINATED);
        letGo();
        stack.removeTransaction(this);
    }

    /** What is needed of the messages so far are the bytes of the last response. */
    synchronized void fold() {
        originalRequest = null;
        lastResponse = null;
        channel.keepBytesAlone();
    }

    private void letGo() {
        inbound = null;
        originalRequest = null;
        lastResponse = null;
        channel.keepBytesAlone();
        if (giveUp != null) {
            giveUp.cancel();
            giveUp = null;
        }
    }

    byte[] encoded(SIPResponse response) {
        return channel.prepare(response);
    }

    /** The response is sent again when the request is, and not by itself. */
    synchronized void quiet() {
        quiet = true;
    }

    /** RFC 3261 section 18.2.2; JAIN-SIP would look for a channel by addresses. */
    @Override
    protected void sendResponse(SIPResponse response) {
        try {
            channel.sendMessage(response);
        } finally {
            startTransactionTimer();
        }
    }

    @Override
    public synchronized void resendLastResponseAsBytes() {
        channel.repeat();
    }

    /** An INVITE that waits for its answer has nothing to repeat and nothing to give up: it needs no clock. */
    @Override
    public void startTransactionTimer() {
        if (!isInviteTransaction() || finalStatus >= 300) {
            super.startTransactionTimer();
        }
    }

    @Override
    public synchronized void fireTimer() {
        super.fireTimer();
    }

    /** Failures are resent until they are acknowledged (RFC 3261 Timer G); 2xx are not ours to resend. */
    @Override
    public void fireRetransmissionTimer() {
        if (isInviteTransaction() && finalStatus >= 300 && !quiet) {
            resendLastResponseAsBytes();
        }
    }

    /** No ACK came, or a timer found the way back gone: the transaction ends, and nobody above has to know. */
    @Override
    public void raiseErrorEvent(int error) {
        setState(TransactionState._TERMINATED);
    }

    @Override
    public void raiseIOExceptionEvent() {
        setState(TransactionState._TERMINATED);
    }

    /** Called when the stack has forgotten it; by a timer, too, that does not know that it has. */
    void removed() {
        boolean remembered;
        synchronized (this) {
            if (removed) {
                return;
            }
            removed = true;
            // Over a connection, who sends a request other than INVITE anew has lost the answer with the connection.
            remembered =
                    isInviteTransaction() ? finalStatus >= 200 && finalStatus < 300 : finalStatus != 0 && !isReliable();
        }
        stack.wheel().after(Duration.ZERO, this::settled); // not under the lock
        if (mergeKey.isEmpty()) {
            return;
        }
        if (remembered) {
            stack.mergeIsPast(mergeKey, key);
        } else {
            stack.forgetMerge(mergeKey, key);
        }
    }
}
