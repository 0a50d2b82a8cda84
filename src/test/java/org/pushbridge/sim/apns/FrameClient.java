package org.pushbridge.sim.apns;

import static org.awaitility.Awaitility.await;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** One HTTP/2 connection that writes down every frame it gets, in words. */
// What becomes of a write shows in the frames that come back.
@SuppressWarnings("FutureReturnValueIgnored")
final class FrameClient implements AutoCloseable {
    private final NioEventLoopGroup eventLoop = new NioEventLoopGroup(1);
    private final List<String> frames = new CopyOnWriteArrayList<>();
    private final Http2ConnectionHandler connection = new Http2ConnectionHandlerBuilder()
            .server(false)
            .frameListener(new Scribe())
            .decoupleCloseAndGoAway(true)
            .build();
    private final Channel channel;
    private int nextStream = 1;

    private FrameClient(SimulatedApns apns) throws Exception {
        int port = apns.port(Environment.PRODUCTION);
        SslContext tls = SslContextBuilder.forClient()
                .trustManager(apns.trustedCertificate())
                .build();
        channel = new Bootstrap()
                .group(eventLoop)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel created) {
                        created.pipeline()
                                .addLast(tls.newHandler(created.alloc(), apns.host(), port))
                                .addLast(connection)
                                .addLast(new EndScribe());
                    }
                })
                .connect(apns.host(), port)
                .sync()
                .channel();
    }

    /** Connects, and waits until the server has spoken or closed. */
    static FrameClient connect(SimulatedApns apns) throws Exception {
        FrameClient client = new FrameClient(apns);
        await().atMost(20, TimeUnit.SECONDS).until(() -> !client.frames.isEmpty());
        return client;
    }

    /** Sends a whole request on the next stream: 1, 3, 5 and so on, and gives the stream's number. */
    int send(Provider.Push push) {
        int stream = nextStream;
        nextStream += 2;
        channel.eventLoop().execute(() -> {
            ChannelHandlerContext context = channel.pipeline().context(connection);
            connection.encoder().writeHeaders(context, stream, headers(push), 0, false, context.newPromise());
            connection
                    .encoder()
                    .writeData(
                            context,
                            stream,
                            Unpooled.copiedBuffer(push.body(), StandardCharsets.UTF_8),
                            0,
                            true,
                            context.newPromise());
            // Not the context's flush, which would leave out what waits for flow control.
            connection.flush(context);
        });
        return stream;
    }

    private static Http2Headers headers(Provider.Push push) {
        Http2Headers headers = new DefaultHttp2Headers()
                .method(push.method())
                .scheme("https")
                .authority("localhost")
                .path(push.path());
        push.headers().forEach((name, values) -> headers.add(name, List.of(values)));
        return headers;
    }

    /** What has arrived so far, such as {@code "3 HEADERS 200"} and {@code "GOAWAY last 3 {...}"}. */
    List<String> frames() {
        return List.copyOf(frames);
    }

    /** Waits until a frame that begins with these words has arrived; {@code END} is the end of the connection. */
    void awaitFrame(String words) {
        await().alias("a frame that begins with '" + words + "'")
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> frames.stream().anyMatch(frame -> frame.startsWith(words)));
    }

    @Override
    public void close() {
        eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Scribe extends Http2FrameAdapter {
        @Override
        public void onHeadersRead(
                ChannelHandlerContext context,
                int streamId,
                Http2Headers headers,
                int streamDependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean endStream) {
            onHeadersRead(context, streamId, headers, padding, endStream);
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext context, int streamId, Http2Headers headers, int padding, boolean endStream) {
            frames.add(streamId + " HEADERS " + headers.status());
        }

        @Override
        public int onDataRead(
                ChannelHandlerContext context, int streamId, ByteBuf data, int padding, boolean endOfStream) {
            frames.add(streamId + " DATA " + data.toString(StandardCharsets.UTF_8));
            return data.readableBytes() + padding;
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext context, int streamId, long errorCode) {
            frames.add(streamId + " RST_STREAM " + errorCode);
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext context, Http2Settings settings) {
            frames.add("SETTINGS streams " + settings.maxConcurrentStreams());
        }

        @Override
        public void onGoAwayRead(ChannelHandlerContext context, int lastStreamId, long errorCode, ByteBuf debugData) {
            frames.add("GOAWAY last " + lastStreamId + " " + debugData.toString(StandardCharsets.UTF_8));
        }
    }

    private final class EndScribe extends ChannelInboundHandlerAdapter {
        @Override
        public void channelInactive(ChannelHandlerContext context) {
            frames.add("END");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // A cut connection shows as its end.
        }
    }
}
