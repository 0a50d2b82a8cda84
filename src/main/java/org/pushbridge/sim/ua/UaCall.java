package org.pushbridge.sim.ua;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.pushbridge.sim.ua.UserAgent.ServerTransaction;

/**
 * A call as one user agent sees it, in either direction, with its dialog (RFC 3261 section 12). Its methods may be
 * called on any thread; its futures are completed on the agent's.
 */
public final class UaCall {
    private static final AtomicInteger MEDIA_PORTS = new AtomicInteger();

    /** How a call was over. */
    public enum End {
        HUNG_UP_HERE,
        HUNG_UP_THERE,
        /** The far side took its INVITE back, or this side did. */
        CANCELLED,
        ANSWERED_ELSEWHERE,
        DECLINED_ELSEWHERE,
        /** Refused by whoever was called, or never answered. */
        REFUSED
    }

    private final UserAgent agent;
    private final String callId;
    private final String localTag = UserAgent.random();
    private final String localAddress;
    private final String remoteAddress;
    private final boolean outgoing;
    private final Optional<Credentials> credentials;
    private final InetSocketAddress proxy;
    private final String localSdp;
    private final List<SipMessage> responses = new CopyOnWriteArrayList<>();
    private final List<SipMessage> requests = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Integer> outcome = new CompletableFuture<>();
    private final CompletableFuture<String> remoteSdp = new CompletableFuture<>();
    private final CompletableFuture<Integer> established = new CompletableFuture<>();
    private final CompletableFuture<End> ended = new CompletableFuture<>();
    private volatile SipMessage invite;
    private volatile Optional<String> cancelReason = Optional.empty();
    private Optional<ServerTransaction> inviteTransaction = Optional.empty();
    private Optional<String> remoteTag = Optional.empty();
    private Optional<String> remoteTarget = Optional.empty();
    private List<String> routes = List.of();
    private Optional<SipMessage> ack = Optional.empty();
    private long localCseq = 1;
    private long remoteCseq;
    private boolean provisional;
    private boolean cancelWanted;
    private boolean reInviting;
    /** The CSeq of an INVITE that was answered with 2xx here and is not acknowledged yet. */
    private OptionalLong unacknowledged = OptionalLong.empty();

    private final List<Runnable> afterAck = new ArrayList<>();

    private UaCall(
            UserAgent agent,
            boolean outgoing,
            String callId,
            String localAddress,
            String remoteAddress,
            InetSocketAddress proxy,
            Optional<Credentials> credentials,
            SipMessage invite) {
        this.agent = agent;
        this.outgoing = outgoing;
        this.callId = callId;
        this.localAddress = localAddress;
        this.remoteAddress = remoteAddress;
        this.proxy = proxy;
        this.credentials = credentials;
        this.invite = invite;
        this.localSdp = sdp(agent.localAddress().orElse(proxy));
    }

    static UaCall outgoing(
            UserAgent agent, InetSocketAddress proxy, String from, String to, Optional<Credentials> credentials) {
        SipMessage request = SipMessage.request("INVITE", to);
        return new UaCall(
                agent,
                true,
                UserAgent.random() + "@sim",
                "<" + from + ">",
                "<" + to + ">",
                proxy,
                credentials,
                request);
    }

    static UaCall incoming(UserAgent agent, ServerTransaction transaction) {
        SipMessage invite = transaction.request;
        UaCall call = new UaCall(
                agent,
                false,
                invite.callId(),
                invite.required("To"),
                invite.required("From"),
                transaction.from,
                Optional.empty(),
                invite);
        call.inviteTransaction = Optional.of(transaction);
        call.remoteTag = invite.fromTag();
        call.remoteTarget = invite.header("Contact").map(SipMessage::uriOf);
        call.routes = invite.headers("Record-Route");
        call.remoteCseq = invite.cseq();
        if (!invite.body().isEmpty()) {
            call.remoteSdp.complete(invite.body());
        }
        return call;
    }

    /** An offer or answer with a port that no other call has, so that a body that crossed can be told from others. */
    private static String sdp(InetSocketAddress local) {
        String host = local.getAddress().getHostAddress();
        String family = host.contains(":") ? "IP6 " : "IP4 ";
        int port = 20_000 + 2 * (MEDIA_PORTS.getAndIncrement() % 20_000);
        return "v=0\r\no=- " + port + " 1 IN " + family + host + "\r\ns=-\r\nc=IN " + family + host
                + "\r\nt=0 0\r\nm=audio " + port + " RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n";
    }

