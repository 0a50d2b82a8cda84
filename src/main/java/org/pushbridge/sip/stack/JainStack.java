package org.pushbridge.sip.stack;

import gov.nist.javax.sip.EventWrapper;
import gov.nist.javax.sip.SipStackImpl;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.stack.MessageChannel;
import gov.nist.javax.sip.stack.SIPClientTransaction;
import gov.nist.javax.sip.stack.SIPServerTransaction;
import gov.nist.javax.sip.stack.SIPTransaction;
import gov.nist.javax.sip.stack.ServerRequestInterface;
import gov.nist.javax.sip.stack.ServerResponseInterface;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import javax.sip.IOExceptionEvent;
import javax.sip.PeerUnavailableException;
import org.jspecify.annotations.Nullable;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;

/**
 * JAIN-SIP's stack with its tables and timers in our hands. It holds the transactions; every look-up is by key, where
 * the stock stack scans all transactions for a CANCEL or for a response that matches none.
 *
 * <p>Messages do not come in through it: {@link Reception} takes them from the listeners and feeds the transactions.
 * So no dialog filter, no event scanner and no semaphore for the whole stack stand in the way.
 */
final class JainStack extends SipStackImpl {
    /** Of each kind. Answered INVITEs are remembered to recognize them when resent; more are not, and would be new calls. */
    private static final int MAX_REMEMBERED = 250_000;

    private final Duration t1;
    private final Duration transactionTimeout;
    private final SipCounters counters;
    /** Merge key of each transaction to the key of the one that came first (RFC 3261 section 8.2.2.2). */
    private final Map<String, String> merges = new ConcurrentHashMap<>();
    /** The same of those that are over. */
    private final Kept<String> pastMerges;
    /** What requests other than INVITE were answered over UDP (RFC 3261 Timer J). */
    private final Kept<byte[]> responses;
    /** Keys of INVITEs answered 2xx (RFC 6026 Timer L), and the To tag they were given. */
    private final Kept<String> answeredInvites;
    /** Whom our INVITEs that got a 2xx (RFC 6026 Timer M) tell what forks still send. */
    private final Kept<ClientTransaction.Outcome> acceptedCalls;

    private JainStack(Properties properties, Duration t1, SipCounters counters) throws PeerUnavailableException {
        super(properties);
        this.t1 = t1;
        this.transactionTimeout = t1.multipliedBy(64);
        this.counters = counters;
        this.pastMerges = new Kept<>(transactionTimeout, MAX_REMEMBERED);
        this.responses = new Kept<>(transactionTimeout, Integer.MAX_VALUE); // bounded as transactions are
        this.answeredInvites = new Kept<>(transactionTimeout, MAX_REMEMBERED);
        this.acceptedCalls = new Kept<>(transactionTimeout, MAX_REMEMBERED);
        // Its thread, not a daemon, waits for events that never come; it looks whether to stop after one.
        getEventScanner().forceStop();
        getEventScanner().addEvent(new EventWrapper(new IOExceptionEvent(this, "", 0, ""), null));
        // Connections outlive transactions here, and a transaction that is over has nothing to linger for.
        setConnectionLingerTimer(0);
    }

    static JainStack create(Duration t1, SipCounters counters) throws PeerUnavailableException {
        Properties properties = new Properties();
        properties.setProperty("javax.sip.STACK_NAME", "pushbridge");
        properties.setProperty("javax.sip.AUTOMATIC_DIALOG_SUPPORT", "off");
        properties.setProperty("gov.nist.javax.sip.AUTOMATIC_DIALOG_ERROR_HANDLING", "false");
        properties.setProperty("gov.nist.javax.sip.REENTRANT_LISTENER", "true");
        properties.setProperty("gov.nist.javax.sip.RFC_2543_SUPPORT_ENABLED", "false");
        properties.setProperty("gov.nist.javax.sip.RELEASE_REFERENCES_STRATEGY", "Aggressive");
        properties.setProperty("gov.nist.javax.sip.STACK_LOGGER", JainLog.class.getName());
        properties.setProperty("gov.nist.javax.sip.SERVER_LOGGER", JainMessageLog.class.getName());
        properties.setProperty("gov.nist.javax.sip.TIMER_CLASS_NAME", WheelTimer.class.getName());
        long tick = Math.max(2, Math.min(20, t1.toMillis() / 10));
        properties.setProperty(WheelTimer.TICK_MILLIS, Long.toString(tick));
        return new JainStack(properties, t1, counters);
    }

