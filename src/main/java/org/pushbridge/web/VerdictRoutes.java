package org.pushbridge.web;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bucket4j.TimeMeter;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.http.MethodNotAllowedResponse;
import io.javalin.router.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.eclipse.jetty.http.HttpStatus;
import org.pushbridge.device.DeviceId;
import org.pushbridge.web.CallDesk.CallState;
import org.pushbridge.web.CallDesk.Decline;

/**
 * The paths of the verdict API: who may ask, what is asked, and how the answer is written. {@code openapi.json}, beside
 * this class's resources, says the same to developers of apps.
 */
final class VerdictRoutes {
    /** Bytes of a request's body. */
    static final int LARGEST_BODY = 1024;

    private static final Logger LOG = LogManager.getLogger(VerdictRoutes.class);
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final String BEARER = "bearer ";

    private final WebSettings settings;
    private final VerdictTokens tokens;
    private final CallDesk desk;
    private final Executor executor;
    private final RateLimit<ClientAddress> perAddress;
    private final RateLimit<Asker> perAsker;
    private final byte[] openApi;
    private final LongAdder refused = new LongAdder();
    private volatile boolean closing;

    /** Who asks, and about what. */
    private record Asker(UUID call, DeviceId device) {}

    /** @param executor writes what the desk answers later: the desk's own thread must not wait for a client */
    VerdictRoutes(WebSettings settings, VerdictTokens tokens, CallDesk desk, Executor executor, TimeMeter time) {
        this.settings = settings;
        this.tokens = tokens;
        this.desk = desk;
        this.executor = executor;
        this.perAddress = new RateLimit<>(settings.requestsPerSecondPerAddress(), time);
        this.perAsker = new RateLimit<>(settings.requestsPerSecondPerCall(), time);
        this.openApi = openApi();
    }

    private static byte[] openApi() {
        try (InputStream document = VerdictRoutes.class.getResourceAsStream("openapi.json")) {
            if (document == null) {
                throw new IllegalStateException("openapi.json is not on the class path");
            }
            return document.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("openapi.json cannot be read", e);
        }
    }

    void addTo(RoutesConfig routes) {
        routes.before(this::admit);
        add(routes, "/v1/calls/{id}", HandlerType.GET, this::state);
        add(routes, "/v1/calls/{id}/alerting", HandlerType.POST, this::alerting);
        add(routes, "/v1/calls/{id}/decline", HandlerType.POST, this::decline);
        add(routes, "/openapi.json", HandlerType.GET, context -> json(context, openApi));
        add(routes, "/healthz", HandlerType.GET, context -> json(context, Map.of("status", "ok")));
        routes.exception(Problem.class, VerdictRoutes::write);
        routes.exception(HttpResponseException.class, (e, context) -> write(problem(e), context));
        routes.exception(Exception.class, (e, context) -> {
            LOG.error("A request for {} failed inside", context.path(), e);
            write(Problem.inside(), context);
        });
    }

    /** From now on, everyone is told to try again. */
    void refuseNewRequests() {
        closing = true;
    }

    private static void add(RoutesConfig routes, String path, HandlerType method, Handler handler) {
        List<HandlerType> methods = method.equals(HandlerType.GET)
                ? List.of(HandlerType.GET, HandlerType.HEAD, HandlerType.OPTIONS)
                : List.of(method, HandlerType.OPTIONS);
        String allow = String.join(", ", methods.stream().map(HandlerType::name).toList());
        for (HandlerType one : methods) {
            routes.addEndpoint(new Endpoint(
                    one,
                    path,
                    one.equals(HandlerType.OPTIONS)
                            ? context -> context.status(204).header("Allow", allow)
                            : handler));
        }
    }

    /** How many requests were answered 429. */
    long refused() {
        return refused.sum();
    }

    private void admit(Context context) {
        context.header("Cache-Control", "no-store");
        context.header("X-Content-Type-Options", "nosniff");
        if (closing) {
            throw Problem.notNow();
        }
        Duration wait = perAddress.take(client(context));
        if (!wait.isZero()) {
            refused.increment();
            throw Problem.tooMany("from your address", wait);
        }
    }

    private ClientAddress client(Context context) {
        if (context.req().getAttribute(VerdictServer.PEER) instanceof InetAddress peer) {
            return ClientAddress.of(
                    peer, Collections.list(context.req().getHeaders("X-Forwarded-For")), settings.trustedProxy());
        }
        throw new IllegalStateException("A request without a peer");
    }

    private void state(Context context) {
        Asker asker = asker(context);
        answer(context, attempt(asker, () -> desk.stateForAwake(asker.call(), asker.device())));
    }

    private void alerting(Context context) {
        Asker asker = asker(context);
        body(context);
        later(context, asker, attempt(asker, () -> desk.alerting(asker.call(), asker.device())));
    }

    private void decline(Context context) {
        Asker asker = asker(context);
        Decline how = how(context);
        later(context, asker, attempt(asker, () -> desk.decline(asker.call(), asker.device(), how)));
    }

