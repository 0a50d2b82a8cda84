package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPResponse;
import org.pushbridge.device.Flow;

/**
 * What the stack tells the layer above. Called on transport threads, several at once; must not block. Messages of one
 * peer and transport come in the order they arrived, on one thread.
 *
 * <p>What is thrown here is logged and, for a request, answered 500; the receiving thread lives on.
 */
public interface SipEvents {
    /**
     * A request that passed every check. Each comes once: retransmissions, merged requests, ACKs to failures and
     * CANCELs that match nothing are dealt with below. These come with something to mind:
     *
     * <ul>
     *   <li>an ACK ({@link InboundRequest#isAck()}) is to a 2xx or to nothing the stack knows, and cannot be answered;
     *   <li>a CANCEL ({@link InboundRequest#cancelled()}) is answered by {@link InboundRequest#confirm()}, and
     *       then the INVITE is to end with 487. It is not passed on once the INVITE has its final response.
     * </ul>
     */
    void onRequest(InboundRequest request);

    /**
     * A REGISTER that has come, before anything is spent on it. Not asked for one that was taken before and is sent again.
     *
     * @return 0 to take it; else it is refused with 503, and this is after how many seconds it is to come again
     */
    default int comeBackAfter(UnreadRequest register) {
        return 0;
    }

    /** A 2xx to an INVITE that no {@link ResponseHandler} waits for any more; ACK it, or it will be resent. */
    void onStrayResponse(SIPResponse response, Flow flow);

    /** A connection, accepted or opened, is closed: bindings on this flow cannot be reached. Once each. */
    void onFlowClosed(Flow flow);
}
