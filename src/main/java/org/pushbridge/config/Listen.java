package org.pushbridge.config;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the bridge listens for SIP.
 *
 * @param address an IP address and a port; port 0 lets the system choose a free one
 */
public record Listen(Transport transport, InetSocketAddress address) {
    private static final Pattern FORM = Pattern.compile("([A-Za-z]+):(?:\\[([^\\]]+)\\]|([^:]+)):([0-9]{1,5})");
    private static final Pattern ADDRESS = Pattern.compile("(?:\\[([^\\]]+)\\]|([^:\\[\\]]+)):([0-9]{1,5})");

    /**
     * Reads {@code udp:0.0.0.0:5060} or {@code tcp:[::]:5060}.
     *
     * @throws IllegalArgumentException with the rest of a sentence that began with the key's name
     */
    static Listen parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "is \"" + text
                            + "\", which is not transport:address:port; write for example \"udp:0.0.0.0:5060\" or \"tcp:[::]:5060\"");
        }
        Transport transport;
        switch (form.group(1)) {
            case "udp" -> transport = Transport.UDP;
            case "tcp" -> transport = Transport.TCP;
            default ->
                throw new IllegalArgumentException(
                        "is \"" + text + "\", but the transport must be udp or tcp, not " + form.group(1));
        }
        String host = form.group(2) != null ? form.group(2) : form.group(3);
        int port = Integer.parseInt(form.group(4));
        if (port > 65535) {
            throw new IllegalArgumentException("is \"" + text + "\", but a port is at most 65535");
        }
        return new Listen(transport, new InetSocketAddress(ipAddress(host, text), port));
    }

    /**
     * Reads {@code 0.0.0.0:8443} or {@code [::]:8443}, for what is no SIP.
     *
     * @param example what to write instead, for the sentence
     * @throws IllegalArgumentException with the rest of a sentence that began with the key's name
     */
    static InetSocketAddress parseAddress(String text, String example) {
        Matcher form = ADDRESS.matcher(text);
        if (!form.matches() || Integer.parseInt(form.group(3)) > 65535) {
            throw new IllegalArgumentException(
                    "is \"" + text + "\", which is not address:port; write for example " + example);
        }
        String host = form.group(1) != null ? form.group(1) : form.group(2);
        return new InetSocketAddress(ipAddress(host, text), Integer.parseInt(form.group(3)));
    }

    private static InetAddress ipAddress(String host, String text) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        if (bytes == null) {
            throw new IllegalArgumentException("is \"" + text + "\", but " + host
                    + " is not an IP address of this machine; write 0.0.0.0 or [::] for all of them");
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("An address of " + bytes.length + " bytes was refused", e);
        }
    }

    @Override
    public String toString() {
        String host = NetUtil.toAddressString(address.getAddress());
        return transport + ":" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
