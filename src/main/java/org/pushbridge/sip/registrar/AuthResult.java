package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.header.AuthenticationHeader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.pushbridge.device.User;

/** What came of asking who sent a request. */
public sealed interface AuthResult {
    /** The sender knows this user's password. Whether the user may do what is asked is the caller's to decide. */
    record Authenticated(User user) implements AuthResult {}

    /**
     * The sender has yet to prove it: answer with {@code status} and these headers.
     *
     * @param status 401 or 407
     * @param headers one challenge for each algorithm, best first; each is a header of its own
     * @param stale whether the password was right and only the nonce was not, so that the client need not ask
     */
    record Challenged(int status, List<AuthenticationHeader> headers, boolean stale) implements AuthResult {
        public Challenged {
            headers = List.copyOf(headers);
        }
    }

    /**
     * The credentials cannot be checked at all.
     *
     * @param status the status code to answer with
     * @param reason the reason phrase, for whoever reads the client's log
     * @param retryAfter when to try again, if that would help
     */
    record Refused(int status, String reason, Optional<Duration> retryAfter) implements AuthResult {
        Refused(int status, String reason) {
            this(status, reason, Optional.empty());
        }

        /** The value of Retry-After, in whole seconds, at least one. */
        public Optional<String> retryAfterSeconds() {
            return retryAfter.map(
                    time -> Long.toString(Math.max(1, time.plusMillis(999).toSeconds())));
        }
    }
}
