package org.pushbridge.sim.ua;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The transactions of a user agent (RFC 3261 section 17) and what it demands of its peer. It has one wire at a time;
 * what arrives over an older one is not its own any more. All its work happens on one thread of its own, on which
 * listeners are called; public methods may be called on any thread.
 */
public final class UserAgent implements AutoCloseable {
    private static final Logger log = LogManager.getLogger(UserAgent.class);
    private static final Pattern HOST_AND_PORT =
            Pattern.compile("sips?:(?:[^@]*@)?(\\[[^]]+]|[^:;?]+)(?::(\\d+))?.*", Pattern.CASE_INSENSITIVE);
    private static final int DEFAULT_PORT = 5060;
    static final Duration T2 = Duration.ofSeconds(4);
    private static final int REMEMBERED = 2_000;
    private static final long PATIENCE_SECONDS = 10;

    /** What the owner of a user agent wants to know; called on the agent's thread. */
    public interface Listener {
        /** A call came in. The agent has answered nothing yet. */
        void incoming(UaCall call);

        /** A request came over a wire that is not the newest; nobody answers it. */
        default void strayed(SipMessage request) {}

        /** A NOTIFY came out of any subscription; answers the status for it. */
        default int notified(SipMessage notify) {
            return 481;
        }
    }

    /** Sees each message once, in its order; retransmissions are left out. */
    public interface Trace {
        void message(boolean sent, SipMessage message);
    }

    /** How a request that this agent sent comes out. */
    interface Exchange {
        /** It goes out, perhaps a second time with the answer to a challenge. */
        default void sending(SipMessage request) {}

        void response(SipMessage response);

        /** The 2xx to an INVITE came again. */
        default void repeated() {}

        /** No final answer came, or the network is gone. */
        void silent();
    }

    /** A request that came in, and what was answered. */
    static final class ServerTransaction {
        final SipMessage request;
        final InetSocketAddress from;
        private final Wire over;
        private Optional<SipMessage> last = Optional.empty();
        private boolean acknowledged;

        private ServerTransaction(SipMessage request, InetSocketAddress from, Wire over) {
            this.request = request;
            this.from = from;
            this.over = over;
        }

        boolean isAnswered() {
            return last.filter(r -> r.status() >= 200).isPresent();
        }

        private boolean isRefused() {
            return last.filter(r -> r.status() >= 300).isPresent();
        }
    }

    private final String user;
    private final Duration t1;
    private final Violations violations;
    private final Demands demands;
    private final Listener listener;
    private final Trace trace;
    private final ScheduledThreadPoolExecutor thread;
    private final ClientTransactions clients;
    private final Map<String, ServerTransaction> servers = bounded();
    /** The branches of INVITEs that were lost with their transport. */
    private final Map<String, Boolean> lostInvites = bounded();

    private final Map<String, UaCall> calls = bounded();
    private final Map<String, Subscription> subscriptions = bounded();
    private volatile @Nullable Thread ownThread;
    private volatile Optional<Wire> wire = Optional.empty();
    private volatile Optional<InetSocketAddress> local = Optional.empty();
    private volatile Optional<String> purr = Optional.empty();

