package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.RetryAfter;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.Server;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.header.ViaList;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javax.sip.InvalidArgumentException;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.SipStackSettings.UdpLimits;

/**
 * Takes every message from the wire to its transaction and, if it is news, to the layer above; deals itself with what
 * the layer above need not see. Called by the listeners on their threads.
 */
final class Reception {
    private static final Logger LOG = LogManager.getLogger(Reception.class);
    private final QuietLog malformedLog = new QuietLog(LOG, Level.INFO);
    private final QuietLog overloadLog = new QuietLog(LOG, Level.WARN);
    private final QuietLog floodLog = new QuietLog(LOG, Level.WARN);
    private final QuietLog troubleLog = new QuietLog(LOG, Level.WARN);
    private static final byte[] PONG = "\r\n".getBytes(StandardCharsets.US_ASCII);
    static final Fault TOO_LARGE = new Fault(513, "Message Too Large");
    private static final int STUN_COOKIE = 0x2112A442;

    private final JainStack stack;
    private final SipStackSettings settings;
    private final SipEvents events;
    private final SipCounters counters;
    private final Floods floods;
    /** Of all responses that name no other; never changed. */
    private final Server server;

    private volatile boolean closed;

    Reception(JainStack stack, SipStackSettings settings, SipEvents events, SipCounters counters) {
        this.stack = stack;
        this.settings = settings;
        this.events = events;
        this.counters = counters;
        this.floods = new Floods(settings.addressLimits());
        this.server = server(settings.server());
    }

    private static Server server(String product) {
        try {
            Server server = new Server();
            server.setProduct(List.of(product));
            return server;
        } catch (ParseException e) {
            throw new IllegalStateException("Any text is a product", e);
        }
    }

    /** Nothing is passed up from here on. */
    void close() {
        closed = true;
    }

    /**
     * One datagram: {@code data[0, length)}, which is only good until this returns.
     *
     * @param sinceNanos when it came, by {@link System#nanoTime}
     */
    void datagram(
            byte[] data,
            int length,
            UdpLimits limits,
            UdpListener listener,
            InetSocketAddress source,
            long sinceNanos) {
        int from = 0;
        while (from < length && (data[from] == '\r' || data[from] == '\n' || data[from] == 0)) {
            from++;
        }
        if (from == length) {
            if (length == 4 && data[0] == '\r' && data[1] == '\n') {
                send(listener.linkTo(source), PONG);
            }
            return;
        }
        if (isStun(data, length)) {
            return;
        }
        switch (floods.verdict(source.getAddress(), data, from, length)) {
            case REFUSE -> {
                counters.received.increment();
                int cut = MessageHead.lastLineEnd(data, Math.min(length, limits.maxMessageBytes()));
                answerFlood(MessageHead.read(data, from, Math.max(from, cut)), source)
                        .ifPresent(answer -> send(listener.linkTo(source), answer));
                return;
            }
            case DROP -> {
                counters.received.increment();
                counters.flooded.increment();
                return;
            }
            case TAKE -> {}
        }
        if (length > limits.maxMessageBytes()) {
            counters.received.increment();
            MessageHead cut = MessageHead.read(
                    data, from, Math.max(from, MessageHead.lastLineEnd(data, limits.maxMessageBytes())));
            answerRefused(listener, source, cut, TOO_LARGE);
            return;
        }
        counters.received.increment();
        int end = MessageHead.end(data, from, from, length);
        if ((end < 0 ? length : end) - from > limits.maxHeaderBytes()) {
            int cut = MessageHead.lastLineEnd(data, from + limits.maxHeaderBytes());
            answerRefused(listener, source, MessageHead.read(data, from, Math.max(from, cut)), TOO_LARGE);
            return;
        }
        MessageHead head = MessageHead.read(data, from, end < 0 ? length : end);
        if (head.fault().isPresent()) {
            answerRefused(listener, source, head, head.fault().get());
            return;
        }
        int follows = end < 0 ? 0 : length - end;
        if (end < 0 || head.contentLength() > follows) {
            // RFC 3261 section 18.3: shorter than its Content-Length. Longer is cut off.
            answerRefused(
                    listener,
                    source,
                    head,
                    Fault.bad("Message Cut Short", "The datagram is shorter than its Content-Length says"));
            return;
        }
        Optional<byte[]> refusal = turnedAway(head, source);
        if (refusal.isPresent()) {
            send(listener.linkTo(source), refusal.get());
            return;
        }
        try {
            int body = head.contentLength() < 0 ? follows : head.contentLength();
            SIPMessage message = MessageParser.parse(head, Arrays.copyOfRange(data, end, end + body));
            accept(message, listener.linkTo(source), source, listener, sinceNanos);
        } catch (MessageParser.Malformed e) {
            answerRefused(listener, source, head, e.fault());
        }
    }