    /** Has the message processor factory make the listener, bound and not yet receiving. */
    Listener addListener(ListenAddress listen) throws IOException {
        return (Listener) createMessageProcessor(
                listen.address().getAddress(),
                listen.address().getPort(),
                listen.transport().name());
    }

    int t1Millis() {
        return (int) t1.toMillis();
    }

    WheelTimer wheel() {
        return (WheelTimer) getTimer();
    }

    /** RFC 3261's 64 T1, after which whoever waits has given up. */
    Duration transactionTimeout() {
        return transactionTimeout;
    }

    /**
     * The key of the server transaction a request belongs to (RFC 3261 section 17.2.3): branch, sent-by and method,
     * an ACK being part of its INVITE.
     */
    static String serverKey(SIPRequest request) {
        return serverKey(request, request.getMethod().equals("ACK") ? "INVITE" : request.getMethod());
    }

    /** The key of the INVITE that a CANCEL is for (RFC 3261 section 9.2). */
    static String cancelledKey(SIPRequest cancel) {
        return serverKey(cancel, "INVITE");
    }

    private static String serverKey(SIPRequest request, String method) {
        return serverKey(request.getTopmostVia(), method);
    }

    /** @param via the first of a request of that method */
    static String serverKey(Via via, String method) {
        StringBuilder key = new StringBuilder(64);
        addLowerCase(key, via.getBranch());
        key.append('|');
        addLowerCase(key, via.getSentBy().getHost().getHostname());
        return key.append(':').append(via.getPort()).append('|').append(method).toString();
    }

