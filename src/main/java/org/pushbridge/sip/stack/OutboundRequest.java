package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.text.ParseException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sip.SipException;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/** A request that was sent: sees to it that its handler gets one final outcome, and cancels it by the rules. */
final class OutboundRequest implements ClientCall, ClientTransaction.Outcome {
    private static final Logger LOG = LogManager.getLogger(OutboundRequest.class);
    private static final QuietLog HANDLER = new QuietLog(LOG, Level.WARN);

    private final SipStack stack;
    private final JainStack jain;
    /** Null when it is over; a parsed message is many times its size. */
    private volatile @Nullable SIPRequest request;

    private final boolean isInvite;
    private final boolean isInDialog;
    private final long cseq;
    private final Destination destination;
    private volatile ResponseHandler handler;
    private final AtomicBoolean finished = new AtomicBoolean();
    private @Nullable ClientTransaction transaction;
    private boolean provisional;
    private @Nullable SIPRequest cancel;
    private boolean cancelSent;
    private volatile boolean takenUp;

    OutboundRequest(
            SipStack stack, JainStack jain, SIPRequest request, Destination destination, ResponseHandler handler) {
        this.stack = stack;
        this.jain = jain;
        this.request = request;
        this.isInvite = request.getMethod().equals("INVITE");
        this.isInDialog = request.getToTag() != null;
        this.cseq = request.getCSeq().getSeqNumber();
        this.destination = destination;
        this.handler = handler;
    }

    void start(LinkChannel channel, SIPRequest sent) {
        ClientTransaction started = new ClientTransaction(jain, channel, sent, this);
        synchronized (this) {
            transaction = started;
        }
        started.start(sent);
    }

    /** Takes up what was sent before, and may have been answered provisionally. */
    void takeUp(LinkChannel channel, SIPRequest sent) {
        ClientTransaction before = new ClientTransaction(jain, channel, sent, this);
        synchronized (this) {
            transaction = before;
            provisional = true;
        }
        takenUp = true;
        before.takeUp(sent);
    }

    @Override
    public long cseq() {
        return cseq;
    }

    @Override
    public void over(Map<String, SentAck> acks, Destination there) {
        if (isInvite && finished.get()) {
            letGo(acks.isEmpty() ? ResponseHandler.NOBODY_CARES : new AckRepeat(stack, acks, there, jain.t1Millis()));
        }
    }

    /** What is left to be told needs neither the request nor its transaction, nor whoever sent it. */
    private void letGo(ResponseHandler left) {
        request = null;
        handler = left;
        synchronized (this) {
            cancel = null;
            transaction = null;
        }
    }

    @Override
    public void response(SIPResponse response) {
        int status = response.getStatusCode();
        if (status < 200) {
            if (!finished.get()) {
                tell("onResponse", () -> handler.onResponse(response));
                synchronized (this) {
                    provisional = true;
                }
                sendCancelIfDue();
            }
            return;
        }
        boolean another = status < 300 && isInvite;
        if (!finished.getAndSet(true) || another) {
            ResponseHandler told = handler;
            if (!another) {
                letGo(ResponseHandler.NOBODY_CARES);
            }
            tell("onResponse", () -> told.onResponse(response));
        }
    }

    @Override
    public void timeout() {
        if (!finished.getAndSet(true)) {
            ResponseHandler told = handler;
            letGo(ResponseHandler.NOBODY_CARES);
            tell("onTimeout", told::onTimeout);
        }
    }

    @Override
    public void failure(String why) {
        if (!finished.getAndSet(true)) {
            end();
            ResponseHandler told = handler;
            letGo(ResponseHandler.NOBODY_CARES);
            tell("onTransportFailure", () -> told.onTransportFailure(why));
        }
    }

    @Override
    public void answered() {
        synchronized (this) {
            if (cancel != null) {
                return; // It ends by that.
            }
        }
        if (!finished.getAndSet(true)) {
            end();
        }
    }

    private void end() {
        ClientTransaction ended;
        synchronized (this) {
            ended = transaction;
        }
        if (ended != null) {
            ended.end();
        }
    }

    /**
     * Nobody who has not answered at all will answer after the connection is gone. A peer that is at work on the request
     * may still do so over a new one (RFC 3261 section 18.2.2): one that listens, or a device that rings and registers anew.
     */
    @Override
    public void linkClosed(String why) {
        boolean working;
        synchronized (this) {
            working = provisional;
        }
        boolean mayMove = isInvite && !isInDialog;
        if (!working || (destination instanceof Destination.OverFlow && !mayMove)) {
            failure(why);
        }
    }