    /** One request of a stream, before it is parsed. Returns whether it is to be taken no further. */
    boolean isFlood(MessageHead head, InetSocketAddress source, Consumer<byte[]> answer) {
        switch (floods.verdict(source.getAddress(), head.startLine())) {
            case TAKE -> {
                return false;
            }
            case REFUSE -> {
                counters.received.increment();
                answerFlood(head, source).ifPresent(answer);
            }
            case DROP -> {
                counters.received.increment();
                counters.flooded.increment();
            }
        }
        return true;
    }

    /** The answer to a request for which there is no time now; empty if it is to be parsed. It must have no fault. */
    private Optional<byte[]> turnedAway(MessageHead head, InetSocketAddress source) {
        if (!head.method().equals("REGISTER")) {
            return Optional.empty();
        }
        int seconds = events.comeBackAfter(new UnreadRequest(
                source.getAddress(), head.value(KnownHeader.TO), head.value(KnownHeader.AUTHORIZATION)));
        return seconds == 0 || isRetransmission(head)
                ? Optional.empty()
                : head.answer(
                        new Fault(503, SIPResponse.getReasonPhrase(503)),
                        source,
                        settings.server(),
                        "Retry-After: " + seconds + "\r\n");
    }

    /** The same for one request of a stream. */
    Optional<byte[]> turnedAwayFromStream(MessageHead head, InetSocketAddress source) {
        Optional<byte[]> answer = turnedAway(head, source);
        if (answer.isPresent()) {
            counters.received.increment();
        }
        return answer;
    }

    /** Of a request that is answered, or worked on. */
    private boolean isRetransmission(MessageHead head) {
        String value = head.value(KnownHeader.VIA);
        try {
            SIPHeader plain = PlainText.header(HeaderLine.of(KnownHeader.VIA, value));
            return (plain == null ? StringMsgParser.parseSIPHeader("Via: " + value) : plain) instanceof ViaList vias
                    && vias.getFirst() instanceof Via via
                    && via.getBranch() != null
                    && isKnown(JainStack.serverKey(via, head.method()));
        } catch (ParseException | RuntimeException unreadable) {
            return false;
        }
    }

    private boolean isKnown(String key) {
        return stack.server(key).isPresent() || stack.response(key) != null;
    }

    private Optional<byte[]> answerFlood(MessageHead head, InetSocketAddress source) {
        counters.flooded.increment();
        floodLog.log(() -> "An address sends too many requests, they are refused with 503, then dropped; peer="
                + Hosts.text(source) + " method=" + QuietLog.excerpt(head.method()));
        return head.answer(
                new Fault(503, "Too Many Requests From This Address"),
                source,
                settings.server(),
                "Retry-After: " + settings.retryAfter().toSeconds() + "\r\n");
    }

    private static boolean isStun(byte[] data, int length) {
        return length >= 20 && (data[0] & 0xC0) == 0 && ByteBuffer.wrap(data).getInt(4) == STUN_COOKIE;
    }

    private void answerRefused(UdpListener listener, InetSocketAddress source, MessageHead head, Fault fault) {
        refuse(head, fault, source).ifPresent(answer -> send(listener.linkTo(source), answer));
    }

    /** One message of a stream that is not fit to be parsed. Returns the answer to it, if it can be given one. */
    Optional<byte[]> refused(MessageHead head, Fault fault, InetSocketAddress source) {
        counters.received.increment();
        return refuse(head, fault, source);
    }

    private Optional<byte[]> refuse(MessageHead head, Fault fault, InetSocketAddress source) {
        counters.malformed.increment();
        if (fault.status() == 413 || fault.status() == 513) {
            counters.tooLarge.increment();
        }
        Optional<byte[]> answer = head.answer(fault, source, settings.server());
        (answer.isPresent() ? counters.rejected : counters.dropped).increment();
        malformedLog.log(() -> "A malformed message was " + (answer.isPresent() ? "refused" : "dropped") + "; peer="
                + Hosts.text(source) + " status=" + fault.status() + " fault=" + fault.reason());
        return answer;
    }

