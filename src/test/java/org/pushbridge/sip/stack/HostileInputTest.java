package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.pushbridge.sip.stack.SipStackSettings.StreamLimits;
import org.pushbridge.sip.stack.SipStackSettings.UdpLimits;

class HostileInputTest {
    private static final Duration A_WHILE = Duration.ofMillis(200);

    private Bridge bridge;

    @BeforeEach
    void start() throws Exception {
        bridge = Bridge.start();
        bridge.behaviour = request -> {
            if (!request.isAck()) {
                ServerTransactionsTest.answer(request, 200);
            }
        };
    }

    @AfterEach
    void stop() {
        bridge.close();
    }

    private static Arguments fault(String name, int status, String from, String to) {
        return Arguments.of(name, status, from, to);
    }

    /** What must be refused though JAIN-SIP would take it or choke on it; many from RFC 4475. */
    static Stream<Arguments> faults() {
        return Stream.of(
                fault("branch without the magic cookie", 400, "branch=z9hG4bK", "branch="),
                fault("branch of the magic cookie alone", 400, "branch=z9hG4bKtest\\d+", "branch=z9hG4bK"),
                fault("no branch", 400, ";branch=[^;]*", ""),
                fault(
                        "headers in the Request-URI",
                        400,
                        "sip:alice@example.com SIP",
                        "sip:a@b.c?Route=%3Csip:x%3E SIP"),
                fault("Request-URI in brackets", 400, "sip:alice@example.com SIP", "<sip:alice@example.com> SIP"),
                fault("blanks in the start line", 400, "OPTIONS sip", "OPTIONS  sip"),
                fault("blank behind the version", 400, "SIP/2.0\r\nVia", "SIP/2.0 \r\nVia"),
                fault("another version", 505, "SIP/2.0\r\nVia", "SIP/7.0\r\nVia"),
                fault("two To", 400, "To: ", "To: <sip:x@example.com>\r\nTo: "),
                fault("two From, one compact", 400, "From: ", "f: <sip:x@example.com>;tag=1\r\nFrom: "),
                fault("two Call-ID", 400, "Call-ID: ", "i: x\r\nCall-ID: "),
                fault("two CSeq", 400, "CSeq: ", "CSeq: 9 OPTIONS\r\nCSeq: "),
                fault("two Max-Forwards", 400, "Max-Forwards: ", "Max-Forwards: 5\r\nMax-Forwards: "),
                fault("method of CSeq not that of the request", 400, "CSeq: 1 OPTIONS", "CSeq: 1 INVITE"),
                fault("CSeq too large", 400, "CSeq: 1 ", "CSeq: 36893488147419103232 "),
                fault("CSeq of 2^31", 400, "CSeq: 1 ", "CSeq: 2147483648 "),
                fault("CSeq without a number", 400, "CSeq: 1 ", "CSeq: "),
                fault("Max-Forwards too large", 400, "Max-Forwards: 70", "Max-Forwards: 300"),
                fault("Max-Forwards not a number", 400, "Max-Forwards: 70", "Max-Forwards: many"),
                fault("RSeq garbage", 400, "Contact", "RSeq: 99999999999999999999\r\nContact"),
                fault("RAck garbage", 400, "Contact", "RAck: one two three\r\nContact"),
                fault("RAck too large", 400, "Contact", "RAck: 99999999999 1 INVITE\r\nContact"),
                fault("unreadable From", 400, "From: <sip:bob", "From: <<sip:bob"),
                fault("unreadable Contact", 400, "Contact: <sip:bob@", "Contact: <<<>"),
                fault("unreadable Route", 400, "Contact", "Route: <sip:\r\nContact"),
                fault("too many parameters", 400, "Contact", "Subject: " + ";".repeat(1000) + "\r\nContact"),
                fault("Request-URI too long", 414, "sip:alice@", "sip:" + "a".repeat(3000) + "@"),
                fault("header without a name", 400, "Contact", ": x\r\nContact"),
                fault("NUL in a header", 400, "Contact: ", "Contact: \0"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void isRefusedWithOneAnswerAndOneLogLine(String name, int status, String from, String to) throws Exception {
        try (LogLines log = new LogLines()) {
            for (Transport transport : Transport.values()) {
                try (Peer peer = bridge.peer(transport)) {
                    String good = Messages.request("OPTIONS", peer);
                    String bad = good.replaceFirst(from, to.replace("\\", "\\\\"));
                    assertThat(bad).as("the fault is in").isNotEqualTo(good);
                    peer.send(bad);
                    String answer = peer.receive();
                    assertThat(Messages.status(answer)).isEqualTo(status);
                    assertThat(Messages.header(answer, "Server")).contains("Pushbridge");
                }
            }
            assertThat(bridge.requests).isEmpty();
            assertThat(bridge.stack.counters().malformed()).isEqualTo(2);
            assertThat(log.lines()).as("at most one a second").hasSizeBetween(1, 2);
        }
        stillAnswers();
    }

    private void stillAnswers() throws IOException {
        for (Transport transport : Transport.values()) {
            for (InetAddress address : List.of(Bridge.V4, Bridge.V6)) {
                try (Peer peer = Peer.of(transport, bridge.at(transport, address))) {
                    peer.send(Messages.request("OPTIONS", peer));
                    assertThat(Messages.status(peer.receive())).isEqualTo(200);
                }
            }
        }
    }

    static Stream<Arguments> silentFaults() {
        return Stream.of("Via: .*\r\n", "From: .*\r\n", "To: .*\r\n", "Call-ID: .*\r\n", "CSeq: .*\r\n")
                .map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("silentFaults")
    void aRequestThatLacksWhatEveryResponseNeedsIsDropped(String header) throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.request("OPTIONS", peer).replaceFirst(header, ""));
            await().untilAsserted(
                            () -> assertThat(bridge.stack.counters().dropped()).isEqualTo(1));
            assertThat(bridge.requests).isEmpty();
        }
        stillAnswers();
    }

    @Test
    void leadingWhiteSpaceInTheStartLineIsNoRequest() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(" " + Messages.request("OPTIONS", peer));
            await().untilAsserted(() ->
                    assertThat(bridge.stack.counters().malformed()).isEqualTo(1));
            assertThat(bridge.requests).isEmpty();
        }
    }

    @Test
    void malformedResponsesAreDropped() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            String good = Messages.response(Messages.request("OPTIONS", peer), 200, "x");
            for (String bad : List.of(
                    good.replace("SIP/2.0 200", "SIP/2.0 2000"),
                    good.replace("SIP/2.0 200", "SIP/3.0 200"),
                    good.replaceFirst("CSeq: .*\r\n", ""),
                    good.replace("CSeq", "RSeq: 99999999999999\r\nCSeq"),
                    good.replace("branch=z9hG4bK", "branch="))) {
                peer.send(bad);
            }
            await().untilAsserted(() ->
                    assertThat(bridge.stack.counters().malformed()).isEqualTo(5));
            assertThat(peer.hearsNothingFor(A_WHILE)).isTrue();
        }
        stillAnswers();
    }

    @Test
    void aRequestWithoutMaxForwardsGets70() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.request("OPTIONS", peer).replace("Max-Forwards: 70\r\n", ""));
            assertThat(bridge.next("OPTIONS").message().getMaxForwards().getMaxForwards())
                    .isEqualTo(70);
        }
    }

    @Test
    void compactOddAndFoldedHeadersAreTaken() throws Exception {
        for (Transport transport : Transport.values()) {
            try (Peer peer = bridge.peer(transport)) {
                String body = "v=0\r\n";
                peer.send(Messages.request("MESSAGE", peer)
                                .replace("Via: ", "v:  ")
                                .replace("From: ", "f : ")
                                .replace("To: ", "T:")
                                .replace("Call-ID: ", "i: ")
                                .replace("CSeq: 1 ", "cSEQ:\r\n 1 ")
                                .replace("Contact: ", "m: ")
                                .replace("Content-Length: 0", "c: text/plain\r\nl: " + body.length())
                        + body);
                InboundRequest message = bridge.next("MESSAGE");
                assertThat(new String(message.message().getRawContent(), StandardCharsets.UTF_8))
                        .isEqualTo(body);
                assertThat(Messages.status(peer.receive())).isEqualTo(200);
            }
        }
    }

    @Test
    void aUriOf60KilobytesCostsNothing() throws Exception {
        try (Peer udp = bridge.peer(Transport.UDP)) {
            String monster = Messages.request("OPTIONS", udp)
                    .replace("sip:alice@example.com SIP", "sip:a@b" + ";".repeat(60_000) + " SIP");
            for (int i = 0; i < 100; i++) {
                udp.send(monster); // Half a second each, were they parsed.
            }
            await().untilAsserted(() ->
                    assertThat(bridge.stack.counters().malformed()).isPositive());
            stillAnswers();
            try (Peer.Tcp tcp = bridge.tcpPeer()) {
                tcp.send(monster);
                assertThat(tcp.isClosedByBridge()).isTrue();
            }
        }
    }

    @Test
    void aDatagramTooLargeIsAnswered513() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.request("MESSAGE", peer).replace("Content-Length: 0", "Content-Length: 20000")
                    + "x".repeat(20_000));
            assertThat(Messages.status(peer.receive())).isEqualTo(513);
        }
    }

    @Test
    void aHeaderTooLargeIsAnswered513AndOnlyAConnectionEndsWithIt() throws Exception {
        try (Bridge small = Bridge.start(settings ->
                        settings.withUdp(new UdpLimits(1, 8192, 1024, 8192)).withStream(withMaxHeader(1024)));
                Peer udp = small.peer(Transport.UDP);
                Peer.Tcp tcp = small.tcpPeer()) {
            for (Peer peer : List.of(udp, tcp)) {
                String most = "Subject: " + "x".repeat(400) + "\r\nContact";
                peer.send(Messages.request("OPTIONS", peer).replace("Contact", most));
                small.next("OPTIONS");
                peer.send(Messages.request("OPTIONS", peer).replace("Contact", most + ": <sip:x@y>\r\n" + most));
                assertThat(Messages.status(peer.receive())).isEqualTo(513);
            }
            assertThat(small.stack.counters().tooLarge()).isEqualTo(2);
            assertThat(tcp.isClosedByBridge()).isTrue();
            udp.send(Messages.request("OPTIONS", udp));
            small.next("OPTIONS");
        }
    }

    private static StreamLimits withMaxHeader(int bytes) {
        StreamLimits usual = StreamLimits.defaults();
        return new StreamLimits(
                usual.maxMessageBytes(),
                bytes,
                usual.maxConnections(),
                usual.maxConnectionsPerAddress(),
                usual.idleTimeout(),
                usual.messageTimeout(),
                usual.connectTimeout(),
                usual.maxUnsentBytes());
    }

    @Test
    void ofADatagramThatWaitsNoCopyIsAdded() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        try (Bridge slow = Bridge.start();
                Peer peer = slow.peer(Transport.UDP)) {
            slow.behaviour = request -> {
                try {
                    free.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            };
            peer.send(Messages.request("OPTIONS", peer));
            slow.next("OPTIONS"); // and its handler is busy from now on
            peer.send(Messages.request("OPTIONS", peer));
            await().until(() -> slow.stack.delay().toMillis() > 500);

            String repeated = Messages.request("OPTIONS", peer);
            String other = Messages.request("OPTIONS", peer);
            for (int i = 0; i < 3; i++) {
                peer.send(repeated);
                peer.send(other);
            }
            await().until(() -> slow.stack.counters().datagramsRepeated() == 4);
            free.countDown();
            for (int i = 0; i < 3; i++) {
                slow.next("OPTIONS");
            }
            assertThat(slow.requests).isEmpty();
            assertThat(slow.stack.counters().retransmissions()).isZero();
            peer.send(repeated);
            await().until(() -> slow.stack.counters().retransmissions() == 1);
        } finally {
            free.countDown();
        }
    }

    @Test
    void datagramsWaitUpToTheLimitAndMoreAreDropped() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        try (Bridge small = Bridge.start(settings -> settings.withUdp(new UdpLimits(1, 1300, 1300, 4000)));
                Peer peer = small.peer(Transport.UDP)) {
            small.behaviour = request -> {
                try {
                    free.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            };
            peer.send(Messages.request("OPTIONS", peer));
            small.next("OPTIONS"); // and its handler is busy from now on

            int room = 3;
            int sent = 10;
            for (int i = 0; i < sent; i++) {
                String request = Messages.request("OPTIONS", peer);
                String subject = "Subject: " + "x".repeat(1250 - request.length()) + "\r\n";
                peer.send(request.replace("Contact", subject + "Contact"));
            }

            await().until(() -> small.stack.counters().datagramsDropped() == sent - room);
            assertThat(small.stack.waitingBytes()).isBetween(room * 1250L, 4000L);
            free.countDown();
            for (int i = 0; i < room; i++) {
                small.next("OPTIONS");
            }
            assertThat(small.requests).isEmpty();
            assertThat(small.stack.waitingBytes()).isZero();
        } finally {
            free.countDown();
        }
    }

    @Test
    void aDatagramShorterThanItsContentLengthIsRefusedAndALongerOneIsCut() throws Exception {
        try (Peer peer = bridge.peer(Transport.UDP)) {
            peer.send(Messages.request("MESSAGE", peer).replace("Content-Length: 0", "Content-Length: 10") + "short");
            assertThat(Messages.status(peer.receive())).isEqualTo(400);
            peer.send(Messages.request("MESSAGE", peer).replace("Content-Length: 0", "Content-Length: 5")
                    + "right and more");
            assertThat(bridge.next("MESSAGE").message().getRawContent())
                    .isEqualTo("right".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void aContentLengthThatCannotBeBelievedClosesTheConnection() throws Exception {
        for (String length :
                List.of("2147483647", "9999999999", "99999999999999999999", "-1", "abc", "", "0\r\nl: 0", "70000")) {
            try (Peer.Tcp peer = bridge.tcpPeer()) {
                peer.send(Messages.request("OPTIONS", peer).replace("Content-Length: 0", "Content-Length: " + length));
                assertThat(Messages.status(peer.receive()))
                        .as("Content-Length: " + length)
                        .isIn(400, 413);
                assertThat(peer.isClosedByBridge()).isTrue();
            }
        }
        assertThat(bridge.requests).isEmpty();
        stillAnswers();
    }

    @Test
    void whatIsNotSipClosesTheConnection() throws Exception {
        for (String noise :
                List.of("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u0016\u0003\u0001\n\n", "a".repeat(40_000))) {
            try (Peer.Tcp peer = bridge.tcpPeer()) {
                peer.send(noise);
                assertThat(peer.isClosedByBridge()).isTrue();
            }
        }
        stillAnswers();
    }

    @Test
    void messagesMayComeInPiecesAndSeveralAtOnce() throws Exception {
        try (Peer.Tcp peer = bridge.tcpPeer()) {
            String first = Messages.request("MESSAGE", peer).replace("Content-Length: 0", "Content-Length: 3") + "abc";
            String second = Messages.request("OPTIONS", peer);
            String third = Messages.request("OPTIONS", peer);
            int cut = first.length() + second.length() / 2;
            String all = first + second + "\r\n" + third;
            for (int i = 0; i < first.length(); i++) {
                peer.send(all.substring(i, i + 1));
            }
            peer.send(all.substring(first.length(), cut));
            bridge.next("MESSAGE");
            peer.send(all.substring(cut));
            bridge.next("OPTIONS");
            bridge.next("OPTIONS");
            for (int i = 0; i < 3; i++) {
                assertThat(Messages.status(peer.receive())).isEqualTo(200);
            }
        }
    }

    @Test
    void aBadMessageThatCanBeToldApartDoesNotCostTheConnection() throws Exception {
        try (Peer.Tcp peer = bridge.tcpPeer()) {
            peer.send(Messages.request("OPTIONS", peer).replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE")
                    + Messages.request("OPTIONS", peer));
            assertThat(Messages.status(peer.receive())).isEqualTo(400);
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
        }
    }

    @Test
    void pingsGetPongs() throws Exception {
        try (Peer.Tcp tcp = bridge.tcpPeer();
                Peer.Udp udp = (Peer.Udp) bridge.peer(Transport.UDP)) {
            tcp.send("\r\n\r\n");
            assertThat(tcp.receiveRaw(2)).isEqualTo("\r\n");
            tcp.send("\r\n");
            tcp.send("\r\n");
            assertThat(tcp.receiveRaw(2)).as("a ping in two pieces").isEqualTo("\r\n");
            tcp.send(Messages.request("OPTIONS", tcp));
            assertThat(Messages.status(tcp.receive())).isEqualTo(200);

            udp.send("\r\n\r\n");
            assertThat(udp.receive()).isEqualTo("\r\n");
            udp.send("\r\n");
            udp.send("\0");
            udp.send("");
            byte[] stun = new byte[20];
            stun[1] = 1;
            stun[4] = 0x21;
            stun[5] = 0x12;
            stun[6] = (byte) 0xA4;
            stun[7] = 0x42;
            udp.send(stun);
            assertThat(udp.hearsNothingFor(A_WHILE)).isTrue();
        }
        assertThat(bridge.stack.counters().malformed()).isZero();
    }

    @Test
    void aConnectionThatSaysNothingOrHalfAMessageIsClosed() throws Exception {
        try (Bridge hasty = Bridge.start(settings -> settings.withStream(StreamLimits.defaults()
                        .withTimeouts(Duration.ofMinutes(1), Duration.ofMillis(200), Duration.ofSeconds(1))));
                Peer.Tcp silent = hasty.tcpPeer();
                Peer.Tcp half = hasty.tcpPeer()) {
            hasty.behaviour = request -> ServerTransactionsTest.answer(request, 200);
            half.send(Messages.request("OPTIONS", half));
            assertThat(Messages.status(half.receive())).isEqualTo(200);
            half.send("OPTIONS sip:");
            assertThat(half.isClosedByBridge()).isTrue();
            assertThat(silent.isClosedByBridge()).isTrue();
            Bridge.next(hasty.closedFlows);
            Bridge.next(hasty.closedFlows);
        }
    }

    @Test
    void anIdleConnectionIsClosed() throws Exception {
        try (Bridge hasty = Bridge.start(settings -> settings.withStream(StreamLimits.defaults()
                        .withTimeouts(Duration.ofMillis(300), Duration.ofSeconds(20), Duration.ofSeconds(1))));
                Peer.Tcp peer = hasty.tcpPeer()) {
            hasty.behaviour = request -> ServerTransactionsTest.answer(request, 200);
            peer.send(Messages.request("OPTIONS", peer));
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
            assertThat(peer.isClosedByBridge()).isTrue();
        }
    }

    @Test
    void aHalfClosedConnectionIsClosed() throws Exception {
        try (Peer.Tcp peer = bridge.tcpPeer()) {
            peer.send(Messages.request("OPTIONS", peer));
            assertThat(Messages.status(peer.receive())).isEqualTo(200);
            peer.socket.shutdownOutput();
            Bridge.next(bridge.closedFlows);
            assertThat(bridge.stack.openConnections()).isZero();
        }
    }

    @Test
    void connectionsAreBoundedInAllAndForEachAddress() throws Exception {
        try (Bridge small = Bridge.start(
                settings -> settings.withStream(StreamLimits.defaults().withMaxConnections(3, 2)))) {
            small.behaviour = request -> ServerTransactionsTest.answer(request, 200);
            List<Peer> open = new ArrayList<>();
            for (InetAddress address : List.of(Bridge.V4, Bridge.V4, Bridge.V6)) {
                Peer peer = Peer.tcp(small.at(Transport.TCP, address));
                open.add(peer);
                peer.send(Messages.request("OPTIONS", peer));
                assertThat(Messages.status(peer.receive())).isEqualTo(200);
            }
            try (Peer.Tcp one = small.tcpPeer()) {
                assertThat(one.isClosedByBridge()).isTrue();
            }
            try (Peer.Tcp one = Peer.tcp(small.at(Transport.TCP, Bridge.V6))) {
                assertThat(one.isClosedByBridge()).isTrue();
            }
            assertThat(small.stack.counters().connectionsRefused()).isEqualTo(2);
            open.get(0).close();
            Bridge.next(small.closedFlows);
            try (Peer again = Peer.tcp(small.at(Transport.TCP, Bridge.V4))) {
                again.send(Messages.request("OPTIONS", again));
                assertThat(Messages.status(again.receive())).isEqualTo(200);
            }
            for (Peer peer : open) {
                peer.close();
            }
        }
    }

    @Test
    void aPeerThatDoesNotReadIsClosedNotBufferedFor() throws Exception {
        try (Bridge small = Bridge.start(
                        settings -> settings.withStream(StreamLimits.defaults().withMaxUnsentBytes(64 * 1024)));
                Socket socket = new Socket()) {
            socket.setReceiveBufferSize(4096);
            socket.connect(small.at(Transport.TCP, Bridge.V4));
            Peer.Tcp peer = new Peer.Tcp(socket);
            small.behaviour = request -> {
                var response = ServerTransactionsTest.response(request, 200);
                response.setMessageContent("text", "plain", "x".repeat(60_000).getBytes(StandardCharsets.UTF_8));
                request.respond(response);
            };
            Thread flood = new Thread(() -> {
                try {
                    while (true) {
                        peer.send(Messages.request("OPTIONS", peer));
                    }
                } catch (IOException closed) {
                    // As it should be.
                }
            });
            flood.start();
            Bridge.next(small.closedFlows);
            flood.join(TimeUnit.SECONDS.toMillis(10));
            assertThat(flood.isAlive()).isFalse();
        }
    }

    @Test
    void whateverIsDoneToAMessageTheBridgeAnswersTheNext() throws Exception {
        Random random = new Random(20_190_511);
        try (LogLines log = new LogLines();
                Peer peer = bridge.peer(Transport.UDP)) {
            for (int i = 0; i < 3_000; i++) {
                StringBuilder message = new StringBuilder(
                        i % 2 == 0 ? Messages.invite(peer) : Messages.response(Messages.invite(peer), 200, "x"));
                for (int change = random.nextInt(4); change >= 0; change--) {
                    int at = random.nextInt(message.length());
                    switch (random.nextInt(4)) {
                        case 0 -> message.setCharAt(at, (char) random.nextInt(256));
                        case 1 -> message.deleteCharAt(at);
                        case 2 -> message.insert(at, "<>;,:\"%=[]@ \t\r\n\0".charAt(random.nextInt(16)));
                        default -> message.insert(at, message.substring(at, Math.min(message.length(), at + 20)));
                    }
                }
                peer.send(message.toString());
            }
            await().untilAsserted(() ->
                    assertThat(bridge.stack.counters().malformed()).isGreaterThan(500));
            assertThat(log.lines()).noneMatch(line -> line.contains("could not be handled"));
        }
        stillAnswers();
        assertThat(bridge.stack.counters().listenerFailures()).isZero();
    }

    /** The log lines of the stack, JAIN-SIP's included, at INFO and above. */
    private static final class LogLines extends AbstractAppender implements AutoCloseable {
        private final List<String> lines = new ArrayList<>();
        private final LoggerContext context = (LoggerContext) LogManager.getContext(false);

        LogLines() {
            super("test", null, null, true, Property.EMPTY_ARRAY);
            start();
            context.getConfiguration().getRootLogger().addAppender(this, Level.INFO, null);
            context.updateLoggers();
            // Whatever a test before this one made of it.
            Configurator.setLevel("org.pushbridge", Level.INFO);
        }

        @Override
        public void append(LogEvent event) {
            if (event.getLoggerName().startsWith("org.pushbridge")) {
                synchronized (lines) {
                    lines.add(event.getMessage().getFormattedMessage());
                }
            }
        }

        List<String> lines() {
            synchronized (lines) {
                return List.copyOf(lines);
            }
        }

        @Override
        public void close() {
            context.getConfiguration().getRootLogger().removeAppender("test");
            context.updateLoggers();
            stop();
        }
    }
}
