package org.pushbridge.sip;

import gov.nist.javax.sip.header.SIPHeader;
import java.util.Optional;
import org.pushbridge.call.Verdict;

/** What a Reason header says (RFC 3326). */
final class Reasons {
    private Reasons() {}

    /** The Reason of a CANCEL to a device; a caller that gave up needs none. */
    static Optional<String> towardsDevice(Verdict verdict, AppRules rules) {
        return switch (verdict) {
            case ANSWERED_ELSEWHERE -> Optional.of("SIP;cause=200;text=\"Call completed elsewhere\"");
            // The Linphone SDK knows 600 and not 603, and shows a missed call for what it does not know.
            case DECLINED_ELSEWHERE, DECLINED_HERE ->
                Optional.of("SIP;cause=" + (rules.reason600() ? 600 : 603) + ";text=\"Declined elsewhere\"");
            case CALLER_GAVE_UP, RING_LIMIT, FAILED, HUNG_UP -> Optional.empty();
        };
    }

    /** The Reason of a CANCEL that only tells how a call ended: there is always one. */
    static Optional<String> lateVerdict(Verdict verdict, AppRules rules) {
        return towardsDevice(verdict, rules)
                .or(() -> Optional.of(
                        switch (verdict) {
                            case RING_LIMIT -> "SIP;cause=408;text=\"No answer\"";
                            case FAILED -> "SIP;cause=480;text=\"Call failed\"";
                            default -> "SIP;cause=487;text=\"Caller gave up\"";
                        }));
    }

    /** Why the bridge itself answers with 480: Q.850 cause 19, no answer, or 20, subscriber absent. */
    static Optional<SIPHeader> towardsCaller(Verdict verdict, int status) {
        if (status != 480) {
            return Optional.empty();
        }
        return switch (verdict) {
            case RING_LIMIT -> Optional.of(Messages.header("Reason", "Q.850;cause=19;text=\"No answer\""));
            case FAILED -> Optional.of(Messages.header("Reason", "Q.850;cause=20;text=\"Subscriber absent\""));
            case CALLER_GAVE_UP, ANSWERED_ELSEWHERE, DECLINED_ELSEWHERE, DECLINED_HERE, HUNG_UP -> Optional.empty();
        };
    }
}
