package org.pushbridge.sip;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.sip.address.TelURL;
import javax.sip.address.URI;
import javax.sip.header.Header;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.Timer;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.Flow;
import org.pushbridge.device.Tombstones;
import org.pushbridge.engine.CallEngine;
import org.pushbridge.engine.EngineSettings;
import org.pushbridge.engine.RunningCall;
import org.pushbridge.sip.registrar.DigestAuthenticator;
import org.pushbridge.sip.registrar.Registrar;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.Responses;
import org.pushbridge.sip.stack.SipEvents;
import org.pushbridge.sip.stack.SipStack;
import org.pushbridge.sip.stack.SipStackException;
import org.pushbridge.sip.stack.SipStackSettings;
import org.pushbridge.sip.stack.UnreadRequest;

/**
 * The SIP edge as a whole: starts the stack and gives each message to the handler of its method. Methods of
 * {@link SipEvents} are called on transport threads.
 */
public final class SipEdge implements AutoCloseable {
    private static final Logger log = LogManager.getLogger(SipEdge.class);
    /** How many calls are read from the journal before those that came before them are taken up. */
    private static final int TAKEN_UP_AHEAD = 500;

    private final Bridge bridge;
    private final CallEngine<BridgedCall> engine;
    private final SipStack stack;
    private final InviteHandler invites;
    private final RegisterHandler registers;
    private final RegisterAdmission registerAdmission;
    private final Subscriptions subscriptions;
    private final SubscribeHandler subscribes;
    private final DialogEvents dialogEvents;

    private SipEdge(
            SipSettings settings,
            SipStackSettings stackSettings,
            EngineSettings engineSettings,
            DeviceDirectory directory,
            Registrar registrar,
            DigestAuthenticator digest,
            Waker waker,
            Tombstones tombstones,
            CallJournal journal,
            byte[] secret,
            Clock clock,
            SubscriptionSettings subscriptionSettings,
            Function<Bridge, LiveDialogs> live)
            throws SipStackException {
        this.engine = new CallEngine<>(engineSettings);
        this.bridge = new Bridge(settings, directory, engine, waker, tombstones, journal, secret, clock);
        this.invites = new InviteHandler(bridge, digest);
        this.subscriptions = new Subscriptions(bridge, live.apply(bridge), subscriptionSettings);
        this.subscribes = new SubscribeHandler(bridge, digest, subscriptions);
        this.dialogEvents = new DialogEvents(subscriptions);
        bridge.useDialogEvents(dialogEvents);
        this.registers = new RegisterHandler(bridge, registrar);
        this.registerAdmission = new RegisterAdmission(
                settings.maxRegisterDelay(),
                bridge::registerDelay,
                register -> digest.answersChallenge(register.authorization(), register.source()),
                bridge::isAwaited,
                System::nanoTime);
        this.stack = SipStack.bound(stackSettings, new Dispatcher());
        bridge.useStack(stack);
        List<RunningCall<BridgedCall>> takenUp = takeUp();
        stack.receive();
        CompletableFuture<?>[] resumed = takenUp.stream().map(SipEdge::resume).toArray(CompletableFuture[]::new);
        // Who is in a call is known by then.
        var unused =
                CompletableFuture.allOf(resumed).thenRun(() -> bridge.verdicts().resume(settings.ringLimit()));
    }

    private static CompletableFuture<Void> resume(RunningCall<BridgedCall> call) {
        CompletableFuture<Void> resumed = new CompletableFuture<>();
        call.submit(() -> {
            try {
                call.edge().resume();
            } finally {
                resumed.complete(null);
            }
        });
        return resumed;
    }