    @Override
    public void cancel(Optional<String> reason) {
        SIPRequest sent = request;
        if (!isInvite || finished.get() || sent == null) {
            return;
        }
        SIPRequest made = makeCancel(sent, reason);
        synchronized (this) {
            if (cancel != null) {
                return;
            }
            cancel = made;
        }
        sendCancelIfDue();
    }

    @Override
    public void cancelAgain(Destination newest, Runnable unknown) {
        SIPRequest asked;
        synchronized (this) {
            asked = cancel;
        }
        if (asked == null || finished.get()) {
            return;
        }
        SIPRequest again = (SIPRequest) asked.clone();
        stack.linkTo(newest)
                .ifPresentOrElse(
                        link -> new ClientTransaction(jain, stack.channel(link), again, new CancelOutcome(unknown))
                                .start(again),
                        () -> LOG.debug("A CANCEL could not be sent again; destination={}", newest));
    }

    private static SIPRequest makeCancel(SIPRequest sent, Optional<String> reason) {
        try {
            SIPRequest made = sent.createCancelRequest();
            if (reason.isPresent()) {
                SIPHeader header = StringMsgParser.parseSIPHeader("Reason: " + reason.get());
                made.addHeader(header);
            }
            return made;
        } catch (SipException | ParseException | RuntimeException e) {
            throw new IllegalArgumentException("No CANCEL can be made with the Reason '" + reason.orElse("") + "'", e);
        }
    }

    private void sendCancelIfDue() {
        SIPRequest due;
        synchronized (this) {
            if (cancel == null || !provisional || cancelSent || finished.get()) {
                return;
            }
            cancelSent = true;
            due = cancel;
        }
        stack.linkTo(destination)
                .ifPresent(
                        link -> new ClientTransaction(jain, stack.channel(link), due, new CancelOutcome(this::unknown))
                                .start(due));
        // RFC 3261 section 9.1: without a final response 64 T1 later, the request counts as cancelled.
        jain.wheel().after(jain.transactionTimeout(), this::giveUp);
    }

    private void giveUp() {
        ClientTransaction waiting;
        synchronized (this) {
            waiting = transaction;
        }
        if (!finished.get() && waiting != null) {
            waiting.end();
            timeout();
        }
    }

    /** What is cancelled is not known where it was sent: if that was before this stack was made, no answer will come. */
    private void unknown() {
        if (takenUp) {
            giveUp();
        }
    }

    private static void tell(String what, Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            HANDLER.log(() -> "A handler of SIP responses failed; in=" + what + " cause=" + e);
        }
    }

    /** Acknowledges what is answered again. A 2xx that came at each ACK would go on for ever; it comes after T1 at first. */
    private static final class AckRepeat implements ResponseHandler {
        private final SipStack stack;
        private final Map<String, SentAck> acks;
        private final Destination destination;
        private final long quickest;
        private long sentNanos;

        AckRepeat(SipStack stack, Map<String, SentAck> acks, Destination destination, int t1Millis) {
            this.stack = stack;
            this.destination = destination;
            this.quickest = TimeUnit.MILLISECONDS.toNanos(t1Millis) / 2;
            this.sentNanos = System.nanoTime() - quickest;
            this.acks = Map.copyOf(acks);
        }

        @Override
        public synchronized void onResponse(SIPResponse response) {
            SentAck ack = acks.get(response.getToTag() == null ? "" : response.getToTag());
            if (ack != null && System.nanoTime() - sentNanos >= quickest) {
                sentNanos = System.nanoTime();
                stack.sendAgain(ack, destination);
            }
        }

        @Override
        public void onTimeout() {
            // Of no interest any more.
        }

        @Override
        public void onTransportFailure(String why) {
            // As above.
        }
    }

    /** What else comes of the CANCEL itself is of no interest: the INVITE's own end is. */
    private record CancelOutcome(Runnable unknown) implements ClientTransaction.Outcome {
        @Override
        public void response(SIPResponse response) {
            LOG.debug("A CANCEL was answered; status={}", response.getStatusCode());
            if (response.getStatusCode() == 481) {
                tell("a CANCEL's 481", unknown);
            }
        }

        @Override
        public void timeout() {
            LOG.debug("A CANCEL was not answered");
        }

        @Override
        public void failure(String why) {
            LOG.debug("A CANCEL did not leave; cause={}", why);
        }

        @Override
        public void linkClosed(String why) {
            LOG.debug("A CANCEL lost its connection");
        }
    }
}
