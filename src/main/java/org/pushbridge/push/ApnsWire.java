package org.pushbridge.push;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelId;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameLogger;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.logging.LogLevel;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Watches the HTTP/2 frames of one Pushy client, to know of a request that fails whether APNs can have processed it.
 *
 * <p>Pushy reports a lost connection in the same words whether a request was still in its queue, was above the last
 * stream of a GOAWAY, or was written and unanswered; only in the last case can a resend ring a phone twice. Pushy's
 * frame logger is the one place where the frames can be seen, so this is one, though it logs nothing.
 *
 * <p>It also keeps Pushy from closing a connection the moment a GOAWAY arrives: APNs goes on answering the streams up
 * to the one it names (RFC 9113 section 6.8).
 *
 * <p>Called on the connections' threads.
 */
final class ApnsWire extends Http2FrameLogger {
    private final Runnable onGoAway;
    private final Map<UUID, Attempt> attempts = new ConcurrentHashMap<>();
    private final Map<Attempt.Stream, Attempt> streams = new ConcurrentHashMap<>();
    private volatile long answerNanos;

    /** @param onGoAway called once for each GOAWAY: it must retire the client, which closes in good order */
    ApnsWire(Runnable onGoAway) {
        super(LogLevel.TRACE);
        this.onGoAway = onGoAway;
    }

    void watch(Attempt attempt) {
        attempts.put(attempt.getApnsId(), attempt);
    }

    void forget(Attempt attempt) {
        attempts.remove(attempt.getApnsId(), attempt);
        attempt.stream().ifPresent(stream -> streams.remove(stream, attempt));
    }

    /** When APNs last answered anything on any of the connections, by {@link System#nanoTime}. */
    long answerNanos() {
        return answerNanos;
    }

    /**
     * The provider token of this attempt's connection has expired. It was written there for later streams too, so
     * they are refused as well, even if Pushy closes the connection before it reads that.
     */
    void tokenExpired(Attempt attempt) {
        attempt.stream().ifPresent(stream -> disownAfter(stream.connection(), stream.id()));
    }

    private void disownAfter(ChannelId connection, int lastStream) {
        streams.forEach((stream, attempt) -> {
            if (stream.connection().equals(connection) && stream.id() > lastStream) {
                attempt.disowned();
            }
        });
    }

    @Override
    public void logHeaders(
            Direction direction,
            ChannelHandlerContext context,
            int streamId,
            Http2Headers headers,
            int padding,
            boolean endStream) {
        Attempt.Stream stream = new Attempt.Stream(context.channel().id(), streamId);
        if (direction == Direction.INBOUND) {
            answerNanos = System.nanoTime();
            Attempt attempt = streams.get(stream);
            if (attempt != null) {
                attempt.answering(Integer.parseInt(headers.status().toString()));
            }
            return;
        }
        CharSequence apnsId = headers.get("apns-id");
        Attempt attempt = apnsId == null ? null : attempts.get(UUID.fromString(apnsId.toString()));
        if (attempt != null) {
            attempt.written(stream);
            streams.put(stream, attempt);
        }
    }

    @Override
    public void logHeaders(
            Direction direction,
            ChannelHandlerContext context,
            int streamId,
            Http2Headers headers,
            int streamDependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean endStream) {
        logHeaders(direction, context, streamId, headers, padding, endStream);
    }

    @Override
    public void logRstStream(Direction direction, ChannelHandlerContext context, int streamId, long errorCode) {
        if (direction == Direction.INBOUND && errorCode == Http2Error.REFUSED_STREAM.code()) {
            Attempt attempt =
                    streams.remove(new Attempt.Stream(context.channel().id(), streamId));
            if (attempt != null) {
                attempt.refused();
            }
        }
    }

    @Override
    public void logGoAway(
            Direction direction, ChannelHandlerContext context, int lastStreamId, long errorCode, ByteBuf debugData) {
        if (direction == Direction.INBOUND) {
            disownAfter(context.channel().id(), lastStreamId);
            KeepForAnswers keep = context.pipeline().get(KeepForAnswers.class);
            if (keep == null) {
                keep = new KeepForAnswers();
                context.pipeline().addBefore(context.name(), null, keep);
            }
            keep.swallow = true;
            onGoAway.run();
        }
    }

    // The frames there is nothing to learn from; they must not be logged, as they hold payloads.

    @Override
    public void logData(
            Direction direction,
            ChannelHandlerContext context,
            int streamId,
            ByteBuf data,
            int padding,
            boolean endStream) {}

    /**
     * Swallows the close that Pushy asks for right behind each GOAWAY. The connection closes once it has its answers, or after
     * the graceful-shutdown time, because its client is retired.
     */
    private static final class KeepForAnswers extends ChannelOutboundHandlerAdapter {
        private boolean swallow;

        @Override
        public void close(ChannelHandlerContext context, ChannelPromise promise) throws Exception {
            if (swallow) {
                swallow = false;
            } else {
                super.close(context, promise);
            }
        }
    }
}
