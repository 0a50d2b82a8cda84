package org.pushbridge.sip.stack;

import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What reading an INVITE and writing it costs here, and in JAIN-SIP as it comes, which checks less. Not a test: {@code
 * scenarios/bench/jmh} runs it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class MessageBenchmark {
    private static final String INVITE = """
            INVITE sip:user1@example.com SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.2:7000;branch=z9hG4bK-4711-1-0;rport
            From: "PBX" <sip:1000@192.0.2.2>;tag=4711pbx1
            To: <sip:user1@example.com>
            Call-ID: 1-4711@192.0.2.2
            CSeq: 1 INVITE
            Contact: <sip:1000@192.0.2.2:7000;transport=UDP>
            Max-Forwards: 70
            Content-Type: application/sdp
            Content-Length: 137

            v=0
            o=- 1 1 IN IP4 192.0.2.2
            s=-
            c=IN IP4 192.0.2.2
            t=0 0
            m=audio 6000 RTP/AVP 0 8
            a=rtpmap:0 PCMU/8000
            a=rtpmap:8 PCMA/8000
            """.replace("\n", "\r\n");

    private final byte[] bytes = INVITE.getBytes(StandardCharsets.US_ASCII);
    private final SIPMessage message = read();

    private SIPMessage read() {
        try {
            return parsed();
        } catch (MessageParser.Malformed e) {
            throw new IllegalStateException("The INVITE is well formed", e);
        }
    }

    private SIPMessage parsed() throws MessageParser.Malformed {
        int end = MessageHead.end(bytes, 0, 0, bytes.length);
        return MessageParser.parse(MessageHead.read(bytes, 0, end), Arrays.copyOfRange(bytes, end, bytes.length));
    }

    /** With all checks. */
    @Benchmark
    public SIPMessage parse() throws MessageParser.Malformed {
        return parsed();
    }

    @Benchmark
    public SIPMessage parseAsJainSip() throws ParseException {
        return new StringMsgParser().parseSIPMessage(bytes, false, false, null);
    }

    @Benchmark
    public byte[] encode() {
        return Encoding.bytes(message, Transport.UDP);
    }

    @Benchmark
    public byte[] encodeAsJainSip() {
        return message.encodeAsBytes("UDP");
    }
}
