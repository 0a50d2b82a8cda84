package org.pushbridge.sim.apns;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Judges one request: reads what can be read, finds the error Apple would answer with, and notes what a well-behaved
 * server would not have done even where Apple lets it pass.
 *
 * <p>Used once, by one thread.
 */
final class RequestExam {
    private static final String PATH = "/3/device/";
    private static final Pattern UUID_FORM =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");
    private static final Pattern TOKEN_FORM = Pattern.compile("([0-9a-f]{2})+");
    private static final Pattern TOPIC_FORM = Pattern.compile("[A-Za-z0-9.-]+");
    /** Apple keeps no notification for longer. */
    private static final Duration LONGEST_LIFE = Duration.ofDays(30);
    /** A clock may be off, and a push may have waited for a connection. */
    private static final Duration LATENESS = Duration.ofMinutes(1);

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final SimulatedApnsSettings settings;
    private final ProviderTokens providerTokens;
    private final DeviceTokens deviceTokens;
    private final ApnsRequest request;

    private final List<String> violations = new ArrayList<>();
    private String apnsId = UUID.randomUUID().toString().toUpperCase(Locale.ROOT);
    private String topic = "";
    private Optional<String> bundleId = Optional.empty();
    private Optional<PushType> type = Optional.empty();
    private OptionalInt priority = OptionalInt.empty();
    private Optional<Instant> expiration = Optional.empty();
    private Optional<String> collapseId = Optional.empty();
    private String token = "";
    private JsonNode payload = MissingNode.getInstance();
    private Optional<String> team = Optional.empty();
    private Set<String> certificateTopics = Set.of();

    RequestExam(
            SimulatedApnsSettings settings,
            ProviderTokens providerTokens,
            DeviceTokens deviceTokens,
            ApnsRequest request) {
        this.settings = settings;
        this.providerTokens = providerTokens;
        this.deviceTokens = deviceTokens;
        this.request = request;
    }

    /** Checks everything; the first error is the answer. */
    Optional<Answer.Rejected> judge() {
        readHeaders();
        List<Supplier<Optional<Answer.Rejected>>> checks = List.of(
                this::checkRoute,
                this::checkDuplicates,
                this::checkCredentials,
                this::checkMessageId,
                this::checkType,
                this::checkTopic,
                this::checkPriority,
                this::checkExpiration,
                this::checkCollapseId,
                this::checkPayload,
                this::checkToken);
        for (Supplier<Optional<Answer.Rejected>> check : checks) {
            Optional<Answer.Rejected> refusal = check.get();
            if (refusal.isPresent()) {
                return refusal;
            }
        }
        return Optional.empty();
    }

    /** Reads what can be read, so that a refused request is still known by what it was. */
    private void readHeaders() {
        if (request.path().startsWith(PATH)) {
            token = request.path().substring(PATH.length()).toLowerCase(Locale.ROOT);
        }
        request.header("apns-id").filter(id -> UUID_FORM.matcher(id).matches()).ifPresent(id -> apnsId = id);
        topic = request.header("apns-topic").orElse("");
        type = request.header("apns-push-type").flatMap(PushType::of);
        priority = request.header("apns-priority")
                .filter(value -> value.matches("\\d{1,9}"))
                .map(value -> OptionalInt.of(Integer.parseInt(value)))
                .orElse(OptionalInt.empty());
        expiration = request.header("apns-expiration")
                .filter(value -> value.matches("\\d{1,12}"))
                .map(value -> Instant.ofEpochSecond(Long.parseLong(value)));
        collapseId = request.header("apns-collapse-id");
    }

    private Optional<Answer.Rejected> checkRoute() {
        if (!request.path().startsWith(PATH) && !(request.path() + "/").equals(PATH)) {
            return refuse(
                    404,
                    "BadPath",
                    "the path begins with " + head(request.path()) + " and not with " + PATH + " and a token");
        }
        if (!request.method().equals("POST")) {
            return refuse(405, "MethodNotAllowed", "the method is " + request.method() + " and not POST");
        }
        if (token.isEmpty()) {
            return refuse(400, "MissingDeviceToken", "the path ends without a device token");
        }
        return Optional.empty();
    }

    /** The rest may hold a token, which is nobody's business. */
    private static String head(String path) {
        return path.substring(0, Math.min(path.length(), PATH.length()));
    }

    private Optional<Answer.Rejected> checkDuplicates() {
        for (Map.Entry<String, List<String>> header : request.headers().entrySet()) {
            if (header.getValue().size() > 1
                    && (header.getKey().startsWith("apns-") || header.getKey().equals("authorization"))) {
                return refuse(400, "DuplicateHeaders", "there is more than one " + header.getKey() + " header");
            }
        }
        return Optional.empty();
    }

