package org.pushbridge.device;

import java.util.Locale;

/**
 * An address of record (RFC 3261 section 6): the SIP address a user is called at.
 *
 * <p>The user part is compared as it stands, the host part without regard to case (RFC 3261 section 19.1.4).
 *
 * @param user the user part, never empty
 * @param host the domain, lower case
 */
public record Aor(String user, String host) implements Comparable<Aor> {
    public Aor {
        if (user.isEmpty() || host.isEmpty()) {
            throw new IllegalArgumentException(
                    "An address of record needs a user and a domain, such as sip:alice@example.com");
        }
        host = host.toLowerCase(Locale.ROOT);
    }

    /**
     * Reads {@code alice@example.com}, {@code sip:alice@example.com} or {@code sips:alice@example.com}.
     *
     * @throws IllegalArgumentException with a sentence that shows a good one
     */
    public static Aor parse(String text) {
        String bare = text.strip();
        String lower = bare.toLowerCase(Locale.ROOT);
        if (lower.startsWith("sip:")) {
            bare = bare.substring(4);
        } else if (lower.startsWith("sips:")) {
            bare = bare.substring(5);
        }
        int at = bare.indexOf('@');
        if (at <= 0
                || at == bare.length() - 1
                || bare.indexOf('@', at + 1) >= 0
                || bare.chars().anyMatch(c -> c <= ' ' || c == '<' || c == '>' || c == ';' || c == 0x7f)) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not an address of record; write it as alice@example.com");
        }
        return new Aor(bare.substring(0, at), bare.substring(at + 1));
    }

    @Override
    public int compareTo(Aor other) {
        int byHost = host.compareTo(other.host);
        return byHost != 0 ? byHost : user.compareTo(other.user);
    }

    /** The SIP URI, {@code sip:alice@example.com}. */
    @Override
    public String toString() {
        return "sip:" + user + "@" + host;
    }
}
