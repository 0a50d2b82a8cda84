package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The document that developers of apps read; holds real answers against it. */
final class OpenApi {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> METHODS = Set.of("get", "head", "post", "put", "delete", "options", "patch");

    private final JsonNode document;

    private OpenApi(JsonNode document) {
        this.document = document;
    }

    static OpenApi read() throws IOException {
        try (InputStream in = VerdictRoutes.class.getResourceAsStream("openapi.json")) {
            return new OpenApi(JSON.readTree(in));
        }
    }

    JsonNode document() {
        return document;
    }

    /** Each path with its methods, upper case. */
    Map<String, Set<String>> routes() {
        Map<String, Set<String>> routes = new TreeMap<>();
        document.get("paths").properties().forEach(path -> {
            Set<String> methods = new TreeSet<>();
            path.getValue().fieldNames().forEachRemaining(name -> {
                if (METHODS.contains(name)) {
                    methods.add(name.toUpperCase(Locale.ROOT));
                }
            });
            routes.put(path.getKey(), methods);
        });
        return routes;
    }

    /** The example of each named schema or response that has some. */
    void check(String method, String path, HttpResponse<String> response) throws IOException {
        String status = Integer.toString(response.statusCode());
        Optional<JsonNode> operation = operation(method, path);
        JsonNode documented = operation
                .map(found -> found.get("responses").get(status))
                .orElseGet(() -> document.at(
                        "/components/responses/" + (response.statusCode() == 404 ? "NotFound" : "MethodNotAllowed")));
        assertThat(documented).as("%s %s may answer %s", method, path, status).isNotNull();
        if (operation.isEmpty()) {
            assertThat(response.statusCode()).isIn(404, 405);
        }
        JsonNode resolved = resolve(documented);
        checkHeaders(resolved.path("headers"), response);
        JsonNode content = resolved.path("content");
        if (method.equals("HEAD") || content.isMissingNode()) {
            assertThat(response.body()).isEmpty();
        } else {
            String type = response.headers().firstValue("Content-Type").orElseThrow();
            assertThat(content.has(type))
                    .as("%s %s answers %s", method, path, type)
                    .isTrue();
            JsonNode body = JSON.readTree(response.body());
            assertThat(errors(content.get(type).get("schema"), body))
                    .as("%s %s answered %s", method, path, body)
                    .isEmpty();
        }
    }

    private void checkHeaders(JsonNode headers, HttpResponse<String> response) throws IOException {
        for (Map.Entry<String, JsonNode> header : headers.properties()) {
            Optional<String> value = response.headers().firstValue(header.getKey());
            assertThat(value).as("header %s", header.getKey()).isPresent();
            assertThat(errors(
                            resolve(header.getValue()).get("schema"),
                            JSON.getNodeFactory().textNode(value.orElseThrow())))
                    .as("header %s: %s", header.getKey(), value)
                    .isEmpty();
        }
    }

    private Optional<JsonNode> operation(String method, String path) {
        for (Map.Entry<String, JsonNode> one : document.get("paths").properties()) {
            String pattern = one.getKey().replace("{id}", "[^/]+");
            if (path.matches(pattern)) {
                return Optional.ofNullable(one.getValue().get(method.toLowerCase(Locale.ROOT)));
            }
        }
        return Optional.empty();
    }

    private JsonNode resolve(JsonNode node) {
        return node.has("$ref") ? document.at(node.get("$ref").textValue().substring(1)) : node;
    }

    /** What is wrong with a value by a schema of the document. */
    String errors(JsonNode schema, JsonNode value) {
        ObjectNode whole = JSON.createObjectNode();
        whole.set("components", document.get("components"));
        whole.putArray("allOf").add(schema);
        return String.join(
                "\n",
                SchemaRegistry.withDialect(Dialects.getDraft202012()).getSchema(whole).validate(value).stream()
                        .map(Object::toString)
                        .toList());
    }
}
