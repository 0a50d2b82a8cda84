package org.pushbridge.sip.stack;

import java.util.Arrays;
import java.util.List;

/** Words that nearly every message has, so that no new text is made of them each time. */
final class Words {
    private static final int PLACES = 256;
    private static final String[][] KNOWN = new String[PLACES][0];

    static {
        for (String word : List.of(
                "INVITE",
                "ACK",
                "BYE",
                "CANCEL",
                "REGISTER",
                "OPTIONS",
                "PRACK",
                "UPDATE",
                "INFO",
                "REFER",
                "SUBSCRIBE",
                "NOTIFY",
                "MESSAGE",
                "PUBLISH",
                "UDP",
                "TCP",
                "TLS",
                "udp",
                "tcp",
                "tls",
                "branch",
                "rport",
                "received",
                "alias",
                "tag",
                "lr",
                "on",
                "ob",
                "transport",
                "user",
                "phone",
                "expires",
                "application",
                "sdp",
                "OK",
                "Trying",
                "Ringing")) {
            int place = place(word, 0, word.length());
            String[] longer = Arrays.copyOf(KNOWN[place], KNOWN[place].length + 1);
            longer[longer.length - 1] = word;
            KNOWN[place] = longer;
        }
    }

    private Words() {}

    /** The same as {@code text.substring(from, to)}. */
    static String part(String text, int from, int to) {
        if (from == to) {
            return "";
        }
        for (String word : KNOWN[place(text, from, to)]) {
            if (word.length() == to - from && text.startsWith(word, from)) {
                return word;
            }
        }
        return text.substring(from, to);
    }

    private static int place(String text, int from, int to) {
        return (31 * (to - from) + 7 * text.charAt(from) + text.charAt(to - 1)) & (PLACES - 1);
    }
}
