package org.pushbridge.sip;

import java.util.List;
import java.util.Random;

/** Damages texts, the same way for the same seed. One char is one byte. */
public final class Mutator {
    /** What readers of SIP, URIs, SDP, XML and HOCON stumble over. */
    private static final List<String> WORDS = List.of(
            "\r\n",
            "\r\n ",
            "\r\n\r\n",
            "\0",
            "%00",
            "%0d%0a",
            "%",
            "<",
            ">",
            "\"",
            "\\\"",
            ";",
            ",",
            "@",
            ":",
            "=",
            "?",
            "*",
            "[::1]",
            "[",
            "sip:",
            "sips:",
            "tel:+1",
            "urn:x",
            "-1",
            "0",
            "2147483648",
            "4294967296",
            "99999999999999999999",
            ";lr",
            ";tag=",
            ";branch=z9hG4bK",
            ";rport",
            ";maddr=255.255.255.255",
            ";received=",
            ";expires=",
            ";q=",
            ";+sip.instance=\"<urn:uuid:0>\"",
            ";reg-id=1",
            ";pn-prid=",
            ";pn-provider=apns",
            ";pn-param=ABCDE12345.com.example.phone",
            "Require: x\r\n",
            "Contact: *\r\n",
            "Content-Length: 5\r\n",
            "Route: <sip:127.0.0.1;lr>\r\n",
            "\u00c3\u00a4",
            "\u00ff\u00fe",
            "{",
            "}",
            "${x}",
            "<![CDATA[",
            "&#0;");

    private final Random random;

    public Mutator(Random random) {
        this.random = random;
    }

    public <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /** One to six changes; {@code other} is what foreign pieces are taken from. */
    public String damaged(String text, String other) {
        StringBuilder changed = new StringBuilder(text);
        for (int left = 1 + random.nextInt(6); left > 0; left--) {
            change(changed, other);
        }
        return changed.toString();
    }

    private void change(StringBuilder text, String other) {
        if (text.length() == 0) {
            text.append(any(WORDS));
            return;
        }
        int at = random.nextInt(text.length());
        int length = Math.min(text.length() - at, 1 + random.nextInt(random.nextInt(10) == 0 ? 400 : 12));
        switch (random.nextInt(12)) {
            case 0 -> text.setCharAt(at, (char) random.nextInt(256));
            case 1 -> text.setCharAt(at, (char) (text.charAt(at) ^ (1 << random.nextInt(8))));
            case 2 -> text.delete(at, at + length);
            case 3, 4 -> text.insert(at, any(WORDS));
            case 5 -> text.replace(at, at + length, any(WORDS));
            case 6 -> text.insert(at, text.substring(at, at + length));
            case 7 -> text.insert(at, text.substring(at, at + length).repeat(1 + random.nextInt(20)));
            case 8 -> text.insert(at, piece(other));
            case 9 -> line(text, at, true);
            case 10 -> line(text, at, false);
            default -> number(text, at);
        }
        if (text.length() > 12_000) {
            text.setLength(12_000);
        }
    }

    private String piece(String other) {
        if (other.isEmpty()) {
            return "";
        }
        int from = random.nextInt(other.length());
        return other.substring(from, Math.min(other.length(), from + 1 + random.nextInt(80)));
    }

    /** Doubles or removes the line that stands there. */
    private static void line(StringBuilder text, int at, boolean twice) {
        int from = text.lastIndexOf("\n", at) + 1;
        int to = text.indexOf("\n", at);
        if (to < 0 || to < from) {
            return;
        }
        if (twice) {
            text.insert(from, text.substring(from, to + 1));
        } else {
            text.delete(from, to + 1);
        }
    }

    private void number(StringBuilder text, int at) {
        int from = at;
        while (from < text.length() && !Character.isDigit(text.charAt(from))) {
            from++;
        }
        int to = from;
        while (to < text.length() && Character.isDigit(text.charAt(to))) {
            to++;
        }
        if (from < to) {
            text.replace(from, to, any(List.of("0", "-1", "00", "2147483647", "2147483648", "9".repeat(40))));
        }
    }
}
