package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.CSeq;
import gov.nist.javax.sip.header.CallID;
import gov.nist.javax.sip.header.CallIdentifier;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.ContentLength;
import gov.nist.javax.sip.header.ContentType;
import gov.nist.javax.sip.header.From;
import gov.nist.javax.sip.header.MaxForwards;
import gov.nist.javax.sip.header.RecordRoute;
import gov.nist.javax.sip.header.Route;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.To;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.text.ParseException;
import javax.sip.InvalidArgumentException;

/**
 * New messages and headers of JAIN-SIP's, as copies of empty ones: its constructors look up the name of each header in
 * the virtual machine's table of strings, which takes longer than all the rest of them. Safe for any thread.
 */
public final class Blank {
    private static final Request REQUEST = new Request();
    private static final Response RESPONSE = new Response();
    private static final Via VIA = new Via();
    private static final From FROM = new From();
    private static final To TO = new To();
    private static final CallID CALL_ID = new CallID();
    private static final CSeq CSEQ = new CSeq();
    private static final Contact CONTACT = new Contact();
    private static final Route ROUTE = new Route();
    private static final RecordRoute RECORD_ROUTE = new RecordRoute();
    private static final MaxForwards MAX_FORWARDS = new MaxForwards();
    private static final ContentLength CONTENT_LENGTH = new ContentLength();
    private static final ContentType CONTENT_TYPE = new ContentType();

    private Blank() {}

    /** JAIN-SIP's transactions ask each request for identifiers that nothing here uses, and that take it long to make. */
    private static final class Request extends SIPRequest {
        Request() {
            unrecognizedHeaders = null; // made when there is one; clones would share it
        }

        @Override
        public String getTransactionId() {
            return "";
        }

        @Override
        public String getMergeId() {
            return "";
        }
    }

    private static final class Response extends SIPResponse {
        Response() {
            unrecognizedHeaders = null; // as above
        }
    }

    public static SIPRequest request() {
        return (SIPRequest) REQUEST.clone();
    }

    public static SIPResponse response() {
        return (SIPResponse) RESPONSE.clone();
    }

    public static From from() {
        return copy(FROM);
    }

    public static To to() {
        return copy(TO);
    }

    public static Contact contact() {
        return copy(CONTACT);
    }

    public static Route route() {
        return copy(ROUTE);
    }

    public static CallID callId(String value) {
        CallID callId = copy(CALL_ID);
        callId.setCallIdentifier(new CallIdentifier(value, null)); // not torn apart at its @
        return callId;
    }

    /** @throws IllegalArgumentException if the number is negative or too large */
    public static CSeq cseq(long number, String method) {
        CSeq cseq = copy(CSEQ);
        try {
            cseq.setSeqNumber(number);
            cseq.setMethod(method);
        } catch (InvalidArgumentException | ParseException e) {
            throw new IllegalArgumentException(number + " " + method + " is no CSeq", e);
        }
        return cseq;
    }

    /** @throws IllegalArgumentException unless it is from 0 to 255 */
    public static MaxForwards maxForwards(int hops) {
        MaxForwards maxForwards = copy(MAX_FORWARDS);
        try {
            maxForwards.setMaxForwards(hops);
        } catch (InvalidArgumentException e) {
            throw new IllegalArgumentException(hops + " is no Max-Forwards", e);
        }
        return maxForwards;
    }

    static Via via() {
        return copy(VIA);
    }

    static RecordRoute recordRoute() {
        return copy(RECORD_ROUTE);
    }

    static ContentLength contentLength(int bytes) {
        ContentLength length = copy(CONTENT_LENGTH);
        try {
            length.setContentLength(bytes);
        } catch (InvalidArgumentException e) {
            throw new IllegalArgumentException(bytes + " is no Content-Length", e);
        }
        return length;
    }

    static ContentType contentType(String type, String subtype) {
        ContentType made = copy(CONTENT_TYPE);
        made.setContentType(type, subtype);
        return made;
    }

    @SuppressWarnings("unchecked") // A clone is of the same class.
    private static <H extends SIPHeader> H copy(H empty) {
        return (H) empty.clone();
    }
}