    // --- what is known -------------------------------------------------------------------------------------------

    public String callId() {
        return callId;
    }

    /** What tells its INVITE from others, but not from a copy of it: Call-ID, From-tag and CSeq (RFC 3261 section 8.2.2.2). */
    public String identityOfInvite() {
        return callId + " " + invite.fromTag().orElse("") + " " + invite.cseq();
    }

    String localTag() {
        return localTag;
    }

    boolean isOf(ServerTransaction transaction) {
        return inviteTransaction.filter(t -> t == transaction).isPresent();
    }

    /** The INVITE, as it was sent last or received. */
    public SipMessage invite() {
        return invite;
    }

    /** The statuses that came for the INVITE of an outgoing call, in their order, challenges left out. */
    public List<Integer> statuses() {
        return responses.stream().map(SipMessage::status).toList();
    }

    /** The responses that came for the INVITE of an outgoing call, in their order, challenges left out. */
    public List<SipMessage> responses() {
        return List.copyOf(responses);
    }

    /** The requests that came inside the dialog, in their order. */
    public List<SipMessage> requests() {
        return List.copyOf(requests);
    }

    /** The final status of the INVITE: received or sent; 0 if an outgoing call met nothing but silence. */
    public CompletableFuture<Integer> outcome() {
        return outcome.copy();
    }

    /** Done once the call was answered and the answer acknowledged. */
    public CompletableFuture<Integer> established() {
        return established.copy();
    }

    public CompletableFuture<End> ended() {
        return ended.copy();
    }

    /** The Reason header of the CANCEL that ended it; empty if there was neither. */
    public Optional<String> cancelReason() {
        return cancelReason;
    }

    /** The session description of this side. */
    public String localSdp() {
        return localSdp;
    }

    /** The one that came from the far side with the INVITE or its 2xx. */
    public CompletableFuture<String> remoteSdp() {
        return remoteSdp.copy();
    }

    // --- an outgoing call ----------------------------------------------------------------------------------------

    void start() {
        SipMessage request = invite.with("Via", "")
                .with("Max-Forwards", "70")
                .with("From", localAddress + ";tag=" + localTag)
                .with("To", remoteAddress)
                .with("Call-ID", callId)
                .with("CSeq", localCseq + " INVITE")
                .with("Contact", "<" + agent.dialogContact() + ">")
                .with("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE")
                .withBody("application/sdp", localSdp);
        agent.send(request, proxy, credentials, new UserAgent.Exchange() {
            @Override
            public void sending(SipMessage sent) {
                invite = sent;
                localCseq = sent.cseq();
                provisional = false;
            }

            @Override
            public void response(SipMessage response) {
                answered(response);
            }

            @Override
            public void repeated() {
                ack.ifPresent(a -> agent.sendAck(a, next(), true));
            }

            @Override
            public void silent() {
                outcome.complete(0);
                ended.complete(End.REFUSED);
            }
        });
    }

    private void answered(SipMessage response) {
        responses.add(response);
        int status = response.status();
        if (status < 200) {
            provisional = true;
            if (cancelWanted) {
                cancelWanted = false;
                agent.sendCancel(invite, proxy);
            }
            return;
        }
        if (status >= 300) {
            outcome.complete(status);
            ended.complete(status == 487 ? End.CANCELLED : End.REFUSED);
            return;
        }
        remoteTag = response.toTag();
        remoteTarget = response.header("Contact").map(SipMessage::uriOf);
        List<String> reversed = new ArrayList<>(response.headers("Record-Route"));
        Collections.reverse(reversed);
        routes = List.copyOf(reversed);
        if (remoteTag.isEmpty()) {
            agent.violations().add("A 2xx to an INVITE has no tag in To");
        }
        if (response.body().isEmpty()) {
            agent.violations().add("A 2xx to an INVITE with an offer brings no answer");
        }
        remoteSdp.complete(response.body());
        ack = Optional.of(acknowledge(invite.cseq()));
        outcome.complete(status);
        established.complete(status);
        if (cancelWanted) {
            cancelWanted = false;
            bye(new CompletableFuture<>()); // it crossed with the answer
        }
    }

