package org.pushbridge.sim.apns;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.Optional;

/**
 * A push as it reaches a phone.
 *
 * @param apnsId of the request
 * @param token whose
 * @param type what the app is woken with
 * @param payload as sent
 * @param collapseId replaces an earlier notification with the same one
 * @param acceptedAt when Apple took it
 * @param late whether it was kept because the phone could not be reached at first
 */
public record DeliveredPush(
        String apnsId,
        String token,
        PushType type,
        JsonNode payload,
        Optional<String> collapseId,
        Instant acceptedAt,
        boolean late) {
    @Override
    public String toString() {
        return "DeliveredPush[" + type.header() + " " + apnsId + (late ? " late]" : "]");
    }
}
