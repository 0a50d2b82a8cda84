package org.pushbridge.sim.phone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.pushbridge.sim.ua.Violations;

/** What an app reads in a push. */
record PushPayload(boolean endsCall, Optional<UUID> uuid, Optional<String> callId, Optional<VerdictAccess> verdict) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> ENDS = Set.of("end", "call-ended");

    /**
     * Reads a payload.
     *
     * @param name what to call the push in a violation
     * @param required keys that must be there
     */
    static Optional<PushPayload> read(String payload, String name, List<String> required, Violations violations) {
        JsonNode fields;
        try {
            fields = JSON.readTree(payload);
        } catch (JsonProcessingException e) {
            violations.add(name + " has a payload that is not JSON");
            return Optional.empty();
        }
        for (String key : required) {
            if (!fields.hasNonNull(key)) {
                violations.add(name + " has no " + key);
            }
        }
        return Optional.of(new PushPayload(
                ENDS.contains(fields.path("event").asText()),
                uuid(text(fields, "uuid")),
                text(fields, "sip-call-id"),
                verdict(fields, name, violations)));
    }

    private static Optional<String> text(JsonNode fields, String key) {
        return Optional.of(fields.path(key).asText()).filter(t -> !t.isEmpty());
    }

    private static Optional<UUID> uuid(Optional<String> text) {
        try {
            return text.map(UUID::fromString);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Optional<VerdictAccess> verdict(JsonNode fields, String name, Violations violations) {
        Optional<String> url = text(fields, "verdict-url");
        Optional<String> token = text(fields, "verdict-token");
        if (url.isPresent() != token.isPresent()) {
            violations.add(name + " has only one of verdict-url and verdict-token");
        }
        if (url.isEmpty() || token.isEmpty()) {
            return Optional.empty();
        }
        if (!url.get().matches("https?://[^\\s/?#]+/[^\\s?#]*[^\\s?#/]")) {
            violations.add(name + " has a verdict-url that the app cannot use: " + url.get());
            return Optional.empty();
        }
        return Optional.of(new VerdictAccess(URI.create(url.get()), token.get()));
    }
}
