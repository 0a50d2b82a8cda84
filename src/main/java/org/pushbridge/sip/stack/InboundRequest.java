package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.Flow;

/** A request that came in, and the way back to who sent it. Safe for any thread. */
public final class InboundRequest {
    private final Reception reception;
    /** Null while it is folded. */
    private volatile @Nullable SIPRequest message;

    /** Its bytes, once they were asked for. */
    private volatile byte @Nullable [] bytes;

    private final Flow flow;
    private volatile Link back;
    private final Optional<ServerTransaction> transaction;
    private final Optional<InboundRequest> cancelled;
    private final long receivedNanos;
    private volatile @Nullable Object attachment;
    private volatile @Nullable SIPResponse confirmation;

    /** @param receivedNanos when it came in, by {@link System#nanoTime}; 0 if that was before the stack was made */
    InboundRequest(
            Reception reception,
            @Nullable SIPRequest message,
            Flow flow,
            Link back,
            Optional<ServerTransaction> transaction,
            Optional<InboundRequest> cancelled,
            long receivedNanos) {
        this.reception = reception;
        this.message = message;
        this.flow = flow;
        this.back = back;
        this.transaction = transaction;
        this.cancelled = cancelled;
        this.receivedNanos = receivedNanos;
    }

    /** One from before, that waits for its response. */
    static InboundRequest takenUp(
            Reception reception,
            SIPRequest message,
            byte[] bytes,
            Flow flow,
            Link back,
            ServerTransaction transaction) {
        InboundRequest request =
                new InboundRequest(reception, message, flow, back, Optional.of(transaction), Optional.empty(), 0);
        request.bytes = bytes;
        return request;
    }

    /** One from before, that was answered; folded. */
    static InboundRequest takenUp(Reception reception, byte[] bytes, Flow flow, Link back) {
        InboundRequest request = new InboundRequest(reception, null, flow, back, Optional.empty(), Optional.empty(), 0);
        request.bytes = bytes;
        return request;
    }

    /** With received and rport in its top Via, and with a Max-Forwards. Not to be changed; clone it to forward it. */
    public SIPRequest message() {
        SIPRequest known = message;
        if (known == null) {
            known = Reception.parsed(bytes(), flow);
            message = known;
        }
        return known;
    }

    /**
     * Keeps the bytes of the message alone, a fraction of its parsed form, until it is next asked for: for an INVITE that
     * will wait for long.
     */
    public void fold() {
        bytes();
        message = null;
        transaction.ifPresent(ServerTransaction::fold);
    }

    /** Answers a CANCEL that was passed on: 200. Nothing happens the second time. */
    public void confirm() {
        SIPResponse ok = confirmation;
        if (ok != null) {
            respond(ok);
        }
    }

    /** @param ok what {@link #confirm} answers */
    void confirmWith(SIPResponse ok) {
        confirmation = ok;
    }

    /** The message as it stands now, for {@link SipStack#takeUp(byte[], Flow, boolean, Optional)}. */
    public byte[] bytes() {
        byte[] known = bytes;
        if (known == null) {
            known = Encoding.bytes(message(), Transport.of(flow.transport()));
            bytes = known;
        }
        return known;
    }

    /** What it came over; good for requests to whoever sent it, for as long as {@link SipStack#isAlive}. */
    public Flow flow() {
        return flow;
    }

    /** When it came in, by {@link System#nanoTime}; 0 if that was before the stack was made. */
    public long receivedNanos() {
        return receivedNanos;
    }

    /** Whether it is an ACK to a 2xx, or to nothing the stack knows. There is no answering it. */
    public boolean isAck() {
        return message().getMethod().equals("ACK");
    }

    /** For a CANCEL: the INVITE it is for. */
    public Optional<InboundRequest> cancelled() {
        return cancelled;
    }

    /**
     * Sends a response on the way the request came (RFC 3261 section 18.2.2), with a Server header if it has none. The
     * transaction resends it as needed, except a 2xx to INVITE: that is for the caller to do with
     * {@link SipStack#sendStateless}. If the way back is gone, the response is dropped and counted. Never blocks.
     *
     * @return false if the request has had its final response before, or is an ACK; nothing was sent then
     */
    public boolean respond(SIPResponse response) {
        return transaction.isPresent() && reception.respond(transaction.get(), response);
    }

    /** A response as {@link #respond} will send it; it is encoded once. */
    public byte[] encoded(SIPResponse response) {
        return reception.encoded(response, transaction, back);
    }

    /**
     * The same for whoever has not proved to be there: over UDP the response is sent once for each time that the request
     * comes. So an INVITE from an address that is a lie has one response sent there, not eleven; a client that misses it
     * sends its INVITE again. Not for an INVITE that was given a 100.
     */
    public boolean respondOnce(SIPResponse response) {
        return transaction.isPresent() && reception.respondOnce(transaction.get(), response);
    }

    /**
     * The same for a response that costs no more to make again than to remember, such as a challenge: the transaction is
     * over with it, and a copy of the request is a new one (RFC 3261 section 8.2.7). It needs the same To tag each time. Not
     * for an INVITE, whose failures are to be acknowledged.
     */
    public boolean respondAndForget(SIPResponse response) {
        return transaction.isPresent() && reception.respondAndForget(transaction.get(), response);
    }

    /**
     * Sends the last response once more, if the transaction still knows it. For a client that is reached another way
     * now, see {@link SipStack#redirect}.
     */
    public void repeatLastResponse() {
        transaction.ifPresent(ServerTransaction::resendLastResponseAsBytes);
    }

    /** Whether there was a final response. */
    public boolean isAnswered() {
        return transaction.isPresent() && transaction.get().finalStatus() != 0;
    }

    /**
     * Has work done when the final response that was sent has arrived, as far as one can know: when it is acknowledged, or
     * its transaction gives up; at once for a request whose final response is not the transaction's to repeat.
     *
     * @param work on any thread; must not block
     */
    public void whenSettled(Runnable work) {
        if (transaction.isPresent()) {
            transaction.get().whenSettled(work);
        } else {
            work.run();
        }
    }

    /** Whether {@link #whenSettled} would do its work at once. */
    public boolean isSettled() {
        return transaction.isEmpty() || transaction.get().isSettled();
    }

    /** What its responses take now. */
    public Flow way() {
        return back.flow();
    }

    /** A place for the layer above to hang its own on; empty at first. */
    public Optional<Object> attachment() {
        return Optional.ofNullable(attachment);
    }

    public void attach(Object what) {
        attachment = what;
    }

    void moveTo(Link other) {
        back = other;
        transaction.ifPresent(t -> t.moveTo(other));
    }

    Link back() {
        return back;
    }

    @Override
    public String toString() {
        return message().getMethod() + " " + message().getCallId().getCallId() + " from " + flow;
    }
}
