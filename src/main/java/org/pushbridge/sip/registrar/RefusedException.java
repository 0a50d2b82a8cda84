package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.header.SIPHeader;
import java.util.List;
import java.util.Optional;

/** Ends the work on a REGISTER with a final response other than 200. Never leaves this package. */
final class RefusedException extends RuntimeException {
    private final int status;
    private final transient List<SIPHeader> headers;
    private final transient Optional<String> explanation;

    /**
     * @param reason the reason phrase
     * @param explanation a sentence for the Warning header and the log; holds no secret
     * @param headers what the response needs besides
     */
    RefusedException(int status, String reason, Optional<String> explanation, List<? extends SIPHeader> headers) {
        // One is thrown for each REGISTER that a stranger sends: no stack trace.
        super(reason, null, false, false);
        this.status = status;
        this.explanation = explanation;
        this.headers = List.copyOf(headers);
    }

    RefusedException(int status, String reason) {
        this(status, reason, Optional.empty(), List.of());
    }

    RefusedException(int status, String reason, String explanation) {
        this(status, reason, Optional.of(explanation), List.of());
    }

    int status() {
        return status;
    }

    String reason() {
        return String.valueOf(getMessage());
    }

    Optional<String> explanation() {
        return explanation;
    }

    List<SIPHeader> headers() {
        return headers;
    }
}