    /** Finds the calls of the journal again, the eldest first; what comes in for them waits. */
    private List<RunningCall<BridgedCall>> takeUp() {
        int cores = Runtime.getRuntime().availableProcessors();
        // Who reads the journal takes part when the others are behind.
        ThreadPoolExecutor workers = new ThreadPoolExecutor(
                cores,
                cores,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(TAKEN_UP_AHEAD),
                new DefaultThreadFactory("take-up", true),
                new ThreadPoolExecutor.CallerRunsPolicy());
        List<CompletableFuture<Optional<RunningCall<BridgedCall>>>> calls = new ArrayList<>();
        AtomicInteger lost = new AtomicInteger();
        try {
            bridge.journal()
                    .readCalls(entry -> calls.add(CompletableFuture.supplyAsync(() -> takeUp(entry, lost), workers)));
            List<RunningCall<BridgedCall>> takenUp = new ArrayList<>();
            calls.forEach(call -> call.join().ifPresent(takenUp::add));
            if (!takenUp.isEmpty() || lost.get() > 0) {
                log.info("Calls taken up from the journal: {}; lost: {}", takenUp.size(), lost);
            }
            return takenUp;
        } finally {
            workers.shutdown();
        }
    }

    /** Empty if there is nothing left to do for it, or if it is damaged. */
    private Optional<RunningCall<BridgedCall>> takeUp(CallJournal.Entry entry, AtomicInteger lost) {
        try {
            CallMemory memory = bridge.memories().read(entry.state());
            if (memory.isPast(bridge.clock().instant(), bridge.settings().t1().multipliedBy(64))) {
                var unused = bridge.journal().end(entry.call());
                return Optional.empty();
            }
            return Optional.of(takeUp(memory, entry.invite()));
        } catch (IOException | RuntimeException e) {
            lost.incrementAndGet();
            log.error("Call {} cannot be taken up from the journal and is forgotten: {}", entry.call(), e.getMessage());
            var unused = bridge.journal().end(entry.call());
            return Optional.empty();
        }
    }

    private RunningCall<BridgedCall> takeUp(CallMemory memory, byte[] bytes) {
        Flow flow = memory.caller() instanceof FarEnd.DeviceEnd end
                ? end.flow()
                : ((FarEnd.TrunkEnd) memory.caller()).arrivedOn().orElseThrow();
        Optional<String> answer = memory.call()
                .answered()
                .map(dialog ->
                        bridge.identifiers().callerTag(memory.call().plan().id(), dialog));
        InboundRequest invite = stack.takeUp(bytes, flow, memory.caller() instanceof FarEnd.TrunkEnd, answer);
        CancelSwitch cancel = new CancelSwitch();
        invite.attach(cancel);
        RunningCall<BridgedCall> call =
                engine.resume(memory.call(), running -> BridgedCall.restored(bridge, running, invite, memory));
        cancel.connect(by -> call.submit(() -> call.edge().onCancel(by)));
        return call;
    }

    /**
     * Takes up the calls of the journal and starts listening.
     *
     * @param secret of the bridge's tags and branches; as long as it is the same, calls can be taken up
     * @throws SipStackException if an address cannot be listened on, with a sentence that says what to do
     */
    public static SipEdge start(
            SipSettings settings,
            SipStackSettings stackSettings,
            EngineSettings engineSettings,
            DeviceDirectory directory,
            Registrar registrar,
            DigestAuthenticator digest,
            Waker waker,
            Tombstones tombstones,
            CallJournal journal,
            byte[] secret,
            Clock clock)
            throws SipStackException {
        return start(
                settings,
                stackSettings,
                engineSettings,
                directory,
                registrar,
                digest,
                waker,
                tombstones,
                journal,
                secret,
                clock,
                SubscriptionSettings.withRoom(settings.maxSubscriptionsPerUser(), settings.maxSubscriptions()),
                LiveCalls::new);
    }

    /** The same with other limits for subscriptions, and another view of what is alive. */
    static SipEdge start(
            SipSettings settings,
            SipStackSettings stackSettings,
            EngineSettings engineSettings,
            DeviceDirectory directory,
            Registrar registrar,
            DigestAuthenticator digest,
            Waker waker,
            Tombstones tombstones,
            CallJournal journal,
            byte[] secret,
            Clock clock,
            SubscriptionSettings subscriptionSettings,
            Function<Bridge, LiveDialogs> live)
            throws SipStackException {
        return new SipEdge(
                settings,
                stackSettings,
                engineSettings,
                directory,
                registrar,
                digest,
                waker,
                tombstones,
                journal,
                secret,
                clock,
                subscriptionSettings,
                live);
    }

