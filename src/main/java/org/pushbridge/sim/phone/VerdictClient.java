package org.pushbridge.sim.phone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import org.pushbridge.sim.ua.Violations;

/**
 * The app's side of the verdict API. What the bridge answers against its own promises is a violation; that it cannot be
 * reached is none. Futures are completed on the client's threads, and never exceptionally. Whoever opened it closes it.
 */
final class VerdictClient implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Set<String> REASONS = Set.of(
            "caller-gave-up",
            "answered-elsewhere",
            "declined-elsewhere",
            "ring-limit",
            "failed",
            "answered-here",
            "declined-here",
            "hung-up");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What an answer means to the app. */
    enum Meaning {
        LIVE,
        ENDED,
        /** Nothing is known of the call any more. */
        GONE,
        /** An answer that tells the app nothing about the call. */
        NOTHING,
        /** No answer at all. */
        SILENCE
    }

    /** @param reason why the call ended; empty otherwise */
    record Answer(Meaning meaning, String reason) {}

    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "app-https");
        thread.setDaemon(true);
        return thread;
    });
    private final Violations violations;
    private final HttpClient client;

    VerdictClient(Optional<SSLContext> tls, Violations violations) {
        this.violations = violations;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .executor(threads)
                .connectTimeout(PATIENCE)
                .followRedirects(HttpClient.Redirect.NEVER);
        tls.ifPresent(builder::sslContext);
        this.client = builder.build();
    }

    /** Asks what became of the call. */
    CompletableFuture<Answer> verdict(VerdictAccess access) {
        return send("GET", access.address(), access.token());
    }

    /** Says something about the call: {@code alerting} or {@code decline}. */
    CompletableFuture<Answer> tell(VerdictAccess access, String what) {
        return send("POST", URI.create(access.address() + "/" + what), access.token());
    }

    private CompletableFuture<Answer> send(String method, URI address, String token) {
        HttpRequest request = HttpRequest.newBuilder(address)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("Authorization", "Bearer " + token)
                .header("Accept", "application/json, application/problem+json")
                .timeout(PATIENCE)
                .build();
        String name = method + " " + address.getPath();
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenApply(response -> read(name, method, response))
                .exceptionally(unreachable -> new Answer(Meaning.SILENCE, ""));
    }

    private Answer read(String name, String method, HttpResponse<String> response) {
        int status = response.statusCode();
        String type = response.headers().firstValue("Content-Type").orElse("").replaceAll(";.*", "");
        if (status == 200) {
            return verdict(name, type, response.body());
        }
        if (method.equals("POST") && (status == 202 || status == 204)) {
            return new Answer(Meaning.NOTHING, "");
        }
        if (status != 410) {
            violations.add(name + " with the token of the push was answered with " + status);
        }
        int told =
                json(response.body()).map(p -> p.path("status").asInt(status)).orElse(0);
        if (status >= 400 && (!type.equals("application/problem+json") || told != status)) {
            violations.add(name + " was answered with " + status + " without a JSON problem that says so");
        }
        return new Answer(status == 410 ? Meaning.GONE : Meaning.NOTHING, "");
    }

    private Answer verdict(String name, String type, String body) {
        if (!type.equals("application/json")) {
            violations.add(name + " was answered with the Content-Type '" + type + "', not application/json");
        }
        JsonNode fields = json(body).orElse(JSON.missingNode());
        String reason = fields.path("reason").asText();
        switch (fields.path("status").asText()) {
            case "live" -> {
                return new Answer(Meaning.LIVE, "");
            }
            case "ended" -> {
                if (!REASONS.contains(reason)) {
                    violations.add(
                            name + " was answered that the call ended for the reason '" + reason + "', which is none");
                }
                return new Answer(Meaning.ENDED, reason);
            }
            default -> {
                violations.add(name + " was answered with neither live nor ended: " + body);
                return new Answer(Meaning.NOTHING, "");
            }
        }
    }

    private static Optional<JsonNode> json(String body) {
        try {
            return Optional.of(JSON.readTree(body));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
