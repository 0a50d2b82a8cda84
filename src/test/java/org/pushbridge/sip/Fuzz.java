package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.pushbridge.device.Aor;
import org.pushbridge.sip.stack.Injector;
import org.pushbridge.sip.stack.Transport;

/**
 * Damages messages and gives them to a real edge, most of them straight to the code that a datagram reaches first. The
 * bridge's own messages to phone and PBX are answered, damaged, so that calls get on.
 *
 * <p>The same seed makes the same damage; what the bridge says meanwhile (tags, nonces) is its own.
 */
final class Fuzz implements AutoCloseable {
    /** What is damaged. */
    private enum Target {
        REQUEST(36),
        OF_USER(9),
        RESPONSE(17),
        IN_DIALOG(10),
        CONTACT(15),
        BODY(11),
        DIALOG_INFO(1),
        SOCKET(1);

        private final double percent;

        Target(double percent) {
            this.percent = percent;
        }
    }

    record Result(
            long seed,
            long messages,
            Map<?, Long> each,
            long pushes,
            long malformed,
            long millis,
            long heapMiddle,
            long heapEnd) {
        @Override
        public String toString() {
            return "fuzz: seed " + seed + ", " + messages + " messages " + each + ", " + malformed + " malformed, "
                    + pushes + " pushes, in " + millis + " ms, used heap " + heapMiddle / 1024 + " kB in the middle, "
                    + heapEnd / 1024 + " kB at the end";
        }
    }

    /** After so many messages all devices are forgotten: a user may have ten, and more would be refused. */
    private static final int DEVICES_FOR = 200;

    private static final List<String> METHODS = List.of(
            "INVITE",
            "REGISTER",
            "OPTIONS",
            "SUBSCRIBE",
            "BYE",
            "CANCEL",
            "ACK",
            "PRACK",
            "UPDATE",
            "INFO",
            "MESSAGE",
            "NOTIFY",
            "REFER");
    private static final String SDP = """
            v=0
            o=- 1 1 IN IP4 192.0.2.1
            s=-
            t=0 0
            m=audio 4000 RTP/AVP 0 8
            a=rtpmap:0 PCMU/8000
            m=video 4002 RTP/AVP 96
            """.replace("\n", "\r\n");
    /** After so many uses the newest nonce is taken, long before the old one is too old. */
    private static final int NONCE_FOR = 1_000;

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

    private final long seed;
    private final Random random;
    private final Mutator mutator;
    private final Edge edge = Edge.startToBeFuzzed();
    private final Injector injector = new Injector(edge.sip.stack());
    private final Troubles troubles = new Troubles();
    private final Ear phone = new Ear("127.0.0.1");
    private final Ear stranger = new Ear("127.0.0.1");
    private final Ear pbx = new Ear("127.0.0.2");
    private final List<String> corpus = new ArrayList<>();
    private final Map<Target, Long> each = new EnumMap<>(Target.class);
    private String challenge = "";
    private long nonceCount;
    private long pushes;
    private String last = "";

    Fuzz(long seed) {
        this.seed = seed;
        this.random = new Random(seed);
        this.mutator = new Mutator(random);
        Stream.of(Rfc4475Messages.all(), Rfc5118Messages.all())
                .flatMap(List::stream)
                .filter(message -> !message.isResponse())
                .forEach(message -> corpus.add(message.written("UDP", stranger.hostPort(), edge.hostPort(), 1)));
        for (String method : METHODS) {
            corpus.add(request(method, stranger, "c" + method));
        }
    }

    /** A socket whose messages are kept, the last ones only. */
    private static final class Ear implements AutoCloseable {
        private static final int KEPT = 64;
        private final DatagramSocket socket;
        private final AtomicReferenceArray<String> heard = new AtomicReferenceArray<>(KEPT);
        private final AtomicInteger count = new AtomicInteger();
        /** The last one, with its nonce. */
        private volatile String challenge = "";

