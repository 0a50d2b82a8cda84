package org.pushbridge.sim.ua;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A user name and password, and how they answer a digest challenge (RFC 7616, RFC 8760).
 *
 * @param algorithms those the user agent knows, in no order: it takes the first challenge that it can answer
 */
public record Credentials(String user, String password, List<String> algorithms) {
    public static final String MD5 = "MD5";
    public static final String SHA_256 = "SHA-256";

    public Credentials {
        algorithms = List.copyOf(algorithms);
    }

    /** A user agent of today, which knows both algorithms. */
    public static Credentials of(String user, String password) {
        return new Credentials(user, password, List.of(MD5, SHA_256));
    }

    /** The request with the answer to the challenge of a 401 or 407; empty if it holds none that can be answered. */
    Optional<SipMessage> answer(SipMessage request, SipMessage challenge) {
        boolean proxy = challenge.status() == 407;
        return challenges(challenge.headers(proxy ? "Proxy-Authenticate" : "WWW-Authenticate")).stream()
                .filter(c -> algorithms.contains(algorithm(c)))
                .findFirst()
                .map(c -> request.set(proxy ? "Proxy-Authorization" : "Authorization", authorization(request, c)));
    }

    /** Puts challenges together again: the commas inside one look like those between two. */
    private static List<String> challenges(List<String> parts) {
        List<String> challenges = new ArrayList<>();
        for (String part : parts) {
            if (part.regionMatches(true, 0, "Digest ", 0, 7)) {
                challenges.add(part);
            } else if (!challenges.isEmpty()) {
                challenges.set(challenges.size() - 1, challenges.get(challenges.size() - 1) + ", " + part);
            }
        }
        return challenges;
    }

    private static String algorithm(String challenge) {
        return field(challenge, "algorithm").orElse(MD5).toUpperCase(Locale.ROOT);
    }

    private static Optional<String> field(String challenge, String name) {
        Matcher matcher = Pattern.compile(
                        "(?:^|[\\s,])" + name + "\\s*=\\s*(?:\"([^\"]*)\"|([^\\s,]+))", Pattern.CASE_INSENSITIVE)
                .matcher(challenge);
        if (!matcher.find()) {
            return Optional.empty();
        }
        return Optional.ofNullable(matcher.group(1)).or(() -> Optional.of(matcher.group(2)));
    }

    private String authorization(SipMessage request, String challenge) {
        String algorithm = algorithm(challenge);
        String realm = field(challenge, "realm").orElse("");
        String nonce = field(challenge, "nonce").orElse("");
        boolean qop = field(challenge, "qop")
                .filter(q -> List.of(q.split("[,\\s]+")).contains("auth"))
                .isPresent();
        String cnonce = UUID.randomUUID().toString().substring(0, 8);
        String ha1 = hash(algorithm, user + ":" + realm + ":" + password);
        String ha2 = hash(algorithm, request.method() + ":" + request.uri());
        String response = hash(algorithm, ha1 + ":" + nonce + (qop ? ":00000001:" + cnonce + ":auth:" : ":") + ha2);
        return "Digest username=\"" + user + "\", realm=\"" + realm + "\", nonce=\"" + nonce + "\", uri=\""
                + request.uri() + "\", response=\"" + response + "\", algorithm=" + algorithm
                + field(challenge, "opaque").map(o -> ", opaque=\"" + o + "\"").orElse("")
                + (qop ? ", qop=auth, nc=00000001, cnonce=\"" + cnonce + "\"" : "");
    }

    /** Also for scripted registrars: the digest's hash as lower-case hex. */
    static String hash(String algorithm, String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance(algorithm).digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every JDK has " + algorithm, e);
        }
    }

    /** Hides the password. */
    @Override
    public String toString() {
        return "Credentials[user=" + user + "]";
    }
}
