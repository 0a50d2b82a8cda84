package org.pushbridge.sim.apns;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Something that goes wrong with one request, on demand (see {@link SimulatedApns#inject}). The request is checked as
 * ever; the fault replaces what would have been done with it.
 *
 * @param instead the error to answer with, if the fault is an answer
 * @param delay how long the answer is held back
 * @param ending what becomes of the request
 */
public record Fault(Optional<Answer.Rejected> instead, Duration delay, Ending ending) {

    /** What becomes of a request. */
    public enum Ending {
        /** It is answered. */
        ANSWERED,
        /** It is never answered; the connection stays up. */
        SILENCE,
        /** RST_STREAM with REFUSED_STREAM: it was not processed and may be sent again. */
        REFUSED_STREAM,
        /** It is answered, and so is everything sent before; GOAWAY says so, and the connection ends when all is answered. */
        GOAWAY_AFTER_ANSWER,
        /** GOAWAY names the stream before this one as the last: this and later requests were not processed. */
        GOAWAY_INSTEAD,
        /** As {@link #GOAWAY_INSTEAD}, but the connection ends at once, with earlier requests unanswered too. */
        GOAWAY_AND_CUT,
        /** The connection ends without a word; the request was not processed. */
        CUT,
        /** The request is processed, then the connection ends before the answer is out. */
        CUT_AFTER_PROCESSING
    }

    public Fault {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("An answer cannot be held back for " + delay);
        }
    }

    /** Answers with an error, such as 503 and {@code ServiceUnavailable}. */
    public static Fault answer(int status, String reason) {
        return new Fault(Optional.of(new Answer.Rejected(status, reason)), Duration.ZERO, Ending.ANSWERED);
    }

    /** Answers 410 with the moment since when the token is dead. */
    public static Fault gone(String reason, Instant invalidSince) {
        return new Fault(
                Optional.of(new Answer.Rejected(410, reason, Optional.of(invalidSince))),
                Duration.ZERO,
                Ending.ANSWERED);
    }

    /** Handles the request as ever, but answers late. */
    public static Fault slow(Duration delay) {
        return new Fault(Optional.empty(), delay, Ending.ANSWERED);
    }

    /** Ends the request in a way that is not an error answer. */
    public static Fault of(Ending ending) {
        return new Fault(Optional.empty(), Duration.ZERO, ending);
    }

    /** The same fault, with its answer held back. */
    public Fault after(Duration holdBack) {
        return new Fault(instead, holdBack, ending);
    }

    boolean processes() {
        return instead.isEmpty()
                && (ending == Ending.ANSWERED
                        || ending == Ending.GOAWAY_AFTER_ANSWER
                        || ending == Ending.CUT_AFTER_PROCESSING);
    }
}
