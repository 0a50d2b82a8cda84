package org.pushbridge.config;

import io.netty.util.NetUtil;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a trunk takes calls.
 *
 * @param host an IP address, without brackets, or a host name
 * @param port 1 to 65535
 */
public record Destination(String host, int port, Transport transport) {
    private static final Pattern FORM =
            Pattern.compile("sip:(?:\\[([^\\]]+)\\]|([A-Za-z0-9.-]+))(?::([0-9]{1,5}))?(?:;transport=([A-Za-z]+))?");

    /**
     * Reads {@code sip:host:port;transport=udp}; port 5060 and UDP where they are left out.
     *
     * @throws IllegalArgumentException with the rest of a sentence that began with the key's name
     */
    static Destination parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches() || (form.group(1) != null && !NetUtil.isValidIpV6Address(form.group(1)))) {
            throw new IllegalArgumentException(
                    "is \"" + text
                            + "\", which is not a SIP address of a host; write for example \"sip:192.0.2.7:5060;transport=udp\"");
        }
        int port = form.group(3) == null ? 5060 : Integer.parseInt(form.group(3));
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("is \"" + text + "\", but a port is from 1 to 65535");
        }
        Transport transport;
        switch (form.group(4) == null ? "udp" : form.group(4).toLowerCase(Locale.ROOT)) {
            case "udp" -> transport = Transport.UDP;
            case "tcp" -> transport = Transport.TCP;
            default ->
                throw new IllegalArgumentException(
                        "is \"" + text + "\", but the transport must be udp or tcp, not " + form.group(4));
        }
        return new Destination(form.group(1) != null ? form.group(1) : form.group(2), port, transport);
    }

    @Override
    public String toString() {
        return "sip:" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port + ";transport=" + transport;
    }
}
