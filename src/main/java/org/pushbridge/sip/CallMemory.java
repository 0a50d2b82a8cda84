package org.pushbridge.sip;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pushbridge.call.Call;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Side;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Flow;

/**
 * What survives of a call in the journal, beside its INVITE.
 *
 * @param call where it stands by the rules
 * @param began when its INVITE came
 * @param caller who calls
 * @param callee whom
 * @param callerDialogs the caller's dialogs, each by that of the leg it belongs to
 * @param legs what the bridge knows of each leg that was sent an INVITE
 * @param answer the 2xx that the caller has not acknowledged, if there is one
 * @param waiting re-INVITEs that were told to wait, or answered and not acknowledged: their senders do not send them again
 * @param toldAgain when the bridge was first started anew after its end: since then, everybody has been told again
 * @param answers the last final response to a request inside each dialog, from either side: it may not have left
 */
record CallMemory(
        Call call,
        Instant began,
        FarEnd caller,
        Called callee,
        Map<LegDialog, Dialog> callerDialogs,
        Map<LegId, LegMemory> legs,
        Optional<String> answer,
        List<Waiting> waiting,
        List<Answer> answers,
        Optional<Instant> toldAgain) {
    CallMemory {
        answers = List.copyOf(answers);
        waiting = List.copyOf(waiting);
        callerDialogs = Map.copyOf(callerDialogs);
        legs = Map.copyOf(legs);
    }

    /**
     * Whether nobody waits for anything any more: it is over, and whoever had not heard so was told again and had the time
     * to repeat himself (64*T1).
     */
    boolean isPast(Instant now, Duration transactionTimeout) {
        boolean toldInTime = toldAgain
                .filter(told -> !told.plus(transactionTimeout).isAfter(now))
                .isPresent();
        return toldInTime && call.phase() == Call.Phase.ENDED && !call.owesWord();
    }

    /**
     * A re-INVITE that is not over.
     *
     * @param request as {@link org.pushbridge.sip.stack.InboundRequest#bytes} had it, one character a byte
     */
    record Waiting(String request, Flow flow) {}

    /**
     * A final response that was given inside a dialog.
     *
     * @param from who asked
     * @param response as it was sent, one character a byte
     * @param forwardedCseq the number that the request had on the other side, 0 if it was not passed on
     * @param since when it was given
     */
    record Answer(Side from, LegDialog dialog, String response, long forwardedCseq, Instant since) {}

    /** Who is called. */
    sealed interface Called {
        /** A user of ours. */
        record ByUser(Aor aor) implements Called {}

        /** A number beyond a trunk. */
        record ByTrunk(Trunk trunk, String number) implements Called {}

        default Optional<Aor> user() {
            return this instanceof ByUser byUser ? Optional.of(byUser.aor()) : Optional.empty();
        }
    }

    /**
     * A leg.
     *
     * @param dialogs by the far end's tag
     * @param answered the tags whose 2xx the rules know of
     */
    record LegMemory(FarEnd farEnd, String requestUri, Map<String, Dialog> dialogs, Set<String> answered) {
        LegMemory {
            dialogs = Map.copyOf(dialogs);
            answered = Set.copyOf(answered);
        }
    }
}
