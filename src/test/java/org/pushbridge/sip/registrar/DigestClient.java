package org.pushbridge.sip.registrar;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a client does with a challenge (RFC 7616 section 3.4), written from the RFC and not from the server. */
final class DigestClient {
    private final String user;
    private final String password;
    private int count;

    DigestClient(String user, String password) {
        this.user = user;
        this.password = password;
    }

    /** Credentials for a challenge, {@code Digest realm=...}, with the next nonce count. */
    String answer(String challenge, String method, String uri) {
        count++;
        return answer(challenge, method, uri, String.format("%08x", count));
    }

    String answer(String challenge, String method, String uri, String nc) {
        String realm = parameter(challenge, "realm");
        String nonce = parameter(challenge, "nonce");
        String algorithm = parameter(challenge, "algorithm");
        String ha1 = hash(algorithm, user + ":" + realm + ":" + password);
        String ha2 = hash(algorithm, method + ":" + uri);
        String response = hash(algorithm, ha1 + ":" + nonce + ":" + nc + ":0a4f113b:auth:" + ha2);
        return "Digest username=\"" + user.replace("\\", "\\\\").replace("\"", "\\\"") + "\", realm=\"" + realm
                + "\", nonce=\"" + nonce + "\", uri=\"" + uri + "\", response=\"" + response + "\", algorithm="
                + algorithm + ", cnonce=\"0a4f113b\", qop=auth, nc=" + nc;
    }

    static String parameter(String challenge, String name) {
        Matcher matcher = Pattern.compile("\\b" + name + "=\"?([^\",]*)").matcher(challenge);
        if (!matcher.find()) {
            throw new AssertionError("No " + name + " in: " + challenge);
        }
        return matcher.group(1);
    }

    private static String hash(String algorithm, String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance(algorithm).digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
