package org.pushbridge.sim.ua;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.pushbridge.sim.ua.UserAgent.ServerTransaction;

/**
 * A subscription to the dialog events (RFC 4235) of an address, as the subscriber of RFC 6665 has it; what the notifier
 * does wrong is a violation. Its methods may be called on any thread; its futures are completed on the agent's.
 */
public final class Subscription {
    /** The package of RFC 4235. */
    public static final String EVENT = "dialog";

    public static final String CONTENT_TYPE = "application/dialog-info+xml";
    private static final int ROUND_TRIPS_TO_NOTIFY = 8;

    private final UserAgent agent;
    private final InetSocketAddress notifier;
    private final String address;
    private final Optional<Credentials> credentials;
    private final Consumer<SipMessage> documents;
    private final String callId = UserAgent.random() + "@sim";
    private final String localTag = UserAgent.random();
    private final List<SipMessage> notifications = new CopyOnWriteArrayList<>();
    private final CompletableFuture<String> terminated = new CompletableFuture<>();
    private Optional<String> remoteTag = Optional.empty();
    private Optional<String> remoteTarget = Optional.empty();
    private long localCseq;
    private long remoteCseq = -1;
    private OptionalLong granted = OptionalLong.empty();
    private boolean fetching;

    Subscription(
            UserAgent agent,
            InetSocketAddress notifier,
            String address,
            Optional<Credentials> credentials,
            Consumer<SipMessage> documents) {
        this.agent = agent;
        this.notifier = notifier;
        this.address = address;
        this.credentials = credentials;
        this.documents = documents;
    }

    String key() {
        return callId + localTag;
    }

    /** The NOTIFYs so far, in their order. */
    public List<SipMessage> notifications() {
        return List.copyOf(notifications);
    }

    /** Done with the reason once the notifier has ended it, or would not have it; empty if it gave none. */
    public CompletableFuture<String> terminated() {
        return terminated.copy();
    }

