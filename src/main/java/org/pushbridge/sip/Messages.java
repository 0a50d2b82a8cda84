package org.pushbridge.sip;

import gov.nist.javax.sip.address.AddressFactoryImpl;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.Allow;
import gov.nist.javax.sip.header.AllowList;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.From;
import gov.nist.javax.sip.header.HeaderFactoryImpl;
import gov.nist.javax.sip.header.RecordRouteList;
import gov.nist.javax.sip.header.Route;
import gov.nist.javax.sip.header.RouteList;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.To;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import javax.sip.address.Address;
import javax.sip.address.URI;
import javax.sip.header.Header;
import org.pushbridge.sip.stack.Blank;
import org.pushbridge.sip.stack.PlainText;

/** Builds the requests of the bridge's own legs, and reads what JAIN-SIP leaves as text. Safe for any thread. */
final class Messages {
    private static final AddressFactoryImpl ADDRESSES = new AddressFactoryImpl();
    private static final HeaderFactoryImpl HEADERS = new HeaderFactoryImpl();
    static final int MAX_FORWARDS = 70;
    /** Everything a dialog here may carry (RFC 3261 section 20.5). */
    private static final List<String> METHODS = List.of(
            "INVITE",
            "ACK",
            "CANCEL",
            "BYE",
            "OPTIONS",
            "REGISTER",
            "PRACK",
            "UPDATE",
            "INFO",
            "REFER",
            "SUBSCRIBE",
            "NOTIFY",
            "MESSAGE");

    private Messages() {}

    /**
     * A request without Via, which the stack adds.
     *
     * @param from the address as in a From header, without tag
     * @param to the address as in a To header, without tag
     */
    static SIPRequest request(
            String method,
            String requestUri,
            String from,
            String fromTag,
            String to,
            Optional<String> toTag,
            String callId,
            long cseq,
            int maxForwards,
            List<String> routes) {
        try {
            SIPRequest request = Blank.request();
            request.setMethod(method);
            request.setRequestURI(uri(requestUri));
            From fromHeader = Blank.from();
            fromHeader.setAddress(address(from));
            fromHeader.setTag(fromTag);
            request.setFrom(fromHeader);
            To toHeader = Blank.to();
            toHeader.setAddress(address(to));
            if (toTag.isPresent()) {
                toHeader.setTag(toTag.get());
            }
            request.setTo(toHeader);
            request.setCallId(Blank.callId(callId));
            request.setCSeq(Blank.cseq(cseq, method));
            request.setMaxForwards(Blank.maxForwards(maxForwards));
            if (!routes.isEmpty()) {
                RouteList list = new RouteList();
                for (String route : routes) {
                    Route header = Blank.route();
                    header.setAddress(address(route));
                    list.add(header);
                }
                request.setHeader((Header) list);
            }
            return request;
        } catch (ParseException e) {
            throw new IllegalStateException("A " + method + " to " + requestUri + " could not be built", e);
        }
    }

    /** A request inside a dialog, with the dialog's newest sequence number (RFC 3261 section 12.2.1.1). */
    static SIPRequest inDialog(String method, Dialog dialog, long cseq) {
        String requestUri = dialog.remoteTarget();
        List<String> routes = dialog.routes();
        if (!routes.isEmpty() && !isLoose(routes.get(0))) {
            // A strict router of RFC 2543 wants to be in the Request-URI.
            List<String> strict = new ArrayList<>(routes.subList(1, routes.size()));
            strict.add("<" + dialog.remoteTarget() + ">");
            requestUri = address(routes.get(0)).getURI().toString();
            routes = strict;
        }
        return request(
                method,
                requestUri,
                dialog.local(),
                dialog.localTag(),
                dialog.remote(),
                dialog.remoteTag().isEmpty() ? Optional.empty() : Optional.of(dialog.remoteTag()),
                dialog.callId(),
                cseq,
                MAX_FORWARDS,
                routes);
    }

    private static boolean isLoose(String route) {
        return address(route).getURI() instanceof SipUri uri && uri.hasLrParam();
    }

    /** The address of a From or To header as text, without tag and parameters, and without pn-* in its URI. */
    static String party(Address address) {
        Address shown = address;
        if (address.getURI() instanceof SipUri uri
                && uri.getParameterNames().hasNext()
                && hasPushParameters(uri.toString())) {
            shown = (Address) address.clone();
            shown.setURI(uri(withoutPushParameters(uri.toString())));
        }
        String text = shown.toString().strip();
        return text.startsWith("<") || text.startsWith("\"") || text.contains("<") ? text : "<" + text + ">";
    }

