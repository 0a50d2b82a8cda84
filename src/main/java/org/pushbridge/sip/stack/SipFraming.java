package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.pushbridge.sip.stack.SipStackSettings.StreamLimits;

/**
 * Cuts a stream into messages by Content-Length (RFC 3261 section 18.3), answers keep-alives (RFC 5626 section 4.4.1)
 * and closes connections whose peer sends too much, too slowly, or what cannot be told apart. Nothing is reserved
 * because a peer announces it: memory grows only with what has come, up to the limits.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written or closed shows as a closed channel.
final class SipFraming extends ByteToMessageDecoder {
    private static final byte[] PONG = "\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NOTHING = new byte[0];

    private final Reception reception;
    private final StreamLimits limits;
    private final InetSocketAddress peer;
    private final boolean firstMessageDue;
    private @Nullable ScheduledFuture<?> patience;
    private @Nullable MessageHead head;
    private int searched;
    private boolean closing;

    /** @param firstMessageDue whether the peer, having connected, must soon say something */
    SipFraming(Reception reception, StreamLimits limits, InetSocketAddress peer, boolean firstMessageDue) {
        this.reception = reception;
        this.limits = limits;
        this.peer = peer;
        this.firstMessageDue = firstMessageDue;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        if (firstMessageDue) {
            beginPatience(context);
        }
        super.channelActive(context);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        if (closing) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (head == null && (skipKeepAlives(context, in) || !readHead(context, in))) {
            return;
        }
        MessageHead complete = head;
        if (complete == null) {
            return;
        }
        int bodyLength = Math.max(0, complete.contentLength());
        if (in.readableBytes() < bodyLength) {
            return;
        }
        byte[] body = bodyLength == 0 ? NOTHING : new byte[bodyLength];
        in.readBytes(body);
        endPatience();
        head = null;
        searched = 0;
        if (in.isReadable()) {
            beginPatience(context);
        }
        if (reception.isFlood(
                complete, peer, answer -> context.channel().writeAndFlush(Unpooled.wrappedBuffer(answer)))) {
            return;
        }
        if (complete.fault().isPresent()) {
            refuse(context, complete, complete.fault().get(), false);
            return;
        }
        Optional<byte[]> refusal = reception.turnedAwayFromStream(complete, peer);
        if (refusal.isPresent()) {
            context.channel().writeAndFlush(Unpooled.wrappedBuffer(refusal.get()));
            return;
        }
        try {
            SIPMessage message = MessageParser.parse(complete, body);
            out.add(message);
        } catch (MessageParser.Malformed e) {
            refuse(context, complete, e.fault(), false);
        }
    }

    /** Whether to wait for more before anything else can be told. */
    private static boolean isPartOfPing(ByteBuf in) {
        int at = in.readerIndex();
        int readable = in.readableBytes();
        return readable < 4
                && (readable < 1 || in.getByte(at) == '\r')
                && (readable < 2 || in.getByte(at + 1) == '\n')
                && (readable < 3 || in.getByte(at + 2) == '\r');
    }

    private boolean skipKeepAlives(ChannelHandlerContext context, ByteBuf in) {
        while (searched == 0 && in.isReadable()) {
            byte first = in.getByte(in.readerIndex());
            if (first != '\r' && first != '\n') {
                return false;
            }
            if (isPartOfPing(in)) {
                return true;
            }
            if (in.readableBytes() >= 4 && in.getInt(in.readerIndex()) == 0x0d0a0d0a) {
                in.skipBytes(4);
                context.channel().writeAndFlush(Unpooled.wrappedBuffer(PONG));
                if (!context.channel().isWritable()) {
                    closing = true; // Pings, and does not read the pongs.
                    context.close();
                    return true;
                }
            } else {
                in.skipBytes(1);
            }
        }
        return !in.isReadable();
    }

    /** Whether the head is complete and its message may follow. */
    private boolean readHead(ChannelHandlerContext context, ByteBuf in) {
        beginPatience(context);
        int start = in.readerIndex();
        int end = endOfHead(in);
        if ((end < 0 ? in.readableBytes() : end - start) > limits.maxHeaderBytes()) {
            byte[] known = new byte[limits.maxHeaderBytes()];
            in.readBytes(known);
            MessageHead cut = MessageHead.read(known, 0, MessageHead.lastLineEnd(known, known.length));
            refuse(context, cut, Reception.TOO_LARGE, true);
            return false;
        }
        if (end < 0) {
            searched = in.readableBytes();
            return false;
        }
        byte[] headBytes = new byte[end - start];
        in.readBytes(headBytes);
        MessageHead read = MessageHead.read(headBytes, 0, headBytes.length);
        if (read.isUnframed()) {
            refuse(context, read, read.fault().orElseGet(SipFraming::unframed), true);
            return false;
        }
        if (read.contentLength() > limits.maxMessageBytes() - headBytes.length) {
            refuse(context, read, new Fault(413, "Request Entity Too Large"), true);
            return false;
        }
        head = read;
        return true;
    }

    private static Fault unframed() {
        return Fault.bad("Bad Content-Length", "Where the message ends cannot be told by its Content-Length");
    }

    private int endOfHead(ByteBuf in) {
        int start = in.readerIndex();
        int to = in.writerIndex();
        for (int i = start + Math.max(0, searched - 3); i < to; i++) {
            if (in.getByte(i) == '\n') {
                if (i + 1 < to && in.getByte(i + 1) == '\n') {
                    return i + 2;
                }
                if (i + 2 < to && in.getByte(i + 1) == '\r' && in.getByte(i + 2) == '\n') {
                    return i + 3;
                }
            }
        }
        return -1;
    }

    private void refuse(ChannelHandlerContext context, MessageHead what, Fault fault, boolean close) {
        Optional<byte[]> answer = reception.refused(what, fault, peer);
        if (close) {
            closing = true;
            endPatience();
            context.channel()
                    .writeAndFlush(Unpooled.wrappedBuffer(answer.orElse(NOTHING)))
                    .addListener(ChannelFutureListener.CLOSE);
        } else {
            answer.ifPresent(bytes -> context.channel().writeAndFlush(Unpooled.wrappedBuffer(bytes)));
        }
    }

    private void beginPatience(ChannelHandlerContext context) {
        if (patience == null) {
            patience = context.executor()
                    .schedule(
                            () -> {
                                reception.slowPeer(peer);
                                context.close();
                            },
                            limits.messageTimeout().toMillis(),
                            TimeUnit.MILLISECONDS);
        }
    }

    private void endPatience() {
        if (patience != null) {
            patience.cancel(false);
            patience = null;
        }
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext context) {
        endPatience();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        closing = true; // What is left is half a message.
        endPatience();
        super.channelInactive(context);
    }
}