    private SipMessage acknowledge(long cseq) {
        SipMessage request = agent.stamped(inside("ACK", cseq), "z9hG4bK" + UserAgent.random());
        agent.sendAck(request, next(), false);
        return request;
    }

    /** Takes the INVITE back; if an answer crosses, hangs up. */
    public void cancel() {
        agent.run(() -> {
            if (outcome.isDone() && !ended.isDone()) {
                bye(new CompletableFuture<>());
            } else if (provisional) {
                agent.sendCancel(invite, proxy);
            } else {
                cancelWanted = true; // RFC 3261 section 9.1: not before a provisional response
            }
        });
    }

    // --- an incoming call ----------------------------------------------------------------------------------------

    /** Sends a provisional response. */
    public void provisional(int status, String reason) {
        respond(status, reason, status > 100);
    }

    /** Sends 183 with this side's session description, as for a ring tone or an announcement of its own. */
    public void earlyMedia() {
        respond(183, "Session Progress", true);
    }

    /** Takes the call. */
    public void answer() {
        respond(200, "OK", true);
    }

    /** Refuses the call. */
    public void refuse(int status, String reason) {
        respond(status, reason, false);
    }

    private void respond(int status, String reason, boolean withContact) {
        agent.now(() -> {
            ServerTransaction transaction = inviteTransaction.orElseThrow();
            if (transaction.isAnswered() || agent.localAddress().isEmpty()) {
                return; // cancelled meanwhile, or off the network
            }
            agent.respond(transaction, status, reason, r -> {
                SipMessage tagged = status > 100 ? r.set("To", remoteLessTo()) : r;
                SipMessage reachable = withContact ? tagged.with("Contact", "<" + agent.dialogContact() + ">") : tagged;
                boolean withMedia = status == 183 || (status >= 200 && status < 300);
                return withMedia ? reachable.withBody("application/sdp", localSdp) : reachable;
            });
            if (status >= 200 && status < 300) {
                unacknowledged = OptionalLong.of(invite.cseq());
            }
            if (status >= 200) {
                outcome.complete(status);
            }
            if (status >= 300) {
                ended.complete(End.REFUSED);
            }
        });
    }

    private String remoteLessTo() {
        return invite.required("To") + ";tag=" + localTag;
    }

    void cancelledBy(SipMessage cancel) {
        if (outcome.isDone()) {
            return; // too late: the 2xx stands, and the far side will hang up
        }
        cancelReason = cancel.header("Reason");
        String reason = cancelReason.orElse("");
        ended.complete(
                switch (SipMessage.parameter(reason, "cause").orElse("")) {
                    case "200" -> End.ANSWERED_ELSEWHERE;
                    case "600", "603" -> End.DECLINED_ELSEWHERE;
                    default -> End.CANCELLED;
                });
        respond(487, "Request Terminated", false);
    }

    void acknowledgedBy(SipMessage request) {
        if (unacknowledged.equals(OptionalLong.of(request.cseq()))) {
            unacknowledged = OptionalLong.empty();
            List.copyOf(afterAck).forEach(Runnable::run);
            afterAck.clear();
        }
        if (request.cseq() == invite.cseq()) {
            established.complete(200);
        }
    }

    // --- inside the dialog ---------------------------------------------------------------------------------------

    /** The far side is known to be gone, though its BYE, CANCEL or refusal did not get here: ends the call without a word. */
    public void vanish() {
        agent.now(() -> ended.complete(established.isDone() ? End.HUNG_UP_THERE : End.CANCELLED));
    }

