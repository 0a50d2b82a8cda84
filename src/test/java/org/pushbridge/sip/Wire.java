package org.pushbridge.sip;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes and reads SIP messages as text, one char a byte, without the code under test. */
final class Wire {
    private Wire() {}

    static String message(String firstLine, List<String> headers, String body) {
        return firstLine + "\r\n" + String.join("\r\n", headers) + "\r\nContent-Length: " + body.length() + "\r\n\r\n"
                + body;
    }

    static Optional<String> find(String message, String name) {
        return headers(message, name).stream().findFirst();
    }

    static String header(String message, String name) {
        return find(message, name).orElseThrow(() -> new AssertionError("No " + name + " in:\n" + message));
    }

    static List<String> headers(String message, String name) {
        List<String> found = new ArrayList<>();
        Matcher matcher = Pattern.compile("(?mi)^" + Pattern.quote(name) + "[ \t]*:[ \t]*(.*?)\r?$")
                .matcher(head(message));
        while (matcher.find()) {
            found.add(matcher.group(1).strip());
        }
        return found;
    }

    /** The elements of a header that is a list, however they are spread over lines. */
    static List<String> list(String message, String name) {
        return Pattern.compile(",")
                .splitAsStream(String.join(",", headers(message, name)))
                .map(String::strip)
                .filter(element -> !element.isEmpty())
                .toList();
    }

    private static String head(String message) {
        return message.substring(0, message.indexOf("\r\n\r\n") + 2);
    }

    static String body(String message) {
        return message.substring(message.indexOf("\r\n\r\n") + 4);
    }

    static String firstLine(String message) {
        return message.substring(0, message.indexOf("\r\n"));
    }

    /** The sequence number. */
    static long cseq(String message) {
        String value = header(message, "CSeq");
        return Long.parseLong(value.substring(0, value.indexOf(' ')));
    }

    static String tag(String address) {
        return first(address, ";tag=([^;]+)");
    }

    static String uri(String address) {
        return first(address, "<([^>]+)>");
    }

    static String first(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new AssertionError("No " + pattern + " in: " + text);
        }
        return matcher.group(1);
    }

    /** Credentials for one of the challenges, by MD5 (RFC 7616 section 3.4). */
    static String credentials(List<String> challenges, String user, String password, String method, String uri) {
        return credentials(challenges, user, password, method, uri, 1);
    }

    /** @param count how often the nonce has been used, with this time */
    static String credentials(
            List<String> challenges, String user, String password, String method, String uri, long count) {
        String nc = String.format("%08x", count);
        String challenge = challenges.stream()
                .filter(c -> c.contains("MD5"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("No MD5 in: " + challenges));
        String realm = first(challenge, "realm=\"([^\"]*)\"");
        String nonce = first(challenge, "nonce=\"([^\"]*)\"");
        String response = md5(md5(user + ":" + realm + ":" + password) + ":" + nonce + ":" + nc + ":0a4f113b:auth:"
                + md5(method + ":" + uri));
        return "Digest username=\"" + user + "\", realm=\"" + realm + "\", nonce=\"" + nonce + "\", uri=\"" + uri
                + "\", response=\"" + response + "\", algorithm=MD5, cnonce=\"0a4f113b\", qop=auth, nc=" + nc;
    }

    private static String md5(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
