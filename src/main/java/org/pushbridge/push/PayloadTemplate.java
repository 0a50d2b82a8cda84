package org.pushbridge.push;

import com.eatthepath.pushy.apns.PushType;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The payload of one kind of push, with placeholders in its string values.
 *
 * <p>The JSON tree is filled in, not its text, so a quote or a backslash in a name cannot break out of its string.
 * Immutable, safe for any thread.
 */
final class PayloadTemplate {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^}]*)}");

    private static final DateTimeFormatter SEND_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneOffset.UTC);

    /** What each placeholder stands for; empty where this call or device has no such thing. */
    private static final Map<String, Function<CallFacts, Optional<JsonNode>>> FACTS = new TreeMap<>(Map.ofEntries(
            Map.entry("call-id", f -> text(f.callId().toString())),
            Map.entry("uuid", f -> text(f.callKitUuid().toString())),
            Map.entry("sip-call-id", f -> text(f.sipCallId())),
            Map.entry("from-uri", f -> text(f.fromUri())),
            Map.entry("display-name", f -> text(f.displayName())),
            Map.entry("caller", f -> text(f.displayName().isBlank() ? f.fromUri() : f.displayName())),
            Map.entry("to", f -> text(f.calledAor())),
            Map.entry("sent-at", f -> number(f.sentAt().toEpochMilli())),
            Map.entry("expires-at", f -> number(f.expiresAt().toEpochMilli())),
            Map.entry("send-time", f -> text(SEND_TIME.format(f.sentAt()))),
            Map.entry("ttl", f -> number(secondsLeft(f))),
            Map.entry("seq", f -> number(f.seq())),
            Map.entry("video", f -> Optional.of(BooleanNode.valueOf(f.video()))),
            Map.entry("verdict-url", f -> f.verdictUrl().map(TextNode::valueOf)),
            Map.entry("verdict-token", f -> f.verdictToken().map(TextNode::valueOf)),
            Map.entry("sip-instance", f -> f.sipInstance().map(TextNode::valueOf)),
            Map.entry("reason", f -> f.reason().map(TextNode::valueOf))));

    private static final CallFacts SHORTEST = new CallFacts(
            new java.util.UUID(0, 0),
            new java.util.UUID(0, 0),
            "",
            "",
            "",
            "",
            Instant.EPOCH,
            Instant.EPOCH,
            0,
            false,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    private final ObjectNode tree;
    private final int limit;

    private PayloadTemplate(ObjectNode tree, int limit) {
        this.tree = tree;
        this.limit = limit;
    }

    /**
     * @param where names the template in an error, such as {@code the voip payload of app com.example.phone}
     * @throws PushSettingsException if the text is no JSON object, names a placeholder there is not, breaks one of
     *     Apple's rules for this kind of push, or is too large before anything is filled in
     */
    static PayloadTemplate parse(String where, PushRule rule, String json) {
        JsonNode tree;
        try {
            tree = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new PushSettingsException(
                    where + " is not valid JSON: " + e.getOriginalMessage() + at(e) + "; correct it there", e);
        }
        if (!(tree instanceof ObjectNode object)) {
            throw new PushSettingsException(
                    where + " must be a JSON object with an 'aps' object in it, such as {\"aps\": {}}");
        }
        if (!object.path("aps").isObject()) {
            throw new PushSettingsException(where + " has no 'aps' object, which Apple asks for; add \"aps\": {}");
        }
        JsonNode aps = object.path("aps");
        if (rule.type() == PushType.BACKGROUND && aps.path("content-available").asInt() != 1) {
            throw new PushSettingsException(
                    where + " is for a background push: add \"content-available\": 1 to its 'aps'");
        }
        if (rule.type() == PushType.ALERT && !aps.has("alert")) {
            throw new PushSettingsException(where + " is for an alert, but its 'aps' has no 'alert'; add one");
        }
        checkPlaceholders(where, object);
        PayloadTemplate template = new PayloadTemplate(object, rule.payloadLimit());
        int least = size(template.fill(SHORTEST));
        if (least > rule.payloadLimit()) {
            throw new PushSettingsException(where + " is " + least + " bytes long before anything is filled in, but"
                    + " Apple takes no more than " + rule.payloadLimit() + "; make it shorter");
        }
        return template;
    }

    /**
     * The payload, with the display name and, if that is not enough, the caller's address shortened until it fits.
     *
     * @return empty if it cannot be made to fit
     */
    Optional<String> render(CallFacts facts) {
        String whole = fill(facts);
        if (size(whole) <= limit) {
            return Optional.of(whole);
        }
        return longest(facts.displayName(), name -> facts.withDisplayName(name))
                .or(() -> longest(
                        facts.fromUri(), uri -> facts.withDisplayName("").withFromUri(uri)));
    }

    /** The payload with the longest beginning of {@code text} that fits, by bisection over its code points. */
    private Optional<String> longest(String text, Function<String, CallFacts> put) {
        IntFunction<String> payload = n -> fill(put.apply(beginning(text, n)));
        if (size(payload.apply(0)) > limit) {
            return Optional.empty();
        }
        int fits = 0;
        int tooMany = text.codePointCount(0, text.length());
        while (tooMany - fits > 1) {
            int middle = (fits + tooMany) >>> 1;
            if (size(payload.apply(middle)) <= limit) {
                fits = middle;
            } else {
                tooMany = middle;
            }
        }
        return Optional.of(payload.apply(fits));
    }

    private static String beginning(String text, int codePoints) {
        return codePoints == 0 ? "" : text.substring(0, text.offsetByCodePoints(0, codePoints)) + "…";
    }

    private String fill(CallFacts facts) {
        try {
            return JSON.writeValueAsString(fill(tree, facts).orElseThrow());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A JSON tree made of texts and numbers can always be written", e);
        }
    }

    /** Empty for a string that is one placeholder and nothing else, if there is no such fact: its key is left out. */
    private static Optional<JsonNode> fill(JsonNode node, CallFacts facts) {
        if (node instanceof ObjectNode object) {
            ObjectNode filled = JsonNodeFactory.instance.objectNode();
            object.properties()
                    .forEach(entry ->
                            fill(entry.getValue(), facts).ifPresent(value -> filled.set(entry.getKey(), value)));
            return Optional.of(filled);
        }
        if (node instanceof ArrayNode array) {
            ArrayNode filled = JsonNodeFactory.instance.arrayNode();
            array.forEach(element -> fill(element, facts).ifPresent(filled::add));
            return Optional.of(filled);
        }
        return node.isTextual() ? fillText(node.textValue(), facts) : Optional.of(node);
    }

    private static Optional<JsonNode> fillText(String text, CallFacts facts) {
        Matcher placeholder = PLACEHOLDER.matcher(text);
        if (placeholder.matches()) {
            return fact(placeholder.group(1), facts);
        }
        String filled = placeholder.replaceAll(found -> Matcher.quoteReplacement(
                fact(found.group(1), facts).map(JsonNode::asText).orElse("")));
        return Optional.of(TextNode.valueOf(filled));
    }

    private static Optional<JsonNode> fact(String name, CallFacts facts) {
        Function<CallFacts, Optional<JsonNode>> fact = FACTS.get(name);
        if (fact == null) {
            throw new IllegalStateException("Placeholder ${" + name + "} passed the check at start");
        }
        return fact.apply(facts);
    }

    private static void checkPlaceholders(String where, JsonNode node) {
        if (node.isTextual()) {
            Matcher placeholder = PLACEHOLDER.matcher(node.textValue());
            while (placeholder.find()) {
                if (!FACTS.containsKey(placeholder.group(1))) {
                    throw new PushSettingsException(where + " has the placeholder ${" + placeholder.group(1)
                            + "}, which there is not; those there are: " + String.join(", ", FACTS.keySet()));
                }
            }
        }
        node.forEach(child -> checkPlaceholders(where, child));
    }

    private static int size(String payload) {
        return payload.getBytes(StandardCharsets.UTF_8).length;
    }

    private static long secondsLeft(CallFacts facts) {
        return Math.max(0, Duration.between(facts.sentAt(), facts.expiresAt()).toSeconds());
    }

    private static String at(JsonProcessingException e) {
        return e.getLocation() == null
                ? ""
                : " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ")";
    }

    private static Optional<JsonNode> text(String value) {
        return Optional.of(TextNode.valueOf(value));
    }

    private static Optional<JsonNode> number(long value) {
        return Optional.of(LongNode.valueOf(value));
    }
}