    /** Ends the call with a BYE; the future is its status, 0 for silence. */
    public CompletableFuture<Integer> hangUp() {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> bye(status));
        return status;
    }

    private void bye(CompletableFuture<Integer> status) {
        if (!ended.complete(End.HUNG_UP_HERE)) {
            status.complete(481);
            return;
        }
        agent.send(inside("BYE", ++localCseq), next(), Optional.empty(), finalStatus(status));
    }

    /** Sends any request inside the dialog; the future is its status, 0 for silence. */
    public CompletableFuture<Integer> request(String method, String contentType, String body) {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> {
            SipMessage request = inside(method, ++localCseq);
            agent.send(
                    body.isEmpty() ? request : request.withBody(contentType, body),
                    next(),
                    Optional.empty(),
                    finalStatus(status));
        });
        return status;
    }

    /**
     * Offers the same session again, once the far side has acknowledged what it offered itself (RFC 3261 section 14.1);
     * the future is the final status, 0 for silence.
     */
    public CompletableFuture<Integer> reInvite() {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> {
            if (unacknowledged.isPresent()) {
                afterAck.add(() -> sendReInvite(status));
            } else {
                sendReInvite(status);
            }
        });
        return status;
    }

    private void sendReInvite(CompletableFuture<Integer> status) {
        reInviting = true;
        long cseq = ++localCseq;
        SipMessage request = inside("INVITE", cseq)
                .with("Contact", "<" + agent.dialogContact() + ">")
                .withBody("application/sdp", localSdp);
        agent.send(request, next(), Optional.empty(), new UserAgent.Exchange() {
            private Optional<SipMessage> ackOfThis = Optional.empty();

            @Override
            public void response(SipMessage response) {
                if (response.status() < 200) {
                    return;
                }
                reInviting = false;
                if (response.status() < 300) {
                    ackOfThis = Optional.of(acknowledge(cseq));
                }
                status.complete(response.status());
            }

            @Override
            public void repeated() {
                ackOfThis.ifPresent(a -> agent.sendAck(a, next(), true));
            }

            @Override
            public void silent() {
                reInviting = false;
                status.complete(0);
            }
        });
    }

    private static UserAgent.Exchange finalStatus(CompletableFuture<Integer> status) {
        return new UserAgent.Exchange() {
            @Override
            public void response(SipMessage response) {
                if (response.status() >= 200) {
                    status.complete(response.status());
                }
            }

            @Override
            public void silent() {
                status.complete(0);
            }
        };
    }

    private SipMessage inside(String method, long cseq) {
        String local = (outgoing ? localAddress : invite.required("To")) + ";tag=" + localTag;
        String remote =
                outgoing ? remoteAddress + remoteTag.map(t -> ";tag=" + t).orElse("") : invite.required("From");
        SipMessage request = SipMessage.request(method, remoteTarget.orElse(SipMessage.uriOf(remoteAddress)))
                .with("Via", "")
                .with("Max-Forwards", "70")
                .with("From", local)
                .with("To", remote)
                .with("Call-ID", callId)
                .with("CSeq", cseq + " " + method);
        for (String route : routes) {
            request = request.with("Route", route);
        }
        return request;
    }

    /** Where the next request goes: the first route, else the remote target. */
    private InetSocketAddress next() {
        return routes.stream()
                .findFirst()
                .map(SipMessage::uriOf)
                .or(() -> remoteTarget)
                .map(UserAgent::addressOf)
                .orElse(proxy);
    }

    void requested(ServerTransaction transaction) {
        SipMessage request = transaction.request;
        requests.add(request);
        if (request.cseq() <= remoteCseq) {
            agent.violations().add("The CSeq of a " + request.method() + " did not go up in its dialog");
            agent.respond(transaction, 500, "CSeq Out Of Order", r -> r);
            return;
        }
        remoteCseq = request.cseq();
        switch (request.method()) {
            case "BYE" -> {
                ended.complete(End.HUNG_UP_THERE);
                agent.respond(transaction, 200, "OK", r -> r);
                inviteTransaction
                        .filter(t -> !t.isAnswered())
                        .ifPresent(t -> respond(487, "Request Terminated", false));
            }
            case "INVITE" -> {
                if (reInviting) {
                    agent.respond(transaction, 491, "Request Pending", r -> r);
                } else {
                    unacknowledged = OptionalLong.of(request.cseq());
                    remoteTarget =
                            request.header("Contact").map(SipMessage::uriOf).or(() -> remoteTarget);
                    agent.respond(
                            transaction,
                            200,
                            "OK",
                            r -> r.with("Contact", "<" + agent.dialogContact() + ">")
                                    .withBody("application/sdp", localSdp));
                }
            }
            default -> agent.respond(transaction, 200, "OK", r -> r);
        }
    }
}
