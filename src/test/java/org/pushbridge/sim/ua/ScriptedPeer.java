package org.pushbridge.sim.ua;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** The other end of a user agent under test: it sends what the test says, right or wrong, and keeps what it gets. */
public final class ScriptedPeer implements AutoCloseable {
    private record Arrival(SipMessage message, InetSocketAddress from) {}

    private final BlockingQueue<Arrival> arrivals = new LinkedBlockingQueue<>();
    private final Wire wire;
    private Optional<InetSocketAddress> last = Optional.empty();

    public ScriptedPeer(Transport transport) throws IOException {
        wire = Wire.listen(
                transport,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                (bytes, from, over) -> arrivals.add(new Arrival(SipMessage.parse(bytes), from)));
    }

    public InetSocketAddress address() {
        return wire.local();
    }

    /** The next message. */
    public SipMessage next() throws InterruptedException {
        Arrival arrival = arrivals.poll(10, TimeUnit.SECONDS);
        if (arrival == null) {
            throw new AssertionError("Nothing came");
        }
        last = Optional.of(arrival.from);
        return arrival.message;
    }

    /** The next message with this title ({@code INVITE}, {@code 180 Ringing}); others before it are dropped. */
    public SipMessage next(String title) throws InterruptedException {
        while (true) {
            Arrival arrival = arrivals.poll(10, TimeUnit.SECONDS);
            if (arrival == null) {
                throw new AssertionError("Nothing came, where " + title + " was awaited");
            }
            if (arrival.message.title().equals(title)) {
                last = Optional.of(arrival.from);
                return arrival.message;
            }
        }
    }

    /** Where the message came from that {@link #next} gave last. */
    public InetSocketAddress lastSender() {
        return last.orElseThrow();
    }

    public void respond(SipMessage request, int status, String reason, UnaryOperator<SipMessage> finish)
            throws IOException {
        SipMessage response = SipMessage.response(request, status, reason);
        SipMessage tagged = response.toTag().isPresent() || status == 100
                ? response
                : response.set("To", response.required("To") + ";tag=peer");
        send(finish.apply(tagged), lastSender());
    }

    public void respond(SipMessage request, int status, String reason) throws IOException {
        respond(request, status, reason, r -> r);
    }

    /** A response that is in order for an INVITE: 200 with Contact and body. */
    public SipMessage accepted(SipMessage response) {
        return response.with("Contact", contact()).withBody("application/sdp", "v=0\r\n");
    }

    /** Answers the next REGISTER with 200. */
    public void acceptRegister() throws InterruptedException, IOException {
        respond(next("REGISTER"), 200, "OK");
    }

    /** An INVITE that is in order. */
    public SipMessage invite(String callId, String branch) {
        return request("INVITE", callId, branch, 1, "<sip:alice@example.com>")
                .with("Contact", contact())
                .withBody("application/sdp", "v=0\r\n");
    }

    public SipMessage request(String method, String callId, String branch, long cseq, String to) {
        return SipMessage.request(method, "sip:alice@example.com")
                .with(
                        "Via",
                        "SIP/2.0/" + wire.transport() + " " + UserAgent.hostAndPort(wire.local()) + ";branch=z9hG4bK"
                                + branch)
                .with("Max-Forwards", "70")
                .with("From", "<sip:bob@example.com>;tag=peer")
                .with("To", to)
                .with("Call-ID", callId)
                .with("CSeq", cseq + " " + method);
    }

    public SipMessage with(SipMessage message, String name, String value) {
        return message.set(name, value);
    }

    public SipMessage withBody(SipMessage message, String contentType, String body) {
        return message.withBody(contentType, body);
    }

    /** The same message without a header. */
    public SipMessage without(SipMessage message, String name) {
        String head = message.toString();
        return SipMessage.parse(
                head.replaceAll("(?m)^" + name + ": .*\r\n", "").getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private String contact() {
        return "<sip:peer@" + UserAgent.hostAndPort(wire.local())
                + (wire.transport() == Transport.TCP ? ";transport=tcp>" : ">");
    }

    public void send(SipMessage message, InetSocketAddress to) throws IOException {
        wire.send(message.encode(), to);
    }

    /** The value of a parameter of a header, for assertions. */
    public static Optional<String> tag(SipMessage message, String header) {
        return SipMessage.parameter(message.required(header), "tag");
    }

    @Override
    public void close() {
        wire.close();
    }
}
