package org.pushbridge.sip.stack;

import java.util.Map;
import java.util.Optional;

/** A request on its way, as {@link SipStack#send} returned it. Safe for any thread. */
public interface ClientCall {
    /**
     * Cancels an INVITE as RFC 3261 section 9.1 asks: the CANCEL leaves once a provisional response has come, never
     * after the final outcome, on the same way and with the same branch. The outcome still comes to the handler,
     * usually as a 487. Does nothing the second time, for other methods, or when it is too late.
     *
     * @param reason the value of a Reason header (RFC 3326), such as {@code SIP;cause=200;text="Call completed elsewhere"}
     * @throws IllegalArgumentException if the reason is not a Reason header value
     */
    void cancel(Optional<String> reason);

    /**
     * Sends the CANCEL that was asked for once more, over another way: its receiver has lost the connection the INVITE
     * came over and has another. It knows the CANCEL by its branch (RFC 3261 section 9.2). Does nothing before
     * {@link #cancel} and after the final outcome.
     *
     * @param unknown called if the receiver answers that it knows no such INVITE (481): it lost that with the connection.
     *     On transport threads; must not block
     */
    void cancelAgain(Destination newest, Runnable unknown);

    /**
     * Takes the request for answered: its 2xx came with a branch of its own, so that no transaction knew it. Nothing is
     * sent again, and no outcome comes any more. Does nothing after {@link #cancel} and after the final outcome.
     */
    void answered();

    /**
     * What the request was sent for is over, and its handler is told no more. A 2xx to an INVITE that comes yet again, as its
     * ACK was lost, is acknowledged again.
     *
     * @param acks the ACK of each 2xx so far, by the To tag
     * @param destination where they go
     */
    void over(Map<String, SentAck> acks, Destination destination);

    /** The number the request was sent with. */
    long cseq();
}
