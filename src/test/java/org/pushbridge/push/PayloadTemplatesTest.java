package org.pushbridge.push;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadTemplatesTest {
    private static final String APP = "com.example.phone";

    @Test
    void theStandardVoipPayloadTellsTheAppAllItNeedsBeforeSipIsUp() {
        JsonNode payload = render(PayloadTemplates.standard(), PushRule.VOIP_RING, Calls.from("Bob"));

        assertThat(payload).isEqualTo(tree("""
                {"aps": {}, "event": "incoming-call",
                 "call-id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                 "uuid": "7c9e6679-7425-50de-944b-e07fc1f90ae7",
                 "sip-call-id": "a84b4c76e66710@bridge.example.com",
                 "from-uri": "sip:bob@example.com", "display-name": "Bob", "to": "sip:alice@example.com",
                 "sent-at": 1741083630123, "expires-at": 1741083675123, "seq": 3, "video": true,
                 "verdict-url": "https://bridge.example.com/v1/calls/0f8fad5b-d9cb-469f-a165-70867728950e",
                 "verdict-token": "one-time-token"}"""));
    }

    @Test
    void theStandardMissedCallAlertNamesTheCallerOnTheLockScreen() {
        JsonNode aps = render(PayloadTemplates.standard(), PushRule.MISSED_CALL, Calls.from("Bob"))
                .path("aps");

        assertThat(aps).isEqualTo(tree("""
                {"alert": {"loc-key": "MISSED_CALL_FROM", "loc-args": ["Bob"]}, "sound": "default",
                 "category": "MISSED_CALL", "thread-id": "sip:bob@example.com"}"""));
    }

    @ParameterizedTest
    @EnumSource(names = {"BACKGROUND_END", "VOIP_END"})
    void theEndOfACallNamesTheCallAndTheReason(PushRule rule) {
        JsonNode payload = render(PayloadTemplates.standard(), rule, Calls.endedBy("declined-elsewhere"));

        JsonNode aps = tree(rule == PushRule.BACKGROUND_END ? "{\"content-available\": 1}" : "{}");
        assertThat(payload.path("aps")).isEqualTo(aps);
        assertThat(payload.path("event").asText()).isEqualTo("end");
        assertThat(payload.path("reason").asText()).isEqualTo("declined-elsewhere");
        for (String key : List.of("call-id", "uuid", "sip-call-id", "verdict-url", "verdict-token", "seq")) {
            assertThat(payload.path(key).asText()).as(key).isNotEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BACKGROUND_END", "VOIP_END"})
    void linphonesAppsFindTheEndOfACallInTheirCustomPayload(PushRule rule) {
        JsonNode payload =
                render(PayloadTemplates.of(APP, "linphone", Map.of()), rule, Calls.endedBy("answered-elsewhere"));

        assertThat(payload.path("customPayload")).isEqualTo(tree("""
                {"event": "end", "call-id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                 "uuid": "7c9e6679-7425-50de-944b-e07fc1f90ae7", "sip-call-id": "a84b4c76e66710@bridge.example.com",
                 "seq": 3, "reason": "answered-elsewhere",
                 "verdict-url": "https://bridge.example.com/v1/calls/0f8fad5b-d9cb-469f-a165-70867728950e",
                 "verdict-token": "one-time-token"}"""));
        assertThat(payload.at("/aps/call-id").asText()).isEqualTo("a84b4c76e66710@bridge.example.com");
    }

    @Test
    void linphonesMissedCallAlertCanBeTranslatedGroupedAndCalledBack() {
        JsonNode aps = render(PayloadTemplates.of(APP, "linphone", Map.of()), PushRule.MISSED_CALL, Calls.from("Bob"))
                .path("aps");

        assertThat(aps).isEqualTo(tree("""
                {"alert": {"title": "Bob", "loc-key": "Missed call from %@", "loc-args": ["Bob"]}, "sound": "default",
                 "category": "MISSED_CALL", "thread-id": "sip:bob@example.com"}"""));
    }

    @ParameterizedTest
    @EnumSource(PushRule.class)
    void whatReplacesAPushIsShortEnough(PushRule rule) {
        assertThat(rule.collapseId(Calls.from("Bob")).orElse(""))
                .satisfies(id -> assertThat(id.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(64));
        assertThat(rule.collapseId(Calls.from("Bob")).isEmpty())
                .isEqualTo(rule == PushRule.VOIP_RING || rule == PushRule.VOIP_END);
    }

    @Test
    void aCallerWithoutANameIsShownByAddress() {
        JsonNode payload = render(PayloadTemplates.standard(), PushRule.MISSED_CALL, Calls.from(""));

        assertThat(payload.at("/aps/alert/loc-args/0").asText()).isEqualTo("sip:bob@example.com");
    }

    @Test
    void theLinphonePayloadHasTheKeysThatLinphoneReads() {
        JsonNode payload = render(PayloadTemplates.of(APP, "linphone", Map.of()), PushRule.VOIP_RING, Calls.from("B"));

        assertThat(payload).isEqualTo(tree("""
                {"aps": {"sound": "", "loc-key": "IC_MSG", "loc-args": ["B"],
                         "call-id": "a84b4c76e66710@bridge.example.com",
                         "uuid": "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "send-time": "2025-03-04 10:20:30"},
                 "from-uri": "sip:bob@example.com", "display-name": "B", "pn_ttl": 45, "customPayload": {}}"""));
    }

    @Test
    void aFactThatThisCallDoesNotHaveLeavesItsKeyOut() {
        JsonNode payload = render(PayloadTemplates.standard(), PushRule.VOIP_RING, Calls.withoutVerdict());

        assertThat(payload.has("verdict-url")).isFalse();
        assertThat(payload.has("verdict-token")).isFalse();
        assertThat(payload.has("call-id")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "O\"Brien \\ \"},\"aps\":{\"alert\":\"owned\"",
                "${verdict-token}",
                "$1 \\$2",
                "שלום \u202Eעולם",
                "👩‍👩‍👧‍👦 🏴‍☠️",
                "line\nbreak\ttab\u0000nul",
                "\uD83D unpaired"
            })
    void whateverTheCallerIsCalledItStaysInItsString(String name) {
        JsonNode plain = render(PayloadTemplates.standard(), PushRule.MISSED_CALL, Calls.from("Bob"));

        JsonNode payload = render(PayloadTemplates.standard(), PushRule.MISSED_CALL, Calls.from(name));

        assertThat(payload.path("display-name").asText()).isEqualTo(name);
        assertThat(payload.at("/aps/alert/loc-args/0").asText()).isEqualTo(name);
        assertThat(payload.path("aps").properties())
                .hasSameSizeAs(plain.path("aps").properties());
        assertThat(payload.properties()).hasSameSizeAs(plain.properties());
    }

    @ParameterizedTest
    @EnumSource(PushRule.class)
    void anEndlessNameIsShortenedToWhatAppleTakes(PushRule rule) {
        String name = "📞".repeat(2500);

        String payload = PayloadTemplates.standard()
                .template(rule)
                .render(Calls.from(name))
                .orElseThrow();

        assertThat(payload.getBytes(StandardCharsets.UTF_8).length)
                .isBetween(rule.payloadLimit() - 12, rule.payloadLimit());
        String shown = tree(payload).path("display-name").asText();
        assertThat(shown).matches("(📞)+…");
        assertThat(tree(payload).path("from-uri").asText()).isEqualTo("sip:bob@example.com");
    }

    @Test
    void anEndlessAddressIsShortenedWhenLeavingOutTheNameIsNotEnough() {
        String uri = "sip:" + "b".repeat(9000) + "@example.com";

        String payload = PayloadTemplates.standard()
                .template(PushRule.VOIP_RING)
                .render(Calls.from("Bob", uri))
                .orElseThrow();

        assertThat(payload.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(5120);
        assertThat(tree(payload).path("uuid").asText()).isEqualTo(Calls.CALL_KIT.toString());
    }

    @Test
    void anAppsOwnTemplateTakesThePlaceOfTheNamedOneForItsKindOnly() {
        PayloadTemplates templates = PayloadTemplates.of(APP, "default", Map.of(PushRule.VOIP_RING, """
                        {"aps": {}, "Id": "${uuid}", "n": ["${seq}", "${verdict-url}"], "say": "${caller} at ${sent-at}",
                         "fixed": {"a": 1, "b": null}}"""));

        assertThat(render(templates, PushRule.VOIP_RING, Calls.withoutVerdict()))
                .isEqualTo(tree("""
                {"aps": {}, "Id": "7c9e6679-7425-50de-944b-e07fc1f90ae7", "n": [3],
                 "say": "Bob at 1741083630123", "fixed": {"a": 1, "b": null}}"""));
        assertThat(render(templates, PushRule.MISSED_CALL, Calls.from("Bob"))
                        .at("/aps/alert/loc-key")
                        .asText())
                .isEqualTo("MISSED_CALL_FROM");
    }

    @Test
    void aPlaceholderThatThereIsNotIsRefusedWithAListOfThoseThereAre() {
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "{\"aps\": {}, \"x\": [\"${callid}\"]}"))
                .isInstanceOf(PushSettingsException.class)
                .hasMessage("The voip-ring payload template of app com.example.phone has the placeholder ${callid},"
                        + " which there is not; those there are: call-id, caller, display-name, expires-at, from-uri,"
                        + " reason, send-time, sent-at, seq, sip-call-id, sip-instance, to, ttl, uuid, verdict-token,"
                        + " verdict-url, video");
    }

    @Test
    void aTemplateThatCannotWorkIsRefusedAtStartWithWhatToDo() {
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "{\"aps\": {}"))
                .hasMessageContaining("voip-ring payload template of app com.example.phone is not valid JSON")
                .hasMessageContaining("line 1");
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "{\"aps\": {}} more"))
                .hasMessageContaining("is not valid JSON");
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "[]")).hasMessageContaining("must be a JSON object");
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "")).hasMessageContaining("must be a JSON object");
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "{\"x\": 1}")).hasMessageContaining("add \"aps\": {}");
        assertThatThrownBy(() -> own(PushRule.BACKGROUND_END, "{\"aps\": {}}"))
                .hasMessageContaining("add \"content-available\": 1");
        assertThatThrownBy(() -> own(PushRule.MISSED_CALL, "{\"aps\": {}}")).hasMessageContaining("no 'alert'");
        assertThatThrownBy(() -> own(PushRule.VOIP_RING, "{\"aps\": {}, \"x\": \"" + "x".repeat(5120) + "\"}"))
                .hasMessageContaining("no more than 5120");
        assertThatThrownBy(() -> PayloadTemplates.of(APP, "acrobits", Map.of()))
                .hasMessage(
                        "App com.example.phone wants the payload template 'acrobits'; there are: default, linphone");
    }

    private static PayloadTemplates own(PushRule rule, String json) {
        return PayloadTemplates.of(APP, "default", Map.of(rule, json));
    }

    private static JsonNode render(PayloadTemplates templates, PushRule rule, CallFacts facts) {
        return tree(templates.template(rule).render(facts).orElseThrow());
    }

    private static JsonNode tree(String json) {
        try {
            return new JsonMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + json, e);
        }
    }
}
