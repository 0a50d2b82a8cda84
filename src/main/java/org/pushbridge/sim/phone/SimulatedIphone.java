package org.pushbridge.sim.phone;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.OutgoingCall.DialingEnd;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Registration;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Subscription;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.UserAgent;
import org.pushbridge.sim.ua.Violations;
import org.pushbridge.sim.ua.Wire;

/**
 * An iPhone with one calling app. Asleep, it has no SIP at all; a VoIP push wakes it, brings up a call screen at once as
 * CallKit demands, and makes it register over a new socket, some time later. Strict: what the bridge does against the
 * rules of SIP, Apple or its own promises becomes a sentence in {@link #violations()}.
 *
 * <p>Any thread may call its methods; they take effect soon, in their order. Whoever opened it closes it.
 */
public final class SimulatedIphone implements AutoCloseable {
    /** The header in which the INVITE names the CallKit UUID. */
    public static final String UUID_HEADER = "X-Pushbridge-Call-UUID";

    private static final Duration T1 = Duration.ofMillis(500);
    private static final Duration RETRY = Duration.ofSeconds(1);
    /** What was on its way when something else became known is nobody's fault. */
    private static final Duration CROSSING = Duration.ofSeconds(1);

    private static final int UNREPORTED_PUSHES_FORGIVEN = 3;

    /** The phone's connection to Apple, seen from the phone. */
    public interface AppleConnection {
        /** The phone can, or can no longer, be reached by pushes. */
        void reachable(boolean reachable);

        /** iOS has seen enough VoIP pushes that the app did not report: it gets no more. */
        void stopVoipPushes();

        /** For a phone that is pushed to by hand. */
        static AppleConnection none() {
            return new AppleConnection() {
                @Override
                public void reachable(boolean reachable) {}

                @Override
                public void stopVoipPushes() {}
            };
        }
    }

    /** Sees what the phone does; called on the phone's thread. */
    public interface Observer extends UserAgent.Trace {
        /** Something that is no message, such as {@code rings}. */
        void happened(String what);

        /** What the app says to the bridge over HTTPS, or is told. */
        default void https(boolean sent, String what) {}

        /** For a phone that nobody watches. */
        static Observer none() {
            return new Observer() {
                @Override
                public void happened(String what) {}

                @Override
                public void message(boolean sent, SipMessage message) {}
            };
        }
    }

    private final IphoneSettings settings;
    private final AppleConnection apple;
    private final Observer observer;
    private final Violations violations = new Violations();
    private final UserAgent agent;
    private final AppRegistration registration;
    private final AppHttps https;
    private final AppDialogEvents dialogEvents;
    private final CallScreens screens = new CallScreens(violations);
    private final Set<UUID> pushedCalls = new HashSet<>();
    private final List<String> alerts = new CopyOnWriteArrayList<>();
    private final List<String> backgroundPushes = new CopyOnWriteArrayList<>();
    private final List<OutgoingCall> outgoing = new CopyOnWriteArrayList<>();
    private final List<Wire> leftOpen = new CopyOnWriteArrayList<>();
    private final Set<String> strays = new HashSet<>();
    private volatile Answering answering = new Answering.Ring();
    private long flow;
    private long registeredFlow;
    private volatile boolean registered;
    private boolean flightMode;
    private boolean forceQuit;
    private boolean waking;
    private int unreported;
    private int voipPushes;

    public SimulatedIphone(IphoneSettings settings, AppleConnection apple, Observer observer) {
        this.settings = settings;
        this.apple = apple;
        this.observer = observer;
        this.agent = new UserAgent(
                settings.credentials().user(),
                T1,
                violations,
                new UserAgent.Listener() {
                    @Override
                    public void incoming(UaCall call) {
                        invited(call);
                    }

                    @Override
                    public void strayed(SipMessage request) {
                        SimulatedIphone.this.strayed(request);
                    }

                    @Override
                    public int notified(SipMessage notify) {
                        return dialogEvents.notified(notify, flow);
                    }
                },
                observer);
        this.registration = new AppRegistration(settings, agent);
        this.https = new AppHttps(settings.app(), agent, violations, observer, () -> flightMode, this::end);
        this.dialogEvents = new AppDialogEvents(settings, agent, violations, screens, this::living);
    }

    // --- what is known -------------------------------------------------------------------------------------------

    public IphoneSettings settings() {
        return settings;
    }

    /** What was done to this phone against the rules. */
    public List<String> violations() {
        return violations.all();
    }