    /**
     * Subscribes, or refreshes the subscription. The future is the final status, 0 for silence.
     *
     * @param expires how long it is to last; zero ends it, or fetches the state once if there is none yet
     */
    public CompletableFuture<Integer> subscribe(Duration expires) {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> send(expires.toSeconds(), status));
        return status;
    }

    private void send(long expires, CompletableFuture<Integer> status) {
        if (agent.localAddress().isEmpty()) {
            status.complete(0);
            return;
        }
        fetching = expires == 0 && remoteTag.isEmpty();
        int before = notifications.size();
        SipMessage request = SipMessage.request("SUBSCRIBE", remoteTarget.orElse(address))
                .with("Via", "")
                .with("Max-Forwards", "70")
                .with("From", "<" + address + ">;tag=" + localTag)
                .with(
                        "To",
                        "<" + address + ">" + remoteTag.map(t -> ";tag=" + t).orElse(""))
                .with("Call-ID", callId)
                .with("CSeq", ++localCseq + " SUBSCRIBE")
                .with("Contact", "<" + agent.dialogContact() + ">")
                .with("Event", EVENT)
                .with("Accept", CONTENT_TYPE)
                .with("Expires", Long.toString(expires));
        InetSocketAddress to = remoteTarget.map(UserAgent::addressOf).orElse(notifier);
        agent.send(request, to, credentials, new UserAgent.Exchange() {
            @Override
            public void sending(SipMessage sent) {
                localCseq = sent.cseq();
            }

            @Override
            public void response(SipMessage response) {
                if (response.status() >= 200) {
                    answered(response, expires, before);
                    status.complete(response.status());
                }
            }

            @Override
            public void silent() {
                status.complete(0);
            }
        });
    }

    private void answered(SipMessage response, long asked, int notificationsBefore) {
        if (response.status() >= 300) {
            terminated.complete(response.title());
            return;
        }
        Optional<String> tag = response.toTag();
        if (tag.isEmpty() || remoteTag.filter(t -> !tag.equals(Optional.of(t))).isPresent()) {
            agent.violations()
                    .add("The 2xx to a SUBSCRIBE has " + tag.map(t -> "another").orElse("no")
                            + " tag in To than its NOTIFY");
        }
        remoteTag = remoteTag.or(() -> tag);
        remoteTarget = response.header("Contact").map(SipMessage::uriOf).or(() -> remoteTarget);
        if (response.headers("Contact").size() != 1) {
            agent.violations().add("The 2xx to a SUBSCRIBE has no Contact");
        }
        granted = response.header("Expires").map(Subscription::number).orElse(OptionalLong.empty());
        if (granted.isEmpty() || granted.getAsLong() > asked) {
            agent.violations()
                    .add("The 2xx to a SUBSCRIBE for " + asked + " s has "
                            + response.header("Expires")
                                    .map(e -> "Expires: " + e)
                                    .orElse("no Expires"));
        }
        agent.after(agent.t1().multipliedBy(ROUND_TRIPS_TO_NOTIFY), () -> {
            if (notifications.size() == notificationsBefore
                    && agent.localAddress().isPresent()) {
                agent.violations().add("No NOTIFY followed the 2xx to a SUBSCRIBE");
            }
        });
    }

    private static OptionalLong number(String text) {
        return text.matches("\\d{1,10}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
    }

    void notified(ServerTransaction transaction) {
        SipMessage notify = transaction.request;
        if (terminated.isDone()
                || remoteTag
                        .filter(t -> !notify.fromTag().equals(Optional.of(t)))
                        .isPresent()) {
            agent.violations()
                    .add("A NOTIFY came for a subscription that "
                            + (terminated.isDone() ? "was terminated" : "another notifier has"));
            agent.respond(transaction, 481, "Subscription Does Not Exist", r -> r);
            return;
        }
        if (notify.cseq() <= remoteCseq) {
            agent.violations().add("The CSeq of a NOTIFY did not go up in its subscription");
            agent.respond(transaction, 500, "CSeq Out Of Order", r -> r);
            return;
        }
        remoteCseq = notify.cseq();
        remoteTag = notify.fromTag();
        remoteTarget = notify.header("Contact").map(SipMessage::uriOf).or(() -> remoteTarget);
        if (!isOfDialogs(notify)) {
            agent.violations()
                    .add("A NOTIFY has "
                            + notify.header("Event").map(e -> "the Event " + e).orElse("no Event")
                            + " in a subscription to dialog");
            agent.respond(transaction, 489, "Bad Event", r -> r);
            return;
        }
        agent.respond(transaction, 200, "OK", r -> r);
        notifications.add(notify);
        documents.accept(notify);
        changeState(notify.header("Subscription-State").orElse(""));
    }

    private void changeState(String state) {
        String name = state.replaceAll(";.*", "").strip();
        OptionalLong expires =
                SipMessage.parameter(state, "expires").map(Subscription::number).orElse(OptionalLong.empty());
        switch (name) {
            case "active", "pending" -> {
                if (fetching) {
                    agent.violations().add("The NOTIFY to a SUBSCRIBE with Expires: 0 is " + name + ", not terminated");
                }
                if (expires.isEmpty()) {
                    agent.violations().add("A NOTIFY says " + name + ", but not when the subscription expires");
                } else if (granted.isPresent() && expires.getAsLong() > granted.getAsLong()) {
                    agent.violations()
                            .add("A NOTIFY says expires=" + expires.getAsLong() + ", which is longer than was granted");
                }
            }
            case "terminated" ->
                terminated.complete(SipMessage.parameter(state, "reason").orElse(""));
            default ->
                agent.violations()
                        .add("A NOTIFY has "
                                + (state.isEmpty()
                                        ? "no Subscription-State"
                                        : "a Subscription-State that is none: " + state));
        }
    }

    /** Whether a request is about dialog events. */
    public static boolean isOfDialogs(SipMessage request) {
        return request.header("Event").map(e -> e.replaceAll(";.*", "").strip()).equals(Optional.of(EVENT));
    }
}
