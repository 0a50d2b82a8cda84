package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.text.ParseException;
import java.util.Optional;

/** Makes responses. The stack adds the Server header when it sends them. */
public final class Responses {
    private Responses() {}

    /**
     * A response with the request's Via, From, To, Call-ID, CSeq and Timestamp, and its Record-Route where a dialog
     * may begin (RFC 3261 section 8.2.6.2). The request is not changed.
     *
     * @param toTag set unless the request has a To tag already; RFC 3261 asks for one in everything but a 100
     */
    public static SIPResponse create(SIPRequest request, int status, Optional<String> toTag) {
        SIPResponse response = request.createResponse(status);
        toTag.filter(tag -> request.getToTag() == null).ifPresent(tag -> setToTag(response, tag));
        return response;
    }

    /** The same with a reason phrase of one's own. */
    public static SIPResponse create(SIPRequest request, int status, String reason, Optional<String> toTag) {
        SIPResponse response = create(request, status, toTag);
        response.setReasonPhrase(reason);
        return response;
    }

    private static void setToTag(SIPResponse response, String tag) {
        try {
            response.getTo().setTag(tag);
        } catch (ParseException e) {
            throw new IllegalArgumentException("'" + tag + "' cannot be a tag", e);
        }
    }
}
