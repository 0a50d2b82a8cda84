package org.pushbridge.sip.stack;

import java.util.Optional;

/**
 * What is wrong with a message, and what a request with this fault is answered.
 *
 * @param status of the answer; the reason is its reason phrase and must be plain text
 * @param explanation a sentence for a Warning header, plain text without quotes
 */
record Fault(int status, String reason, Optional<String> explanation) {
    Fault(int status, String reason) {
        this(status, reason, Optional.empty());
    }

    /** A 400 with a Warning, for whoever reads the sender's log. */
    static Fault bad(String reason, String explanation) {
        return new Fault(400, reason, Optional.of(explanation));
    }
}
