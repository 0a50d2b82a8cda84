package org.pushbridge.sip;

import gov.nist.javax.sip.header.RAck;
import gov.nist.javax.sip.header.Require;
import gov.nist.javax.sip.header.RequireList;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.SIPHeaderList;
import gov.nist.javax.sip.header.SIPHeaderNamesCache;
import gov.nist.javax.sip.header.Supported;
import gov.nist.javax.sip.header.SupportedList;
import gov.nist.javax.sip.message.SIPMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.sip.header.ContentLengthHeader;
import javax.sip.header.Header;
import org.pushbridge.call.Content;

/**
 * What a message carries across the bridge: its body, untouched, and every header that is not about one leg alone.
 *
 * <p>Headers cross unless they are listed here, so that extensions nobody has heard of work from end to end. A header
 * object is shared by the messages it crosses into and is never changed; nor is the body.
 */
final class Carried implements Content {
    private static final byte[] NO_BODY = {};

    /** Of a message that came before the bridge was started anew. */
    static final Carried NOTHING = new Carried(List.of(), NO_BODY, Optional.empty());

    /** Option tags that mean the same from end to end through a B2BUA that relays 1xx, PRACK, UPDATE and re-INVITE. */
    static final Set<String> END_TO_END_OPTIONS =
            Set.of("100rel", "199", "timer", "histinfo", "privacy", "norefersub", "early-session", "answermode");

    private static final Set<String> OF_ONE_LEG = Set.of(
            // the dialog and the way a message takes (RFC 3261 section 20)
            "via",
            "route",
            "record-route",
            "path",
            "service-route",
            "from",
            "to",
            "call-id",
            "cseq",
            "contact",
            "max-forwards",
            "content-length",
            "expires",
            "min-expires",
            "timestamp",
            // names a dialog of one leg
            "replaces",
            "join",
            "target-dialog",
            "in-reply-to",
            "rack",
            // credentials
            "authorization",
            "proxy-authorization",
            "www-authenticate",
            "proxy-authenticate",
            "authentication-info",
            "proxy-authentication-info",
            "proxy-require",
            // about the programs at the ends of one leg
            "user-agent",
            "server",
            "feature-caps",
            "supported",
            "require",
            "unsupported",
            // between a carrier's own machines (RFC 7315)
            "p-access-network-info",
            "p-charging-vector",
            "p-charging-function-addresses",
            "p-visited-network-id",
            "p-preferred-identity");

    private static final String OURS = "x-pushbridge-";

    /** What crosses as it is; Supported and Require with the option tags that hold from end to end only. */
    private final List<SIPHeader> headers;

    private final byte[] body;
    private final Optional<RAck> rack;

    private Carried(List<SIPHeader> headers, byte[] body, Optional<RAck> rack) {
        this.headers = headers;
        this.body = body;
        this.rack = rack;
    }

    /**
     * What crosses of a message.
     *
     * @param identityTrusted whether the sender's P-Asserted-Identity and Remote-Party-ID are believed (RFC 3325)
     */
    static Carried of(SIPMessage message, boolean identityTrusted) {
        List<SIPHeader> crossing = new ArrayList<>();
        for (Iterator<SIPHeader> headers = message.getHeaders(); headers.hasNext(); ) {
            SIPHeader header = headers.next();
            String name = SIPHeaderNamesCache.toLowerCase(header.getName());
            if (!OF_ONE_LEG.contains(name)
                    && !name.startsWith(OURS)
                    && (identityTrusted || !isAssertedIdentity(name))
                    && !(header instanceof ContentLengthHeader)) {
                crossing.add(header);
            }
        }
        endToEnd(message, "Supported", Supported::new, new SupportedList()).ifPresent(crossing::add);
        endToEnd(message, "Require", Require::new, new RequireList()).ifPresent(crossing::add);
        byte[] content = message.getRawContent();
        return new Carried(List.copyOf(crossing), content == null ? NO_BODY : content, Optional.ofNullable((RAck)
                message.getHeader("RAck")));
    }

    private static <H extends SIPHeader> Optional<SIPHeader> endToEnd(
            SIPMessage message, String name, Function<String, H> option, SIPHeaderList<H> list) {
        for (String tag : options(message, name)) {
            if (END_TO_END_OPTIONS.contains(tag)) {
                list.add(option.apply(tag));
            }
        }
        return list.isEmpty() ? Optional.empty() : Optional.of(list);
    }

    /** Which provisional response a PRACK acknowledges, in the numbers of the leg it came from (RFC 3262). */
    Optional<RAck> rack() {
        return rack;
    }

    static boolean isAssertedIdentity(String lowerCaseName) {
        return lowerCaseName.equals("p-asserted-identity") || lowerCaseName.equals("remote-party-id");
    }

    Carried without(Predicate<String> lowerCaseName) {
        return new Carried(
                headers.stream()
                        .filter(h -> !lowerCaseName.test(h.getName().toLowerCase(Locale.ROOT)))
                        .toList(),
                body,
                rack);
    }

    /** Whether the sender asks to hide its identity from whoever is not trusted (RFC 3323, RFC 3325 section 9.3). */
    boolean asksForPrivacy() {
        return find("privacy")
                .map(h -> h.encode().toLowerCase(Locale.ROOT))
                .filter(text -> text.contains("id") || text.contains("user"))
                .isPresent();
    }

    /** Whether an SDP body has a video stream (RFC 8866 section 5.14): a push tells it to CallKit. */
    boolean offersVideo() {
        boolean sdp = find("content-type")
                .filter(h -> h.encode().toLowerCase(Locale.ROOT).contains("application/sdp"))
                .isPresent();
        return sdp
                && new String(body, StandardCharsets.UTF_8)
                        .lines()
                        .anyMatch(line -> line.startsWith("m=video ") && !line.startsWith("m=video 0 "));
    }

    Optional<SIPHeader> find(String lowerCaseName) {
        return headers.stream()
                .filter(h -> h.getName().equalsIgnoreCase(lowerCaseName))
                .findFirst();
    }

    /** Puts headers and body into a new message. */
    <M extends SIPMessage> M into(M message) {
        for (SIPHeader header : headers) {
            message.setHeader((Header) header);
        }
        if (body.length > 0) {
            message.setMessageContent(body);
        }
        return message;
    }

    /** The option tags a request requires that the bridge cannot carry: answered 420 (RFC 3261 section 8.2.2.3). */
    static List<String> unsupported(SIPMessage request) {
        List<String> required = options(request, "Require");
        return required.isEmpty()
                ? required
                : required.stream()
                        .filter(tag -> !END_TO_END_OPTIONS.contains(tag))
                        .toList();
    }

    /** The option tags of a Supported, Require or Proxy-Require header, lower case. */
    static List<String> options(SIPMessage message, String headerName) {
        if (message.getHeader(headerName) == null) {
            return List.of();
        }
        List<String> tags = new ArrayList<>();
        for (Iterator<SIPHeader> headers = message.getHeaders(); headers.hasNext(); ) {
            SIPHeader header = headers.next();
            if (!header.getName().equalsIgnoreCase(headerName)) {
                continue;
            }
            List<? extends SIPHeader> each = header instanceof SIPHeaderList<?> list ? list : List.of(header);
            for (SIPHeader one : each) {
                for (String tag : one.getValue().split(",", -1)) {
                    if (!tag.isBlank()) {
                        tags.add(tag.strip().toLowerCase(Locale.ROOT));
                    }
                }
            }
        }
        return tags;
    }
}
