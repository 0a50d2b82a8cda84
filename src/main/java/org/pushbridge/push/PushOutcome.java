package org.pushbridge.push;

import java.time.Instant;
import java.util.UUID;
import org.pushbridge.device.PushToken;

/** What became of a push. One value for each kind of answer that APNs gives, and for our own limits. */
public sealed interface PushOutcome {

    /** A short name for logs and metrics, lower case with dashes. */
    String name();

    /** APNs took the push. That does not say it reached the device. */
    record Accepted(UUID apnsId) implements PushOutcome {
        @Override
        public String name() {
            return "accepted";
        }
    }

    /**
     * 410: the app is gone, or its token was replaced. Report it with {@code DeviceDirectory.tokenDied}, which keeps a
     * token that was confirmed after {@code since}.
     *
     * @param since Apple's time stamp; when the push was sent, if the answer carried none
     */
    record TokenDead(String reason, Instant since, PushToken token) implements PushOutcome {
        @Override
        public String name() {
            return "token-dead";
        }
    }

    /**
     * 400 BadDeviceToken or DeviceTokenNotForTopic: never retried, as Apple drops the connection of those who do.
     *
     * @param explanation names the likely cause, environment or topic, for the operator
     * @param sentAt when the push was sent, to compare with a registration
     */
    record TargetWrong(String reason, String explanation, Instant sentAt, PushToken token) implements PushOutcome {
        @Override
        public String name() {
            return "target-wrong";
        }
    }

    /**
     * APNs says that the request itself is wrong: a bug here, or in the app's payload template.
     *
     * @param status HTTP status; 413 also where the payload was too large to be sent at all
     */
    record OurFault(int status, String reason) implements PushOutcome {
        @Override
        public String name() {
            return "our-fault";
        }
    }

    /** APNs refuses the key or certificate: all pushes with it fail at once until APNs takes it again. */
    record CredentialsWrong(String reason) implements PushOutcome {
        @Override
        public String name() {
            return "credentials-wrong";
        }
    }

    /** 429 up to the deadline. */
    record Throttled(String reason) implements PushOutcome {
        @Override
        public String name() {
            return "throttled";
        }
    }

    /**
     * No answer, or none that helps, from APNs.
     *
     * @param mayHaveArrived the request was written and its answer never came, so the device may well wake up. A
     *     VoIP push is not resent then: it could ring twice
     */
    record Unavailable(String why, boolean mayHaveArrived) implements PushOutcome {
        @Override
        public String name() {
            return "unavailable";
        }
    }

    /** Too many pushes are in flight; this one was not tried. */
    record Overloaded(int inFlight) implements PushOutcome {
        @Override
        public String name() {
            return "overloaded";
        }
    }

    /** {@link Push#stillWanted()} said no before the push, or its resend, was written. */
    record NoLongerWanted() implements PushOutcome {
        @Override
        public String name() {
            return "no-longer-wanted";
        }
    }

    /**
     * The device gave no token of the kind that this push needs.
     *
     * @param missing {@code VoIP} or {@code regular}
     */
    record NoToken(String missing) implements PushOutcome {
        @Override
        public String name() {
            return "no-token";
        }
    }

    /** The settings do not have the app that the device registered with. */
    record AppUnknown(String bundleId) implements PushOutcome {
        @Override
        public String name() {
            return "app-unknown";
        }
    }

    /** The app's settings switch this kind of push off. */
    record SwitchedOff(PushKind kind) implements PushOutcome {
        @Override
        public String name() {
            return "switched-off";
        }
    }
}