    /** A secret for {@link #start}, to be kept. */
    public static byte[] freshSecret() {
        return Identifiers.freshSecret();
    }

    DialogEvents dialogEvents() {
        return dialogEvents;
    }

    /** Where calls stand, for devices that ask outside of SIP. */
    public CallStates callStates() {
        return new CallStates(bridge);
    }

    /** The stack, for its listeners and counters. */
    public SipStack stack() {
        return stack;
    }

    /** How long callers and woken devices wait for the bridge. */
    public Delays delays() {
        return bridge.delays();
    }

    /** How many calls are alive. */
    public int calls() {
        return engine.alive();
    }

    /** How many of them ring or wait for a phone. */
    public int unanswered() {
        return engine.unanswered();
    }

    /** The calls, for what waits and how long. */
    public CallEngine<?> engine() {
        return engine;
    }

    /** How many calls were refused for this reason. */
    public long refusals(CallRefusal why) {
        return bridge.admission().refusals(why);
    }

    /** How many REGISTERs were refused because the bridge was behind. */
    public long registersRefused() {
        return registerAdmission.refused();
    }

    /** How long a REGISTER that comes now will wait, by what is in front of it. */
    public Duration registerDelay() {
        return registerAdmission.delay();
    }

    /** How many requests inside calls were refused because too many of their call waited for their answers. */
    public long requestsInCallsRefused() {
        return bridge.admission().countCrowdedOut();
    }

    /** Whether a new call could begin now. */
    public boolean takesCalls() {
        return bridge.admission().obstacle().isEmpty();
    }

    /** Subscriptions to dialog events now. */
    public int subscriptions() {
        return subscriptions.size();
    }

    /** How many there may be. */
    public int subscriptionLimit() {
        return subscriptions.settings.maxInAll();
    }

    /** How many were refused because there were as many as may be. */
    public long subscriptionsRefused() {
        return subscriptions.refused();
    }

    /** How many were refused because their user had as many as may be. */
    public long subscriptionsOfUserRefused() {
        return subscriptions.refusedOfUser();
    }

    /**
     * Takes no new calls from now on: they get 503. Those that are there go on, and so do registrations.
     *
     * @param comeBack when refused callers are told to try again
     */
    public void drain(Duration comeBack) {
        bridge.admission().drain(comeBack);
    }

    /**
     * Ends the calls that nobody has answered, as if their ring limit were reached.
     *
     * @return completes when all of them have been told
     */
    public CompletionStage<Void> endUnanswered() {
        List<CompletableFuture<Void>> told = new ArrayList<>();
        for (RunningCall<BridgedCall> call : engine.calls()) {
            CompletableFuture<Void> itIsTold = new CompletableFuture<>();
            told.add(itIsTold);
            call.submit(() -> {
                if (call.call().phase().isUnanswered()) {
                    call.call().timers().entrySet().stream()
                            .filter(timer -> timer.getKey().kind() == Timer.Kind.RING_LIMIT)
                            .findFirst()
                            .ifPresent(timer -> call.on(new CallEvent.TimerFired(timer.getKey(), timer.getValue())));
                }
                call.then(() -> itIsTold.complete(null));
            });
        }
        return CompletableFuture.allOf(told.toArray(CompletableFuture[]::new));
    }

    /** How many look-up keys of calls are held: 0 when no call is alive (invariant 6). */
    public int callKeys() {
        return engine.keys();
    }

    @Override
    public void close() {
        stack.close();
        engine.close();
        subscriptions.close();
        bridge.trunkAddresses().close();
    }

