package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.To;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.text.ParseException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes responses. The stack adds the Server header when it sends them. */
public final class Responses {
    private Responses() {}

    /**
     * A response with the request's Via, From, To, Call-ID, CSeq and Timestamp, and its Record-Route where a dialog
     * may begin (RFC 3261 section 8.2.6.2). They share these headers, which are not to be changed any more.
     *
     * @param toTag set unless the request has a To tag already; RFC 3261 asks for one in everything but a 100
     */
    public static SIPResponse create(SIPRequest request, int status, Optional<String> toTag) {
        SIPResponse response = Blank.response();
        try {
            response.setStatusCode(status);
            response.setReasonPhrase(SIPResponse.getReasonPhrase(status));
        } catch (ParseException e) {
            throw new IllegalArgumentException(status + " is no status", e);
        }
        add(response, request.getViaHeaders());
        add(response, (SIPHeader) request.getFrom());
        add(response, withTag((To) request.getTo(), toTag));
        add(response, (SIPHeader) request.getCallId());
        add(response, (SIPHeader) request.getCSeq());
        boolean mayMakeDialog = status > 100 && status < 300 && request.getToTag() == null;
        if (mayMakeDialog && SIPRequest.isDialogCreating(request.getMethod())) {
            add(response, request.getRecordRouteHeaders());
        }
        add(response, (SIPHeader) request.getHeader("Timestamp"));
        return response;
    }

    private static void add(SIPResponse response, @Nullable SIPHeader header) {
        if (header != null) {
            response.addHeader(header);
        }
    }

    /** The same with a reason phrase of one's own. */
    public static SIPResponse create(SIPRequest request, int status, String reason, Optional<String> toTag) {
        SIPResponse response = create(request, status, toTag);
        response.setReasonPhrase(reason);
        return response;
    }

    private static To withTag(To to, Optional<String> tag) {
        if (tag.isEmpty() || to.getTag() != null) {
            return to;
        }
        try {
            To tagged;
            if (to.hasParameters()) {
                tagged = (To) to.clone();
            } else {
                tagged = Blank.to();
                tagged.setAddress(to.getAddress());
            }
            tagged.setTag(tag.get());
            return tagged;
        } catch (ParseException e) {
            throw new IllegalArgumentException("'" + tag.get() + "' cannot be a tag", e);
        }
    }
}
