package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.parser.URLParser;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.sip.address.URI;
import org.pushbridge.device.Aor;
import org.pushbridge.sip.stack.PlainText;

/** Reads and compares the addresses in SIP messages. */
public final class Addresses {
    private static final String INSTANCE = "instance:";
    /** In bytes. */
    private static final int LONGEST_INSTANCE = 200;

    /** In the order of the alphabet; a device without instance or token is known by a hash over all of it. */
    private static final List<String> DECISIVE_PARAMETERS = List.of("maddr", "method", "transport", "ttl", "user");

    private Addresses() {}

    /**
     * The address of record a SIP or SIPS URI names, in the one form under which users are looked up: escapes
     * resolved, password, port and parameters left out (RFC 3261 section 10.3, step 5).
     *
     * @return empty for another scheme, or without a user
     */
    public static Optional<Aor> aor(URI uri) {
        if (!(uri instanceof SipUri sip) || sip.getUser() == null || sip.getHost() == null) {
            return Optional.empty();
        }
        String user = unescaped(sip.getUser());
        boolean usable =
                !user.isEmpty() && !sip.getHost().isEmpty() && user.chars().noneMatch(Character::isISOControl);
        return usable ? Optional.of(new Aor(user, sip.getHost())) : Optional.empty();
    }

    /** The identity of the device whose {@code +sip.instance} (RFC 5626) this Contact carries, if it does. */
    public static Optional<String> instanceIdentity(Contact contact) {
        return instance(contact).map(Addresses::identityOfInstance);
    }

    /** {@code +sip.instance}, lower case, without brackets. */
    static Optional<String> instance(Contact contact) {
        String value = contact.getParameter("+sip.instance");
        if (value == null) {
            return Optional.empty();
        }
        String instance = withoutBrackets(value).toLowerCase(Locale.ROOT);
        return instance.isEmpty() || instance.getBytes(StandardCharsets.UTF_8).length > LONGEST_INSTANCE
                ? Optional.empty()
                : Optional.of(instance);
    }

    private static String withoutBrackets(String text) {
        String stripped = text.strip();
        int from = stripped.startsWith("<") ? 1 : 0;
        int to = stripped.endsWith(">") ? stripped.length() - 1 : stripped.length();
        return from >= to ? "" : stripped.substring(from, to).strip();
    }

    static String identityOfInstance(String instance) {
        return INSTANCE + instance;
    }

    static boolean isInstance(String identity) {
        return identity.startsWith(INSTANCE);
    }

    /** Whether the host of a URI is this very IP address, however it is written. Looks up no names. */
    public static boolean isAddress(String host, InetAddress address) {
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(bare);
        return bytes != null && Arrays.equals(bytes, address.getAddress());
    }

    /** What counts as one place: an IPv4 address, or the /64 that one IPv6 subscriber has at least. */
    static String place(InetAddress address) {
        byte[] bytes = address.getAddress();
        return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 8));
    }

    /** Whether both count as one place. */
    static boolean isSamePlace(InetAddress one, InetAddress other) {
        byte[] a = one.getAddress();
        byte[] b = other.getAddress();
        return Arrays.equals(a, 0, Math.min(a.length, 8), b, 0, Math.min(b.length, 8));
    }

    /** A SIP or SIPS URI with a host; empty if it is none. */
    public static Optional<SipUri> sipUri(String text) {
        SipUri plain = PlainText.uri(text);
        if (plain != null) {
            return Optional.of(plain);
        }
        try {
            SipUri uri = new URLParser(text).sipURL(true);
            return uri.getHost() == null ? Optional.empty() : Optional.of(uri);
        } catch (ParseException | RuntimeException unreadable) {
            // The parser runs off its buffer, among others, for some texts.
            return Optional.empty();
        }
    }

    /**
     * Whether both name the same scheme, user, host and port. Laxer than RFC 3261 section 19.1.4: parameters do not
     * count, and a missing port is the default one.
     */
    static boolean sameResource(SipUri one, SipUri other) {
        return userAtHost(one).equals(userAtHost(other)) && portOf(one) == portOf(other);
    }

    /**
     * A text that is equal for two Contact URIs that count as the same binding: those parts that always have to match
     * (RFC 3261 section 19.1.4). Parameters that may be missing on one side, pn-* among them, are left out.
     */
    static String contactKey(SipUri uri) {
        StringBuilder key = new StringBuilder(userAtHost(uri)).append(':').append(uri.getPort());
        String before = "{";
        for (String name : DECISIVE_PARAMETERS) {
            String value = uri.getParameter(name);
            if (value != null) {
                key.append(before).append(name).append('=').append(value.toLowerCase(Locale.ROOT));
                before = ", ";
            }
        }
        return key.append(before.equals("{") ? "{}" : "}").toString();
    }

    private static String userAtHost(SipUri uri) {
        String user = uri.getUser() == null ? "" : unescaped(uri.getUser());
        return uri.getScheme().toLowerCase(Locale.ROOT) + ":" + user + "@"
                + uri.getHost().toLowerCase(Locale.ROOT);
    }

    private static int portOf(SipUri uri) {
        if (uri.getPort() > 0) {
            return uri.getPort();
        }
        return uri.isSecure() ? 5061 : 5060;
    }

    private static String unescaped(String text) {
        if (text.indexOf('%') < 0) {
            return text;
        }
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException brokenEscape) {
            return text;
        }
    }
}
