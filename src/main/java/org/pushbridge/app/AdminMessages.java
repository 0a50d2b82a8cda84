package org.pushbridge.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.User;

/**
 * What crosses the admin socket: one JSON object in a line, and one back.
 *
 * <pre>
 * {"do":"list"}                                    {"users":[{"address":"sip:alice@example.com","devices":1,..}]}
 * {"do":"add","address":"..","ha1-md5":"..","ha1-sha256":"..","replace":false}    {"done":true}
 * {"do":"remove","address":".."}                   {"done":false}
 * {"do":"devices","address":".."}                  {"devices":[{"id":"..","address":"..","state":"asleep",..}]}
 * anything that fails                              {"error":"a sentence"}
 * </pre>
 */
final class AdminMessages {
    private static final ObjectMapper JSON = new ObjectMapper();

    private AdminMessages() {}

    /** Does what a request asks and gives the line to answer. Never throws. */
    static String answer(String request, Users users) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            JsonNode asked = JSON.readTree(request);
            if (!asked.isObject()) {
                throw new IllegalArgumentException("A request must be one JSON object in a line");
            }
            switch (asked.path("do").asText()) {
                case "list" -> answer.set("users", written(users.list()));
                case "add" ->
                    answer.put(
                            "done",
                            users.add(
                                    new User(
                                            Aor.parse(asked.path("address").asText()),
                                            hex(asked, "ha1-md5", 32),
                                            hex(asked, "ha1-sha256", 64)),
                                    asked.path("replace").asBoolean()));
                case "remove" ->
                    answer.put(
                            "done", users.remove(Aor.parse(asked.path("address").asText())));
                case "devices" ->
                    answer.set(
                            "devices",
                            writtenDevices(users.devices(
                                    asked.has("address")
                                            ? Optional.of(Aor.parse(
                                                    asked.path("address").asText()))
                                            : Optional.empty())));
                default ->
                    answer.put("error", "The server knows list, add, remove and devices; is it another version?");
            }
        } catch (JsonProcessingException e) {
            answer.removeAll().put("error", "A request must be one JSON object in a line");
        } catch (IllegalArgumentException | CommandFailed e) {
            answer.removeAll().put("error", String.valueOf(e.getMessage()));
        }
        return answer.toString();
    }

    static String list() {
        return JSON.createObjectNode().put("do", "list").toString();
    }

    static String add(User user, boolean replace) {
        return JSON.createObjectNode()
                .put("do", "add")
                .put("address", user.aor().toString())
                .put("ha1-md5", user.ha1Md5())
                .put("ha1-sha256", user.ha1Sha256())
                .put("replace", replace)
                .toString();
    }

    static String remove(Aor aor) {
        return JSON.createObjectNode()
                .put("do", "remove")
                .put("address", aor.toString())
                .toString();
    }

    /** @throws CommandFailed if the server answered that it failed, or something else than JSON */
    static JsonNode read(String answer) {
        JsonNode read;
        try {
            read = JSON.readTree(answer);
        } catch (JsonProcessingException e) {
            throw new CommandFailed("What answers on the admin socket is not a Pushbridge server", e);
        }
        if (read.has("error")) {
            throw new CommandFailed(read.path("error").asText());
        }
        return read;
    }

    static List<Users.Listed> users(JsonNode answer) {
        List<Users.Listed> users = new ArrayList<>();
        for (JsonNode user : answer.path("users")) {
            users.add(new Users.Listed(
                    Aor.parse(user.path("address").asText()),
                    user.path("devices").asInt(),
                    user.path("registered").asInt(),
                    user.path("wakeable").asInt()));
        }
        return users;
    }

    /** As {@code pushbridge user list --json} prints it, too. */
    static ArrayNode written(List<Users.Listed> users) {
        ArrayNode array = JSON.createArrayNode();
        for (Users.Listed user : users) {
            array.addObject()
                    .put("address", user.aor().toString())
                    .put("devices", user.devices())
                    .put("registered", user.registered())
                    .put("wakeable", user.wakeable());
        }
        return array;
    }

    static String askForDevices(Optional<Aor> of) {
        ObjectNode request = JSON.createObjectNode().put("do", "devices");
        of.ifPresent(aor -> request.put("address", aor.toString()));
        return request.toString();
    }

    static List<DeviceStatus> devices(JsonNode answer) {
        List<DeviceStatus> devices = new ArrayList<>();
        for (JsonNode device : answer.path("devices")) {
            devices.add(device(device));
        }
        return devices;
    }

    private static DeviceStatus device(JsonNode json) {
        Optional<DeviceStatus.Registration> registration = text(json, "flow")
                .map(flow -> new DeviceStatus.Registration(
                        flow,
                        json.path("connected").asBoolean(),
                        Instant.parse(json.path("registered-at").asText()),
                        Instant.parse(json.path("expires-at").asText()),
                        json.path("user-agent").asText()));
        Optional<PushBudget.State> budget = json.has("wasted-pushes")
                ? Optional.of(new PushBudget.State(
                        json.path("wasted-pushes").asInt(),
                        text(json, "paused-until").map(Instant::parse)))
                : Optional.empty();
        return new DeviceStatus(
                new DeviceId(json.path("id").asText()),
                Aor.parse(json.path("address").asText()),
                text(json, "app"),
                text(json, "environment"),
                json.path("voip-token").asBoolean(),
                json.path("regular-token").asBoolean(),
                text(json, "fault"),
                registration,
                budget);
    }

    private static Optional<String> text(JsonNode json, String key) {
        return Optional.ofNullable(json.get(key)).map(JsonNode::asText);
    }

    /** As {@code pushbridge device list --json} prints it, too. */
    static ArrayNode writtenDevices(List<DeviceStatus> devices) {
        ArrayNode array = JSON.createArrayNode();
        devices.forEach(device -> array.add(written(device)));
        return array;
    }

    static ObjectNode written(DeviceStatus device) {
        ObjectNode json = JSON.createObjectNode()
                .put("id", device.id().value())
                .put("address", device.aor().toString())
                .put("state", device.state().word());
        device.app().ifPresent(app -> json.put("app", app));
        device.environment().ifPresent(environment -> json.put("environment", environment));
        json.put("voip-token", device.voipToken()).put("regular-token", device.regularToken());
        device.fault().ifPresent(fault -> json.put("fault", fault));
        device.registration()
                .ifPresent(registration -> json.put("flow", registration.flow())
                        .put("connected", registration.connected())
                        .put("registered-at", registration.at().toString())
                        .put("expires-at", registration.until().toString())
                        .put("user-agent", registration.userAgent()));
        device.budget().ifPresent(budget -> {
            json.put("wasted-pushes", budget.wasted());
            budget.pausedUntil().ifPresent(until -> json.put("paused-until", until.toString()));
        });
        return json;
    }

    private static String hex(JsonNode asked, String key, int digits) {
        String text = asked.path(key).asText();
        if (!text.matches("[0-9a-f]{" + digits + "}")) {
            throw new IllegalArgumentException("add needs " + key + ": " + digits + " lower-case hexadecimal digits");
        }
        return text;
    }
}
