package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.header.AuthenticationHeader;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.message.SIPRequest;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The digest credentials of one Authorization or Proxy-Authorization header. A parameter that is missing or empty is
 * the empty text.
 */
record Credentials(
        String username,
        String realm,
        String nonce,
        String uri,
        String response,
        String algorithm,
        String cnonce,
        String qop,
        String nc) {
    private static final Pattern COUNT = Pattern.compile("[0-9a-fA-F]{8}");
    /** A client sends one for each realm it met on the way; whoever sends more than this is up to something. */
    private static final int MOST_HEADERS = 16;

    /** All digest credentials of the request, in the order they stand. */
    static List<Credentials> of(SIPRequest request, String headerName) {
        List<Credentials> all = new ArrayList<>();
        Iterator<SIPHeader> headers = request.getHeaders(headerName);
        for (int i = 0; i < MOST_HEADERS && headers.hasNext(); i++) {
            if (headers.next() instanceof AuthenticationHeader header
                    && "Digest".equalsIgnoreCase(header.getScheme())) {
                all.add(of(header));
            }
        }
        return all;
    }

    private static Credentials of(AuthenticationHeader header) {
        return new Credentials(
                value(header, "username"),
                value(header, "realm"),
                value(header, "nonce"),
                value(header, "uri"),
                value(header, "response"),
                value(header, "algorithm"),
                value(header, "cnonce"),
                value(header, "qop"),
                value(header, "nc"));
    }

    /** What cannot be checked in these credentials, if anything. */
    Optional<String> fault() {
        if (!qop.equalsIgnoreCase("auth")) {
            return Optional.of("Digest Needs qop=auth");
        }
        if (username.isEmpty() || nonce.isEmpty() || uri.isEmpty() || response.isEmpty() || cnonce.isEmpty()) {
            return Optional.of("Digest Parameter Missing");
        }
        return COUNT.matcher(nc).matches() ? Optional.empty() : Optional.of("Digest nc Is Not Eight Digits");
    }

    /** The nonce count; call only if there is no {@link #fault()}. */
    long count() {
        return Long.parseLong(nc, 16);
    }

    /**
     * JAIN-SIP strips the quotes of a quoted-string but leaves its escapes in; the hash is over the text they stand
     * for (RFC 3261 section 25.1, quoted-pair).
     */
    private static String value(AuthenticationHeader header, String name) {
        String raw = header.getParameter(name, false);
        if (raw == null) {
            return "";
        }
        if (raw.length() < 2 || raw.charAt(0) != '"' || raw.charAt(raw.length() - 1) != '"') {
            return raw;
        }
        StringBuilder text = new StringBuilder(raw.length());
        for (int i = 1; i < raw.length() - 1; i++) {
            char c = raw.charAt(i);
            if (c == '\\' && i + 1 < raw.length() - 1) {
                i++;
                c = raw.charAt(i);
            }
            text.append(c);
        }
        return text.toString();
    }
}