    void slowPeer(InetSocketAddress peer) {
        counters.malformed.increment();
        malformedLog.log(() -> "A message did not come to its end, the connection is closed; peer=" + Hosts.text(peer));
    }

    /** One message of a stream, checked and parsed. Throws nothing. */
    void message(SIPMessage message, Link link, InetSocketAddress source, Listener listener) {
        counters.received.increment();
        try {
            accept(message, link, source, listener, System.nanoTime());
        } catch (Throwable e) {
            troubleLog.log(() -> "A message could not be handled; peer=" + Hosts.text(source) + " cause=" + e);
        }
    }

    private void accept(SIPMessage message, Link link, InetSocketAddress source, Listener listener, long sinceNanos) {
        message.setRemoteAddress(source.getAddress());
        message.setRemotePort(source.getPort());
        if (message instanceof SIPResponse response) {
            response(response, link);
        } else if (message instanceof SIPRequest request) {
            stamp(request.getTopmostVia(), source);
            Link back = link.transport().isReliable()
                    ? link
                    : listener.linkTo(responseAddress(request.getTopmostVia(), source));
            request(request, link, back, listener, sinceNanos);
        }
    }

    /** RFC 3261 section 18.2.1 and RFC 3581 section 4. */
    private static void stamp(Via via, InetSocketAddress source) {
        try {
            String address = Hosts.bare(source.getAddress());
            boolean rport = via.hasParameter("rport");
            String sentBy = via.getHost();
            if (rport || (!address.equals(sentBy) && !("[" + address + "]").equals(sentBy))) {
                via.setParameter("received", address);
            }
            if (rport) {
                via.setParameter("rport", Integer.toString(source.getPort()));
            }
        } catch (ParseException e) {
            throw new IllegalStateException("An IP address and a port are parameter values", e);
        }
    }

    /** RFC 3261 section 18.2.2; maddr is not followed: it would have us send to whomever a stranger names. */
    private static InetSocketAddress responseAddress(Via via, InetSocketAddress source) {
        if (via.hasParameter("rport")) {
            return source;
        }
        int port = via.getPort();
        return new InetSocketAddress(source.getAddress(), port <= 0 ? 5060 : port);
    }

    private void response(SIPResponse response, Link link) {
        if (response.getViaHeaders().size() > 1) {
            // RFC 3261 section 8.1.3.3: it is for somebody else, and the bridge is no proxy.
            counters.dropped.increment();
            return;
        }
        String key = JainStack.clientKey(response);
        ClientTransaction.Outcome accepted = stack.accepted(key);
        if (accepted != null) {
            if (response.getStatusCode() / 100 == 2) {
                accepted.response(response);
            }
            return;
        }
        Optional<ClientTransaction> transaction = stack.client(key);
        if (transaction.isPresent()) {
            transaction.get().receive(response, link);
        } else if (response.getStatusCode() / 100 == 2
                && response.getCSeq().getMethod().equals("INVITE")) {
            guarded("onStrayResponse", () -> events.onStrayResponse(response, link.flow()));
        } else {
            counters.dropped.increment();
        }
    }

