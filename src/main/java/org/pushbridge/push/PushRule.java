package org.pushbridge.push;

import com.eatthepath.pushy.apns.DeliveryPriority;
import com.eatthepath.pushy.apns.PushType;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;

/**
 * What Apple asks of each push that the bridge sends: topic, type, priority, expiration and size.
 *
 * <p>All alerts here are meant to be seen at once, so their priority is 10. Apple allows a background push 5 only.
 */
public enum PushRule {
    /** An incoming call, for PushKit. Not collapsible: each stands for a call that CallKit must be told of. */
    VOIP_RING(PushType.VOIP, ".voip", DeliveryPriority.IMMEDIATE, 5120),
    /** An incoming call, for an app that does without CallKit. */
    ALERT_RING(PushType.ALERT, "", DeliveryPriority.IMMEDIATE, 4096),
    MISSED_CALL(PushType.ALERT, "", DeliveryPriority.IMMEDIATE, 4096),
    BACKGROUND_END(PushType.BACKGROUND, "", DeliveryPriority.CONSERVE_POWER, 4096),
    /** The end of a call whose VoIP push was taken, for apps that say they handle it. */
    VOIP_END(PushType.VOIP, ".voip", DeliveryPriority.IMMEDIATE, 5120),
    /** A request waits for a device that is in a call. */
    REQUEST_WAITING(PushType.BACKGROUND, "", DeliveryPriority.CONSERVE_POWER, 4096);

    private static final Duration MISSED_CALL_LIFE = Duration.ofHours(24);

    private final PushType type;
    private final String topicSuffix;
    private final DeliveryPriority priority;
    private final int payloadLimit;

    PushRule(PushType type, String topicSuffix, DeliveryPriority priority, int payloadLimit) {
        this.type = type;
        this.topicSuffix = topicSuffix;
        this.priority = priority;
        this.payloadLimit = payloadLimit;
    }

    static PushRule of(PushKind kind, RingsBy ringsBy) {
        return switch (kind) {
            case VOIP -> ringsBy == RingsBy.VOIP ? VOIP_RING : ALERT_RING;
            case RING_ALERT -> ALERT_RING;
            case END_VOIP -> VOIP_END;
            case MISSED_CALL_ALERT -> MISSED_CALL;
            case BACKGROUND_END -> BACKGROUND_END;
            case REQUEST_WAITING -> REQUEST_WAITING;
        };
    }

    PushType type() {
        return type;
    }

    DeliveryPriority priority() {
        return priority;
    }

    /** The largest payload Apple takes, in bytes of UTF-8. */
    int payloadLimit() {
        return payloadLimit;
    }

    String topic(String bundleId) {
        return bundleId + topicSuffix;
    }

    /** Whether the push rings. Then it goes out at most once, and has little time. */
    boolean rings() {
        return this == VOIP_RING || this == ALERT_RING;
    }

    Optional<PushToken> token(PushTarget target) {
        return type == PushType.VOIP ? target.voip() : target.regular();
    }

    /** The name of the token that {@link #token} looks for. */
    String tokenName() {
        return type == PushType.VOIP ? "VoIP" : "regular";
    }

    /**
     * Until when APNs may store the push; the epoch stands for 0, one attempt. It is a whole second, as the header is,
     * rounded up: a deadline in the same second must not look past.
     */
    Instant expiration(Push push, Instant now) {
        Instant until =
                switch (this) {
                    case VOIP_RING, VOIP_END -> Instant.EPOCH;
                    case MISSED_CALL -> now.plus(MISSED_CALL_LIFE);
                    case ALERT_RING, BACKGROUND_END, REQUEST_WAITING -> push.deadline();
                };
        return until.getNano() == 0 ? until : Instant.ofEpochSecond(until.getEpochSecond() + 1);
    }

    /**
     * What makes a later push replace an earlier one on the screen; at most 64 bytes, here 44 or fewer. The
     * missed-call alert of a call replaces its ringing alert. Background pushes show nothing and must not replace either.
     */
    Optional<String> collapseId(CallFacts facts) {
        return switch (this) {
            case VOIP_RING, VOIP_END -> Optional.empty();
            case ALERT_RING, MISSED_CALL -> Optional.of(facts.callId().toString());
            case BACKGROUND_END -> Optional.of("end-" + facts.callId());
            case REQUEST_WAITING -> Optional.of("request-" + facts.callId());
        };
    }
}
