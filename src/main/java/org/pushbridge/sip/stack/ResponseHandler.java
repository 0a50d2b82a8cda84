package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPResponse;

/**
 * What becomes of a request that was sent. Called on transport or timer threads; must not block.
 *
 * <p>After any number of provisional responses comes exactly one final outcome: a final response, a timeout or a
 * transport failure. After a 2xx to an INVITE, and for 64 T1 (RFC 6026's Timer M), further 2xx come here too: resent
 * ones (same To tag: resend the ACK) and those of other forks (another To tag: ACK and BYE). No ACK to a 2xx is sent
 * by the stack; ACKs to other final responses are.
 */
public interface ResponseHandler {
    /** For a request that nothing hangs on. */
    ResponseHandler NOBODY_CARES = new ResponseHandler() {
        @Override
        public void onResponse(SIPResponse response) {}

        @Override
        public void onTimeout() {}

        @Override
        public void onTransportFailure(String why) {}
    };

    void onResponse(SIPResponse response);

    /** No final response within 64 T1 (RFC 3261 Timers B and F), or within 64 T1 of the CANCEL (section 9.1). */
    void onTimeout();

    /** The request did not leave, or the connection its response would have come over is gone. */
    void onTransportFailure(String why);
}
