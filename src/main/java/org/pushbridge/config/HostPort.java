package org.pushbridge.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A host of the APNs and its port.
 *
 * @param host a host name or an IP address, without brackets
 * @param port 1 to 65535
 */
public record HostPort(String host, int port) {
    private static final Pattern FORM = Pattern.compile("(?:\\[([0-9A-Fa-f:.]+)\\]|([A-Za-z0-9._-]+)):([0-9]{1,5})");

    /**
     * Reads {@code api.push.apple.com:443}.
     *
     * @throws IllegalArgumentException with the rest of a sentence that began with the key's name
     */
    static HostPort parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches() || Integer.parseInt(form.group(3)) < 1 || Integer.parseInt(form.group(3)) > 65535) {
            throw new IllegalArgumentException(
                    "is \"" + text + "\", which is not host:port; write for example \"api.push.apple.com:443\"");
        }
        return new HostPort(form.group(1) != null ? form.group(1) : form.group(2), Integer.parseInt(form.group(3)));
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
