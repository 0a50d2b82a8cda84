package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import javax.sip.InvalidArgumentException;
import javax.sip.PeerUnavailableException;
import javax.sip.SipException;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.Destination.OverFlow;
import org.pushbridge.sip.stack.Destination.ToAddress;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;

/**
 * Sends and receives SIP: listens, keeps connections, runs transactions. Made once by the wiring, used by the B2BUA
 * and the registrar. Safe for any thread; nothing here blocks but {@link #start} and {@link #close}.
 *
 * <p>There are no dialogs here: ACKs to 2xx, resending of 2xx and everything that needs to know a call is above.
 */
public final class SipStack implements AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(SipStack.class);
    private static final int MAX_REMEMBERED_ROUTES = 10_000;

    private final JainStack jain;
    private final SipCounters counters;
    private final Reception reception;
    private final Connections connections;
    private final List<Listener> listeners = new ArrayList<>();
    /** The local address that packets to a remote one leave from, where a listener is bound to all addresses. */
    private final Map<InetAddress, InetAddress> routes = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<InetAddress, InetAddress> eldest) {
            return size() > MAX_REMEMBERED_ROUTES;
        }
    };

    private SipStack(JainStack jain, SipStackSettings settings, SipEvents events, SipCounters counters) {
        this.jain = jain;
        this.counters = counters;
        this.reception = new Reception(jain, settings, events, counters);
        this.connections = new Connections(settings.stream(), reception, counters);
    }

    /**
     * Binds all addresses, then begins to receive.
     *
     * @param events called until {@link #close}, possibly before this returns
     * @throws SipStackException if an address cannot be bound; nothing is left open then
     */
    public static SipStack start(SipStackSettings settings, SipEvents events) throws SipStackException {
        SipStack stack = bound(settings, events);
        stack.receive();
        return stack;
    }

    /**
     * Binds all addresses. It can send from then on; what comes in waits for {@link #receive}.
     *
     * @param events called from {@link #receive} until {@link #close}
     * @throws SipStackException if an address cannot be bound; nothing is left open then
     */
    public static SipStack bound(SipStackSettings settings, SipEvents events) throws SipStackException {
        SipCounters counters = new SipCounters();
        SipStack stack;
        try {
            stack = new SipStack(JainStack.create(settings.t1(), counters), settings, events, counters);
        } catch (PeerUnavailableException e) {
            throw new SipStackException("JAIN-SIP could not be set up: " + e.getMessage(), e);
        }
        try {
            for (ListenAddress listen : settings.listen()) {
                stack.bind(listen, settings);
            }
        } catch (SipStackException e) {
            stack.close();
            throw e;
        }
        return stack;
    }

    /**
     * Begins to receive.
     *
     * @throws SipStackException if that fails; nothing is left open then
     */
    public void receive() throws SipStackException {
        try {
            for (Listener listener : listeners) {
                listener.start();
            }
        } catch (IOException e) {
            close();
            throw new SipStackException("The SIP listeners could not be started: " + e.getMessage(), e);
        }
        LOG.info("SIP is listening; on={}", listeners());
    }

    private void bind(ListenAddress listen, SipStackSettings settings) throws SipStackException {
        try {
            jain.setMessageProcessorFactory((stack, address, port, transport) -> listen.transport() == Transport.UDP
                    ? UdpListener.bind(jain, listen, settings.udp(), reception, counters)
                    : connections.bind(jain, listen));
            listeners.add(jain.addListener(listen));
        } catch (IOException e) {
            throw new SipStackException(
                    "Cannot listen for SIP on " + listen.transport() + " " + Hosts.text(listen.address()) + ": "
                            + e.getMessage()
                            + ". Another program may hold the port (ss -lnp shows which), or the address may not be"
                            + " one of this machine: stop that program, or configure another address or port.",
                    e);
        }
    }

    /**
     * Sends a request in a transaction of its own. Returns at once.
     *
     * @param request is the stack's from here on and must not be changed; without a Via: the stack adds it, and a
     *     Max-Forwards if it is missing
     * @param handler never called before this returns on the caller's thread
     */
    public ClientCall send(SIPRequest request, Destination destination, ResponseHandler handler) {
        return send(request, Tokens.branch(), destination, handler);
    }

    /**
     * The same with a branch of the caller's own, which nobody else may guess. A request that was sent with it before,
     * even by a stack that is gone, is repeated by this.
     */
    public ClientCall send(SIPRequest request, String branch, Destination destination, ResponseHandler handler) {
        prepare(request, branch, localAddressFor(destination));
        OutboundRequest call = new OutboundRequest(this, jain, request, destination, handler);
        Optional<Link> link = linkTo(destination);
        if (link.isEmpty()) {
            elsewhere(() -> call.failure(unreachable(destination)));
            return call;
        }
        call.start(channel(link.get()), request);
        return call;
    }

    /**
     * Takes up an INVITE that a stack sent which is gone, without sending it: its final response is waited for, and it
     * can be cancelled.
     *
     * @param request as it was sent, without its Via
     * @param branch that it was sent with
     */
    public ClientCall takeUp(SIPRequest request, String branch, Destination destination, ResponseHandler handler) {
        prepare(request, branch, localAddressFor(destination));
        OutboundRequest call = new OutboundRequest(this, jain, request, destination, handler);
        linkTo(destination)
                .ifPresentOrElse(
                        link -> call.takeUp(channel(link), request),
                        () -> elsewhere(() -> call.failure(unreachable(destination))));
        return call;
    }

    /**
     * Takes up an INVITE that a stack received which is gone.
     *
     * @param invite as {@link InboundRequest#bytes} had it
     * @param listens whether its sender takes connections: a device does not
     * @param answer the To tag of the 2xx it was given, if it was; else it waits for its responses, and resends are known
     * @throws IllegalArgumentException if it is no INVITE that could have been received
     */
    public InboundRequest takeUp(byte[] invite, Flow flow, boolean listens, Optional<String> answer) {
        Listener listener = listenerFor(new OverFlow(flow))
                .orElseThrow(() ->
                        new IllegalArgumentException("the bridge does not listen any more where it came in: " + flow));
        return reception.takeUp(invite, flow, listens, listener, answer);
    }

    /**
     * Sends the ACK to a 2xx: outside any transaction, with a branch of its own (RFC 3261 section 13.2.2.4). If it
     * cannot leave it is dropped and counted; the 2xx will be resent.
     *
     * @param ack as in {@link #send}
     * @return for {@link #sendAgain}
     */
    public SentAck sendAck(SIPRequest ack, Destination destination) {
        prepare(ack, Tokens.branch(), localAddressFor(destination));
        Transport transport = transport(destination);
        SentAck sent = new SentAck(Encoding.bytes(ack, transport), transport);
        sendAgain(sent, destination);
        return sent;
    }

    /** Sends the same ACK once more: the 2xx has come again. */
    public void sendAgain(SentAck ack, Destination destination) {
        send(ack.bytes(transport(destination)), destination);
    }

    /** Sends what is in no transaction; if it cannot leave it is dropped and counted. */
    private void send(byte[] message, Destination destination) {
        Optional<Link> link = linkTo(destination);
        if (link.isEmpty()) {
            counters.dropped.increment();
            return;
        }
        reception.send(link.get(), message);
    }

    /**
     * Sends a response once more after its transaction is gone: the 2xx to an INVITE, until its ACK comes. It goes the
     * way the request came; if that is gone, it is dropped and counted.
     *
     * @param request what it answers
     */
    public void sendStateless(SIPResponse response, InboundRequest request) {
        reception.send(response, request.back());
    }

    /**
     * Reads a response that was encoded before.
     *
     * @throws IllegalArgumentException if it is none
     */
    public SIPResponse parseResponse(byte[] response) {
        try {
            if (MessageParser.parse(response) instanceof SIPResponse parsed) {
                return parsed;
            }
        } catch (MessageParser.Malformed e) {
            throw new IllegalArgumentException("The response is damaged: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException("That is no response");
    }

    /**
     * Has the responses to a request go another way from now on: the client has lost its connection and has another.
     * It knows them by their branch (RFC 3261 section 17.1.3).
     *
     * @return false if there is no such way
     */
    public boolean redirect(InboundRequest request, Flow newest) {
        Optional<Link> link = linkTo(new OverFlow(newest));
        link.ifPresent(request::moveTo);
        return link.isPresent();
    }

    /** Where the stack listens, with the ports actually bound; in the order of the settings. */
    public List<ListeningPointInfo> listeners() {
        return listeners.stream()
                .map(each -> new ListeningPointInfo(each.protocol(), each.bound()))
                .toList();
    }

    /**
     * What to put in Contact or Record-Route of messages that go there: the advertised address if one is configured,
     * else the address of ours that the peer sees, with the port we listen on.
     *
     * <p>If we do not listen on that transport and IP version, it is the first address we listen on; sending there
     * fails.
     */
    public LocalAddress localAddressFor(Destination destination) {
        Transport transport = transport(destination);
        InetSocketAddress remote = remote(destination);
        Listener listener = listenerFor(destination).orElse(listeners.get(0));
        Optional<String> advertised = listener.configured().advertised();
        if (advertised.isPresent()) {
            return advertised(transport, advertised.get(), listener.bound().getPort());
        }
        InetAddress address = listener.bound().getAddress();
        if (destination instanceof OverFlow over
                && !over.flow().local().getAddress().isAnyLocalAddress()) {
            address = over.flow().local().getAddress();
        } else if (address.isAnyLocalAddress()) {
            address = routeTo(remote.getAddress(), address);
        }
        return listener.protocol() == transport
                ? listener.local(address)
                : new LocalAddress(
                        transport, Hosts.host(address), listener.bound().getPort());
    }

    private static LocalAddress advertised(Transport transport, String advertised, int boundPort) {
        int colon = advertised.lastIndexOf(':'); // The settings have checked the form.
        return colon > advertised.indexOf(']')
                ? new LocalAddress(
                        transport, advertised.substring(0, colon), Integer.parseInt(advertised.substring(colon + 1)))
                : new LocalAddress(transport, advertised, boundPort);
    }

    private InetAddress routeTo(InetAddress remote, InetAddress fallback) {
        synchronized (routes) {
            InetAddress known = routes.get(remote);
            if (known != null) {
                return known;
            }
        }
        InetAddress found = fallback;
        try (DatagramSocket probe = new DatagramSocket()) {
            // Connecting a datagram socket sends nothing; it asks the routing table.
            probe.connect(new InetSocketAddress(remote, 9));
            found = probe.getLocalAddress();
        } catch (SocketException | RuntimeException e) {
            LOG.debug("No route is known; peer={} cause={}", Hosts.bare(remote), e.getMessage());
        }
        synchronized (routes) {
            routes.put(remote, found);
        }
        return found;
    }

    /** Whether requests can be sent over it: always for UDP, for TCP while that very connection is open. */
    public boolean isAlive(Flow flow) {
        return !flow.isConnection() || connections.find(flow).isPresent();
    }

    public SipCounters counters() {
        return counters;
    }

    /** How long the oldest message has waited that came in and was not looked at yet. */
    public Duration delay() {
        long longest = 0;
        for (Listener listener : listeners) {
            longest = Math.max(longest, listener.delayNanos());
        }
        return Duration.ofNanos(longest);
    }

    /** How long what comes over connections waits at least to be looked at, on the busiest of their threads. */
    public Duration connectionsDelay() {
        return Duration.ofNanos(connections.delayNanos());
    }

    /** Bytes that came in over UDP and were not looked at yet, on the fullest socket. */
    public long waitingBytes() {
        return listeners.stream().mapToLong(Listener::waitingBytes).max().orElse(0);
    }

    /** Connections open now. */
    public int openConnections() {
        return connections.size();
    }

    /** Transactions of others open now. */
    public int serverTransactions() {
        return jain.serverTransactions();
    }

    /** Transactions of ours open now. */
    public int clientTransactions() {
        return jain.clientTransactions();
    }

    /** Ended transactions of which something is still remembered, so that stragglers are recognized. */
    int remembered() {
        return jain.remembered();
    }

    /** Stops at once; no handler is called any more. May take a few seconds. */
    @Override
    public void close() {
        reception.close();
        listeners.forEach(Listener::stop);
        connections.stop();
        jain.stopStack();
    }

    private static void prepare(SIPRequest request, String branch, LocalAddress local) {
        try {
            Via via = Blank.via();
            via.setHost(local.host());
            via.setPort(local.port());
            via.setTransport(local.transport().name());
            via.setBranch(branch);
            via.setRPort();
            request.addFirst(via);
            if (request.getMaxForwards() == null) {
                request.setMaxForwards(Blank.maxForwards(70));
            }
        } catch (ParseException | InvalidArgumentException | SipException e) {
            throw new IllegalStateException("No Via can be made for " + local, e);
        }
    }

    Optional<Link> linkTo(Destination destination) {
        if (destination instanceof OverFlow over && over.flow().isConnection()) {
            return connections.find(over.flow()).map(connection -> connection);
        }
        return listenerFor(destination).map(listener -> listener.linkTo(remote(destination)));
    }

    LinkChannel channel(Link link) {
        return new LinkChannel(jain, listeners.get(0), link);
    }

    private void elsewhere(Runnable task) {
        try {
            connections.elsewhere().execute(task);
        } catch (RejectedExecutionException stopped) {
            LOG.debug("The stack is closed; nobody is told any more");
        }
    }

    private String unreachable(Destination destination) {
        if (destination instanceof OverFlow over && over.flow().isConnection()) {
            return "the connection " + over.flow() + " is gone";
        }
        return "the bridge does not listen on " + transport(destination) + " over "
                + (isIpv6(remote(destination)) ? "IPv6" : "IPv4");
    }

    private Optional<Listener> listenerFor(Destination destination) {
        Transport transport = transport(destination);
        InetSocketAddress remote = remote(destination);
        List<Listener> fit = new ArrayList<>(1);
        for (Listener each : listeners) {
            if (each.protocol() == transport && reaches(each.bound().getAddress(), remote)) {
                fit.add(each);
            }
        }
        if (fit.size() < 2) {
            return fit.isEmpty() ? Optional.empty() : Optional.of(fit.get(0));
        }
        InetSocketAddress local = destination instanceof OverFlow over
                ? over.flow().local()
                : new InetSocketAddress(
                        routeTo(remote.getAddress(), fit.get(0).bound().getAddress()), 0);
        return fit.stream()
                .filter(each -> each.bound().equals(local))
                .findFirst()
                .or(() -> fit.stream()
                        .filter(each -> each.bound().getAddress().equals(local.getAddress()))
                        .findFirst())
                .or(() -> fit.stream()
                        .filter(each -> each.bound().getAddress().isAnyLocalAddress())
                        .findFirst())
                .or(() -> fit.stream().findFirst());
    }

    private static boolean reaches(InetAddress bound, InetSocketAddress remote) {
        boolean six = bound instanceof Inet6Address;
        return six == isIpv6(remote) || (six && bound.isAnyLocalAddress());
    }

    private static boolean isIpv6(InetSocketAddress address) {
        return address.getAddress() instanceof Inet6Address;
    }

    private static Transport transport(Destination destination) {
        return destination instanceof ToAddress to
                ? to.transport()
                : Transport.of(((OverFlow) destination).flow().transport());
    }

    private static InetSocketAddress remote(Destination destination) {
        return destination instanceof ToAddress to
                ? to.address()
                : ((OverFlow) destination).flow().remote();
    }
}