    private void request(SIPRequest request, Link link, Link back, Listener listener, long sinceNanos) {
        String method = request.getMethod();
        String key = JainStack.serverKey(request);
        Optional<ServerTransaction> known = stack.server(key);
        if (method.equals("ACK")) {
            ack(request, link, back, known, sinceNanos);
            return;
        }
        if (known.isPresent()) {
            counters.retransmissions.increment();
            known.get().receive(request);
            return;
        }
        if (stack.answered(key).isPresent()) {
            counters.retransmissions.increment();
            return; // The 2xx to it is being resent until its ACK comes.
        }
        byte[] answer = method.equals("INVITE") ? null : stack.response(key);
        if (answer != null) {
            counters.retransmissions.increment();
            send(back, answer);
            return;
        }
        boolean cancel = method.equals("CANCEL");
        boolean outsideDialog = request.getToTag() == null;
        if (!cancel && stack.serverTransactions() >= limit(method, outsideDialog)) {
            overloaded(request, back);
            return;
        }
        boolean mergeable = outsideDialog && !cancel;
        String mergeKey = mergeable ? JainStack.mergeKey(request) : "";
        boolean merged = mergeable && stack.isMerged(mergeKey, key);
        LinkChannel channel = new LinkChannel(stack, listener, back);
        channel.onFailure(dropping(request));
        ServerTransaction transaction = new ServerTransaction(stack, channel, request, key, merged ? "" : mergeKey);
        Optional<InboundRequest> invite = cancel
                ? stack.server(JainStack.cancelledKey(request)).map(ServerTransaction::inbound)
                : Optional.empty();
        InboundRequest inbound =
                new InboundRequest(this, request, link.flow(), back, Optional.of(transaction), invite, sinceNanos);
        transaction.belongsTo(inbound);
        Optional<ServerTransaction> other = stack.addServer(transaction);
        if (other.isPresent()) {
            counters.retransmissions.increment();
            other.get().receive(request);
            return;
        }
        transaction.receive(request);
        transaction.started();
        if (cancel) {
            cancel(inbound);
        } else if (merged) {
            counters.rejected.increment();
            inbound.respond(Responses.create(request, 482, "Merged Request", Optional.of(Tokens.tag())));
        } else {
            passUp(inbound);
        }
    }

    /**
     * An INVITE that was received before the stack was made. It is not passed up. Of one that was answered, no more is read
     * than it takes to know it again.
     */
    InboundRequest takeUp(byte[] invite, Flow flow, boolean listens, Listener listener, Optional<String> answer) {
        if (answer.isPresent()) {
            Via via = MessageParser.topVia(invite)
                    .orElseGet(() -> parsed(invite, flow).getTopmostVia());
            stack.rememberAnswered(JainStack.serverKey(via, "INVITE"), answer.get());
            return InboundRequest.takenUp(this, invite, flow, wayBack(via, flow, listens, listener));
        }
        SIPRequest request = parsed(invite, flow);
        Link back = wayBack(request.getTopmostVia(), flow, listens, listener);
        String key = JainStack.serverKey(request);
        String mergeKey = JainStack.mergeKey(request);
        boolean merged = stack.isMerged(mergeKey, key);
        LinkChannel channel = new LinkChannel(stack, listener, back);
        channel.onFailure(dropping(request));
        ServerTransaction transaction = new ServerTransaction(stack, channel, request, key, merged ? "" : mergeKey);
        InboundRequest inbound = InboundRequest.takenUp(this, request, invite, flow, back, transaction);
        transaction.belongsTo(inbound);
        if (stack.addServer(transaction).isPresent()) {
            throw new IllegalArgumentException("there is another with its branch");
        }
        transaction.receive(request);
        return inbound;
    }

