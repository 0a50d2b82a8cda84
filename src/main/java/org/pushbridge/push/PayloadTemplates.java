package org.pushbridge.push;

import java.util.EnumMap;
import java.util.Map;

/**
 * The payloads of one app, one for each {@link PushRule}.
 *
 * <p>A template is a JSON object. Its string values may hold placeholders such as <code>${display-name}</code>:
 *
 * <table>
 * <caption>Placeholders</caption>
 * <tr><th>name</th><th>stands for</th></tr>
 * <tr><td>call-id</td><td>the bridge's id of the call, a UUID</td></tr>
 * <tr><td>uuid</td><td>the UUID for CallKit, lower case</td></tr>
 * <tr><td>sip-call-id</td><td>the Call-ID of the INVITE that will come</td></tr>
 * <tr><td>from-uri, display-name</td><td>who calls</td></tr>
 * <tr><td>caller</td><td>the display name, or the address of a caller without one</td></tr>
 * <tr><td>to</td><td>the address that was called</td></tr>
 * <tr><td>sent-at, expires-at</td><td>numbers: milliseconds since 1970 UTC</td></tr>
 * <tr><td>send-time</td><td>sent-at as text, {@code 2025-01-31 23:59:59}, UTC</td></tr>
 * <tr><td>ttl</td><td>a number: seconds from sent-at to expires-at</td></tr>
 * <tr><td>seq</td><td>a number: grows with each push of a call</td></tr>
 * <tr><td>video</td><td>true or false: whether the caller offers video</td></tr>
 * <tr><td>verdict-url, verdict-token</td><td>where, and with what, to ask what became of the call</td></tr>
 * <tr><td>sip-instance</td><td>the device's +sip.instance</td></tr>
 * <tr><td>reason</td><td>why the call is over, in one word such as {@code cancelled}</td></tr>
 * </table>
 *
 * <p>A value that is one placeholder and nothing else keeps its type, and its key is left out if this call has no
 * such fact; a placeholder among other text becomes text.
 *
 * <p>Immutable.
 */
public final class PayloadTemplates {
    private static final String ROOT_KEYS = """
            "call-id": "${call-id}", "uuid": "${uuid}", "sip-call-id": "${sip-call-id}",
            "from-uri": "${from-uri}", "display-name": "${display-name}", "to": "${to}",
            "sent-at": "${sent-at}", "expires-at": "${expires-at}", "seq": "${seq}", "video": "${video}",
            "verdict-url": "${verdict-url}", "verdict-token": "${verdict-token}", "reason": "${reason}"
            """;

    private static final Map<PushRule, String> DEFAULT = Map.of(
            PushRule.VOIP_RING,
            "{\"aps\": {}, \"event\": \"incoming-call\", " + ROOT_KEYS + "}",
            PushRule.ALERT_RING,
            """
            {"aps": {"alert": {"loc-key": "INCOMING_CALL_FROM", "loc-args": ["${caller}"]}, "sound": "default",
                     "category": "INCOMING_CALL", "thread-id": "${from-uri}"},
             "event": "incoming-call",
            """ + ROOT_KEYS + "}",
            PushRule.MISSED_CALL,
            """
            {"aps": {"alert": {"loc-key": "MISSED_CALL_FROM", "loc-args": ["${caller}"]}, "sound": "default",
                     "category": "MISSED_CALL", "thread-id": "${from-uri}"},
             "event": "missed-call",
            """ + ROOT_KEYS + "}",
            PushRule.BACKGROUND_END,
            "{\"aps\": {\"content-available\": 1}, \"event\": \"end\", " + ROOT_KEYS + "}",
            PushRule.VOIP_END,
            "{\"aps\": {}, \"event\": \"end\", " + ROOT_KEYS + "}",
            PushRule.REQUEST_WAITING,
            "{\"aps\": {\"content-available\": 1}, \"event\": \"request\", " + ROOT_KEYS + "}");

    /** What the SDK hands to the app as it is; for the end of a call, it has no key of its own. */
    private static final String LINPHONE_END = """
             "customPayload": {"event": "end", "call-id": "${call-id}", "uuid": "${uuid}",
                               "sip-call-id": "${sip-call-id}", "seq": "${seq}", "reason": "${reason}",
                               "verdict-url": "${verdict-url}", "verdict-token": "${verdict-token}"}}
            """;

