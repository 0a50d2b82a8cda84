package org.pushbridge.push;

import com.eatthepath.pushy.apns.ApnsPushNotification;
import com.eatthepath.pushy.apns.DeliveryPriority;
import com.eatthepath.pushy.apns.PushNotificationResponse;
import com.eatthepath.pushy.apns.PushType;
import io.netty.channel.ChannelId;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.PushToken;

/**
 * One request to APNs, on its way through Pushy.
 *
 * <p>It is a gate as well as a notification. Pushy queues without bound and knows no deadline: a push handed to it
 * while there is no connection leaves whenever there is one, whatever has become of the call. But it reads a
 * notification's token just before it writes the request, and an exception there ends the request with nothing
 * written. So {@link #getToken()} asks, at that very moment, whether the push may still go.
 *
 * <p>{@link ApnsWire} tells it what is seen on the connection; from that follows, when the answer fails to come,
 * whether APNs can have processed the request.
 *
 * <p>Used from network threads and from the sender's; safe for any.
 */
final class Attempt implements ApnsPushNotification {
    /** How an attempt ended. */
    sealed interface Result {}

    /** @param reason Apple's, empty if the answer had none */
    record Answered(int status, String reason, Optional<Instant> invalidSince) implements Result {}

    /** The gate was shut: nothing was written. */
    record HeldBack(PushOutcome why) implements Result {}

    /**
     * APNs has not processed the request: it may be sent again.
     *
     * @param noConnection it got no connection at all
     */
    record NotProcessed(Throwable cause, boolean noConnection) implements Result {}

    /** The request was written, the answer did not come: APNs may have processed it or not. */
    record Unknown(Throwable cause) implements Result {}

    /** An HTTP/2 stream; its id is unique within its connection only. */
    record Stream(ChannelId connection, int id) {}

    private enum Gate {
        WAITING,
        PASSED,
        SHUT
    }

    /** Pushy resends a refused stream at once, without end, on the same connection; more than this is up to us. */
    private static final int MAX_REFUSALS = 2;

    private final UUID apnsId;
    private final PushRule rule;
    private final PushToken token;
    private final String topic;
    private final Instant expiration;
    private final Optional<String> collapseId;
    private final Supplier<Optional<PushOutcome>> objection;

    private final CompletableFuture<Result> result = new CompletableFuture<>();
    private final AtomicReference<Gate> gate = new AtomicReference<>(Gate.WAITING);

    /** Dropped once it is over: Pushy remembers a notification that it could not write until the connection ends. */
    private volatile String payload;

    private volatile @Nullable Stream stream;
    private volatile long writtenNanos;
    private final AtomicInteger refusals = new AtomicInteger();
    private volatile int refusedStream;
    private volatile boolean disowned;
    private volatile int status;

    /**
     * @param objection asked when the request is about to be written: the outcome if it must not go, else empty
     */
    Attempt(
            UUID apnsId,
            PushRule rule,
            PushToken token,
            String topic,
            Instant expiration,
            Optional<String> collapseId,
            String payload,
            Supplier<Optional<PushOutcome>> objection) {
        this.apnsId = apnsId;
        this.rule = rule;
        this.token = token;
        this.topic = topic;
        this.expiration = expiration;
        this.collapseId = collapseId;
        this.payload = payload;
        this.objection = objection;
    }

    /** An attempt that makes Pushy connect, and is held back once there is a connection. */
    static Attempt toConnect() {
        return new Attempt(
                UUID.randomUUID(),
                PushRule.BACKGROUND_END,
                new PushToken("0000000000000000"),
                "",
                Instant.EPOCH,
                Optional.empty(),
                "",
                () -> Optional.of(new PushOutcome.NoLongerWanted()));
    }

    CompletableFuture<Result> result() {
        return result;
    }

    /**
     * Shuts the gate from outside.
     *
     * @return whether that was in time: then nothing has been written and nothing will be
     */
    boolean revoke() {
        return gate.compareAndSet(Gate.WAITING, Gate.SHUT);
    }

