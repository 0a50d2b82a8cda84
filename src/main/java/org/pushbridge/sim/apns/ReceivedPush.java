package org.pushbridge.sim.apns;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A request as it arrived, and what was made of it. What the request did not have, or had in a form that cannot be
 * read, is empty.
 *
 * @param at when it was complete
 * @param environment which of the two services got it
 * @param connection a number for the connection it came over, counted from 1
 * @param apnsId as sent, else as given to it
 * @param topic the {@code apns-topic}, or empty
 * @param type the {@code apns-push-type}
 * @param priority the {@code apns-priority}
 * @param expiration the {@code apns-expiration}; 0 is the epoch
 * @param collapseId the {@code apns-collapse-id}
 * @param token the device token, lower case, or empty
 * @param payload the body; a missing node if it is not JSON
 * @param callId the call that a VoIP push announces
 * @param answer what it was answered with
 * @param violations what a well-behaved server would not have done
 */
public record ReceivedPush(
        Instant at,
        Environment environment,
        int connection,
        String apnsId,
        String topic,
        Optional<PushType> type,
        OptionalInt priority,
        Optional<Instant> expiration,
        Optional<String> collapseId,
        String token,
        JsonNode payload,
        Optional<String> callId,
        Answer answer,
        List<String> violations) {
    public ReceivedPush {
        violations = List.copyOf(violations);
    }

    /** Whether Apple took it. */
    public boolean accepted() {
        return answer instanceof Answer.Accepted;
    }

    @Override
    public String toString() {
        return "ReceivedPush[" + type.map(PushType::header).orElse("untyped") + " " + apnsId + " to " + topic + ", "
                + answer + "]";
    }
}