    /** The keys that Linphone's SDK reads. */
    private static final Map<PushRule, String> LINPHONE = Map.of(
            PushRule.VOIP_RING,
            """
            {"aps": {"sound": "", "loc-key": "IC_MSG", "loc-args": ["${caller}"], "call-id": "${sip-call-id}",
                     "uuid": "${sip-instance}", "send-time": "${send-time}"},
             "from-uri": "${from-uri}", "display-name": "${display-name}", "pn_ttl": "${ttl}", "customPayload": {}}
            """,
            PushRule.ALERT_RING,
            """
            {"aps": {"alert": {"loc-key": "IC_MSG", "loc-args": ["${caller}"]}, "sound": "default"},
             "from-uri": "${from-uri}", "display-name": "${display-name}", "call-id": "${sip-call-id}",
             "pn_ttl": "${ttl}", "uuid": "${sip-instance}", "send-time": "${send-time}", "customPayload": {}}
            """,
            // The SDK has no key of its own for a missed call: an app that does not translate this one shows it as it
            // is.
            PushRule.MISSED_CALL,
            """
            {"aps": {"alert": {"title": "${caller}", "loc-key": "Missed call from %@", "loc-args": ["${caller}"]},
                     "sound": "default", "category": "MISSED_CALL", "thread-id": "${from-uri}"},
             "from-uri": "${from-uri}", "display-name": "${display-name}", "call-id": "${sip-call-id}",
             "pn_ttl": "${ttl}", "uuid": "${sip-instance}", "send-time": "${send-time}", "customPayload": {}}
            """,
            PushRule.BACKGROUND_END,
            """
            {"aps": {"content-available": 1, "call-id": "${sip-call-id}", "uuid": "${sip-instance}",
                     "send-time": "${send-time}"},
             "from-uri": "${from-uri}", "display-name": "${display-name}", "pn_ttl": "${ttl}",
            """ + LINPHONE_END,
            PushRule.VOIP_END,
            """
            {"aps": {"sound": "", "loc-key": "IC_MSG", "loc-args": ["${caller}"], "call-id": "${sip-call-id}",
                     "uuid": "${sip-instance}", "send-time": "${send-time}"},
             "from-uri": "${from-uri}", "display-name": "${display-name}", "pn_ttl": "${ttl}",
            """ + LINPHONE_END,
            PushRule.REQUEST_WAITING,
            """
            {"aps": {"content-available": 1, "call-id": "${sip-call-id}", "uuid": "${sip-instance}",
                     "send-time": "${send-time}"},
             "from-uri": "${from-uri}", "display-name": "${display-name}", "pn_ttl": "${ttl}",
             "customPayload": {"event": "request", "call-id": "${call-id}", "uuid": "${uuid}", "seq": "${seq}"}}
            """);

    private static final Map<String, Map<PushRule, String>> NAMED = Map.of("default", DEFAULT, "linphone", LINPHONE);

    private final Map<PushRule, PayloadTemplate> templates;

    private PayloadTemplates(Map<PushRule, PayloadTemplate> templates) {
        this.templates = templates;
    }

    /** For apps that follow RFC 8599 and read their own keys. */
    public static PayloadTemplates standard() {
        return of("the built-in payloads", "default", Map.of());
    }

    /**
     * @param app names the app in an error
     * @param name {@code default} or {@code linphone}
     * @param own the app's own templates, JSON text, in place of the named ones
     * @throws PushSettingsException if there is no such name, or an own template cannot work
     */
    public static PayloadTemplates of(String app, String name, Map<PushRule, String> own) {
        Map<PushRule, String> base = NAMED.get(name);
        if (base == null) {
            throw new PushSettingsException(
                    "App " + app + " wants the payload template '" + name + "'; there are: default, linphone");
        }
        Map<PushRule, PayloadTemplate> parsed = new EnumMap<>(PushRule.class);
        for (PushRule rule : PushRule.values()) {
            String json = own.getOrDefault(rule, base.getOrDefault(rule, ""));
            parsed.put(
                    rule, PayloadTemplate.parse("The " + label(rule) + " payload template of app " + app, rule, json));
        }
        return new PayloadTemplates(parsed);
    }

    PayloadTemplate template(PushRule rule) {
        PayloadTemplate template = templates.get(rule);
        if (template == null) {
            throw new IllegalStateException("Each rule got its template in the constructor");
        }
        return template;
    }

    private static String label(PushRule rule) {
        return rule.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