    // What the connection shows.

    void written(Stream on) {
        writtenNanos = System.nanoTime();
        stream = on;
    }

    Optional<Stream> stream() {
        return Optional.ofNullable(stream);
    }

    /** When it was written last, by {@link System#nanoTime}; 0 if it was not. */
    long writtenNanos() {
        return writtenNanos;
    }

    /** REFUSED_STREAM: not processed (RFC 9113 section 8.7). */
    void refused() {
        Stream refusedOn = stream;
        refusedStream = refusedOn == null ? 0 : refusedOn.id();
        stream = null;
        refusals.incrementAndGet();
    }

    /** The server said that it does not process this stream. */
    void disowned() {
        disowned = true;
    }

    void answering(int httpStatus) {
        status = httpStatus;
    }

    /** Ends the attempt with what Pushy made of it. */
    void finish(@Nullable PushNotificationResponse<Attempt> response, @Nullable Throwable failure) {
        Result how;
        if (response != null) {
            how = new Answered(
                    response.getStatusCode(),
                    response.getRejectionReason().orElse(""),
                    response.getTokenInvalidationTimestamp());
        } else {
            how = fate(failure == null ? new IllegalStateException("neither answer nor failure") : failure);
        }
        finish(how);
    }

    private void finish(Result how) {
        payload = "";
        result.complete(how);
    }

    private Result fate(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (status != 0) {
            // Pushy gives up on an answer without a body, but its status was seen.
            return new Answered(status, "", Optional.empty());
        }
        if (stream == null || disowned) {
            return new NotProcessed(cause, gate.get() != Gate.PASSED);
        }
        return new Unknown(cause);
    }

    // What Pushy reads.

    /**
     * The gate. Pushy reads the token first of all, and once for each time that it writes the request. Ends with an
     * exception if the request must not go.
     */
    @Override
    public String getToken() {
        if (refusals.get() > MAX_REFUSALS) {
            finish(new NotProcessed(new IOException("APNs refuses the stream again and again"), false));
            holdBack();
        }
        Optional<PushOutcome> against = objection.get();
        if (against.isPresent()) {
            gate.set(Gate.SHUT);
            finish(new HeldBack(against.get()));
            holdBack();
        }
        if (!gate.compareAndSet(Gate.WAITING, Gate.PASSED) && gate.get() == Gate.SHUT) {
            holdBack();
        }
        return token.hex();
    }

    /**
     * Leaves Pushy with an exception. When Pushy resends a refused stream it does so from within Netty's frame reader,
     * which reads nothing more after any exception but an HTTP/2 stream error. That is a checked one, and passes
     * through methods that do not declare it.
     */
    private void holdBack() {
        if (refusedStream != 0) {
            Attempt.<RuntimeException>throwUndeclared(
                    Http2Exception.streamError(refusedStream, Http2Error.CANCEL, "Not to be sent any more"));
        }
        throw new HeldBackException();
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> void throwUndeclared(Throwable checked) throws T {
        throw (T) checked;
    }

    @Override
    public String getPayload() {
        return payload;
    }

    @Override
    public Instant getExpiration() {
        return expiration;
    }

    @Override
    public DeliveryPriority getPriority() {
        return rule.priority();
    }

    @Override
    public PushType getPushType() {
        return rule.type();
    }

    @Override
    public String getTopic() {
        return topic;
    }

    @Override
    public @Nullable String getCollapseId() {
        return collapseId.orElse(null);
    }

    @Override
    public UUID getApnsId() {
        return apnsId;
    }

    /** Without token and payload: Pushy may log it. */
    @Override
    public String toString() {
        return "Attempt[" + rule + " apns-id=" + apnsId + "]";
    }

    /** Thrown through Pushy to keep a request from being written. */
    private static final class HeldBackException extends RuntimeException {
        HeldBackException() {
            super("The push is not to be sent any more", null, false, false);
        }
    }
}