    /**
     * A From or To address as text.
     *
     * @param name may be empty; what would break out of its quotes is left out
     * @throws IllegalArgumentException if the URI is none
     */
    static String named(String name, String uri) {
        String bare = "<" + withoutPushParameters(uri) + ">";
        String plain = name.replaceAll("[\\\\\"\\p{Cntrl}]", "").strip();
        return plain.isEmpty() ? bare : "\"" + plain + "\" " + bare;
    }

    static void setBody(SIPMessage message, String type, String body) {
        message.setHeader((Header) header("Content-Type", type));
        message.setMessageContent(body.getBytes(StandardCharsets.UTF_8));
    }

    /** The Record-Route entries as text, topmost first. */
    static List<String> recordRoutes(SIPMessage message) {
        RecordRouteList list = message.getRecordRouteHeaders();
        if (list == null) {
            return List.of();
        }
        List<String> routes = new ArrayList<>();
        for (Iterator<?> each = list.iterator(); each.hasNext(); ) {
            routes.add(party(((gov.nist.javax.sip.header.RecordRoute) each.next()).getAddress()));
        }
        return routes;
    }

    static List<String> reversed(List<String> routes) {
        List<String> copy = new ArrayList<>(routes);
        Collections.reverse(copy);
        return copy;
    }

    /** The URI of the message's Contact, if it has a usable one. */
    static Optional<String> contactUri(SIPMessage message) {
        if (message.getContactHeaders() == null || message.getContactHeader() == null) {
            return Optional.empty();
        }
        Contact contact = message.getContactHeader();
        return contact.getAddress() == null || contact.isWildCard()
                ? Optional.empty()
                : Optional.of(contact.getAddress().getURI().toString());
    }

    static Contact contact(String uri) {
        Contact contact = Blank.contact();
        contact.setAddress(address("<" + uri + ">"));
        return contact;
    }

    /** A Contact URI without pn-* parameters (RFC 8599 section 5.3.1 forbids that they leave). */
    static String withoutPushParameters(String contactUri) {
        if (contactUri.indexOf(';') < 0 || !(uri(contactUri) instanceof SipUri sip)) {
            return contactUri;
        }
        List<String> names = new ArrayList<>();
        for (Iterator<String> each = sip.getParameterNames(); each.hasNext(); ) {
            String name = each.next();
            if (hasPushParameters(";" + name)) {
                names.add(name);
            }
        }
        if (names.isEmpty()) {
            return sip.toString();
        }
        SipUri copy = (SipUri) sip.clone();
        names.forEach(copy::removeParameter);
        return copy.toString();
    }

    /** What a Contact URI says that requests in its dialog may wake its device by (RFC 8599 section 6.1.1). */
    static Optional<String> purr(String contactUri) {
        return uri(contactUri) instanceof SipUri sip
                ? Optional.ofNullable(sip.getParameter("pn-purr"))
                : Optional.empty();
    }

    /** The app-id is that of the dialect older than RFC 8599. */
    private static boolean hasPushParameters(String uri) {
        String lower = uri.toLowerCase(Locale.ROOT);
        return lower.contains(";pn-") || lower.contains(";app-id");
    }

    /** The user part of a SIP URI, with everything escaped that may not stand in it (RFC 3261 section 25.1). */
    static String userPart(String text) {
        StringBuilder escaped = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || "-_.!~*'()&=+$,;?/".indexOf(c) >= 0);
            escaped.append(plain ? String.valueOf(c) : String.format(Locale.ROOT, "%%%02X", (int) c));
        }
        return escaped.toString();
    }

    static URI uri(String text) {
        SipUri plain = PlainText.uri(text);
        if (plain != null) {
            return plain;
        }
        try {
            return ADDRESSES.createURI(text);
        } catch (ParseException e) {
            throw new IllegalArgumentException("'" + text + "' is not a URI", e);
        }
    }

    static Address address(String text) {
        Address plain = PlainText.address(text);
        if (plain != null) {
            return plain;
        }
        try {
            return ADDRESSES.createAddress(text);
        } catch (ParseException e) {
            throw new IllegalArgumentException("'" + text + "' is not a SIP address", e);
        }
    }

    static SIPHeader header(String name, String value) {
        try {
            return (SIPHeader) HEADERS.createHeader(name, value);
        } catch (ParseException e) {
            throw new IllegalArgumentException("'" + value + "' is not a value of " + name, e);
        }
    }

    /** The Allow header. JAIN-SIP reads one method only from text that is not a whole message. */
    static SIPHeader allow() {
        AllowList list = new AllowList();
        METHODS.stream().map(Allow::new).forEach(list::add);
        return list;
    }

    /** A new tag or branch part: 64 random bits. */
    static String token() {
        return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    }
}