    /** A request of ours or taken in before, from its bytes. */
    static SIPRequest parsed(byte[] invite, Flow flow) {
        try {
            if (MessageParser.parse(invite) instanceof SIPRequest request
                    && request.getMethod().equals("INVITE")) {
                request.setRemoteAddress(flow.remote().getAddress());
                request.setRemotePort(flow.remote().getPort());
                return request;
            }
        } catch (MessageParser.Malformed e) {
            throw new IllegalArgumentException("its INVITE is damaged: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException("what should be its INVITE is none");
    }

    /** RFC 3261 section 18.2.2: a client that listens is connected to anew; a device comes back by itself. */
    private static Link wayBack(Via via, Flow flow, boolean listens, Listener listener) {
        if (!flow.isConnection()) {
            return listener.linkTo(responseAddress(via, flow.remote()));
        }
        int port = via.getPort();
        return listens
                ? listener.linkTo(new InetSocketAddress(flow.remote().getAddress(), port <= 0 ? 5060 : port))
                : new GoneLink(flow);
    }

    /** Registrations leave some for calls, and new calls for those that go on. */
    private int limit(String method, boolean outsideDialog) {
        int limit = settings.maxServerTransactions();
        int quarter = Math.max(1, limit / 4);
        if (method.equals("REGISTER")) {
            return Math.max(1, limit - quarter);
        }
        return outsideDialog ? limit : limit + quarter;
    }

    private void ack(SIPRequest ack, Link link, Link back, Optional<ServerTransaction> invite, long sinceNanos) {
        if (invite.isPresent()) {
            int status = invite.get().finalStatus();
            if (status >= 300) {
                invite.get().receive(ack);
                return;
            }
            if (status == 0) {
                counters.dropped.increment();
                return;
            }
        }
        passUp(new InboundRequest(this, ack, link.flow(), back, Optional.empty(), Optional.empty(), sinceNanos));
    }

    /** RFC 3261 section 9.2. */
    private void cancel(InboundRequest cancel) {
        SIPRequest request = cancel.message();
        String inviteKey = JainStack.cancelledKey(request);
        Optional<ServerTransaction> invite = stack.server(inviteKey);
        Optional<String> answered = stack.answered(inviteKey);
        if (invite.isEmpty() && answered.isEmpty()) {
            counters.rejected.increment();
            cancel.respond(Responses.create(request, 481, Optional.of(Tokens.tag())));
            return;
        }
        String tag = invite.map(ServerTransaction::toTag).or(() -> answered).orElse("");
        cancel.confirmWith(Responses.create(request, 200, Optional.of(tag.isEmpty() ? Tokens.tag() : tag)));
        if (cancel.cancelled().isPresent() && !cancel.cancelled().get().isAnswered()) {
            passUp(cancel);
        } else {
            cancel.confirm();
        }
    }

    private void overloaded(SIPRequest request, Link back) {
        counters.overloaded.increment();
        overloadLog.log(() -> "Too many transactions are open, a request is refused with 503; open="
                + stack.serverTransactions() + " method=" + request.getMethod());
        SIPResponse response = Responses.create(request, 503, Optional.of(Tokens.tag()));
        try {
            RetryAfter retryAfter = new RetryAfter();
            retryAfter.setRetryAfter((int) settings.retryAfter().toSeconds());
            response.setHeader(retryAfter);
        } catch (InvalidArgumentException e) {
            throw new IllegalStateException("The settings checked Retry-After", e);
        }
        send(response, back);
    }

    private void passUp(InboundRequest request) {
        if (!guarded("onRequest", () -> events.onRequest(request)) && !request.isAck() && !request.isAnswered()) {
            request.respond(Responses.create(request.message(), 500, Optional.of(Tokens.tag())));
        }
    }

    /** Whether nothing was thrown. */
    private boolean guarded(String what, Runnable call) {
        if (closed) {
            return true;
        }
        try {
            call.run();
            return true;
        } catch (Throwable e) {
            counters.listenerFailures.increment();
            troubleLog.log(() -> "A handler of SIP messages failed; in=" + what + " cause=" + e + " at="
                    + (e.getStackTrace().length == 0 ? "?" : e.getStackTrace()[0]));
            return false;
        }
    }

    void flowClosed(Flow flow) {
        guarded("onFlowClosed", () -> events.onFlowClosed(flow));
    }

    boolean respond(ServerTransaction transaction, SIPResponse response) {
        addServer(response);
        return transaction.respond(response);
    }

    byte[] encoded(SIPResponse response, Optional<ServerTransaction> transaction, Link back) {
        addServer(response);
        return transaction.isPresent()
                ? transaction.get().encoded(response)
                : Encoding.bytes(response, back.transport());
    }

    boolean respondAndForget(ServerTransaction transaction, SIPResponse response) {
        addServer(response);
        return transaction.respondAndForget(response);
    }

    boolean respondOnce(ServerTransaction transaction, SIPResponse response) {
        if (!transaction.isReliable()) {
            transaction.quiet();
        }
        return respond(transaction, response);
    }

    /** What to do about responses that have no way back; does not keep the request. */
    private Consumer<String> dropping(SIPRequest request) {
        String call = request.getCallId().getCallId();
        return why -> {
            counters.dropped.increment();
            LOG.debug("A response had no way back and is dropped; call={} cause={}", call, why);
        };
    }

    /** Sends a response outside any transaction. */
    void send(SIPResponse response, Link link) {
        addServer(response);
        send(link, Encoding.bytes(response, link.transport()));
    }

    void send(Link link, byte[] message) {
        link.send(message, why -> {
            counters.dropped.increment();
            LOG.debug("A message could not be sent and is dropped; cause={}", why);
        });
    }

    private void addServer(SIPResponse response) {
        if (!response.hasHeader("Server")) {
            response.setHeader(server);
        }
    }
}
