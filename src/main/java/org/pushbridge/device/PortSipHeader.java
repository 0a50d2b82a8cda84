package org.pushbridge.device;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The rules behind {@link PushReading#ofPortSip}. */
final class PortSipHeader {
    private PortSipHeader() {}

    static PushReading read(String header, Function<String, ApnsEnvironment> environmentOf) {
        Map<String, String> fields = fields(header);
        boolean ios = fields.getOrDefault("device-os", "").equalsIgnoreCase("ios");
        boolean wanted = !fields.getOrDefault("allow-call-push", "").equalsIgnoreCase("false");
        if (!ios || !wanted) {
            return new PushReading.Absent();
        }
        String bundle = fields.getOrDefault("app-id", "");
        if (!bundle.matches("[A-Za-z0-9.-]{1,155}")) {
            return new PushReading.Damaged(
                    "app-id in x-p-push must be the app's bundle id, such as app-id=com.example.phone");
        }
        String[] tokens = fields.getOrDefault("device-uid", "").split("\\|", -1);
        if (tokens.length > 2) {
            return new PushReading.Damaged(
                    "device-uid in x-p-push holds more than two tokens; write device-uid=<VoIP token>|<regular token>");
        }
        String regular = tokens.length == 2 ? tokens[1].strip() : "";
        // With neither there is a token missing, and the reading of the empty one says so.
        Optional<TokenReading> forCalls =
                tokens[0].isBlank() && !regular.isEmpty() ? Optional.empty() : Optional.of(TokenReading.of(tokens[0]));
        Optional<TokenReading> forAlerts = regular.isEmpty() ? Optional.empty() : Optional.of(TokenReading.of(regular));
        return fault(forCalls)
                .or(() -> fault(forAlerts))
                .orElseGet(() -> new PushReading.Target(
                        environmentOf.apply(bundle), "", bundle, sound(forCalls), sound(forAlerts)));
    }

    private static Map<String, String> fields(String header) {
        Map<String, String> fields = new HashMap<>();
        for (String field : header.split(";", -1)) {
            int equals = field.indexOf('=');
            if (equals > 0) {
                fields.putIfAbsent(
                        field.substring(0, equals).strip().toLowerCase(Locale.ROOT),
                        field.substring(equals + 1).strip());
            }
        }
        return fields;
    }

    private static Optional<PushReading> fault(Optional<TokenReading> reading) {
        return reading.flatMap(r -> r instanceof TokenReading.Damaged damaged
                ? Optional.of(new PushReading.Damaged(damaged.fault()))
                : Optional.empty());
    }

    private static Optional<PushToken> sound(Optional<TokenReading> reading) {
        return reading.flatMap(
                r -> r instanceof TokenReading.Sound sound ? Optional.of(sound.token()) : Optional.empty());
    }
}
