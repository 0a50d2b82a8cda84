package org.pushbridge.sim.phone;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
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
        /** The bridge does not name the call among those that live, or knows it no more. */
        NOT_ALIVE,
        /** A background push, or a VoIP push to an app that takes it, said so. */
        ENDED_BY_PUSH,
        /** Nobody came for the call: the screen's own patience was over. The worst of all. */
        TIMED_OUT
    }

    private final UUID uuid;
    private final boolean pushed;
    private final Optional<String> expectedCallId;
    private final Optional<VerdictAccess> verdict;
    private final CompletableFuture<RingingEnd> ringing = new CompletableFuture<>();
    private final CompletableFuture<UaCall> invited = new CompletableFuture<>();
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private final long ringingSince = System.nanoTime();
    private volatile OptionalLong firstPacket = OptionalLong.empty();
    private volatile OptionalLong registered = OptionalLong.empty();
    private volatile OptionalLong ringingUntil = OptionalLong.empty();
    private volatile Optional<UaCall> call = Optional.empty();
    private long invitedOnFlow = -1;
    private Optional<Integer> refusal = Optional.empty();
    private OptionalLong agreedSince = OptionalLong.empty();
    private boolean answerWanted;

    CallScreen(UUID uuid, boolean pushed, Optional<String> expectedCallId, Optional<VerdictAccess> verdict) {
        this.uuid = uuid;
        this.pushed = pushed;
        this.expectedCallId = expectedCallId;
        this.verdict = verdict;
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

    /** Done once nothing is shown any more: the ringing is over, and the call, if it was taken. */
    public CompletableFuture<Void> over() {
        return over.copy();
    }

    // --- times ---------------------------------------------------------------------------------------------------

    /** From the first ring to the last; empty while it rings. */
    public Optional<Duration> rang() {
        return between(OptionalLong.of(ringingSince), ringingUntil);
    }

    /**
     * From the first packet that the phone sent after the ringing began, a REGISTER or a question over HTTPS, to the
     * end of the ringing; empty while it rings, and if it ended before.
     */
    public Optional<Duration> fromFirstPacketToSilence() {
        return between(firstPacket, ringingUntil);
    }

    /**
     * From the first REGISTER with credentials that the phone sent after the ringing began to the end of the ringing;
     * empty while it rings, and if it ended before.
     */
    public Optional<Duration> fromRegisterToSilence() {
        return between(registered, ringingUntil);
    }

    private static Optional<Duration> between(OptionalLong from, OptionalLong to) {
        return from.isPresent() && to.isPresent()
                ? Optional.of(Duration.ofNanos(to.getAsLong() - from.getAsLong()))
                : Optional.empty();
    }

    void sentPacket(boolean registersWithCredentials) {
        if (!isRinging()) {
            return;
        }
        long now = System.nanoTime();
        firstPacket = firstPacket.isPresent() ? firstPacket : OptionalLong.of(now);
        if (registersWithCredentials && registered.isEmpty()) {
            registered = OptionalLong.of(now);
        }
    }

    // --- for its phone -------------------------------------------------------------------------------------------

    Optional<UaCall> call() {
        return call;
    }

    Optional<String> expectedCallId() {
        return expectedCallId;
    }

    Optional<VerdictAccess> verdict() {
        return verdict;
    }

    /** Whether its SIP call has this Call-ID, as far as it is known. */
    boolean has(String callId) {
        return expectedCallId.or(() -> call.map(UaCall::callId)).equals(Optional.of(callId));
    }

    /** Whether the call was taken and goes on, though over a flow that is gone. */
    boolean isInCallOfOtherFlow(long flow) {
        return call.filter(c -> c.established().isDone() && !c.ended().isDone()).isPresent() && invitedOnFlow != flow;
    }

    boolean end(RingingEnd how) {
        if (ringingUntil.isEmpty()) {
            ringingUntil = OptionalLong.of(System.nanoTime());
        }
        boolean ended = ringing.complete(how);
        if (how != RingingEnd.ANSWERED_HERE) {
            close();
        }
        return ended;
    }

    void close() {
        over.complete(null);
    }

    /** Takes the INVITE; false if another one came before, be it over whatever flow. */
    boolean invited(UaCall newest, long flow) {
        if (call.filter(c -> !c.identityOfInvite().equals(newest.identityOfInvite()))
                .isPresent()) {
            return false;
        }
        invitedOnFlow = flow;
        call = Optional.of(newest);
        invited.complete(newest);
        return true;
    }

    boolean endedAs(RingingEnd how) {
        return ringing.isDone() && ringing.join() == how;
    }

    /** Whether the user took a call whose answer was lost, with its flow. */
    boolean isTakenInVain() {
        return endedAs(RingingEnd.ANSWERED_HERE)
                && call.filter(c -> !c.established().isDone() && !c.ended().isDone())
                        .isPresent();
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

    /** The bridge and the phone know from each other, over HTTPS, that nothing rings here any more. */
    void agreeOverHttps() {
        agreedSince = OptionalLong.of(System.nanoTime());
    }

    /** How long they have known it; empty if they do not. */
    Optional<Duration> agreedOverHttpsFor() {
        return between(agreedSince, OptionalLong.of(System.nanoTime()));
    }

    /** How long the ringing has been over; empty while it rings. */
    Optional<Duration> silentFor() {
        return between(ringingUntil, OptionalLong.of(System.nanoTime()));
    }
}
