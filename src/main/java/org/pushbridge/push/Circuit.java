package org.pushbridge.push;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Keeps pushes back while APNs refuses the credentials they would be sent with: asking again and again with a wrong
 * key helps no call and gets the connection dropped. After a pause one push goes through as a probe.
 *
 * <p>Safe for any thread.
 */
final class Circuit {
    enum Admission {
        GO,
        /** Goes as well; its fate decides for the others. */
        PROBE,
        REFUSED
    }

    private final Duration pause;
    private Optional<String> refusal = Optional.empty();
    private Instant probeAt = Instant.MIN;
    private boolean probing;

    Circuit(Duration pause) {
        this.pause = pause;
    }

    synchronized Admission admit(Instant now) {
        if (refusal.isEmpty()) {
            return Admission.GO;
        }
        if (probing || now.isBefore(probeAt)) {
            return Admission.REFUSED;
        }
        probing = true;
        return Admission.PROBE;
    }

    /**
     * APNs refused the credentials.
     *
     * @return whether this is news
     */
    synchronized boolean open(String reason, Instant now) {
        boolean news = refusal.isEmpty();
        refusal = Optional.of(reason);
        probeAt = now.plus(pause);
        probing = false;
        return news;
    }

    /**
     * APNs took the credentials, whatever it said of the push.
     *
     * @return whether this is news
     */
    synchronized boolean close() {
        boolean news = refusal.isPresent();
        refusal = Optional.empty();
        probing = false;
        return news;
    }

    /** The probe ended without telling anything; the next push is one. */
    synchronized void probeSaidNothing() {
        probing = false;
    }

    /** Why the circuit is open, if it is. */
    synchronized Optional<String> refusal() {
        return refusal;
    }
}
