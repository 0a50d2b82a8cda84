package org.pushbridge.sim.ua;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The client transactions of a user agent (RFC 3261 section 17.1). Only on the agent's thread. */
final class ClientTransactions {
    private static final class ClientTransaction {
        private final SipMessage request;
        private final InetSocketAddress to;
        private final UserAgent.Exchange exchange;
        private boolean proceeding;
        private Optional<SipMessage> finalResponse = Optional.empty();
        private boolean over;

        private ClientTransaction(SipMessage request, InetSocketAddress to, UserAgent.Exchange exchange) {
            this.request = request;
            this.to = to;
            this.exchange = exchange;
        }
    }

    private final UserAgent agent;
    private final UserAgent.Trace trace;
    private final Map<String, ClientTransaction> clients = UserAgent.bounded();

    ClientTransactions(UserAgent agent, UserAgent.Trace trace) {
        this.agent = agent;
        this.trace = trace;
    }

    /** The network is gone, and the app with it. */
    void loseAll() {
        List<ClientTransaction> lost = List.copyOf(clients.values());
        clients.clear();
        lost.stream().filter(t -> !t.over).forEach(this::giveUp);
    }

    /** The network is gone, but not the app: a call that rings at the far side may still be answered. */
    void loseAllButRingingInvites() {
        List<ClientTransaction> lost = clients.values().stream()
                .filter(t -> !t.over && !(t.proceeding && t.request.method().equals("INVITE")))
                .toList();
        clients.values().removeIf(lost::contains);
        lost.forEach(this::giveUp);
    }

    void send(
            SipMessage request, InetSocketAddress to, Optional<Credentials> credentials, UserAgent.Exchange exchange) {
        if (agent.localAddress().isEmpty()) {
            exchange.silent();
            return;
        }
        SipMessage stamped = agent.stamped(request, "z9hG4bK" + UserAgent.random());
        exchange.sending(stamped);
        start(stamped, to, challengeable(stamped, to, credentials, exchange));
    }

    private UserAgent.Exchange challengeable(
            SipMessage request, InetSocketAddress to, Optional<Credentials> credentials, UserAgent.Exchange exchange) {
        return new UserAgent.Exchange() {
            @Override
            public void response(SipMessage response) {
                boolean challenged = response.status() == 401 || response.status() == 407;
                Optional<SipMessage> answer =
                        challenged ? credentials.flatMap(c -> c.answer(request, response)) : Optional.empty();
                boolean stale = response.toString().toLowerCase(Locale.ROOT).contains("stale=true");
                boolean answeredBefore = request.header("Authorization")
                        .or(() -> request.header("Proxy-Authorization"))
                        .isPresent();
                if (answer.isPresent() && (!answeredBefore || stale)) {
                    SipMessage again = answer.get().set("CSeq", (request.cseq() + 1) + " " + request.method());
                    send(again, to, credentials, exchange);
                } else {
                    exchange.response(response);
                }
            }

            @Override
            public void repeated() {
                exchange.repeated();
            }

            @Override
            public void silent() {
                exchange.silent();
            }
        };
    }

    void sendCancel(SipMessage invite, InetSocketAddress to) {
        SipMessage cancel = SipMessage.request("CANCEL", invite.uri());
        for (String name : List.of("Via", "From", "To", "Call-ID", "Route")) {
            for (String value : invite.headers(name)) {
                cancel = cancel.with(name, value);
            }
        }
        start(cancel.with("CSeq", invite.cseq() + " CANCEL").with("Max-Forwards", "70"), to, new UserAgent.Exchange() {
            @Override
            public void response(SipMessage response) {
                if (response.status() != 200 && response.status() != 481) {
                    agent.violations().add("A CANCEL was answered with " + response.title());
                }
            }

            @Override
            public void silent() {
                agent.violations().add("A CANCEL was never answered");
            }
        });
    }

    private void start(SipMessage request, InetSocketAddress to, UserAgent.Exchange exchange) {
        ClientTransaction transaction = new ClientTransaction(request, to, exchange);
        clients.put(request.branch() + request.method(), transaction);
        trace.message(true, request);
        agent.put(request, to);
        if (!agent.isOverTcp()) {
            agent.after(agent.t1(), () -> resend(transaction, agent.t1()));
        }
        agent.after(agent.t1().multipliedBy(64), () -> {
            if (!transaction.over
                    && !(transaction.proceeding && request.method().equals("INVITE"))) {
                giveUp(transaction);
            }
        });
    }

    private void resend(ClientTransaction transaction, Duration waited) {
        boolean invite = transaction.request.method().equals("INVITE");
        if (transaction.over || (invite && transaction.proceeding)) {
            return;
        }
        agent.put(transaction.request, transaction.to);
        Duration twice = waited.multipliedBy(2);
        Duration next = !invite && twice.compareTo(UserAgent.T2) > 0 ? UserAgent.T2 : twice;
        agent.after(next, () -> resend(transaction, next));
    }

    private void giveUp(ClientTransaction transaction) {
        transaction.over = true;
        transaction.exchange.silent();
    }

    /** Takes a response that came. */
    void response(SipMessage response) {
        ClientTransaction transaction = clients.get(response.branch() + response.method());
        if (transaction == null) {
            agent.violations().add(response.title() + " answers a " + response.method() + " that was never sent");
            return;
        }
        SipMessage request = transaction.request;
        boolean invite = request.method().equals("INVITE");
        if (transaction.finalResponse.isPresent()) {
            afterTheFinal(transaction, transaction.finalResponse.get(), response);
            return;
        }
        if (transaction.over) {
            return; // given up before
        }
        trace.message(false, response);
        if (response.status() < 200) {
            transaction.proceeding = true;
        } else {
            transaction.finalResponse = Optional.of(response);
            transaction.over = true;
            if (invite && response.status() >= 300) {
                acknowledgeFailure(transaction, response, false);
            }
            if (invite && response.status() < 300 && response.headers("Contact").size() != 1) {
                agent.violations().add(response.title() + " to an INVITE has no Contact");
            }
        }
        transaction.exchange.response(response);
    }

    private void afterTheFinal(ClientTransaction transaction, SipMessage first, SipMessage response) {
        if (response.status() < 200) {
            agent.violations().add("Provisional " + response.title() + " came after the final " + first.title());
        } else if (response.status() != first.status() || !response.toTag().equals(first.toTag())) {
            agent.violations().add("A second final response, " + response.title() + ", came after " + first.title());
        } else if (!response.toString().equals(first.toString())) {
            agent.violations().add(response.title() + " was repeated, but not the same");
        }
        if (transaction.request.method().equals("INVITE")) {
            if (response.status() >= 300) {
                acknowledgeFailure(transaction, response, true);
            } else if (response.status() >= 200) {
                transaction.exchange.repeated();
            }
        }
    }

    private void acknowledgeFailure(ClientTransaction transaction, SipMessage response, boolean again) {
        SipMessage invite = transaction.request;
        SipMessage ack = SipMessage.request("ACK", invite.uri())
                .with("Via", invite.required("Via"))
                .with("From", invite.required("From"))
                .with("To", response.required("To"))
                .with("Call-ID", invite.callId())
                .with("CSeq", invite.cseq() + " ACK")
                .with("Max-Forwards", "70");
        for (String route : invite.headers("Route")) {
            ack = ack.with("Route", route);
        }
        agent.sendAck(ack, transaction.to, again);
    }
}
