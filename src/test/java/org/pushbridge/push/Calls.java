package org.pushbridge.push;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** Facts of calls, for tests. */
final class Calls {
    static final UUID CALL = UUID.fromString("0f8fad5b-d9cb-469f-a165-70867728950e");
    static final UUID CALL_KIT = UUID.fromString("7c9e6679-7425-50de-944b-e07fc1f90ae7");
    static final Instant SENT = Instant.parse("2025-03-04T10:20:30.123Z");

    private Calls() {}

    static CallFacts from(String displayName) {
        return from(displayName, "sip:bob@example.com");
    }

    static CallFacts from(String displayName, String uri) {
        return new CallFacts(
                CALL,
                CALL_KIT,
                "a84b4c76e66710@bridge.example.com",
                uri,
                displayName,
                "sip:alice@example.com",
                SENT,
                SENT.plusSeconds(45),
                3,
                true,
                Optional.of("https://bridge.example.com/v1/calls/" + CALL),
                Optional.of("one-time-token"),
                Optional.of("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
                Optional.empty());
    }

    static CallFacts endedBy(String reason) {
        CallFacts whole = from("Bob");
        return new CallFacts(
                whole.callId(),
                whole.callKitUuid(),
                whole.sipCallId(),
                whole.fromUri(),
                whole.displayName(),
                whole.calledAor(),
                whole.sentAt(),
                whole.expiresAt(),
                whole.seq(),
                whole.video(),
                whole.verdictUrl(),
                whole.verdictToken(),
                whole.sipInstance(),
                Optional.of(reason));
    }

    static CallFacts withoutVerdict() {
        CallFacts whole = from("Bob");
        return new CallFacts(
                whole.callId(),
                whole.callKitUuid(),
                whole.sipCallId(),
                whole.fromUri(),
                whole.displayName(),
                whole.calledAor(),
                whole.sentAt(),
                whole.expiresAt(),
                whole.seq(),
                whole.video(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
