package org.pushbridge.sim.ua;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What a REGISTER says.
 *
 * @param registrar where it goes
 * @param domain of the registrar and the user
 * @param contact with angle brackets and parameters
 * @param callId the same for all of an app's life, or a new one; the registrar must not care
 * @param cseq of the first attempt; the answer to a challenge has one more
 * @param more other headers
 */
public record Registration(
        InetSocketAddress registrar,
        String domain,
        Credentials credentials,
        String contact,
        String callId,
        long cseq,
        Duration expires,
        Map<String, String> more) {
    public Registration {
        more = Map.copyOf(more);
    }

    /** How it comes out; called on the agent's thread. */
    public interface Result {
        /** The REGISTER leaves, without credentials or with them. */
        default void sent(boolean withCredentials) {}

        /** The final response; empty for silence. */
        void ended(Optional<SipMessage> response);
    }

    SipMessage request() {
        String address = "<sip:" + credentials.user() + "@" + domain + ">";
        SipMessage request = SipMessage.request("REGISTER", "sip:" + domain)
                .with("Via", "")
                .with("Max-Forwards", "70")
                .with("From", address + ";tag=" + UserAgent.random())
                .with("To", address)
                .with("Call-ID", callId)
                .with("CSeq", cseq + " REGISTER")
                .with("Contact", contact)
                .with("Expires", Long.toString(expires.toSeconds()))
                .with("Supported", "path, outbound");
        for (Map.Entry<String, String> header : more.entrySet()) {
            request = request.with(header.getKey(), header.getValue());
        }
        return request;
    }
}