    /** Each call that ever rang, in their order. */
    public List<CallScreen> screens() {
        return screens.all();
    }

    /** The payloads of the alerts that were shown, such as that of a missed call. */
    public List<String> alerts() {
        return List.copyOf(alerts);
    }

    /** The payloads of the background pushes that the app got. */
    public List<String> backgroundPushes() {
        return List.copyOf(backgroundPushes);
    }

    /** Whether its newest REGISTER was accepted and its connection has not been given up since. */
    public boolean isRegistered() {
        return registered;
    }

    // --- what its user does --------------------------------------------------------------------------------------

    /** Decides about the calls that come from now on; it rings for ever unless told otherwise. */
    public void onCall(Answering decision) {
        answering = decision;
    }

    /** Opens the app, which registers over a new socket. The future is the REGISTER's final status, 0 for silence. */
    public CompletableFuture<Integer> launch() {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> {
            forceQuit = false;
            if (agent.localAddress().isPresent()) {
                registered = false;
                agent.detach().ifPresent(Wire::close);
            }
            register(status);
        });
        return status;
    }

    /**
     * Another network: a new socket and REGISTER, calls go on, and whatever comes over the old socket is lost. The future
     * is the REGISTER's final status, 0 for silence.
     */
    public CompletableFuture<Integer> changeNetwork() {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> {
            observer.happened("changes networks");
            register(status);
        });
        return status;
    }

    /** Registers a second time, from another port, while the first socket is still open; otherwise as {@link #changeNetwork}. */
    public CompletableFuture<Integer> registerAgain() {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        agent.run(() -> register(status));
        return status;
    }

    /** The app's next REGISTER has another Call-ID and begins to count anew. */
    public CompletableFuture<Void> forgetRegistration() {
        return done(registration::forget);
    }

    /** The socket closes and iOS suspends the app; calls that were placed or taken are still shown. */
    public CompletableFuture<Void> loseFlow() {
        return done(() -> {
            agent.lose().ifPresent(Wire::close);
            observer.happened("loses its connection");
        });
    }

    /** The app is put away and iOS closes its sockets. */
    public CompletableFuture<Void> sleep() {
        return done(() -> {
            registered = false;
            agent.detach().ifPresent(Wire::close);
            observer.happened("sleeps");
        });
    }

    /** The app is put away; its sockets stay bound, but nobody reads them. */
    public CompletableFuture<Void> suspend() {
        return done(() -> {
            agent.lose().ifPresent(leftOpen::add);
            observer.happened("is suspended");
        });
    }

    /** The user swipes the app away. VoIP pushes still wake it; background pushes do not reach it any more. */
    public CompletableFuture<Void> forceQuit() {
        return done(() -> {
            registered = false;
            agent.detach().ifPresent(Wire::close);
            forceQuit = true;
            observer.happened("app is force-quit");
        });
    }

    /** Cuts the phone off, for SIP and for Apple; nobody is told. Afterwards only Apple's connection comes back by itself. */
    public CompletableFuture<Void> flightMode(boolean on) {
        return done(() -> {
            flightMode = on;
            if (on) {
                agent.lose().ifPresent(leftOpen::add);
            } else {
                screens.all().forEach(https::ask);
            }
            apple.reachable(!on);
            observer.happened(on ? "flight mode on" : "flight mode off");
        });
    }

    /**
     * Calls somebody: a URI.
     *
     * @throws java.util.concurrent.CompletionException if the phone is off the network
     */
    public UaCall call(String callee) {
        UaCall call =
                agent.placeCall(settings.registrar(), settings.address(), callee, Optional.of(settings.credentials()));
        OutgoingCall screen = new OutgoingCall(call);
        outgoing.add(screen);
        return call;
    }

    /** Each call that was placed, in their order. */
    public List<OutgoingCall> outgoing() {
        return List.copyOf(outgoing);
    }

    private CompletableFuture<Void> done(Runnable work) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        agent.run(() -> {
            work.run();
            done.complete(null);
        });
        return done;
    }

    // --- registration --------------------------------------------------------------------------------------------

    private void register(CompletableFuture<Integer> status) {
        try {
            Wire wire = Wire.open(settings.transport(), settings.local(), settings.registrar(), agent.receiver());
            agent.move(wire).ifPresent(leftOpen::add);
        } catch (IOException e) {
            status.complete(0);
            return;
        }
        registered = false;
        flow++;
        register(flow, status);
    }

    private void register(long thisFlow, CompletableFuture<Integer> status) {
        registration.send(new Registration.Result() {
            @Override
            public void sent(boolean withCredentials) {
                screens.all().forEach(s -> s.sentPacket(withCredentials));
            }

            @Override
            public void ended(Optional<SipMessage> response) {
                int result = response.map(SipMessage::status).orElse(0);
                Optional<Duration> comeBack = response.filter(r -> r.status() == 503)
                        .flatMap(r -> r.header("Retry-After"))
                        .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
                if (comeBack.isPresent()) {
                    // RFC 3261 section 21.5.4: the server is still there, and says when it has time.
                    agent.after(comeBack.get(), () -> registerLater(thisFlow, status));
                    return;
                }
                if (result == 200 && thisFlow == flow) {
                    registeredFlow = thisFlow;
                    registered = true;
                    dialogEvents.registered(thisFlow);
                }
                status.complete(result);
            }
        });
    }

    private void registerLater(long thisFlow, CompletableFuture<Integer> status) {
        if (thisFlow == flow && !flightMode) {
            register(thisFlow, status);
        } else {
            status.complete(503);
        }
    }

    private void wake() {
        if (waking) {
            return;
        }
        waking = true;
        agent.after(settings.wakeTimes().next(), this::tryToRegister);
    }

    private void tryToRegister() {
        if (flightMode) {
            waking = false;
            return;
        }
        CompletableFuture<Integer> status = new CompletableFuture<>();
        register(status);
        var unused = status.thenAccept(result -> agent.run(() -> {
            boolean stillRinging = screens.anyRings();
            if (result != 200 && stillRinging) {
                agent.after(RETRY, this::tryToRegister);
            } else {
                waking = false;
            }
        }));
    }

    // --- what Apple delivers -------------------------------------------------------------------------------------

    /** A VoIP push arrives. */
    public void voipPush(String payload) {
        agent.run(() -> {
            voipPushes++;
            if (unreported >= UNREPORTED_PUSHES_FORGIVEN) {
                return;
            }
            if (!settings.app().reportsCalls()) {
                kill();
                return;
            }
            forceQuit = false;
            if (report(payload) && agent.localAddress().isEmpty()) {
                wake();
            }
        });
    }

    private void kill() {
        unreported++;
        registered = false;
        agent.detach().ifPresent(Wire::close);
        observer.happened("app is killed: VoIP push not reported");
        if (unreported == UNREPORTED_PUSHES_FORGIVEN) {
            apple.stopVoipPushes();
        }
    }

    /** Whether a call is there now to wake up for. */
    private boolean report(String payload) {
        List<String> required = settings.app().verdicts().contains(VerdictWay.HTTPS)
                ? List.of("uuid", "sip-call-id", "sent-at", "expires-at", "verdict-url", "verdict-token")
                : List.of("uuid", "sip-call-id", "sent-at", "expires-at");
        Optional<PushPayload> read = PushPayload.read(payload, "A VoIP push", required, violations);
        if (read.isEmpty()) {
            return false;
        }
        if (read.get().uuid().isEmpty()) {
            violations.add("A VoIP push has no UUID that CallKit could take");
            return false;
        }
        UUID uuid = read.get().uuid().get();
        if (read.get().endsCall()) {
            endedByVoipPush(uuid);
            return false;
        }
        if (!pushedCalls.add(uuid)) {
            violations.add("A second VoIP push came for call " + uuid);
        }
        if (screens.of(uuid).isPresent()) {
            return false; // CallKit knows it: the same UUID again is the same call
        }
        CallScreen screen =
                new CallScreen(uuid, true, read.get().callId(), read.get().verdict());
        ring(screen);
        https.ask(screen);
        https.tellAlerting(screen);
        return true;
    }

    /** A VoIP push that ends a call: for apps only that asked for it, and only while the pushed call rings. */
    private void endedByVoipPush(UUID uuid) {
        Optional<CallScreen> screen = screens.of(uuid);
        if (!settings.app().handlesEndPush()) {
            violations.add("A second VoIP push came for call " + uuid + ", to end it: the app does not handle that");
        } else if (!pushedCalls.contains(uuid)) {
            violations.add("A VoIP push ends call " + uuid + ", which was never pushed for");
        } else if (screen.flatMap(CallScreen::silentFor)
                .filter(d -> d.compareTo(CROSSING) > 0)
                .isPresent()) {
            violations.add("A VoIP push ends call " + uuid + ", which rang no more");
        }
        screen.ifPresent(s -> end(s, RingingEnd.ENDED_BY_PUSH));
    }

    /** A regular push arrives that is shown to the user. */
    public void alertPush(String payload) {
        agent.run(() -> {
            alerts.add(payload);
            observer.happened("shows an alert");
        });
    }

    /** A background push arrives. */
    public void backgroundPush(String payload) {
        agent.run(() -> {
            if (forceQuit) {
                return;
            }
            backgroundPushes.add(payload);
            PushPayload.read(payload, "A background push", List.of(), violations)
                    .filter(PushPayload::endsCall)
                    .ifPresent(this::endedByBackgroundPush);
            if (agent.localAddress().isEmpty() && !flightMode) {
                wake();
            }
        });
    }

    private void endedByBackgroundPush(PushPayload push) {
        if (push.uuid().isEmpty() || push.callId().isEmpty()) {
            violations.add("A background push ends a call, but has no "
                    + (push.uuid().isEmpty() ? "uuid" : "sip-call-id") + " to say which");
        }
        Optional<CallScreen> screen =
                push.uuid().flatMap(screens::of).or(() -> push.callId().flatMap(screens::of));
        screen.ifPresent(s -> {
            end(s, RingingEnd.ENDED_BY_PUSH);
            s.call().filter(c -> c.established().isDone()).ifPresent(UaCall::vanish);
            s.close();
        });
        push.callId()
                .ifPresent(id -> outgoing.stream()
                        .filter(c -> c.call().callId().equals(id))
                        .filter(c -> c.end(DialingEnd.ENDED_BY_PUSH))
                        .forEach(c -> observer.happened("outgoing call ends")));
    }

    /** All else is over, says a NOTIFY of dialog events: full state. */
    private void living(Set<String> callIds) {
        for (CallScreen screen : screens.all()) {
            boolean listed = callIds.stream().anyMatch(screen::has);
            if (!listed && screen.isRinging() && screen.expectedCallId().isPresent()) {
                end(screen, RingingEnd.NOT_ALIVE);
            } else if (!listed && screen.isInCallOfOtherFlow(flow)) {
                screen.call().ifPresent(UaCall::vanish);
                screen.close();
            }
        }
        outgoing.stream()
                .filter(c -> c.isDialing()
                        && c.isKnown()
                        && !callIds.contains(c.call().callId()))
                .filter(c -> c.end(DialingEnd.NOT_ALIVE))
                .forEach(c -> observer.happened("outgoing call ends"));
    }

    /**
     * A subscription to the dialog events of the phone's own address; {@link Subscription#subscribe} asks for it. What is
     * notified in it ends call screens as well.
     */
    public Subscription dialogEvents() {
        return dialogEvents.subscription();
    }

    // --- calls ---------------------------------------------------------------------------------------------------

    private void ring(CallScreen screen) {
        screens.add(screen);
        observer.happened("rings");
        agent.after(settings.ringTimeout(), () -> refuse(screen, 480, "Temporarily Unavailable", RingingEnd.TIMED_OUT));
        Answering decision = answering;
        if (decision instanceof Answering.Answer answer) {
            agent.after(answer.after(), () -> answer(screen));
        } else if (decision instanceof Answering.Refuse refusal) {
            agent.after(
                    refusal.after(),
                    () -> refuse(screen, refusal.status(), refusal.reason(), RingingEnd.DECLINED_HERE));
        } else if (decision instanceof Answering.Busy) {
            refuse(screen, 486, "Busy Here", RingingEnd.DECLINED_HERE);
        }
    }

    /** The user takes a call that rings; if its INVITE is still to come, as soon as it is there. */
    public void answerNow(CallScreen screen) {
        agent.run(() -> answer(screen));
    }

    /** The user declines a call that rings, on this device; before its INVITE over HTTPS, if the app can. */
    public void declineNow(CallScreen screen) {
        agent.run(() -> refuse(screen, 486, "Busy Here", RingingEnd.DECLINED_HERE));
    }

    /** The user declines a call that rings, for all devices: 603 where {@link #declineNow} says 486. */
    public void declineEverywhereNow(CallScreen screen) {
        agent.run(() -> refuse(screen, 603, "Decline", RingingEnd.DECLINED_HERE));
    }

    private void answer(CallScreen screen) {
        if (screen.isRinging()) {
            screen.wantAnswer();
            screen.call().ifPresent(c -> take(screen, c));
        }
    }

    private void take(CallScreen screen, UaCall call) {
        call.answer();
        end(screen, RingingEnd.ANSWERED_HERE);
    }

    private void refuse(CallScreen screen, int status, String reason, RingingEnd how) {
        if (end(screen, how)) {
            screen.refuseWith(status);
            screen.call().ifPresent(c -> c.refuse(status, reason));
            if (how == RingingEnd.DECLINED_HERE) {
                https.tellDecline(screen);
            }
        }
    }

    private boolean end(CallScreen screen, RingingEnd how) {
        boolean ended = screen.end(how);
        if (ended) {
            observer.happened(words(how));
        }
        return ended;
    }

    private static String words(RingingEnd how) {
        return switch (how) {
            case ANSWERED_HERE -> "user answers";
            case DECLINED_HERE -> "user declines";
            case TIMED_OUT -> "stops by itself";
            case ANSWERED_ELSEWHERE, DECLINED_ELSEWHERE, CANCELLED, NOT_ALIVE, ENDED_BY_PUSH ->
                "stops: " + how.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        };
    }

    private void invited(UaCall call) {
        call.provisional(100, "Trying");
        CallScreen screen = screens.invitedBy(call);
        if (screens.of(screen.uuid()).isEmpty()) {
            ring(screen);
        }
        boolean takenInVain = screen.isTakenInVain();
        if (!screen.invited(call, flow)) {
            violations.add(
                    "Two INVITEs came for call " + screen.uuid() + ", which differ in Call-ID, From-tag or CSeq");
            call.refuse(486, "Busy Here");
            return;
        }
        if (screen.refusal().isPresent()) {
            isNotAgreedLongSince(screen);
            call.refuse(screen.refusal().get(), "Declined Before");
            return;
        }
        if (!screen.isRinging() && !takenInVain) {
            if (screen.agreedOverHttpsFor().isPresent()) {
                isNotAgreedLongSince(screen);
            } else if (!screen.endedAs(RingingEnd.ENDED_BY_PUSH)) { // nobody tells the bridge that such a push came
                violations.add("An INVITE came for call " + screen.uuid() + ", which was over");
            }
            call.refuse(480, "Temporarily Unavailable");
            return;
        }
        call.provisional(180, "Ringing");
        var unused = call.ended().thenAccept(end -> agent.run(() -> ended(screen, call, end)));
        if (screen.isAnswerWanted()) {
            take(screen, call);
        }
    }

    private void isNotAgreedLongSince(CallScreen screen) {
        if (screen.agreedOverHttpsFor().filter(d -> d.compareTo(CROSSING) > 0).isPresent()) {
            violations.add(
                    "An INVITE came for call " + screen.uuid() + ", which was over, as both sides knew over HTTPS");
        }
    }

    private void ended(CallScreen screen, UaCall call, UaCall.End how) {
        if (screen.call().filter(c -> c == call).isEmpty()) {
            return; // a copy of its INVITE has taken its place
        }
        switch (how) {
            case ANSWERED_ELSEWHERE -> end(screen, RingingEnd.ANSWERED_ELSEWHERE);
            case DECLINED_ELSEWHERE -> end(screen, RingingEnd.DECLINED_ELSEWHERE);
            case CANCELLED, HUNG_UP_THERE -> end(screen, RingingEnd.CANCELLED);
            case HUNG_UP_HERE, REFUSED -> {}
        }
        screen.close();
    }

    /** A request over a socket that is not the newest. Those that were sent before the newest one registered may come. */
    private void strayed(SipMessage request) {
        String transaction = request.method() + request.header("Via").orElse("");
        boolean seen = !strays.add(request.isInsideDialog() ? transaction : request.callId());
        boolean registeredAnew = agent.localAddress().isPresent() && registeredFlow == flow;
        if (seen || !registeredAnew) {
            return;
        }
        if (request.isInsideDialog() && !request.method().equals("ACK")) {
            violations.add(
                    "A " + request.method() + " inside a dialog came over a flow that is not the newest registered");
        } else if (request.method().equals("INVITE")) {
            violations.add("An INVITE came over a flow that is not the newest registered");
        }
    }

    /** How many VoIP pushes Apple delivered to it. */
    public CompletableFuture<Integer> voipPushes() {
        CompletableFuture<Integer> count = new CompletableFuture<>();
        agent.run(() -> count.complete(voipPushes));
        return count;
    }

    /** Where its newest socket is bound; empty while it has none. */
    public Optional<InetSocketAddress> localAddress() {
        return agent.localAddress();
    }

    @Override
    public void close() {
        agent.close();
        https.close();
        leftOpen.forEach(Wire::close);
    }
}
