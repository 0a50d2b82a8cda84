package org.pushbridge.sim.apns;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.DefaultHttp2SettingsFrame;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One client connection: collects the frames of each request, has it decided on, and answers.
 *
 * <p>Made and used by the channel's event loop only.
 */
// Futures of writes carry nothing that is not also told by the channel's closing.
@SuppressWarnings("FutureReturnValueIgnored")
final class ApnsConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LogManager.getLogger();
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Longer than any payload Apple takes: more need not be kept to know that it is too long. */
    private static final int MOST_BODY_BYTES = 8192;

    private final ApnsService service;
    private final Environment environment;
    private final int number;
    private final Http2FrameCodec codec;
    private final ProviderTokens.Session session = new ProviderTokens.Session();
    private final Map<Integer, OpenRequest> open = new HashMap<>();
    private boolean streamsGranted;
    private boolean goingAway;
    private int badTokens;

    private static final class OpenRequest {
        final Http2Headers headers;
        final ByteArrayOutputStream body = new ByteArrayOutputStream();
        boolean complete;

        OpenRequest(Http2Headers headers) {
            this.headers = headers;
        }
    }

    ApnsConnection(ApnsService service, Environment environment, int number, Http2FrameCodec codec) {
        this.service = service;
        this.environment = environment;
        this.number = number;
        this.codec = codec;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object frame) {
        try {
            if (frame instanceof Http2HeadersFrame headers) {
                onHeaders(context, headers);
            } else if (frame instanceof Http2DataFrame data) {
                onData(context, data);
            } else if (frame instanceof Http2ResetFrame reset) {
                forget(context, reset.stream().id());
            }
        } finally {
            ReferenceCountUtil.release(frame);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        open.clear();
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("Connection {} to the simulated APNs failed", number, cause);
    }

    private void onHeaders(ChannelHandlerContext context, Http2HeadersFrame frame) {
        OpenRequest request = open.computeIfAbsent(frame.stream().id(), id -> new OpenRequest(frame.headers()));
        if (frame.isEndStream()) {
            complete(context, frame.stream(), request);
        }
    }

    private void onData(ChannelHandlerContext context, Http2DataFrame frame) {
        int flowControlled = frame.initialFlowControlledBytes();
        OpenRequest request = open.get(frame.stream().id());
        if (request != null) {
            ByteBuf content = frame.content();
            int kept = Math.min(content.readableBytes(), MOST_BODY_BYTES - request.body.size());
            if (kept > 0) {
                request.body.writeBytes(ByteBufUtil.getBytes(content, content.readerIndex(), kept));
            }
        }
        context.write(new DefaultHttp2WindowUpdateFrame(flowControlled).stream(frame.stream()));
        if (request != null && frame.isEndStream()) {
            complete(context, frame.stream(), request);
        }
    }

    private void complete(ChannelHandlerContext context, Http2FrameStream stream, OpenRequest request) {
        if (request.complete) {
            return;
        }
        request.complete = true;
        ApnsService.Decision decision = service.decide(readable(context.channel(), request));
        grantStreams(context);
        if (decision.delay().isZero()) {
            carryOut(context, stream, decision);
        } else {
            context.executor()
                    .schedule(
                            () -> {
                                carryOut(context, stream, decision);
                                context.flush();
                            },
                            decision.delay().toNanos(),
                            TimeUnit.NANOSECONDS);
        }
    }

    private ApnsRequest readable(Channel channel, OpenRequest request) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        for (Map.Entry<CharSequence, CharSequence> header : request.headers) {
            headers.computeIfAbsent(header.getKey().toString().toLowerCase(Locale.ROOT), name -> new ArrayList<>())
                    .add(header.getValue().toString());
        }
        return new ApnsRequest(
                service.settings().clock().instant(),
                environment,
                number,
                clientCertificate(channel),
                session,
                pseudoHeader(request.headers.method()),
                pseudoHeader(request.headers.path()),
                headers,
                new ApnsRequest.Body(request.body.toByteArray()));
    }

    private static String pseudoHeader(@Nullable CharSequence value) {
        return value == null ? "" : value.toString();
    }

    private static Optional<X509Certificate> clientCertificate(Channel channel) {
        try {
            Certificate[] chain = channel.pipeline()
                    .get(SslHandler.class)
                    .engine()
                    .getSession()
                    .getPeerCertificates();
            return Optional.of((X509Certificate) chain[0]);
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    /** Apple allows a single request at a time until it knows who the client is. */
    private void grantStreams(ChannelHandlerContext context) {
        if (!streamsGranted && session.authenticated()) {
            streamsGranted = true;
            allowStreams(context);
        }
    }

    /** Tells the client how many requests it may have in flight, if it is known already. */
    void allowStreams(ChannelHandlerContext context) {
        if (streamsGranted) {
            context.write(new DefaultHttp2SettingsFrame(
                    new Http2Settings().maxConcurrentStreams(service.maxConcurrentStreams())));
        }
    }

    private void carryOut(ChannelHandlerContext context, Http2FrameStream stream, ApnsService.Decision decision) {
        switch (decision.ending()) {
            case ANSWERED -> answer(context, stream, decision);
            case SILENCE -> LOG.debug("Push {} is left without an answer", decision.apnsId());
            case REFUSED_STREAM -> {
                context.write(new DefaultHttp2ResetFrame(Http2Error.REFUSED_STREAM).stream(stream));
                forget(context, stream.id());
            }
            case GOAWAY_AFTER_ANSWER -> {
                answer(context, stream, decision);
                goAway(context, codec.connection().remote().lastStreamCreated(), "Shutdown");
            }
            case GOAWAY_INSTEAD -> goAway(context, Math.max(0, stream.id() - 2), "Shutdown");
            case GOAWAY_AND_CUT -> {
                goAway(context, Math.max(0, stream.id() - 2), "Shutdown");
                cut(context.channel());
            }
            case CUT, CUT_AFTER_PROCESSING -> cut(context.channel());
        }
    }

    private void answer(ChannelHandlerContext context, Http2FrameStream stream, ApnsService.Decision decision) {
        if (open.remove(stream.id()) == null) {
            return;
        }
        Http2Headers headers = new DefaultHttp2Headers().set("apns-id", decision.apnsId());
        if (environment == Environment.SANDBOX) {
            headers.set("apns-unique-id", UUID.randomUUID().toString());
        }
        service.ledger().told(decision.apnsId());
        if (decision.answer() instanceof Answer.Rejected rejection) {
            headers.status(Integer.toString(rejection.status())).set("content-type", "application/json");
            context.write(new DefaultHttp2HeadersFrame(headers, false).stream(stream));
            context.write(new DefaultHttp2DataFrame(body(rejection), true).stream(stream));
        } else {
            context.write(new DefaultHttp2HeadersFrame(headers.status("200"), true).stream(stream));
        }
        if (decision.answer() instanceof Answer.Rejected rejection
                && rejection.reason().equals("BadDeviceToken")
                && ++badTokens >= service.settings().badTokensPerConnection()) {
            goAway(context, codec.connection().remote().lastStreamCreated(), "BadDeviceToken");
        }
        closeIfDone(context);
    }

    private static ByteBuf body(Answer.Rejected rejection) {
        ObjectNode json = JSON.createObjectNode().put("reason", rejection.reason());
        rejection.invalidSince().ifPresent(since -> json.put("timestamp", since.toEpochMilli()));
        return Unpooled.copiedBuffer(json.toString(), StandardCharsets.UTF_8);
    }

    /** Tells the client that no stream after {@code lastStream} was or will be processed; ends when all is answered. */
    void goAway(ChannelHandlerContext context, int lastStream, String reason) {
        if (goingAway) {
            return;
        }
        goingAway = true;
        ByteBuf why = Unpooled.copiedBuffer(
                JSON.createObjectNode().put("reason", reason).toString(), StandardCharsets.UTF_8);
        ChannelHandlerContext codecContext = context.pipeline().context(codec);
        codec.goAway(codecContext, lastStream, Http2Error.NO_ERROR.code(), why, codecContext.newPromise());
        codecContext.flush();
        open.keySet().removeIf(id -> id > lastStream);
        closeIfDone(context);
    }

    void goAwayAfterAll(ChannelHandlerContext context) {
        goAway(context, codec.connection().remote().lastStreamCreated(), "Shutdown");
    }

    private void forget(ChannelHandlerContext context, int streamId) {
        open.remove(streamId);
        closeIfDone(context);
    }

    private void closeIfDone(ChannelHandlerContext context) {
        if (goingAway && open.isEmpty()) {
            context.flush();
            context.close();
        }
    }

    /** Ends the connection as a failing network does: without GOAWAY and without a TLS farewell. */
    static void cut(Channel channel) {
        // The first context's close starts below the TLS handler.
        ChannelHandlerContext first = channel.pipeline().firstContext();
        if (first != null) {
            first.close();
        }
    }
}
