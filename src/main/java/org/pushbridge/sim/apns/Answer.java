package org.pushbridge.sim.apns;

import java.time.Instant;
import java.util.Optional;

/** What a request was answered with. */
public sealed interface Answer {

    /** 200: Apple has taken the push; this says nothing about delivery. */
    record Accepted() implements Answer {}

    /**
     * An error with Apple's reason.
     *
     * @param invalidSince when the token stopped being valid; sent in milliseconds, and only with 410
     */
    record Rejected(int status, String reason, Optional<Instant> invalidSince) implements Answer {
        public Rejected {
            if (status < 400 || status > 599) {
                throw new IllegalArgumentException("An APNs error has a status from 400 to 599, not " + status);
            }
        }

        Rejected(int status, String reason) {
            this(status, reason, Optional.empty());
        }
    }

    /**
     * An injected fault kept the answer from the client.
     *
     * @param how what happened instead, in a few words
     */
    record Withheld(String how) implements Answer {}
}