    private Optional<Answer.Rejected> checkCredentials() {
        Optional<String> authorization = request.header("authorization");
        if (authorization.isPresent()) {
            ProviderTokens.Result result =
                    providerTokens.check(authorization.get(), request.environment(), request.session());
            result.violation().ifPresent(this::note);
            team = result.team();
            return result.refusal();
        }
        if (request.clientCertificate().isEmpty()) {
            return refuse(403, "MissingProviderToken", "there is neither a provider token nor a client certificate");
        }
        for (ClientCertificate known : settings.certificates()) {
            if (known.certificate().equals(request.clientCertificate().get())) {
                if (!known.environments().contains(request.environment())) {
                    return Optional.of(new Answer.Rejected(403, "BadCertificateEnvironment"));
                }
                certificateTopics = known.topics();
                request.session().certified();
                return Optional.empty();
            }
        }
        return Optional.of(new Answer.Rejected(403, "BadCertificate"));
    }

    private Optional<Answer.Rejected> checkMessageId() {
        Optional<String> id = request.header("apns-id");
        if (id.isEmpty()) {
            note("there is no apns-id, so a resend could not be told from a new push");
        } else if (!UUID_FORM.matcher(id.get()).matches()) {
            return refuse(400, "BadMessageId", "the apns-id '" + id.get() + "' is not a UUID");
        } else if (!id.get().equals(id.get().toLowerCase(Locale.ROOT))) {
            note("the apns-id " + id.get() + " is not in lower case");
        }
        return Optional.empty();
    }

    private Optional<Answer.Rejected> checkType() {
        Optional<String> header = request.header("apns-push-type");
        if (header.isEmpty()) {
            note("there is no apns-push-type");
            type = Optional.of(PushType.ALERT);
            for (PushType candidate : List.of(PushType.VOIP, PushType.PUSH_TO_TALK)) {
                if (topic.endsWith(candidate.tokenKind().topicSuffix())) {
                    type = Optional.of(candidate);
                }
            }
        } else if (type.isEmpty()) {
            return refuse(400, "InvalidPushType", "the apns-push-type '" + header.get() + "' is not one for calls");
        }
        return Optional.empty();
    }

    private Optional<Answer.Rejected> checkTopic() {
        if (topic.isEmpty()) {
            if (certificateTopics.size() != 1) {
                return refuse(400, "MissingTopic", "there is no apns-topic");
            }
            topic = certificateTopics.iterator().next();
        }
        if (!TOPIC_FORM.matcher(topic).matches() || topic.length() > 255) {
            return refuse(
                    400, "BadTopic", "the apns-topic '" + topic + "' is not a bundle id with or without a suffix");
        }
        TokenKind kind = kindOf(topic);
        bundleId = Optional.of(
                topic.substring(0, topic.length() - kind.topicSuffix().length()));
        if (kind != type().tokenKind()) {
            return refuse(
                    400,
                    "InvalidPushType",
                    "a push of type " + type().header() + " went to the topic " + topic + " instead of "
                            + type().tokenKind().topic(bundleId.get()));
        }
        boolean allowed = team.map(id -> id.equals(settings.apps().get(bundleId.get())))
                .orElse(certificateTopics.contains(topic));
        return allowed ? Optional.empty() : Optional.of(new Answer.Rejected(400, "TopicDisallowed"));
    }

    /** A topic is an app's bundle id, which may itself end like a suffix, or that and a suffix. */
    private TokenKind kindOf(String someTopic) {
        if (!settings.apps().containsKey(someTopic)) {
            for (TokenKind kind : List.of(TokenKind.PUSH_TO_TALK, TokenKind.VOIP)) {
                if (someTopic.endsWith(kind.topicSuffix())) {
                    return kind;
                }
            }
        }
        return TokenKind.REGULAR;
    }

    private PushType type() {
        return type.orElse(PushType.ALERT);
    }

    /** Whether Apple wants the push delivered at once or never: VoIP and push-to-talk. */
    private boolean immediate() {
        return type().tokenKind() != TokenKind.REGULAR;
    }

    private Optional<Answer.Rejected> checkPriority() {
        // Without the header a push has priority 10.
        int value = request.header("apns-priority").isEmpty() ? 10 : priority.orElse(0);
        if (value != 10 && value != 5 && value != 1) {
            return refuse(
                    400,
                    "BadPriority",
                    "the apns-priority is " + request.header("apns-priority").orElse("") + " and not 10 or 5");
        }
        if (type() == PushType.BACKGROUND && value != 5) {
            return refuse(400, "BadPriority", "a background push has apns-priority " + value + " and not 5");
        }
        if (immediate() && value != 10) {
            note("a push of type " + type().header() + " has apns-priority " + value + " and not 10");
        } else if (value == 1) {
            note("the apns-priority is 1, which may never arrive, and not 10 or 5");
        }
        return Optional.empty();
    }

