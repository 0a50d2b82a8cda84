package org.pushbridge.sip.stack;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.pushbridge.sip.stack.SipStackSettings.AddressLimits;

/**
 * Tells which requests are too many of their address. Knows a request by its first bytes, so that one too many costs
 * next to nothing. The first ones too many are to be answered, which tells an honest client when to come back; more are
 * not, so that nobody has answers sent where they do not belong. Bounded; safe for any thread.
 */
final class Floods {
    /** What to do with a request. */
    enum Verdict {
        TAKE,
        REFUSE,
        DROP
    }

    private static final int REMEMBERED = 50_000;
    private static final int REFUSALS_PER_SECOND = 10;
    private static final int BURST_SECONDS = 10;
    private static final byte[] REGISTER = bytes("REGISTER ");
    /** Responses, and what belongs to something that was let in before. */
    private static final List<byte[]> FREE = List.of(
            bytes("SIP/"),
            bytes("ACK "),
            bytes("BYE "),
            bytes("CANCEL "),
            bytes("PRACK "),
            bytes("UPDATE "),
            bytes("INFO "),
            bytes("NOTIFY "));

    private final AddressLimits limits;
    private final Cache<Long, Buckets> buckets = Caffeine.newBuilder()
            .maximumSize(REMEMBERED)
            .expireAfterAccess(Duration.ofMinutes(1))
            .build();

    private record Buckets(Bucket registers, Bucket others, Bucket refusals) {}

    Floods(AddressLimits limits) {
        this.limits = limits;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** @param data the message begins at {@code from} */
    Verdict verdict(InetAddress source, byte[] data, int from, int to) {
        if (isFree(data, from, to) || limits.exempt().test(source)) {
            return Verdict.TAKE;
        }
        Buckets of = buckets.get(place(source), unused -> full());
        Bucket bucket = begins(data, from, to, REGISTER) ? of.registers() : of.others();
        if (bucket.tryConsume(1)) {
            return Verdict.TAKE;
        }
        return of.refusals().tryConsume(1) ? Verdict.REFUSE : Verdict.DROP;
    }

    private static boolean isFree(byte[] data, int from, int to) {
        for (byte[] start : FREE) {
            if (begins(data, from, to, start)) {
                return true;
            }
        }
        return false;
    }

    Verdict verdict(InetAddress source, String startLine) {
        byte[] line = bytes(startLine.substring(0, Math.min(startLine.length(), 16)));
        return verdict(source, line, 0, line.length);
    }

    private static boolean begins(byte[] data, int from, int to, byte[] start) {
        if (to - from < start.length) {
            return false;
        }
        for (int i = 0; i < start.length; i++) {
            if (data[from + i] != start[i]) {
                return false;
            }
        }
        return true;
    }

    /** An IPv4 address, or the /64 that one IPv6 subscriber has at least. */
    private static long place(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4
                ? ByteBuffer.wrap(bytes).getInt()
                : ByteBuffer.wrap(bytes).getLong();
    }

    private Buckets full() {
        return new Buckets(
                bucket(limits.registersPerSecond(), limits.registersPerSecond() * (long) BURST_SECONDS),
                bucket(limits.othersPerSecond(), limits.othersPerSecond() * (long) BURST_SECONDS),
                bucket(REFUSALS_PER_SECOND, REFUSALS_PER_SECOND));
    }

    private static Bucket bucket(int perSecond, long capacity) {
        return Bucket.builder()
                .addLimit(limit -> limit.capacity(capacity).refillGreedy(perSecond, Duration.ofSeconds(1)))
                .build();
    }
}
