package org.pushbridge.sim.apns;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What a simulated APNs knows and how it behaves. Made with {@link #builder()}.
 *
 * @param keys the provider authentication keys it trusts
 * @param apps the team of each bundle id
 * @param certificates the provider certificates it trusts
 * @param clock what tokens, expirations and late deliveries are measured with; waiting itself is in real time
 * @param seed of all that is drawn
 * @param maxConcurrentStreams how many requests a connection may have in flight
 * @param streamsBeforeAuthentication the same, until a connection's first provider token was found good; Apple grants 1
 * @param answerDelay from a request to its answer
 * @param deliveryDelay from an accepted push to the phone
 * @param lateVoipWindow how long a VoIP push with expiration 0 may still reach a phone that comes back (field: 20-30 s)
 * @param providerTokenWindow how long a provider token is to be kept before it is replaced
 * @param providerTokensPerWindow how many provider tokens of one key, told apart by their {@code iat}, may turn up within
 *     that window: one for each connection that is opened, but not one for each push
 * @param badTokensPerConnection after how many BadDeviceToken answers a connection is ended
 * @param longestBackgroundLife how far ahead the expiration of a background push may lie
 * @param callId finds the call in the payload of a VoIP push
 * @param history how many requests and violations are kept; older ones are forgotten
 * @param maxDeviceTokens how many device tokens can be issued
 */
public record SimulatedApnsSettings(
        List<TeamKey> keys,
        Map<String, String> apps,
        List<ClientCertificate> certificates,
        Clock clock,
        long seed,
        int maxConcurrentStreams,
        int streamsBeforeAuthentication,
        Delay answerDelay,
        Delay deliveryDelay,
        Duration lateVoipWindow,
        Duration providerTokenWindow,
        int providerTokensPerWindow,
        int badTokensPerConnection,
        Duration longestBackgroundLife,
        Function<JsonNode, Optional<String>> callId,
        int history,
        int maxDeviceTokens) {
    public SimulatedApnsSettings {
        keys = List.copyOf(keys);
        apps = Map.copyOf(apps);
        certificates = List.copyOf(certificates);
        requirePositive("maxConcurrentStreams", maxConcurrentStreams);
        requirePositive("streamsBeforeAuthentication", streamsBeforeAuthentication);
        requirePositive("providerTokensPerWindow", providerTokensPerWindow);
        requirePositive("badTokensPerConnection", badTokensPerConnection);
        requirePositive("history", history);
        requirePositive("maxDeviceTokens", maxDeviceTokens);
        Set<String> keyIds = new LinkedHashSet<>();
        for (TeamKey key : keys) {
            if (!keyIds.add(key.keyId())) {
                throw new IllegalArgumentException("Two keys have the id " + key.keyId());
            }
        }
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, not " + value);
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * The call that a push announces: its id is at the root of the payload or within {@code aps}, both under {@code
     * call-id}. None for a push that ends a call.
     */
    static Optional<String> defaultCallId(JsonNode payload) {
        if (List.of("/event", "/customPayload/event").stream()
                .anyMatch(pointer -> payload.at(pointer).asText().equals("end"))) {
            return Optional.empty();
        }
        for (String pointer : List.of("/call-id", "/aps/call-id")) {
            JsonNode found = payload.at(pointer);
            if (found.isTextual() && !found.textValue().isEmpty()) {
                return Optional.of(found.textValue());
            }
        }
        return Optional.empty();
    }

    /** Collects settings; everything has a default but keys and apps. */
    public static final class Builder {
        private final List<TeamKey> keys = new ArrayList<>();
        private final Map<String, String> apps = new LinkedHashMap<>();
        private final List<ClientCertificate> certificates = new ArrayList<>();
        private Clock clock = Clock.systemUTC();
        private long seed = 1;
        private int maxConcurrentStreams = 1000;
        private int streamsBeforeAuthentication = 1;
        private Delay answerDelay = Delay.none();
        private Delay deliveryDelay = Delay.none();
        private Duration lateVoipWindow = Duration.ofSeconds(30);
        private Duration providerTokenWindow = Duration.ofMinutes(20);
        private int providerTokensPerWindow = 10;
        private int badTokensPerConnection = 10;
        private Duration longestBackgroundLife = Duration.ofMinutes(5);
        private Function<JsonNode, Optional<String>> callId = SimulatedApnsSettings::defaultCallId;
        private int history = 100_000;
        private int maxDeviceTokens = 1_000_000;

        private Builder() {}

        public Builder key(TeamKey key) {
            keys.add(key);
            return this;
        }

        public Builder app(String teamId, String bundleId) {
            apps.put(bundleId, teamId);
            return this;
        }

        public Builder certificate(ClientCertificate certificate) {
            certificates.add(certificate);
            return this;
        }

        public Builder clock(Clock value) {
            clock = value;
            return this;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        public Builder maxConcurrentStreams(int value) {
            maxConcurrentStreams = value;
            return this;
        }

        public Builder streamsBeforeAuthentication(int value) {
            streamsBeforeAuthentication = value;
            return this;
        }

        public Builder answerDelay(Delay value) {
            answerDelay = value;
            return this;
        }

        public Builder deliveryDelay(Delay value) {
            deliveryDelay = value;
            return this;
        }

        public Builder lateVoipWindow(Duration value) {
            lateVoipWindow = value;
            return this;
        }

        public Builder providerTokenWindow(Duration value) {
            providerTokenWindow = value;
            return this;
        }

        public Builder providerTokensPerWindow(int value) {
            providerTokensPerWindow = value;
            return this;
        }

        public Builder badTokensPerConnection(int value) {
            badTokensPerConnection = value;
            return this;
        }

        public Builder longestBackgroundLife(Duration value) {
            longestBackgroundLife = value;
            return this;
        }

        public Builder callId(Function<JsonNode, Optional<String>> value) {
            callId = value;
            return this;
        }

        public Builder history(int value) {
            history = value;
            return this;
        }

        public Builder maxDeviceTokens(int value) {
            maxDeviceTokens = value;
            return this;
        }

        /**
         * The settings.
         *
         * @throws IllegalArgumentException with a sentence that names the value that cannot be
         */
        public SimulatedApnsSettings build() {
            return new SimulatedApnsSettings(
                    keys,
                    apps,
                    certificates,
                    clock,
                    seed,
                    maxConcurrentStreams,
                    streamsBeforeAuthentication,
                    answerDelay,
                    deliveryDelay,
                    lateVoipWindow,
                    providerTokenWindow,
                    providerTokensPerWindow,
                    badTokensPerConnection,
                    longestBackgroundLife,
                    callId,
                    history,
                    maxDeviceTokens);
        }
    }
}