    private Asker asker(Context context) {
        UUID call = call(context.pathParam("id"));
        String authorization = context.header("Authorization");
        if (authorization == null) {
            throw Problem.noToken();
        }
        if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw Problem.wrongToken();
        }
        DeviceId device = tokens.verify(authorization.substring(BEARER.length()).strip(), call)
                .orElseThrow(Problem::wrongToken);
        Asker asker = new Asker(call, device);
        Duration wait = perAsker.take(asker);
        if (!wait.isZero()) {
            refused.increment();
            throw Problem.tooMany("for this call", wait);
        }
        return asker;
    }

    private static UUID call(String id) {
        // Java reads shorter forms too, but one call has one URL.
        if (!id.matches("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")) {
            throw Problem.notFound();
        }
        return UUID.fromString(id);
    }

    private static byte[] body(Context context) {
        try {
            byte[] body = context.req().getContentLengthLong() > LARGEST_BODY
                    ? new byte[LARGEST_BODY + 1]
                    : context.req().getInputStream().readNBytes(LARGEST_BODY + 1);
            if (body.length > LARGEST_BODY) {
                throw Problem.bodyTooLarge(LARGEST_BODY);
            }
            return body;
        } catch (IOException e) {
            throw Problem.badBody("Send it whole.");
        }
    }

    private static Decline how(Context context) {
        byte[] body = body(context);
        if (body.length == 0) {
            return Decline.DECLINE;
        }
        String type = Optional.ofNullable(context.contentType()).orElse("");
        if (!type.split(";", -1)[0].strip().equalsIgnoreCase("application/json")) {
            throw Problem.bodyNotJson();
        }
        String advice = "Send {\"reason\":\"busy\"} or {\"reason\":\"decline\"}, or no body at all.";
        try {
            Map<String, JsonNode> members = new TreeMap<>();
            JsonNode document = JSON.readTree(body);
            document.properties().forEach(member -> members.put(member.getKey(), member.getValue()));
            if (!document.isObject() || !List.of("reason").containsAll(members.keySet())) {
                throw Problem.badBody(advice);
            }
            JsonNode reason = members.get("reason");
            String word = reason == null ? "decline" : reason.isTextual() ? reason.textValue() : "";
            return switch (word) {
                case "busy" -> Decline.BUSY;
                case "decline" -> Decline.DECLINE;
                default -> throw Problem.badBody(advice);
            };
        } catch (JsonProcessingException e) {
            throw Problem.badBody(advice);
        } catch (IOException e) {
            throw new IllegalStateException("Bytes in memory cannot be read", e);
        }
    }

    private interface Question<T> {
        T ask();
    }

    /** The desk's troubles are the bridge's, and pass. */
    private static <T> T attempt(Asker asker, Question<T> question) {
        try {
            return question.ask();
        } catch (RuntimeException e) {
            LOG.error("No answer for call={} device={}", asker.call(), asker.device(), e);
            throw Problem.notNow();
        }
    }

    private void later(Context context, Asker asker, CompletionStage<Optional<CallState>> stage) {
        context.future(() -> stage.thenApply(Function.identity())
                .toCompletableFuture()
                .orTimeout(settings.deskWithin().toMillis(), TimeUnit.MILLISECONDS)
                .handleAsync(
                        (state, fault) -> {
                            if (fault != null) {
                                LOG.error("No answer for call={} device={}", asker.call(), asker.device(), fault);
                                throw Problem.notNow();
                            }
                            answer(context, state);
                            return context;
                        },
                        executor));
    }

    private static void answer(Context context, Optional<CallState> state) {
        json(context, members(state.orElseThrow(Problem::forgotten)));
    }

    private static Map<String, String> members(CallState state) {
        Map<String, String> members = new LinkedHashMap<>();
        members.put("status", state.live() ? "live" : "ended");
        state.reason().ifPresent(reason -> members.put("reason", reason));
        state.endedAt()
                .ifPresent(at -> members.put(
                        "ended-at", at.truncatedTo(ChronoUnit.MILLIS).toString()));
        return members;
    }

    private static void json(Context context, Map<String, String> members) {
        try {
            json(context, JSON.writeValueAsBytes(members));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A map of texts cannot be written as JSON", e);
        }
    }

    private static void json(Context context, byte[] json) {
        context.contentType("application/json").result(json);
    }

    private static Problem problem(HttpResponseException e) {
        if (e instanceof MethodNotAllowedResponse) {
            // Javalin's own list of the path's methods; the key depends on the Accept header.
            return Problem.method(String.join(", ", e.getDetails().values()).toUpperCase(Locale.ROOT));
        }
        return e.getStatus() == 404
                ? Problem.notFound()
                : Problem.malformed(e.getStatus(), HttpStatus.getMessage(e.getStatus()));
    }

    private static void write(Problem problem, Context context) {
        problem.headers().forEach(context::header);
        context.status(problem.status()).contentType(Problem.CONTENT_TYPE).result(problem.json());
    }
}
