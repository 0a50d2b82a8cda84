package org.pushbridge.sip;

import gov.nist.javax.sip.header.SIPHeader;
import java.util.Optional;
import org.pushbridge.call.Verdict;

/** What a Reason header says (RFC 3326). */
final class Reasons {
    private Reasons() {}

    /** The Reason of a CANCEL to a device; a caller that gave up needs none. */
    static Optional<String> towardsDevice(Verdict verdict) {
        return switch (verdict) {
            case ANSWERED_ELSEWHERE -> Optional.of("SIP;cause=200;text=\"Call completed elsewhere\"");
            case DECLINED_ELSEWHERE -> Optional.of("SIP;cause=603;text=\"Declined elsewhere\"");
            case CALLER_GAVE_UP, RING_LIMIT, FAILED -> Optional.empty();
        };
    }

    /** Why the bridge itself answers with 480: Q.850 cause 19, no answer, or 20, subscriber absent. */
    static Optional<SIPHeader> towardsCaller(Verdict verdict, int status) {
        if (status != 480) {
            return Optional.empty();
        }
        return switch (verdict) {
            case RING_LIMIT -> Optional.of(Messages.header("Reason", "Q.850;cause=19;text=\"No answer\""));
            case FAILED -> Optional.of(Messages.header("Reason", "Q.850;cause=20;text=\"Subscriber absent\""));
            case CALLER_GAVE_UP, ANSWERED_ELSEWHERE, DECLINED_ELSEWHERE -> Optional.empty();
        };
    }
}