    private final class Dispatcher implements SipEvents {
        @Override
        public void onRequest(InboundRequest request) {
            if (!bridge.isStarted()) {
                answer(request, 503); // a moment too early: the bridge is starting
                return;
            }
            SIPRequest message = request.message();
            if (message.getMethod().equals("CANCEL")) {
                onCancel(request);
            } else if (message.getToTag() != null) {
                onInDialog(request);
            } else {
                switch (message.getMethod()) {
                    case "INVITE" -> invites.handle(request);
                    case "REGISTER" -> registers.handle(request);
                    case "OPTIONS" -> onOptions(request);
                    case "ACK" -> {} // of nothing we know
                    case "BYE", "PRACK", "UPDATE", "INFO" -> answer(request, 481);
                    case "SUBSCRIBE" -> subscribes.handle(request);
                    default -> answer(request, 405);
                }
            }
        }

        /** What it cancels carries what to do. */
        private void onCancel(InboundRequest cancel) {
            cancel.cancelled()
                    .flatMap(InboundRequest::attachment)
                    .ifPresentOrElse(onCancel -> ((Cancellable) onCancel).cancel(cancel), cancel::confirm);
        }

        private void onInDialog(InboundRequest request) {
            engine.byDialog(request.message().getToTag())
                    .ifPresentOrElse(
                            call -> {
                                if (!call.offer(() -> call.edge().onInDialog(request))) {
                                    answer(request, 503);
                                }
                            },
                            () -> {
                                if (request.message().getMethod().equals("SUBSCRIBE")) {
                                    subscribes.handleInDialog(request);
                                } else {
                                    answer(request, 481);
                                }
                            });
        }

        /** RFC 3261 section 11: what an INVITE would meet; trunks use it to see whether the bridge lives. */
        private void onOptions(InboundRequest request) {
            if (bridge.admission().obstacle().isPresent()) {
                answer(request, 503);
                return;
            }
            URI uri = request.message().getRequestURI();
            List<String> unsupported = Carried.unsupported(request.message());
            if (!(uri instanceof SipUri) && !(uri instanceof TelURL)) {
                answer(request, 416);
                return;
            }
            if (!unsupported.isEmpty()) {
                SIPResponse refusal = Responses.create(request.message(), 420, Optional.of(Messages.token()));
                unsupported.forEach(tag -> refusal.addHeader((Header) Messages.header("Unsupported", tag)));
                request.respond(refusal);
                return;
            }
            SIPResponse response = Responses.create(request.message(), 200, Optional.of(Messages.token()));
            response.setHeader((Header) Messages.header("Accept", "application/sdp"));
            response.setHeader((Header) Messages.allow());
            response.setHeader((Header) Messages.header("Allow-Events", SubscribeHandler.PACKAGE));
            response.setHeader((Header) Messages.header("Supported", "path"));
            request.respond(response);
        }

        private void answer(InboundRequest request, int status) {
            if (request.message().getMethod().equals("ACK")) {
                return;
            }
            SIPResponse response = Responses.create(
                    request.message(),
                    status,
                    request.message().getToTag() == null ? Optional.of(Messages.token()) : Optional.empty());
            if (status == 405) {
                response.setHeader((Header) Messages.allow());
            } else if (status == 503) {
                response.setHeader((Header) Messages.header(
                        "Retry-After", Long.toString(bridge.admission().retryAfter())));
            }
            request.respond(response);
        }

        @Override
        public int comeBackAfter(UnreadRequest register) {
            return registerAdmission.comeBackAfter(register);
        }

        @Override
        public void onStrayResponse(SIPResponse response, Flow flow) {
            if (response.getStatusCode() / 100 == 2
                    && response.getCSeq().getMethod().equals("INVITE")) {
                Optional.ofNullable(response.getFromTag())
                        .flatMap(engine::byDialog)
                        .ifPresent(call -> call.offer(() -> call.edge().onStrayAnswer(response)));
            }
        }

        @Override
        public void onFlowClosed(Flow flow) {
            registers
                    .aorOf(flow)
                    .ifPresent(aor -> engine.byAor(aor.toString())
                            .forEach(call -> call.submit(() -> call.edge().onFlowClosed(flow))));
        }
    }
}