    private Optional<Answer.Rejected> checkExpiration() {
        Optional<String> header = request.header("apns-expiration");
        if (header.isPresent() && expiration.isEmpty()) {
            return refuse(
                    400, "BadExpirationDate", "the apns-expiration '" + header.get() + "' is not a time in seconds");
        }
        boolean zero = expiration.filter(Instant.EPOCH::equals).isPresent();
        if (immediate()) {
            if (!zero) {
                note("a push of type " + type().header() + " has apns-expiration " + header.orElse("(none)")
                        + " and not 0");
            }
            return Optional.empty();
        }
        Duration longest = type() == PushType.BACKGROUND ? settings.longestBackgroundLife() : LONGEST_LIFE;
        if (expiration.isEmpty() || zero) {
            note("a push of type " + type().header() + " has apns-expiration " + header.orElse("(none)")
                    + " and not the time until which it matters");
        } else if (expiration.get().plus(LATENESS).isBefore(request.at())) {
            note("the apns-expiration " + expiration.get() + " was over when the push was sent");
        } else if (expiration.get().isAfter(request.at().plus(longest).plus(LATENESS))) {
            note("a push of type " + type().header() + " has apns-expiration " + expiration.get()
                    + ", which is more than " + longest + " ahead");
        }
        return Optional.empty();
    }

    private Optional<Answer.Rejected> checkCollapseId() {
        if (collapseId.isPresent()) {
            int length = collapseId.get().getBytes(StandardCharsets.UTF_8).length;
            if (length == 0 || length > 64) {
                return refuse(400, "BadCollapseId", "the apns-collapse-id has " + length + " bytes and not 1 to 64");
            }
            if (immediate()) {
                note("a push of type " + type().header() + " has an apns-collapse-id");
            }
        } else if (!immediate()) {
            note("a push of type " + type().header()
                    + " has no apns-collapse-id, so that a phone may show several for one call");
        }
        return Optional.empty();
    }

    private Optional<Answer.Rejected> checkPayload() {
        int limit = type().payloadLimit();
        if (request.body().length() > limit) {
            return refuse(413, "PayloadTooLarge", "the payload has more than " + limit + " bytes");
        }
        if (request.body().length() == 0) {
            return refuse(400, "PayloadEmpty", "the payload is empty");
        }
        try {
            payload = JSON.readTree(request.body().bytes());
        } catch (IOException e) {
            return refuse(400, "PayloadEmpty", "the payload is not JSON");
        }
        if (!payload.isObject()) {
            return refuse(400, "PayloadEmpty", "the payload is not a JSON object");
        }
        JsonNode aps = payload.path("aps");
        if (!aps.isMissingNode() && !aps.isObject()) {
            note("aps is not a JSON object");
        }
        if (type() == PushType.BACKGROUND) {
            if (!(aps.path("content-available").isInt()
                    && aps.path("content-available").intValue() == 1)) {
                note("a background push does not have content-available 1");
            }
            for (String visible : List.of("alert", "sound", "badge")) {
                if (aps.has(visible)) {
                    note("a background push has " + visible);
                }
            }
        } else if (type() == PushType.ALERT && !showsSomething(aps.path("alert"))) {
            note("an alert push has no alert to show");
        }
        return Optional.empty();
    }

    private static boolean showsSomething(JsonNode alert) {
        if (alert.isTextual()) {
            return !alert.textValue().isBlank();
        }
        for (String text : List.of("title", "body", "loc-key", "title-loc-key")) {
            if (!alert.path(text).asText().isBlank()) {
                return true;
            }
        }
        return false;
    }

    private Optional<Answer.Rejected> checkToken() {
        if (!TOKEN_FORM.matcher(token).matches()) {
            return refuse(400, "BadDeviceToken", "the device token is not an even number of hex digits");
        }
        if (!request.path().endsWith(token)) {
            note("the device token is not in lower case");
        }
        return deviceTokens.refusal(request.environment(), topic, token);
    }

    private Optional<Answer.Rejected> refuse(int status, String reason, String violation) {
        note(violation);
        return Optional.of(new Answer.Rejected(status, reason));
    }

    private void note(String violation) {
        violations.add("push " + apnsId + ": " + violation);
    }

    String apnsId() {
        return apnsId;
    }

    String topic() {
        return topic;
    }

    Optional<String> bundleId() {
        return bundleId;
    }

    String token() {
        return token;
    }

    Optional<PushType> pushType() {
        return type;
    }

    Optional<Instant> expiration() {
        return expiration;
    }

    Optional<String> callId() {
        return type().tokenKind() == TokenKind.VOIP ? settings.callId().apply(payload) : Optional.empty();
    }

    /** What a phone gets. */
    DeliveredPush delivery() {
        return new DeliveredPush(apnsId, token, type(), payload, collapseId, request.at(), false);
    }

    /** The request as it is kept, with its answer and what spans several requests. */
    ReceivedPush filed(Answer answer, List<String> crossViolations) {
        violations.addAll(crossViolations);
        return new ReceivedPush(
                request.at(),
                request.environment(),
                request.connection(),
                apnsId,
                topic,
                type,
                priority,
                expiration,
                collapseId,
                token,
                payload,
                callId(),
                answer,
                violations);
    }
}
