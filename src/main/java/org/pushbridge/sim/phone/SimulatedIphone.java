package org.pushbridge.sim.phone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.SipMessage;
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
    private static final Duration EXPIRES = Duration.ofHours(1);
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final int UNREPORTED_PUSHES_FORGIVEN = 3;
    private static final ObjectMapper JSON = new ObjectMapper();

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
    private final Map<UUID, CallScreen> screens = new ConcurrentHashMap<>();
    private final List<CallScreen> screensInOrder = new CopyOnWriteArrayList<>();
    private final Set<UUID> pushedCalls = new HashSet<>();
    private final List<String> alerts = new CopyOnWriteArrayList<>();
    private final List<String> backgroundPushes = new CopyOnWriteArrayList<>();
    private final String registerCallId = UUID.randomUUID().toString();
    private final List<Wire> leftOpen = new CopyOnWriteArrayList<>();
    private final Set<String> strays = new HashSet<>();
    private volatile Answering answering = new Answering.Ring();
    private long registerCseq;
    private long flow;
    private long registeredFlow;
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
                },
                observer);
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
        return List.copyOf(screensInOrder);
    }

    /** The payloads of the alerts that were shown, such as that of a missed call. */
    public List<String> alerts() {
        return List.copyOf(alerts);
    }

    /** The payloads of the background pushes that the app got. */
    public List<String> backgroundPushes() {
        return List.copyOf(backgroundPushes);
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
            register(status);
        });
        return status;
    }

    /** The app is put away and iOS closes its sockets. */
    public CompletableFuture<Void> sleep() {
        return done(() -> {
            agent.detach().ifPresent(Wire::close);
            observer.happened("sleeps");
        });
    }

    /** The app is put away; its sockets stay bound, but nobody reads them. */
    public CompletableFuture<Void> suspend() {
        return done(() -> {
            agent.detach().ifPresent(leftOpen::add);
            observer.happened("is suspended");
        });
    }

    /** The user swipes the app away. VoIP pushes still wake it; background pushes do not reach it any more. */
    public CompletableFuture<Void> forceQuit() {
        return done(() -> {
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
                agent.detach().ifPresent(leftOpen::add);
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
        return agent.placeCall(settings.registrar(), settings.address(), callee, Optional.of(settings.credentials()));
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
            agent.detach().ifPresent(Wire::close);
            agent.attach(wire);
        } catch (IOException e) {
            status.complete(0);
            return;
        }
        flow++;
        long thisFlow = flow;
        registerCseq += 2; // room for the answer to a challenge
        agent.register(
                settings.registrar(),
                settings.domain(),
                settings.credentials(),
                contact(),
                registerCallId,
                registerCseq,
                EXPIRES,
                result -> {
                    if (result == 200 && thisFlow == flow) {
                        registeredFlow = thisFlow;
                    }
                    status.complete(result);
                });
    }

    private String contact() {
        String topic = settings.teamId() + "." + settings.bundleId() + ".voip";
        String push = settings.remoteToken()
                .map(remote -> ";pn-provider=apns;pn-param=" + topic + "&remote;pn-prid=" + settings.voipToken()
                        + ":voip&" + remote + ":remote")
                .orElse(";pn-provider=apns;pn-param=" + topic + ";pn-prid=" + settings.voipToken());
        return "<" + agent.contactUri() + push + ">;+sip.instance=\"<urn:uuid:" + settings.instance() + ">\"";
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
            boolean stillRinging = screensInOrder.stream().anyMatch(CallScreen::isRinging);
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
            if (!settings.reportsCalls()) {
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
        agent.detach().ifPresent(Wire::close);
        observer.happened("app is killed: VoIP push not reported");
        if (unreported == UNREPORTED_PUSHES_FORGIVEN) {
            apple.stopVoipPushes();
        }
    }

    /** Whether a call is there now to wake up for. */
    private boolean report(String payload) {
        JsonNode fields;
        try {
            fields = JSON.readTree(payload);
        } catch (JsonProcessingException e) {
            violations.add("A VoIP push has a payload that is not JSON");
            return false;
        }
        for (String key : List.of("uuid", "sip-call-id", "sent-at", "expires-at")) {
            if (!fields.hasNonNull(key)) {
                violations.add("A VoIP push has no " + key);
            }
        }
        UUID uuid;
        try {
            uuid = UUID.fromString(fields.path("uuid").asText());
        } catch (IllegalArgumentException e) {
            violations.add("A VoIP push has no UUID that CallKit could take");
            return false;
        }
        if (!pushedCalls.add(uuid)) {
            violations.add("A second VoIP push came for call " + uuid);
        }
        if (screens.containsKey(uuid)) {
            return false; // CallKit knows it: the same UUID again is the same call
        }
        Optional<String> callId =
                Optional.of(fields.path("sip-call-id").asText()).filter(id -> !id.isEmpty());
        ring(new CallScreen(uuid, true, callId));
        return true;
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
            if (!forceQuit) {
                backgroundPushes.add(payload);
            }
        });
    }

    // --- calls ---------------------------------------------------------------------------------------------------

    private void ring(CallScreen screen) {
        screens.put(screen.uuid(), screen);
        screensInOrder.add(screen);
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
            case ANSWERED_ELSEWHERE, DECLINED_ELSEWHERE, CANCELLED ->
                "stops: " + how.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        };
    }

    private void invited(UaCall call) {
        call.provisional(100, "Trying");
        CallScreen screen = screenFor(call);
        if (!screen.invited(call, flow)) {
            violations.add("Two INVITEs came for call " + screen.uuid() + " over one flow");
            call.refuse(486, "Busy Here");
            return;
        }
        if (screen.refusal().isPresent()) {
            call.refuse(screen.refusal().get(), "Declined Before");
            return;
        }
        if (!screen.isRinging()) {
            violations.add("An INVITE came for call " + screen.uuid() + ", which was over");
            call.refuse(480, "Temporarily Unavailable");
            return;
        }
        call.provisional(180, "Ringing");
        var unused = call.ended().thenAccept(end -> agent.run(() -> ended(screen, end)));
        if (screen.isAnswerWanted()) {
            take(screen, call);
        }
    }

    private CallScreen screenFor(UaCall call) {
        Optional<UUID> named = call.invite().header(UUID_HEADER).flatMap(this::callKitUuid);
        Optional<CallScreen> byUuid = named.flatMap(uuid -> Optional.ofNullable(screens.get(uuid)));
        Optional<CallScreen> byCallId = screensInOrder.stream()
                .filter(s -> s.expectedCallId().equals(Optional.of(call.callId())))
                .findFirst();
        if (byUuid.isPresent()) {
            boolean otherCallId = byUuid.get()
                    .expectedCallId()
                    .filter(id -> !id.equals(call.callId()))
                    .isPresent();
            if (otherCallId) {
                violations.add("The INVITE of call " + byUuid.get().uuid() + " has another Call-ID than its push said");
            }
            return byUuid.get();
        }
        if (byCallId.isPresent()) {
            violations.add("The INVITE of call " + byCallId.get().uuid() + " has "
                    + named.map(uuid -> "the UUID " + uuid).orElse("no UUID") + ", not that of its push");
            return byCallId.get();
        }
        CallScreen screen = new CallScreen(named.orElseGet(UUID::randomUUID), false, Optional.empty());
        ring(screen);
        return screen;
    }

    private Optional<UUID> callKitUuid(String value) {
        try {
            UUID uuid = UUID.fromString(value);
            if (!uuid.toString().equals(value)) {
                violations.add("The UUID in an INVITE is not in lower case: " + value);
            }
            return Optional.of(uuid);
        } catch (IllegalArgumentException e) {
            violations.add("An INVITE has a UUID that is none: " + value);
            return Optional.empty();
        }
    }

    private void ended(CallScreen screen, UaCall.End how) {
        switch (how) {
            case ANSWERED_ELSEWHERE -> end(screen, RingingEnd.ANSWERED_ELSEWHERE);
            case DECLINED_ELSEWHERE -> end(screen, RingingEnd.DECLINED_ELSEWHERE);
            case CANCELLED, HUNG_UP_THERE -> end(screen, RingingEnd.CANCELLED);
            case HUNG_UP_HERE, REFUSED -> {}
        }
    }

    /** A request over a socket that is not the newest. Those that were sent before the newest one registered may come. */
    private void strayed(SipMessage request) {
        boolean seen = !strays.add(request.callId());
        boolean registeredAnew = agent.localAddress().isPresent() && registeredFlow == flow;
        if (request.method().equals("INVITE") && registeredAnew && !seen) {
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
        leftOpen.forEach(Wire::close);
    }
}
