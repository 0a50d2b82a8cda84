package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.ExtensionHeaderImpl;
import gov.nist.javax.sip.header.MinExpires;
import gov.nist.javax.sip.header.Require;
import gov.nist.javax.sip.header.RetryAfter;
import gov.nist.javax.sip.header.SIPDateHeader;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.Supported;
import gov.nist.javax.sip.header.Warning;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.security.SecureRandom;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.GregorianCalendar;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.sip.InvalidArgumentException;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;

/** Writes the answers to REGISTER. */
final class RegisterResponses {
    private static final Duration RETRY_AFTER_STORE_FAILURE = Duration.ofSeconds(10);

    /** Those of RFC 8599, and those of the dialect before it that tell the token. */
    private static final List<String> PUSH_PARAMETERS =
            List.of("pn-provider", "pn-param", "pn-prid", "pn-purr", "pn-type", "app-id", "pn-tok");

    private final SecureRandom random = new SecureRandom();

    /**
     * The 200 of RFC 3261 section 10.3 step 8.
     *
     * @param devices whose bindings it lists
     * @param own those of them that sent the request; only their tokens are shown
     * @param featureCaps the values of Feature-Caps, none for none
     * @param outbound whether the binding follows RFC 5626, which the client has to know
     */
    SIPResponse accepted(
            SIPRequest request,
            List<Device> devices,
            List<Device> own,
            List<String> featureCaps,
            boolean outbound,
            Instant now) {
        SIPResponse response = response(request, 200, "OK");
        String contacts = devices.stream()
                .flatMap(d ->
                        d.bindings().stream().filter(b -> b.isLiveAt(now)).map(b -> contact(b, own.contains(d), now)))
                .collect(Collectors.joining(", "));
        if (!contacts.isEmpty()) {
            add(response, parsed("Contact: " + contacts));
        }
        Iterator<SIPHeader> path = request.getHeaders("Path");
        while (path.hasNext()) {
            add(response, (SIPHeader) path.next().clone());
        }
        add(response, new Supported("path"));
        add(response, new Supported("outbound"));
        if (outbound) {
            add(response, new Require("outbound"));
        }
        if (!featureCaps.isEmpty()) {
            ExtensionHeaderImpl header = new ExtensionHeaderImpl("Feature-Caps");
            header.setValue(String.join(", ", featureCaps));
            add(response, header);
        }
        SIPDateHeader date = new SIPDateHeader();
        date.setDate(GregorianCalendar.from(ZonedDateTime.ofInstant(now, ZoneOffset.UTC)));
        add(response, date);
        return response;
    }

    SIPResponse refused(SIPRequest request, RefusedException refused) {
        SIPResponse response = response(request, refused.status(), refused.reason());
        refused.headers().forEach(header -> add(response, header));
        refused.explanation()
                .or(() -> refused.status() == 400 ? Optional.of(refused.reason()) : Optional.empty())
                .ifPresent(text -> add(response, warning(text)));
        return response;
    }

    SIPResponse notStored(SIPRequest request) {
        SIPResponse response = response(request, 500, "Registration Could Not Be Stored");
        add(response, retryAfter(RETRY_AFTER_STORE_FAILURE));
        return response;
    }

    static RetryAfter retryAfter(Duration time) {
        RetryAfter header = new RetryAfter();
        try {
            header.setRetryAfter((int) Math.max(1, time.plusMillis(999).toSeconds()));
        } catch (InvalidArgumentException e) {
            throw new IllegalStateException("A second or more can be waited", e);
        }
        return header;
    }

    static MinExpires minExpires(Duration least) {
        MinExpires header = new MinExpires();
        try {
            header.setExpires((int) least.toSeconds());
        } catch (InvalidArgumentException e) {
            throw new IllegalStateException("Settings hold no negative times", e);
        }
        return header;
    }

    private SIPResponse response(SIPRequest request, int status, String reason) {
        SIPResponse response = request.createResponse(status, reason);
        try {
            if (response.getToTag() == null) {
                byte[] tag = new byte[8];
                random.nextBytes(tag);
                response.getTo().setTag(HexFormat.of().formatHex(tag));
            }
        } catch (ParseException e) {
            throw new IllegalStateException("Hexadecimal digits make a tag", e);
        }
        return response;
    }

    /** A user's other devices see the Contact but not the token in it (RFC 8599 section 14). */
    private static String contact(Binding binding, boolean own, Instant now) {
        String uri = own ? binding.contact() : withoutPush(binding.contact());
        long left = Duration.between(now, binding.expiresAt()).plusMillis(999).toSeconds();
        String q = binding.q() == 1000 ? "" : ";q=0." + String.format("%03d", binding.q());
        return "<" + uri + ">" + binding.contactParameters() + q + ";expires=" + left;
    }

    private static String withoutPush(String contact) {
        SipUri uri = Addresses.sipUri(contact)
                .orElseThrow(() -> new IllegalStateException("A stored Contact was a SIP URI when it was accepted"));
        PUSH_PARAMETERS.forEach(uri::removeParameter);
        return uri.toString();
    }

    /** Code 399: text for a person (RFC 3261 section 20.43). */
    private static Warning warning(String text) {
        Warning warning = new Warning();
        try {
            warning.setCode(399);
            warning.setAgent("pushbridge");
            warning.setText(text);
        } catch (ParseException | InvalidArgumentException e) {
            throw new IllegalStateException("399 and a sentence make a warning", e);
        }
        return warning;
    }

    private static SIPHeader parsed(String header) {
        try {
            return StringMsgParser.parseSIPHeader(header);
        } catch (ParseException e) {
            // No cause: its message would show the header, and with it the token.
            throw new IllegalStateException("What was read from a Contact cannot be written as one");
        }
    }

    private static void add(SIPResponse response, SIPHeader header) {
        response.addHeader(header);
    }
}
