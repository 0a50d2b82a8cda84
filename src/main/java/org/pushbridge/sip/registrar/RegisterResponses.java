package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.ExtensionHeaderImpl;
import gov.nist.javax.sip.header.MinExpires;
import gov.nist.javax.sip.header.Require;
import gov.nist.javax.sip.header.RetryAfter;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.Warning;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.security.SecureRandom;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import javax.sip.InvalidArgumentException;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.sip.stack.Responses;

/** Writes the answers to REGISTER. */
final class RegisterResponses {
    private static final Duration RETRY_AFTER_STORE_FAILURE = Duration.ofSeconds(10);

    /** Those of RFC 8599, and those of the dialect before it that tell the token. */
    private static final List<String> PUSH_PARAMETERS =
            List.of("pn-provider", "pn-param", "pn-prid", "pn-purr", "pn-type", "app-id", "pn-tok");

    /** RFC 3261 section 20.17. */
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /** In every 200; never changed. */
    private static final SIPHeader SUPPORTED = header("Supported", "path, outbound");

    private final SecureRandom random = new SecureRandom();
    private final String secret = UUID.randomUUID().toString();

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
        String contacts = contacts(devices, own, now);
        if (!contacts.isEmpty()) {
            add(response, header("Contact", contacts));
        }
        Iterator<SIPHeader> path = request.getHeaders("Path");
        while (path.hasNext()) {
            add(response, (SIPHeader) path.next().clone());
        }
        add(response, SUPPORTED);
        if (outbound) {
            add(response, new Require("outbound"));
        }
        if (!featureCaps.isEmpty()) {
            add(response, header("Feature-Caps", String.join(", ", featureCaps)));
        }
        add(response, header("Date", DATE.format(now)));
        return response;
    }

    private static String contacts(List<Device> devices, List<Device> own, Instant now) {
        StringBuilder contacts = new StringBuilder();
        for (Device device : devices) {
            for (Binding binding : device.bindings()) {
                if (binding.isLiveAt(now)) {
                    contacts.append(contacts.isEmpty() ? "" : ", ");
                    write(contacts, binding, own.contains(device), now);
                }
            }
        }
        return contacts.toString();
    }

    SIPResponse refused(SIPRequest request, RefusedException refused) {
        SIPResponse response = refused.status() == 401
                ? Responses.create(request, 401, refused.reason(), Optional.of(sameTag(request)))
                : response(request, refused.status(), refused.reason());
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
        byte[] tag = new byte[8];
        random.nextBytes(tag);
        return Responses.create(
                request, status, reason, Optional.of(HexFormat.of().formatHex(tag)));
    }

    /** A user's other devices see the Contact but not the token in it (RFC 8599 section 14). */
    private static void write(StringBuilder contacts, Binding binding, boolean own, Instant now) {
        contacts.append('<')
                .append(own ? binding.contact() : withoutPush(binding.contact()))
                .append('>')
                .append(binding.contactParameters());
        if (binding.q() < 1000) {
            contacts.append(";q=0.").append(String.format("%03d", binding.q()));
        }
        contacts.append(";expires=")
                .append(Duration.between(now, binding.expiresAt())
                        .plusMillis(999)
                        .toSeconds());
    }

    private static String withoutPush(String contact) {
        SipUri uri = (SipUri) Addresses.sipUri(contact)
                .orElseThrow(() -> new IllegalStateException("A stored Contact was a SIP URI when it was accepted"))
                .clone();
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

    /** A challenge is not remembered, and one that is given again is to have the same tag (RFC 3261 section 8.2.7). */
    private String sameTag(SIPRequest request) {
        return DigestAlgorithm.SHA_256
                .hash(secret + request.getCallId().getCallId() + ' ' + request.getFromTag())
                .substring(0, 16);
    }

    private static ExtensionHeaderImpl header(String name, String value) {
        ExtensionHeaderImpl header = new ExtensionHeaderImpl(name);
        header.setValue(value);
        return header;
    }

    private static void add(SIPResponse response, SIPHeader header) {
        response.addHeader(header);
    }
}