    /**
     * @param user what stands before the @ of its Contact
     * @param t1 the round-trip estimate that retransmissions derive from
     */
    public UserAgent(String user, Duration t1, Violations violations, Listener listener, Trace trace) {
        this.user = user;
        this.t1 = t1;
        this.violations = violations;
        this.demands = new Demands(violations);
        this.listener = listener;
        this.trace = trace;
        this.clients = new ClientTransactions(this, trace);
        this.thread = new ScheduledThreadPoolExecutor(1, work -> {
            Thread t = new Thread(work, "ua-" + user);
            t.setDaemon(true);
            ownThread = t;
            return t;
        });
        thread.setRemoveOnCancelPolicy(true);
        thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    static <V> Map<String, V> bounded() {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
                return size() > REMEMBERED;
            }
        };
    }

    // --- the thread ----------------------------------------------------------------------------------------------

    /** Does something on the agent's thread, soon. After {@link #close} nothing happens. */
    public void run(Runnable work) {
        after(Duration.ZERO, work);
    }

    /** Does something on the agent's thread: at once if this is it. */
    void now(Runnable work) {
        if (Thread.currentThread() == ownThread) {
            work.run();
        } else {
            run(work);
        }
    }

    /** Does something on the agent's thread after a while. */
    public void after(Duration delay, Runnable work) {
        try {
            var unused = thread.schedule(() -> guarded(work), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("The user agent is closed: user={}", user);
        }
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            log.error("The simulated user agent failed: user={}", user, e);
            violations.add("(fault of the simulated user agent " + user + " itself) " + e);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        wire.ifPresent(Wire::close);
    }

    // --- the wire ------------------------------------------------------------------------------------------------

    /** What a wire of this agent hands its messages to. */
    public Wire.Receiver receiver() {
        return (bytes, from, over) -> run(() -> receive(bytes, from, over));
    }

    /** Uses this wire from now on. The one before is left to the caller to close. Only on the agent's thread. */
    public void attach(Wire newest) {
        detach();
        wire = Optional.of(newest);
        local = Optional.of(newest.local());
    }

    /** Leaves the network: what was under way is lost. Only on the agent's thread. */
    public Optional<Wire> detach() {
        Optional<Wire> before = wire;
        wire = Optional.empty();
        local = Optional.empty();
        servers.clear();
        clients.loseAll();
        return before;
    }

    /**
     * Uses this wire from now on, and goes on with all that is under way. The one before is left to the caller to close.
     * Only on the agent's thread.
     */
    public Optional<Wire> move(Wire newest) {
        Optional<Wire> before = wire;
        wire = Optional.of(newest);
        local = Optional.of(newest.local());
        return before;
    }

    /**
     * Has no network for now. Calls stay, also those that ring at the far side; requests that came in are lost with
     * their transport (RFC 3261 section 17.2.4). Only on the agent's thread.
     */
    public Optional<Wire> lose() {
        Optional<Wire> before = wire;
        wire = Optional.empty();
        local = Optional.empty();
        servers.values().stream()
                .filter(t -> t.request.method().equals("INVITE"))
                .forEach(t -> lostInvites.put(t.request.branch(), true));
        servers.clear();
        clients.loseAllButRingingInvites();
        return before;
    }

    /** Where its newest wire is bound; empty while it is off the network. */
    public Optional<InetSocketAddress> localAddress() {
        return local;
    }

    boolean isOverTcp() {
        return wire.filter(w -> w.transport() == Transport.TCP).isPresent();
    }

    private Wire wire() {
        return wire.orElseThrow(() -> new IllegalStateException(user + " is off the network"));
    }

    /** Its Contact without angle brackets. */
    public String contactUri() {
        Wire w = wire();
        return "sip:" + user + "@" + hostAndPort(w.local()) + (w.transport() == Transport.TCP ? ";transport=tcp" : "");
    }

    /** The PURR that the registrar gave (RFC 8599 section 6.1): from now on it stands in the Contact of each dialog. */
    public void usePurr(Optional<String> given) {
        purr = given;
    }

    /** The Contact of its dialogs without angle brackets. */
    String dialogContact() {
        return contactUri() + purr.map(p -> ";pn-purr=" + p).orElse("");
    }

    Duration t1() {
        return t1;
    }

    /** An address as it stands in a URI or a Via. */
    public static String hostAndPort(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        int zone = host.indexOf('%');
        host = zone < 0 ? host : host.substring(0, zone);
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    static InetSocketAddress addressOf(String uri) {
        Matcher matcher = HOST_AND_PORT.matcher(uri);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("Not a SIP URI: " + uri);
        }
        try {
            int port =
                    Optional.ofNullable(matcher.group(2)).map(Integer::parseInt).orElse(DEFAULT_PORT);
            return new InetSocketAddress(InetAddress.getByName(matcher.group(1)), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("Nobody can be reached at " + uri, e);
        }
    }

    void put(SipMessage message, InetSocketAddress to) {
        if (wire.isEmpty()) {
            return; // off the network: lost, like everything sent there
        }
        try {
            wire.get().send(message.encode(), to);
        } catch (IOException e) {
            log.debug("Not sent: user={} message={} to={} cause={}", user, message.title(), to, e.toString());
        }
    }

    // --- requests sent -------------------------------------------------------------------------------------------

    static String random() {
        return UUID.randomUUID().toString().substring(0, 13).replace("-", "");
    }

    SipMessage stamped(SipMessage request, String branch) {
        Wire w = wire();
        return request.set(
                "Via", "SIP/2.0/" + w.transport() + " " + hostAndPort(w.local()) + ";branch=" + branch + ";rport");
    }

    /** Sends a request in a new transaction; with credentials it answers one challenge. On the agent's thread. */
    void send(SipMessage request, InetSocketAddress to, Optional<Credentials> credentials, Exchange exchange) {
        clients.send(request, to, credentials, exchange);
    }

    /** Sends a CANCEL of a request that is under way (RFC 3261 section 9.1). */
    void sendCancel(SipMessage invite, InetSocketAddress to) {
        if (wire.isPresent()) { // else lost, like everything sent off the network
            clients.sendCancel(invite, to);
        }
    }

    /** Sends an ACK, which is no transaction, for a 2xx. */
    void sendAck(SipMessage ack, InetSocketAddress to, boolean again) {
        if (!again) {
            trace.message(true, ack);
        }
        put(ack, to);
    }

    // --- what arrives --------------------------------------------------------------------------------------------

    private void receive(byte[] bytes, InetSocketAddress from, Wire over) {
        if (bytes.length <= 4) {
            return; // a keep-alive
        }
        SipMessage message;
        try {
            message = SipMessage.parse(bytes);
            message.callId();
            message.method();
            message.branch();
        } catch (IllegalArgumentException e) {
            violations.add("A message that is not SIP came: " + e.getMessage());
            return;
        }
        boolean current = wire.filter(w -> w == over).isPresent();
        if (!current) {
            if (message.isRequest()) {
                listener.strayed(message);
            }
            return;
        }
        if (message.isRequest()) {
            request(message, from, over);
        } else {
            demands.ofAll(message);
            clients.response(message);
        }
    }

    private void request(SipMessage request, InetSocketAddress from, Wire over) {
        ServerTransaction known = servers.get(request.branch() + request.method());
        if (known != null) {
            known.last.ifPresent(r -> put(r, known.from)); // a retransmission
            return;
        }
        boolean repeatedAck = request.method().equals("ACK")
                && invited(request).filter(t -> t.acknowledged).isPresent();
        if (!repeatedAck) {
            trace.message(false, request);
            demands.ofAll(request);
            boolean ofOffer = request.method().equals("ACK")
                    && invited(request).filter(t -> !t.request.body().isEmpty()).isPresent();
            demands.ofRequest(request, ofOffer);
        }
        if (request.method().equals("ACK")) {
            acknowledge(request);
            return;
        }
        ServerTransaction transaction = new ServerTransaction(request, from, over);
        servers.put(request.branch() + request.method(), transaction);
        if (request.method().equals("CANCEL")) {
            cancel(transaction);
        } else if (request.method().equals("NOTIFY")) {
            notified(transaction);
        } else if (request.toTag().isPresent()) {
            insideDialog(transaction);
        } else if (request.method().equals("INVITE")) {
            incoming(transaction);
        } else {
            respond(transaction, 200, "OK", r -> r);
        }
    }

    /** The INVITE that an ACK belongs to: by branch for a refusal, by Call-ID and CSeq for a 2xx. */
    private Optional<ServerTransaction> invited(SipMessage ack) {
        return servers.values().stream()
                .filter(t -> t.request.method().equals("INVITE")
                        && t.request.callId().equals(ack.callId())
                        && t.request.cseq() == ack.cseq()
                        && t.last.flatMap(SipMessage::toTag).equals(ack.toTag()))
                .findFirst();
    }

    private void acknowledge(SipMessage ack) {
        Optional<ServerTransaction> invited = invited(ack);
        if (invited.isEmpty()) {
            violations.add("An ACK came for no INVITE that was answered");
            return;
        }
        boolean first = !invited.get().acknowledged;
        invited.get().acknowledged = true;
        boolean success = invited.get().last.filter(r -> r.status() < 300).isPresent();
        if (first && success) {
            call(ack).ifPresent(c -> c.acknowledgedBy(ack));
        }
    }

    private void cancel(ServerTransaction transaction) {
        ServerTransaction invite = servers.get(transaction.request.branch() + "INVITE");
        if (invite == null) {
            // The far side cannot know that an INVITE was lost with its transport.
            if (!lostInvites.containsKey(transaction.request.branch())) {
                violations.add("A CANCEL came for no INVITE");
            }
            respond(transaction, 481, "Call/Transaction Does Not Exist", r -> r);
            return;
        }
        respond(transaction, 200, "OK", r -> r);
        calls.values().stream()
                .filter(c -> c.isOf(invite))
                .findFirst()
                .ifPresent(c -> c.cancelledBy(transaction.request));
    }

    private Optional<UaCall> call(SipMessage request) {
        return request.toTag().flatMap(tag -> Optional.ofNullable(calls.get(request.callId() + tag)));
    }

    private void notified(ServerTransaction transaction) {
        SipMessage notify = transaction.request;
        Optional<Subscription> subscription =
                notify.toTag().flatMap(tag -> Optional.ofNullable(subscriptions.get(notify.callId() + tag)));
        if (subscription.isPresent()) {
            subscription.get().notified(transaction);
        } else if (notify.toTag().isPresent()) {
            insideDialog(transaction);
        } else {
            int status = listener.notified(notify);
            if (status == 481) {
                violations.add("A NOTIFY came that nobody subscribed to");
            }
            respond(transaction, status, status == 200 ? "OK" : "Not Wanted", r -> r);
        }
    }

    private void insideDialog(ServerTransaction transaction) {
        SipMessage request = transaction.request;
        Optional<UaCall> call = call(request);
        if (call.isEmpty()) {
            violations.add("A " + request.method() + " came for an unknown dialog");
            respond(transaction, 481, "Call/Transaction Does Not Exist", r -> r);
        } else {
            call.get().requested(transaction);
        }
    }

    private void incoming(ServerTransaction transaction) {
        SipMessage invite = transaction.request;
        Optional<ServerTransaction> first = servers.values().stream()
                .filter(t -> t != transaction
                        && t.request.method().equals("INVITE")
                        && t.request.callId().equals(invite.callId())
                        && t.request.fromTag().equals(invite.fromTag())
                        && t.request.cseq() == invite.cseq())
                .findFirst();
        boolean overOneFlow = first.filter(t -> t.over == transaction.over).isPresent();
        if (overOneFlow) {
            violations.add("The same INVITE came twice, by two branches, over one flow");
        }
        if (overOneFlow || first.filter(t -> !t.isRefused()).isPresent()) {
            respond(transaction, 482, "Merged Request", r -> r); // RFC 3261 section 8.2.2.2
            return;
        }
        UaCall call = UaCall.incoming(this, transaction);
        remember(call);
        listener.incoming(call);
    }

    void remember(UaCall call) {
        calls.put(call.callId() + call.localTag(), call);
    }

    // --- responses sent ------------------------------------------------------------------------------------------

    /** Changes a response before it goes. */
    interface Finish {
        SipMessage apply(SipMessage response);
    }

    void respond(ServerTransaction transaction, int status, String reason, Finish finish) {
        if (transaction.isAnswered()) {
            return; // exactly one final response, also from us
        }
        SipMessage response = SipMessage.response(transaction.request, status, reason);
        if (status > 100 && response.toTag().isEmpty()) {
            response = response.set("To", response.required("To") + ";tag=" + random());
        }
        SipMessage finished = finish.apply(response);
        transaction.last = Optional.of(finished);
        trace.message(true, finished);
        put(finished, transaction.from);
        if (status >= 200 && transaction.request.method().equals("INVITE")) {
            boolean reliable = isOverTcp();
            if (status < 300 || !reliable) {
                after(t1, () -> respondAgain(transaction, finished, t1));
            }
            after(t1.multipliedBy(64), () -> {
                if (!transaction.acknowledged && servers.containsValue(transaction)) {
                    violations.add(finished.title() + " to an INVITE was never acknowledged");
                }
            });
        }
    }

    private void respondAgain(ServerTransaction transaction, SipMessage response, Duration waited) {
        boolean lost = !servers.containsValue(transaction);
        if (transaction.acknowledged || lost || waited.compareTo(t1.multipliedBy(64)) > 0) {
            return;
        }
        put(response, transaction.from);
        Duration twice = waited.multipliedBy(2);
        Duration next = twice.compareTo(T2) > 0 ? T2 : twice;
        after(next, () -> respondAgain(transaction, response, next));
    }

    // --- for the owner -------------------------------------------------------------------------------------------

    /** Registers this agent's address. On the agent's thread. */
    public void register(Registration registration, Registration.Result result) {
        Exchange exchange = new Exchange() {
            @Override
            public void sending(SipMessage request) {
                result.sent(request.header("Authorization").isPresent());
            }

            @Override
            public void response(SipMessage response) {
                if (response.status() >= 200) {
                    result.ended(Optional.of(response));
                }
            }

            @Override
            public void silent() {
                result.ended(Optional.empty());
            }
        };
        send(registration.request(), registration.registrar(), Optional.of(registration.credentials()), exchange);
    }

    /**
     * A subscription to the dialog events of an address, which is not asked for yet.
     *
     * @param notifier where the SUBSCRIBE goes
     * @param address a URI
     * @param documents sees each NOTIFY that is in order as far as SIP goes; called on the agent's thread
     */
    public Subscription subscription(
            InetSocketAddress notifier,
            String address,
            Optional<Credentials> credentials,
            Consumer<SipMessage> documents) {
        Subscription subscription = new Subscription(this, notifier, address, credentials, documents);
        now(() -> subscriptions.put(subscription.key(), subscription));
        return subscription;
    }

    /**
     * Places a call. Not on the agent's thread, which it waits for.
     *
     * @param proxy where the INVITE goes
     * @param from the address the call comes from, as a URI
     * @param credentials for a 401 or 407, if one is to be answered
     * @throws java.util.concurrent.CompletionException if the agent is off the network or closed
     */
    public UaCall placeCall(InetSocketAddress proxy, String from, String to, Optional<Credentials> credentials) {
        return CompletableFuture.supplyAsync(
                        () -> {
                            UaCall call = UaCall.outgoing(this, proxy, from, to, credentials);
                            remember(call);
                            call.start();
                            return call;
                        },
                        this::run)
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    Violations violations() {
        return violations;
    }
}