        Ear(String ip) {
            try {
                socket = new DatagramSocket(new InetSocketAddress(ip, 0));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            Thread thread = new Thread(this::listen, "fuzz-ear");
            thread.setDaemon(true);
            thread.start();
        }

        private void listen() {
            DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
            try {
                while (true) {
                    socket.receive(packet);
                    String text = new String(packet.getData(), 0, packet.getLength(), StandardCharsets.ISO_8859_1);
                    heard.set(Math.floorMod(count.getAndIncrement(), KEPT), text);
                    if (text.startsWith("SIP/2.0 401 ")) {
                        challenge = text;
                    }
                }
            } catch (IOException closed) {
                // The end.
            }
        }

        Optional<String> any(Random random) {
            return Optional.ofNullable(heard.get(random.nextInt(KEPT)));
        }

        InetSocketAddress address() {
            return (InetSocketAddress) socket.getLocalSocketAddress();
        }

        String hostPort() {
            return socket.getLocalAddress().getHostAddress() + ":" + socket.getLocalPort();
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    /** What the bridge must not have to log. */
    private static final class Troubles extends AbstractAppender implements AutoCloseable {
        private final List<String> lines = new CopyOnWriteArrayList<>();
        /** They would be told of each refusal, thousands of times. */
        private final Map<String, Appender> others;

        private final LoggerContext context = (LoggerContext) LogManager.getContext(false);

        Troubles() {
            super("fuzz", null, null, true, Property.EMPTY_ARRAY);
            start();
            LoggerConfig root = context.getConfiguration().getRootLogger();
            others = Map.copyOf(root.getAppenders());
            others.keySet().forEach(root::removeAppender);
            root.addAppender(this, null, null);
            context.updateLoggers();
        }

        @Override
        public void append(LogEvent event) {
            String text = event.getMessage().getFormattedMessage();
            boolean trouble = event.getLevel().isMoreSpecificThan(Level.ERROR)
                    || text.contains("could not be handled")
                    || text.contains("A handler of SIP messages failed")
                    || event.getThrown() != null;
            if (trouble && lines.size() < 20) {
                lines.add(event.getLevel() + " " + text + (event.getThrown() == null ? "" : " " + event.getThrown()));
            }
        }

        @Override
        public void close() {
            LoggerConfig root = context.getConfiguration().getRootLogger();
            root.removeAppender("fuzz");
            others.values().forEach(other -> root.addAppender(other, null, null));
            context.updateLoggers();
            stop();
        }
    }

    // --- whole messages ------------------------------------------------------------------------------------------

    private String request(String method, Ear from, String id) {
        String about = method.equals("REGISTER") ? "alice@example.com" : "someone@caller.example.net";
        String body =
                method.equals("INVITE") ? "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/AVP 0\r\n" : "";
        return method + " sip:" + (method.equals("REGISTER") ? "" : "alice@") + "example.com SIP/2.0\r\n"
                + "Via: SIP/2.0/UDP " + from.hostPort() + ";branch=z9hG4bK" + id + ";rport\r\n"
                + "Max-Forwards: 70\r\n"
                + "From: \"Some One\" <sip:" + about + ">;tag=f" + id + "\r\n"
                + "To: <sip:alice@example.com>\r\n"
                + "Call-ID: " + id + "@fuzz\r\n"
                + "CSeq: 5 " + method + "\r\n"
                + "Contact: <sip:someone@" + from.hostPort() + ";transport=udp>\r\n"
                + (method.equals("SUBSCRIBE") ? "Event: dialog\r\nAccept: application/dialog-info+xml\r\n" : "")
                + (body.isEmpty() ? "" : "Content-Type: application/sdp\r\n")
                + "Supported: replaces, 100rel, outbound\r\n"
                + "P-Asserted-Identity: \"Some One\" <sip:+4930@caller.example.net>\r\n"
                + "Session-Expires: 1800;refresher=uac\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    private String id() {
        return Long.toString(random.nextLong(), 36).replace('-', 'x');
    }

    private String pushContact() {
        return "Contact: <sip:alice@" + phone.hostPort()
                + ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip"
                + ";pn-prid=" + TOKEN + ">;+sip.instance=\"<urn:uuid:1e1d9a4d-0000-1000-8000-000a95a0e128>\";reg-id=1"
                + ";expires=3600";
    }

    /** A REGISTER with the right password. */
    private void register(String contactLine) {
        String register =
                request("REGISTER", phone, id()).replaceFirst("Contact: .*", "").replace("\r\n\r\n", "\r\n");
        String credentials = credentials("REGISTER", register);
        inject(register.stripTrailing() + "\r\n" + credentials + contactLine + "\r\n\r\n", phone);
    }

    /** The line that proves who sends a request to the domain. */
    private String credentials(String method, String challenged) {
        if (phone.challenge.isEmpty()) {
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(100)).until(() -> {
                inject(request("REGISTER", phone, id()), phone);
                return !phone.challenge.isEmpty();
            });
        }
        if ((challenge.isEmpty() || nonceCount > NONCE_FOR) && !phone.challenge.equals(challenge)) {
            challenge = phone.challenge;
            nonceCount = 0;
        }
        nonceCount++;
        return (method.equals("REGISTER") ? "Authorization: " : "Proxy-Authorization: ")
                + Wire.credentials(
                        Wire.headers(challenge, "WWW-Authenticate"),
                        "alice",
                        "secret",
                        method,
                        Wire.firstLine(challenged).split(" ", -1)[1],
                        nonceCount)
                + "\r\n";
    }

    // --- the damage ----------------------------------------------------------------------------------------------

    private void step(Target target) {
        switch (target) {
            case REQUEST -> {
                Ear from = random.nextInt(3) == 0 ? stranger : pbx;
                String whole = random.nextInt(3) == 0 ? mutator.any(corpus) : request(mutator.any(METHODS), from, id());
                inject(mutator.damaged(whole, mutator.any(corpus)), from);
            }
            case OF_USER -> {
                String method = mutator.any(METHODS);
                String whole = request(method, phone, id())
                        .replaceFirst("From: .*", "From: <sip:alice@example.com>;tag=f" + id());
                String proof = credentials(method, whole);
                // What proves the user comes whole, as it would not be looked at any further.
                inject(mutator.damaged(whole, mutator.any(corpus)).replaceFirst("\r\n", quoted("\r\n" + proof)), phone);
            }
            case RESPONSE ->
                phone.any(random)
                        .filter(text -> !text.startsWith("SIP/"))
                        .ifPresentOrElse(
                                asked -> inject(maybeDamaged(response(asked)), phone),
                                () -> inject(request("INVITE", pbx, id()), pbx));
            case IN_DIALOG ->
                pbx.any(random)
                        .filter(text -> text.startsWith("SIP/"))
                        .ifPresentOrElse(
                                heard -> inject(maybeDamaged(within(heard)), pbx),
                                () -> inject(request("INVITE", pbx, id()), pbx));
            case CONTACT ->
                register(random.nextInt(4) == 0 ? pushContact() : mutator.damaged(pushContact(), mutator.any(corpus)));
            case BODY -> body();
            case DIALOG_INFO -> dialogInfo();
            case SOCKET -> overTheWire();
        }
    }

    private String maybeDamaged(String text) {
        return random.nextInt(3) == 0 ? text : mutator.damaged(text, mutator.any(corpus));
    }

    private String response(String asked) {
        String status = mutator.any(List.of(
                "100 A", "180 R", "183 S", "200 OK", "200 OK", "302 M", "401 U", "486 B", "487 T", "503 S", "603 D"));
        StringBuilder text = new StringBuilder("SIP/2.0 " + status + "\r\n");
        Wire.headers(asked, "Via")
                .forEach(via -> text.append("Via: ").append(via).append("\r\n"));
        for (String name : List.of("From", "To", "Call-ID", "CSeq")) {
            String value = Wire.find(asked, name).orElse("");
            text.append(name).append(": ").append(value);
            text.append(name.equals("To") && !value.contains("tag=") ? ";tag=p" : "")
                    .append("\r\n");
        }
        return text + "Contact: <sip:alice@" + phone.hostPort() + ">\r\nRequire: 100rel\r\nRSeq: 7\r\n"
                + "Content-Length: 0\r\n\r\n";
    }

    /** A request inside the dialog, or for the transaction, that a response to the PBX tells of. */
    private String within(String heard) {
        String method = mutator.any(List.of("ACK", "BYE", "CANCEL", "INVITE", "UPDATE", "INFO", "PRACK", "REFER"));
        boolean same = method.equals("CANCEL") || random.nextInt(3) == 0;
        return request(method, pbx, id())
                .replaceFirst(
                        "From: .*", quoted("From: " + Wire.find(heard, "From").orElse("")))
                .replaceFirst("To: .*", quoted("To: " + Wire.find(heard, "To").orElse("")))
                .replaceFirst(
                        "Call-ID: .*",
                        quoted("Call-ID: " + Wire.find(heard, "Call-ID").orElse("")))
                .replaceFirst(
                        same ? "Via: .*" : "Max-Forwards: .*",
                        same ? quoted("Via: " + Wire.find(heard, "Via").orElse("")) : "Max-Forwards: 69")
                .replace("CSeq: 5", "CSeq: " + (same ? 5 : 6 + random.nextInt(5)));
    }

    private static String quoted(String text) {
        return java.util.regex.Matcher.quoteReplacement(text);
    }

    private void body() {
        String sdp = mutator.damaged(SDP, "");
        byte[] raw = sdp.getBytes(StandardCharsets.ISO_8859_1);
        last = request("INVITE", pbx, "b")
                        .replaceAll("(?s)Content-Length.*", "Content-Length: " + raw.length + "\r\n\r\n")
                + sdp;
        SIPMessage read = Injector.parse(bytes(last)).orElseThrow(() -> new AssertionError("A body is no fault"));
        SIPMessage carried = Carried.of(read, true).into(new SIPRequest());
        var unused = Carried.of(read, true).offersVideo();
        byte[] arrived = carried.getRawContent() == null ? new byte[0] : carried.getRawContent();
        assertThat(Arrays.equals(arrived, raw)).as("the body is the same").isTrue();
    }

    private void dialogInfo() {
        String name = mutator.damaged("\"Some <One>\" & \u00e4", mutator.any(corpus));
        String uri = mutator.damaged("sip:someone@caller.example.net;x=y", mutator.any(corpus));
        last = name + "\n" + uri;
        LiveDialog dialog = new LiveDialog(
                "id",
                mutator.damaged("call@example.com", ""),
                Optional.of(mutator.damaged("tag", "")),
                Optional.empty(),
                LiveDialog.Direction.RECIPIENT,
                LiveDialog.State.EARLY,
                uri,
                name);
        byte[] xml = new DialogInfo(Aor.parse("alice@example.com"), 1, List.of(dialog)).xml();
        try {
            XMLStreamReader reader =
                    XMLInputFactory.newDefaultFactory().createXMLStreamReader(new ByteArrayInputStream(xml));
            int dialogs = 0;
            while (reader.hasNext()) {
                if (reader.next() == XMLStreamReader.START_ELEMENT
                        && reader.getLocalName().equals("dialog")) {
                    dialogs++;
                }
            }
            assertThat(dialogs).isEqualTo(1);
        } catch (XMLStreamException e) {
            throw new AssertionError("Not XML: " + new String(xml, StandardCharsets.UTF_8), e);
        }
    }

    private void overTheWire() {
        Party party = edge.stranger("alice", random.nextBoolean() ? Transport.UDP : Transport.TCP);
        last = mutator.damaged(request(mutator.any(METHODS), stranger, id()), mutator.any(corpus));
        party.send(last);
        edge.leave(party);
    }

    // --- running -------------------------------------------------------------------------------------------------

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private void inject(String message, Ear from) {
        last = message;
        injector.datagram(bytes(message), from.address());
    }

    Result run(long messages) {
        long done = 0;
        try {
            List<Target> plan = plan();
            List<String> threads = threads();
            long began = System.nanoTime();
            long heapMiddle = 0;
            for (; done < messages; done++) {
                if (done % DEVICES_FOR == 0) {
                    forget();
                }
                Target target = plan.get((int) (done % plan.size()));
                step(target);
                assertThat(edge.sip.stack().counters().listenerFailures())
                        .as("handlers that threw")
                        .isZero();
                assertThat(troubles.lines).isEmpty();
                each.merge(target, 1L, Long::sum);
                if (done == messages / 2) {
                    quiet();
                    heapMiddle = usedHeap();
                }
            }
            quiet();
            long heapEnd = usedHeap();
            assertThat(heapEnd).as("used heap, in the middle " + heapMiddle).isLessThan(heapMiddle + (8L << 20));
            assertThat(threads()).as("threads").containsAll(threads);
            stillServes();
            long millis = Duration.ofNanos(System.nanoTime() - began).toMillis();
            long malformed = edge.sip.stack().counters().malformed();
            return new Result(seed, messages, each, pushes, malformed, millis, heapMiddle, heapEnd);
        } catch (Throwable e) {
            throw new AssertionError(
                    "Seed " + seed + ", message " + done + ", threw " + e + " at\n"
                            + Stream.of(e.getStackTrace())
                                    .limit(12)
                                    .map(String::valueOf)
                                    .collect(Collectors.joining("\n"))
                            + "\nThe last message:\n"
                            + last.replace("\r", "\\r").replace("\0", "\\0"),
                    e);
        }
    }

    /** What is kept for tests to look at is forgotten, too. */
    private void forget() {
        edge.forgetDevices("alice");
        pushes += edge.pushes.size();
        edge.pushes.clear();
        edge.ends.clear();
        edge.requests.clear();
        register(pushContact());
    }

    private List<Target> plan() {
        List<Target> plan = new ArrayList<>();
        for (Target target : Target.values()) {
            for (int i = 0; i < Math.round(target.percent * 10); i++) {
                plan.add(target);
            }
        }
        java.util.Collections.shuffle(plan, random);
        return plan;
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .map(Thread::getName)
                .filter(name -> name.startsWith("sip-") || name.startsWith("call"))
                .sorted()
                .toList();
    }

    /** All calls end by themselves, and all that is remembered goes. */
    private void quiet() {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> {
            assertThat(edge.sip.calls()).as("calls").isZero();
            assertThat(edge.sip.callKeys()).as("keys of calls").isZero();
            assertThat(edge.disk.calls()).as("calls on disk").isZero();
            assertThat(injector.held()).as("transactions").isEmpty();
            var unused = edge.tombstones.purge();
            assertThat(edge.tombstones.count()).as("tombstones").isZero();
            assertThat(edge.disk.loadTombstones(Instant.MIN))
                    .as("tombstones on disk")
                    .isEmpty();
        });
    }

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }

    /** Not at the first attempt perhaps, on a machine that is busy: calls ring for the blink of an eye here. */
    private void stillServes() {
        await().atMost(PATIENCE).untilAsserted(this::serves);
        quiet();
        assertThat(troubles.lines).isEmpty();
    }

    private void serves() {
        edge.forgetDevices("alice");
        Party caller = edge.pbxOverTcp();
        Party callee = edge.phone("alice");
        try {
            String probe = caller.send(caller.request("OPTIONS", "sip:example.com", ""));
            assertThat(Wire.header(caller.expect("SIP/2.0 200 "), "Call-ID")).isEqualTo(Wire.header(probe, "Call-ID"));
            String invite = caller.send(caller.invite("sip:alice@example.com"));
            callee.answer(callee.expect("INVITE "), 486, "");
            caller.acknowledgeFailure(invite, caller.expect("SIP/2.0 486 "));
            callee.expect("ACK ");
        } finally {
            edge.leave(caller);
            edge.leave(callee);
        }
    }

    @Override
    public void close() {
        troubles.close();
        edge.close();
        phone.close();
        stranger.close();
        pbx.close();
    }
}
