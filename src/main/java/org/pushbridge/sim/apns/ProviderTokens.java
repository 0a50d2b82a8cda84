package org.pushbridge.sim.apns;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Checks provider tokens: JWTs signed with ES256 (RFC 7518 section 3.4), at most an hour old, and not replaced all the
 * time.
 *
 * <p>Thread-safe; what concerns one connection is kept in its {@link Session}.
 */
final class ProviderTokens {
    private static final Duration LONGEST_LIFE = Duration.ofHours(1);
    /** Clocks of honest providers are off by seconds. */
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(1);

    private static final int REMEMBERED_TOKENS = 1000;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, TeamKey> keys = new HashMap<>();
    private final Clock clock;
    private final Duration window;
    private final int tokensPerWindow;
    /** Signatures are costly to check and tokens are used for thousands of pushes. */
    private final Map<String, Verified> verified = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Verified> eldest) {
            return size() > REMEMBERED_TOKENS;
        }
    };
    /** For each key id, when each {@code iat} first turned up. */
    private final Map<String, Map<Long, Instant>> firstSeen = new HashMap<>();

    private record Verified(TeamKey key, long issuedAt) {}

    /** What a connection has shown so far. Used by the connection's thread only. */
    static final class Session {
        private Optional<String> keyId = Optional.empty();
        private OptionalLong issuedAt = OptionalLong.empty();
        private boolean toldExpired;
        private boolean certified;

        /** The server has told the client that its token has expired: a new one is due. */
        void expired() {
            toldExpired = true;
        }

        /** The client is known by its certificate. */
        void certified() {
            certified = true;
        }

        boolean authenticated() {
            return certified || keyId.isPresent();
        }
    }

    /** The outcome of a check: a team, or an error answer with, perhaps, a violation. */
    record Result(Optional<String> team, Optional<Answer.Rejected> refusal, Optional<String> violation) {
        static Result good(String team) {
            return new Result(Optional.of(team), Optional.empty(), Optional.empty());
        }

        static Result bad(int status, String reason) {
            return new Result(Optional.empty(), Optional.of(new Answer.Rejected(status, reason)), Optional.empty());
        }

        static Result bad(int status, String reason, String violation) {
            return new Result(
                    Optional.empty(), Optional.of(new Answer.Rejected(status, reason)), Optional.of(violation));
        }
    }

    ProviderTokens(SimulatedApnsSettings settings) {
        this.clock = settings.clock();
        this.window = settings.providerTokenWindow();
        this.tokensPerWindow = settings.providerTokensPerWindow();
        for (TeamKey key : settings.keys()) {
            keys.put(key.keyId(), key);
            firstSeen.put(key.keyId(), new HashMap<>());
        }
    }

    synchronized Result check(String authorization, Environment environment, Session session) {
        if (!authorization.regionMatches(true, 0, "bearer ", 0, 7)) {
            return Result.bad(
                    403, "MissingProviderToken", "the authorization header is not 'bearer' and a provider token");
        }
        String token = authorization.substring(7).strip();
        Verified claims = verified.get(token);
        if (claims == null) {
            Object parsed = verify(token);
            if (parsed instanceof Result failure) {
                return failure;
            }
            claims = (Verified) parsed;
            verified.put(token, claims);
        }
        TeamKey key = claims.key();
        Instant now = clock.instant();
        Instant issuedAt = Instant.ofEpochSecond(claims.issuedAt());
        if (!key.environments().contains(environment)) {
            return Result.bad(403, "BadEnvironmentKeyIdInToken");
        }
        if (session.keyId.filter(used -> !used.equals(key.keyId())).isPresent()) {
            return Result.bad(
                    403,
                    "UnrelatedKeyIdInToken",
                    "a connection that began with key " + session.keyId.get() + " was used with key " + key.keyId()
                            + "; each key needs connections of its own");
        }
        if (issuedAt.isAfter(now.plus(CLOCK_SKEW))) {
            return Result.bad(
                    403, "InvalidProviderToken", "the provider token was issued in the future, at " + issuedAt);
        }
        if (issuedAt.plus(LONGEST_LIFE).isBefore(now)) {
            session.expired();
            return Result.bad(
                    403,
                    "ExpiredProviderToken",
                    "the provider token is from " + issuedAt
                            + ", more than an hour ago; a new one is due every 20 to 60" + " minutes");
        }
        return countUpdate(key, claims.issuedAt(), now, session);
    }

    private Result countUpdate(TeamKey key, long issuedAt, Instant now, Session session) {
        Map<Long, Instant> seen = firstSeen.computeIfAbsent(key.keyId(), id -> new HashMap<>());
        boolean replaces = session.issuedAt.isPresent() && session.issuedAt.getAsLong() != issuedAt;
        boolean isNew = !seen.containsKey(issuedAt);
        if (replaces && isNew && !session.toldExpired) {
            Instant previous = seen.getOrDefault(session.issuedAt.getAsLong(), Instant.MIN);
            if (now.isBefore(previous.equals(Instant.MIN) ? now : previous.plus(window))) {
                return Result.bad(
                        429,
                        "TooManyProviderTokenUpdates",
                        "the provider token of a connection was replaced after " + Duration.between(previous, now)
                                + "; it is to be kept for at least " + window);
            }
        }
        if (isNew) {
            seen.values()
                    .removeIf(first -> first.plus(LONGEST_LIFE).plus(window).isBefore(now));
            long recent = seen.values().stream()
                    .filter(first -> now.isBefore(first.plus(window)))
                    .count();
            if (recent >= tokensPerWindow && !session.toldExpired) {
                return Result.bad(
                        429,
                        "TooManyProviderTokenUpdates",
                        "key " + key.keyId() + " has made more than " + tokensPerWindow + " provider tokens within "
                                + window);
            }
            seen.put(issuedAt, now);
        }
        session.keyId = Optional.of(key.keyId());
        if (replaces || session.issuedAt.isEmpty()) {
            session.issuedAt = OptionalLong.of(issuedAt);
            session.toldExpired = false;
        }
        return Result.good(key.teamId());
    }

    /** A {@link Verified} or the {@link Result} that refuses it. */
    private Object verify(String token) {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) {
            return malformed("it does not have three parts");
        }
        JsonNode header;
        JsonNode claims;
        byte[] signature;
        try {
            header = JSON.readTree(Base64.getUrlDecoder().decode(parts[0]));
            claims = JSON.readTree(Base64.getUrlDecoder().decode(parts[1]));
            signature = Base64.getUrlDecoder().decode(parts[2]);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            return malformed("it is not JSON in base64url");
        } catch (IOException e) {
            throw new IllegalStateException("Reading from memory failed", e);
        }
        if (!header.path("alg").asText().equals("ES256")) {
            return malformed("its algorithm is not ES256");
        }
        if (!header.path("kid").isTextual()) {
            return malformed("it names no key (kid)");
        }
        if (!claims.path("iss").isTextual()) {
            return malformed("it names no team (iss)");
        }
        if (!claims.path("iat").isIntegralNumber()) {
            return malformed("it has no time of issue in seconds (iat)");
        }
        TeamKey key = keys.get(header.path("kid").textValue());
        if (key == null
                || !key.teamId().equals(claims.path("iss").textValue())
                || !signedBy(key, parts[0] + "." + parts[1], signature)) {
            // The credentials an operator has configured are wrong: that is not the server's fault.
            return Result.bad(403, "InvalidProviderToken");
        }
        return new Verified(key, claims.path("iat").longValue());
    }

    private static Result malformed(String why) {
        return Result.bad(403, "InvalidProviderToken", "the provider token is malformed: " + why);
    }

    private static boolean signedBy(TeamKey key, String content, byte[] signature) {
        // RFC 7518 asks for the two numbers side by side, 64 bytes; Apple also takes the DER form, which Pushy sends.
        String algorithm = signature.length == 64 ? "SHA256withECDSAinP1363Format" : "SHA256withECDSA";
        try {
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(key.publicKey());
            verifier.update(content.getBytes(StandardCharsets.US_ASCII));
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            // Thrown for bytes that are no signature at all.
            return false;
        }
    }
}