    /** ASCII alone: what is beyond is no letter of a token or a host. */
    private static void addLowerCase(StringBuilder key, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            key.append(c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c);
        }
    }

    /** The key of the client transaction a message belongs to (RFC 3261 section 17.1.3). */
    static String clientKey(SIPMessage message) {
        return clientKey(message, message.getCSeq().getMethod());
    }

    private static String clientKey(SIPMessage message, String method) {
        StringBuilder key = new StringBuilder(48);
        addLowerCase(key, message.getTopmostVia().getBranch());
        return key.append('|').append(method).toString();
    }

    /** Those that are completed among them. */
    int serverTransactions() {
        return serverTransactionTable.size() + responses.size();
    }

    int clientTransactions() {
        return clientTransactionTable.size();
    }

    /** Everything that is remembered beside transactions; all of it goes after 64 T1. */
    int remembered() {
        return merges.size() + pastMerges.size() + answeredInvites.size() + acceptedCalls.size();
    }

    Optional<ServerTransaction> server(String key) {
        return Optional.ofNullable((ServerTransaction) serverTransactionTable.get(key));
    }

    Optional<ClientTransaction> client(String key) {
        return Optional.ofNullable((ClientTransaction) clientTransactionTable.get(key));
    }

    /** Who hears of a further 2xx to an INVITE that got one. */
    ClientTransaction.@Nullable Outcome accepted(String key) {
        return acceptedCalls.get(key);
    }

    /** The transaction that had this key before, if there is one. */
    Optional<ServerTransaction> addServer(ServerTransaction transaction) {
        return Optional.ofNullable(
                (ServerTransaction) serverTransactionTable.putIfAbsent(transaction.key(), transaction));
    }

    void addClient(ClientTransaction transaction) {
        clientTransactionTable.put(transaction.key(), transaction);
    }

    /** Whether another request already stands for this one (RFC 3261 section 8.2.2.2). */
    boolean isMerged(String mergeKey, String key) {
        String first = pastMerges.get(mergeKey);
        if (first == null) {
            first = merges.putIfAbsent(mergeKey, key);
        }
        return first != null && !first.equals(key);
    }

    void forgetMerge(String mergeKey, String key) {
        merges.remove(mergeKey, key);
    }

    /** The transaction is over, and copies of its request may still come by other ways. */
    void mergeIsPast(String mergeKey, String key) {
        if (key.equals(merges.get(mergeKey))) {
            pastMerges.keep(mergeKey, key);
            merges.remove(mergeKey, key);
        }
    }

    /**
     * The Request-URI is part of it: one INVITE forked upstream to two users of this bridge is two calls here, for
     * the bridge is as many user agents as it has users.
     */
    static String mergeKey(SIPRequest request) {
        return request.getCallId().getCallId()
                + '|'
                + request.getFromTag()
                + '|'
                + request.getCSeq().getSeqNumber()
                + '|'
                + request.getMethod()
                + '|'
                + request.getRequestURI();
    }

    /** A request that is no INVITE was answered this. */
    void rememberResponse(String key, byte[] response) {
        responses.keep(key, response);
    }

    /** What a request was answered within the last 64 T1. */
    byte @Nullable [] response(String key) {
        return responses.get(key);
    }

    void rememberAnswered(String key, String toTag) {
        answeredInvites.keep(key, toTag);
    }

    /** The To tag of the 2xx an INVITE was given, if that was within the last 64 T1. */
    Optional<String> answered(String key) {
        return Optional.ofNullable(answeredInvites.get(key));
    }

    void rememberAccepted(String key, ClientTransaction.Outcome outcome) {
        acceptedCalls.keep(key, outcome);
    }

    @Override
    public void removeTransaction(SIPTransaction transaction) {
        if (transaction instanceof ServerTransaction server) {
            serverTransactionTable.remove(server.key(), server);
            server.removed();
        } else if (transaction instanceof ClientTransaction client) {
            clientTransactionTable.remove(client.key(), client);
            client.removed();
        }
    }

    @Override
    protected void removeTransactionHash(SIPTransaction transaction) {
        removeTransaction(transaction);
    }

    @Override
    public @Nullable SIPTransaction findTransaction(SIPMessage message, boolean isServer) {
        if (!isServer) {
            return clientTransactionTable.get(clientKey(message));
        }
        return message instanceof SIPRequest request ? serverTransactionTable.get(serverKey(request)) : null;
    }

    @Override
    public @Nullable SIPTransaction findCancelTransaction(SIPRequest cancel, boolean isServer) {
        if (isServer) {
            return serverTransactionTable.get(cancelledKey(cancel));
        }
        return clientTransactionTable.get(clientKey(cancel, "INVITE"));
    }

    /** Not how messages come in; a message that does is dropped. */
    @Override
    public @Nullable ServerRequestInterface newSIPServerRequest(SIPRequest request, MessageChannel channel) {
        counters.dropped.increment();
        return null;
    }

    /** Not how messages come in; a message that does is dropped. */
    @Override
    public @Nullable ServerResponseInterface newSIPServerResponse(SIPResponse response, MessageChannel channel) {
        counters.dropped.increment();
        return null;
    }

    /** JAIN-SIP's own sleeps for a second, and runs again when this is collected. */
    @Override
    public void stopStack() {
        toExit = true;
        if (getTimer() != null) {
            getTimer().stop();
        }
        for (SIPServerTransaction transaction : serverTransactionTable.values()) {
            serverTransactionTable.remove(transaction.getTransactionId());
        }
        for (SIPClientTransaction transaction : clientTransactionTable.values()) {
            clientTransactionTable.remove(transaction.getTransactionId());
        }
    }
}
