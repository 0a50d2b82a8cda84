package org.pushbridge.sim.phone;

import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.pushbridge.sim.ua.UaCall;

/** One call as CallKit shows it, from the first ring to its end. Thread-safe to read; only its phone changes it. */
public final class CallScreen {
    /** Why the ringing ended. */
    public enum RingingEnd {
        ANSWERED_HERE,
        DECLINED_HERE,
        ANSWERED_ELSEWHERE,
        DECLINED_ELSEWHERE,
        /** The caller gave up, or the bridge did. */
        CANCELLED,
        /** Nobody came for the call: the screen's own patience was over. The worst of all. */
        TIMED_OUT
    }

    private final UUID uuid;
    private final boolean pushed;
    private final Optional<String> expectedCallId;
    private final CompletableFuture<RingingEnd> ringing = new CompletableFuture<>();
    private final CompletableFuture<UaCall> invited = new CompletableFuture<>();
    private volatile Optional<UaCall> call = Optional.empty();
    private long invitedOnFlow = -1;
    private Optional<Integer> refusal = Optional.empty();
    private boolean answerWanted;

    CallScreen(UUID uuid, boolean pushed, Optional<String> expectedCallId) {
        this.uuid = uuid;
        this.pushed = pushed;
        this.expectedCallId = expectedCallId;
    }

    /** The UUID that CallKit knows the call by. */
    public UUID uuid() {
        return uuid;
    }

    /** Whether a VoIP push brought it up, not an INVITE. */
    public boolean isPushed() {
        return pushed;
    }

    /** How the ringing ended; not done while it rings. */
    public CompletableFuture<RingingEnd> ringing() {
        return ringing.copy();
    }

    public boolean isRinging() {
        return !ringing.isDone();
    }

    /** The SIP call behind it; done once the INVITE came. */
    public CompletableFuture<UaCall> invited() {
        return invited.copy();
    }

    Optional<UaCall> call() {
        return call;
    }

    Optional<String> expectedCallId() {
        return expectedCallId;
    }

    boolean end(RingingEnd how) {
        return ringing.complete(how);
    }

    /** Takes the INVITE; false if one came over the same flow before. */
    boolean invited(UaCall newest, long flow) {
        if (invitedOnFlow == flow) {
            return false;
        }
        invitedOnFlow = flow;
        call = Optional.of(newest);
        invited.complete(newest);
        return true;
    }

    void wantAnswer() {
        answerWanted = true;
    }

    boolean isAnswerWanted() {
        return answerWanted;
    }

    void refuseWith(int status) {
        refusal = Optional.of(status);
    }

    Optional<Integer> refusal() {
        return refusal;
    }
}
