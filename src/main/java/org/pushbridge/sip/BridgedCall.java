package org.pushbridge.sip;

import gov.nist.javax.sip.header.RAck;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import javax.sip.address.Address;
import javax.sip.header.Header;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallAction;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.CallEvent.Failure;
import org.pushbridge.call.CallId;
import org.pushbridge.call.CallPlan;
import org.pushbridge.call.Content;
import org.pushbridge.call.Ending;
import org.pushbridge.call.ExchangeId;
import org.pushbridge.call.Leg;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Side;
import org.pushbridge.call.Verdict;
import org.pushbridge.device.Aor;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.Tombstone;
import org.pushbridge.engine.CallEdge;
import org.pushbridge.engine.RunningCall;
import org.pushbridge.sip.stack.ClientCall;
import org.pushbridge.sip.stack.Destination;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.ResponseHandler;
import org.pushbridge.sip.stack.Responses;
import org.pushbridge.sip.stack.SentAck;

/**
 * The SIP side of one call: turns what the rules ask for into messages, and messages into events.
 *
 * <p>Everything here runs on the call's thread; what transactions report on transport threads is handed over first.
 * The contract with the rules: each INVITE, BYE and passed-on request is answered by exactly one final event;
 * retransmissions are dealt with here and never reach the rules.
 */
final class BridgedCall implements CallEdge {
    private static final Logger log = LogManager.getLogger(BridgedCall.class);
    /** The CSeq of the call's INVITE on every leg and attempt. */
    private static final long INVITE_CSEQ = 1;
    /** A re-INVITE gets a 100 unless it is answered within this time (RFC 3261 section 17.2.1). */
    private static final Duration TRYING_WITHIN = Duration.ofMillis(200);
    /** Requests inside the call's dialogs that may wait for their answer. */
    private static final int MOST_EXCHANGES = 32;

    private final Bridge bridge;
    private final RunningCall<BridgedCall> running;
    private final CallerLeg caller;
    private final CallMemory.Called number;
    private final Optional<Aor> called;
    private final Callee callee;
    private final Instant began;
    /** Changed on the call's thread alone; others may look. */
    private final Map<LegId, DeviceLeg> legs = new ConcurrentHashMap<>();

    private final Map<ExchangeId, OpenExchange> exchanges = new HashMap<>();
    private final Map<Confirmed, Acknowledged> acks = new HashMap<>();
    private Optional<AnswerRepeat> answerRepeat = Optional.empty();
    private boolean answeredFinally;
    /** Whether the caller's ACK came, or is not waited for any more. */
    private boolean acknowledged;
    /** The 2xx for the caller, from when it is remembered until it is sent. */
    private Optional<SIPResponse> answer = Optional.empty();
    /** The 2xx as the caller was sent it, until then. */
    private Optional<String> unacknowledged = Optional.empty();
    /** A BYE for the caller that must not leave before (RFC 3261 section 15). */
    private Optional<CallAction.Bye> heldBye = Optional.empty();

    private int pushes;
    /** The device that has woken last, and is to get its INVITE; and when its REGISTER came. */
    private Optional<LegId> woken = Optional.empty();

    private long wokenNanos;
    /** Whether a push failed for a reason that may be over soon, such as an APNs out of reach. */
    private boolean wakeFailedForNow;
    /** Who was pushed to before the bridge was started anew. */
    private final Set<LegId> pushedBefore = new HashSet<>();

    /** A dialog as seen on one side. */
    private record Confirmed(Side side, LegDialog dialog) {}

    /** The last ACK sent in a dialog, and when: sent again when its 2xx comes again. */
    private record Acknowledged(long cseq, SentAck ack, long sentNanos) {}

    /** Tombstones of the step under way, written with it. */
    private final Map<LegId, Tombstone> buried = new HashMap<>();

    /** Re-INVITEs from before the bridge was started anew that are to go on. */
    private List<CallMemory.Waiting> waiting = List.of();

    /** The last final response to a request inside each dialog: its sender may not have got it when the bridge dies. */
    private final Map<Confirmed, CallMemory.Answer> answers = new HashMap<>();

    /** Whether it is from before the bridge was started anew. */
    private boolean restored;

    /** When the bridge was first started anew after the end of the call. */
    private Optional<Instant> toldAgain = Optional.empty();

    /** Whether it is remembered. */
    private boolean hasBegun;

    /** A call that begins. */
    BridgedCall(
            Bridge bridge,
            RunningCall<BridgedCall> running,
            InboundRequest invite,
            FarEnd caller,
            CallMemory.Called called) {
        this(bridge, running, invite, caller, called, bridge.clock().instant());
    }

    private BridgedCall(
            Bridge bridge,
            RunningCall<BridgedCall> running,
            InboundRequest invite,
            FarEnd caller,
            CallMemory.Called called,
            Instant began) {
        this.bridge = bridge;
        this.running = running;
        this.number = called;
        this.called = called.user();
        this.callee = Callee.of(bridge, called);
        this.began = began;
        this.caller = new CallerLeg(
                invite,
                caller,
                bridge.identifiers().callerTag(running.id()),
                dialog -> bridge.identifiers().callerTag(running.id(), dialog),
                running::claimDialog);
        this.called.ifPresent(aor -> running.claimAor(aor.toString()));
        if (caller instanceof FarEnd.DeviceEnd end) {
            running.claimAor(end.aor().toString());
        }
    }

    // --- what survives -------------------------------------------------------------------------------------------

    /** A call from before the bridge was started anew. Nothing is sent before {@link #resume}. */
    static BridgedCall restored(
            Bridge bridge, RunningCall<BridgedCall> running, InboundRequest invite, CallMemory memory) {
        BridgedCall call = new BridgedCall(bridge, running, invite, memory.caller(), memory.callee(), memory.began());
        call.hasBegun = true;
        call.restored = true;
        memory.callerDialogs().forEach(call.caller::restore);
        memory.legs().forEach((id, leg) -> {
            DeviceLeg restored = call.newLeg(id, leg.farEnd());
            restored.requestUri = leg.requestUri();
            restored.dialogs.putAll(leg.dialogs());
            restored.answered.addAll(leg.answered());
            restored.noteHeard();
            running.claimDialog(restored.localTag);
        });
        memory.call().legs().forEach((id, leg) -> {
            if (leg.wake() != Leg.Wake.NOT_PUSHED) {
                call.pushedBefore.add(id);
            }
        });
        call.waiting = memory.waiting();
        call.toldAgain = memory.toldAgain();
        memory.answers().forEach(answer -> call.answers.put(new Confirmed(answer.from(), answer.dialog()), answer));
        call.unacknowledged = memory.answer();
        call.acknowledged =
                memory.call().answered().isPresent() && memory.answer().isEmpty();
        call.answeredFinally = memory.call().answered().isPresent();
        return call;
    }

    /** Goes on from where the journal has the call. */
    void resume() {
        Call call = running.call();
        if (call.answered().isPresent()) {
            bridge.busy(
                    id(),
                    device(caller.farEnd),
                    device(farEnd(Side.LEG, call.answered().get())));
            if (call.phase() == Call.Phase.ENDED) {
                bridge.hungUp(id());
            }
        } else if (call.phase() == Call.Phase.RINGING) {
            // One that never heard anything still sends its INVITE.
            caller.invite.respond(Responses.create(caller.invite.message(), 100, Optional.empty()));
        }
        Set<LegId> reachable = new HashSet<>();
        for (Leg leg : call.legs().values()) {
            boolean matters = call.answered().isEmpty()
                    || !leg.open().isEmpty()
                    || !leg.cancelled().isEmpty();
            if (matters && callee.route(leg.id()).isPresent()) {
                reachable.add(leg.id());
            }
        }
        boolean callerReachable = device(caller.farEnd).isEmpty()
                || bridge.stack()
                        .isAlive(caller.farEnd instanceof FarEnd.DeviceEnd end ? end.flow() : caller.invite.flow());
        Duration elapsed = Duration.between(began, bridge.clock().instant());
        running.on(new CallEvent.Resumed(elapsed.isNegative() ? Duration.ZERO : elapsed, reachable, callerReachable));
        waiting.forEach(this::takeUpWaiting);
        waiting = List.of();
        if (running.call().phase() == Call.Phase.ENDED && toldAgain.isEmpty()) {
            toldAgain = Optional.of(bridge.clock().instant());
            running.remembered(() -> {});
        }
        caller.fold();
    }

    private void takeUpWaiting(CallMemory.Waiting reInvite) {
        byte[] bytes = reInvite.request().getBytes(StandardCharsets.ISO_8859_1);
        InboundRequest request;
        try {
            request = bridge.stack().takeUp(bytes, reInvite.flow(), false, Optional.empty());
        } catch (IllegalArgumentException e) {
            log.debug("A re-INVITE of call {} came again before it could be taken up: {}", id(), e.getMessage());
            return;
        }
        Optional<Confirmed> asked = dialogOf(request.message());
        Optional<CallMemory.Answer> answer = asked.flatMap(confirmed -> answerTo(confirmed, request.message()));
        if (answer.isPresent()) {
            answerAgain(request, asked.get(), answer.get());
        } else {
            onInDialog(request);
        }
    }

    /** It has its final response, which may not have left; a 2xx is repeated until its ACK comes. */
    private void answerAgain(InboundRequest request, Confirmed asked, CallMemory.Answer answer) {
        SIPResponse response = parsed(answer);
        Duration age = Duration.between(answer.since(), bridge.clock().instant());
        if (age.compareTo(bridge.settings().t1().multipliedBy(64)) >= 0) {
            request.respondOnce(response); // its sender has had it, or has given up; its transaction must end
            return;
        }
        request.respond(response);
        if (response.getStatusCode() < 300) {
            ExchangeId id = new ExchangeId(
                    asked.side(), asked.dialog(), response.getCSeq().getSeqNumber());
            OpenExchange exchange = new OpenExchange(request);
            exchange.replied = true;
            exchange.answeredBefore = true;
            exchange.forwardedCseq = answer.forwardedCseq();
            exchange.answerRepeat = Optional.of(new AnswerRepeat(
                    bridge,
                    running,
                    request,
                    response,
                    () -> acknowledgeExchange(new CallAction.AcknowledgeExchange(id, Optional.empty()))));
            exchanges.put(id, exchange);
        }
    }

    private SIPResponse parsed(CallMemory.Answer answer) {
        return bridge.stack().parseResponse(answer.response().getBytes(StandardCharsets.ISO_8859_1));
    }

    /** What was answered to this very request, if it is the last that was. */
    private Optional<CallMemory.Answer> answerTo(Confirmed asked, SIPRequest request) {
        return Optional.ofNullable(answers.get(asked)).filter(answer -> {
            SIPResponse response = parsed(answer);
            return response.getCSeq().getSeqNumber() == request.getCSeq().getSeqNumber()
                    && response.getCSeq().getMethod().equals(request.getMethod())
                    && response.getTopmostVia()
                            .getBranch()
                            .equals(request.getTopmostVia().getBranch());
        });
    }

    @Override
    public CompletionStage<Void> remember(Call memory, List<CallAction> actions, boolean awaited) {
        for (CallAction action : actions) {
            if (action instanceof CallAction.Bury bury) {
                bridge.device(bury.leg())
                        .ifPresent(device -> buried.put(bury.leg(), tombstone(device, bury.verdict(), bury.had())));
            } else if (action instanceof CallAction.AnswerCaller answering) {
                answer = Optional.of(answer(answering));
                unacknowledged = answer.map(response -> text(caller.invite, response));
            } else if (action instanceof CallAction.Reply reply) {
                prepare(reply);
            }
        }
        CallMemory stands = memory(memory, actions);
        CompletionStage<Void> written = awaited
                ? bridge.journal().write(entry(stands), tombstonesOf(actions))
                : bridge.journal().note(id().value(), () -> entry(stands)); // a tombstone would be awaited
        // What is only slow is waited for: a crash would lose what somebody has been told. What is gone is made up for
        // when it is back.
        boolean goesOn = hasBegun && bridge.journal().isAway();
        return goesOn ? CompletableFuture.completedStage(null) : written;
    }

    /** Any thread. */
    private CallJournal.Entry entry(CallMemory stands) {
        return new CallJournal.Entry(
                id().value(), caller.invite.bytes(), bridge.memories().write(stands));
    }

    /** What is about to be answered finally inside a dialog. A BYE that comes again is answered as one. */
    private void prepare(CallAction.Reply reply) {
        ExchangeId id = reply.exchange();
        OpenExchange exchange = exchanges.get(id);
        if (reply.status() < 200 || exchange == null || exchange.replied) {
            return;
        }
        SIPResponse response = response(reply, exchange);
        exchange.answer = Optional.of(response);
        if (!exchange.request.message().getMethod().equals("BYE")) {
            answers.put(
                    new Confirmed(id.from(), id.dialog()),
                    new CallMemory.Answer(
                            id.from(),
                            id.dialog(),
                            text(exchange.request, response),
                            exchange.forwardedCseq,
                            bridge.clock().instant()));
        }
    }

    private List<Tombstone> tombstonesOf(List<CallAction> actions) {
        List<Tombstone> tombstones = new ArrayList<>();
        for (CallAction action : actions) {
            if (action instanceof CallAction.Bury bury && buried.containsKey(bury.leg())) {
                tombstones.add(buried.get(bury.leg()));
            }
        }
        return tombstones;
    }

    private CallMemory memory(Call memory, List<CallAction> actions) {
        Set<ExchangeId> replied = new HashSet<>();
        for (CallAction action : actions) {
            if (action instanceof CallAction.Reply reply && reply.status() >= 200) {
                replied.add(reply.exchange());
            }
        }
        Map<LegDialog, Dialog> callerDialogs = new HashMap<>();
        caller.dialogs.forEach((id, dialog) -> callerDialogs.put(id, settled(Side.CALLER, id, dialog, replied)));
        Map<LegId, CallMemory.LegMemory> rememberedLegs = new HashMap<>();
        for (DeviceLeg leg : legs.values()) {
            Map<String, Dialog> dialogs = new HashMap<>();
            leg.dialogs.forEach(
                    (tag, dialog) -> dialogs.put(tag, settled(Side.LEG, new LegDialog(leg.id, tag), dialog, replied)));
            rememberedLegs.put(leg.id, new CallMemory.LegMemory(leg.farEnd, leg.requestUri, dialogs, leg.answered));
        }
        List<CallMemory.Waiting> stillWaiting = new ArrayList<>();
        exchanges.forEach((id, open) -> {
            if (open.isInvite() && (open.toldToWait || open.replied || replied.contains(id))) {
                stillWaiting.add(new CallMemory.Waiting(
                        new String(open.request.bytes(), StandardCharsets.ISO_8859_1), open.request.flow()));
            }
        });
        return new CallMemory(
                memory,
                began,
                caller.farEnd,
                number,
                callerDialogs,
                rememberedLegs,
                unacknowledged,
                stillWaiting,
                List.copyOf(answers.values()),
                toldAgain);
    }

    /**
     * A dialog as if the requests had not come that have no final reply: their senders repeat them, and they cross with
     * the numbers that they crossed with before.
     */
    private Dialog settled(Side side, LegDialog id, Dialog dialog, Set<ExchangeId> replied) {
        if (exchanges.isEmpty()) {
            return dialog;
        }
        long local = dialog.localCseq();
        long remote = dialog.remoteCseq();
        for (Map.Entry<ExchangeId, OpenExchange> open : exchanges.entrySet()) {
            ExchangeId exchange = open.getKey();
            if (!exchange.dialog().equals(id) || open.getValue().replied || replied.contains(exchange)) {
                continue;
            }
            if (exchange.from() == side) {
                remote = Math.min(remote, exchange.cseq() - 1);
            } else if (open.getValue().forwardedCseq > 0) {
                local = Math.min(local, open.getValue().forwardedCseq - 1);
            }
        }
        boolean isSettled = local == dialog.localCseq() && remote == dialog.remoteCseq();
        return isSettled ? dialog : dialog.counting(local, remote);
    }

    @Override
    public void begun() {
        hasBegun = true;
        caller.invite.respond(Responses.create(caller.invite.message(), 100, Optional.empty()));
    }

    @Override
    public void notBegun() {
        bridge.admission().refused(CallRefusal.NOT_STORED);
        SIPResponse response = Responses.create(caller.invite.message(), 503, Optional.of(caller.ownTag));
        response.setHeader((Header) Messages.header("Retry-After", "5"));
        caller.invite.respond(response);
        bridge.over(id());
        forget();
    }

    private static String text(InboundRequest request, SIPResponse response) {
        return new String(request.encoded(response), StandardCharsets.ISO_8859_1);
    }

    CallId id() {
        return running.id();
    }

    /** Whoever watches the calls of those in it is told. */
    private void changed() {
        called.ifPresent(bridge::changed);
        if (caller.farEnd instanceof FarEnd.DeviceEnd end) {
            bridge.changed(end.aor());
        }
    }

    /** Whether this user's devices still ring for it. Any thread: for limits, a moment's lag does not matter. */
    boolean rings(Aor user) {
        return called.equals(Optional.of(user)) && isRinging();
    }

    private boolean isRinging() {
        Call.Phase phase = running.call().phase();
        return phase == Call.Phase.NEW || phase == Call.Phase.RINGING;
    }

    /** Who is called, as the caller wrote it. Any thread. */
    Address calledAddress() {
        return caller.invite.message().getTo().getAddress();
    }

    /** The Call-ID of the caller's dialog. Any thread. */
    String callersCallId() {
        return caller.callId();
    }

    /** Who calls, as devices are told. Any thread. */
    Address callerAddress() {
        return caller.invite.message().getFrom().getAddress();
    }

    // --- what the rules ask for: the caller ----------------------------------------------------------------------

    @Override
    public void respondToCaller(CallAction.RespondToCaller action) {
        boolean wantsItReliable =
                Carried.options(caller.invite.message(), "Require").contains("100rel");
        if (action.status() < 200 && action.dialog().isEmpty() && wantsItReliable) {
            return; // RFC 3262 section 3: the bridge's own provisional would have to be sent reliably
        }
        String tag = action.dialog().map(d -> caller.dialog(d).localTag()).orElse(caller.ownTag);
        SIPResponse response =
                response(caller.invite, action.status(), Optional.of(tag), action.content(), caller.farEnd);
        if (action.dialog().isPresent()) {
            response.setHeader((Header) bridge.contactFor(caller.invite.flow()));
        }
        if (action.status() >= 300) {
            changed();
            answeredFinally = true;
            if (action.status() == 480 && wakeFailedForNow) {
                response.setHeader((Header) Messages.header("Retry-After", "30"));
            }
            action.reason()
                    .flatMap(verdict -> Reasons.towardsCaller(verdict, action.status()))
                    .ifPresent(reason -> response.setHeader((Header) reason));
        }
        caller.invite.respond(response);
    }

    @Override
    public void answerCaller(CallAction.AnswerCaller action) {
        changed();
        answeredFinally = true;
        SIPResponse response = answer.orElseGet(() -> answer(action));
        answer = Optional.empty();
        caller.invite.respond(response);
        repeatAnswer(response);
        bridge.busy(id(), device(caller.farEnd), device(farEnd(Side.LEG, action.dialog())));
    }

    private SIPResponse answer(CallAction.AnswerCaller action) {
        SIPResponse response = response(
                caller.invite,
                action.status(),
                Optional.of(caller.dialog(action.dialog()).localTag()),
                Optional.of(action.content()),
                caller.farEnd);
        response.setHeader((Header) bridge.contactFor(caller.invite.flow()));
        return response;
    }

    private void repeatAnswer(SIPResponse response) {
        answerRepeat =
                Optional.of(new AnswerRepeat(bridge, running, caller.invite, response, this::onCallerAckMissing));
    }

    @Override
    public void answerAgain(CallAction.AnswerAgain action) {
        unacknowledged.ifPresent(text -> {
            SIPResponse response = bridge.stack().parseResponse(text.getBytes(StandardCharsets.ISO_8859_1));
            bridge.stack().sendStateless(response, caller.invite);
            repeatAnswer(response);
        });
    }

    // --- what the rules ask for: the legs ------------------------------------------------------------------------

    @Override
    public void invite(CallAction.Invite action) {
        changed();
        Optional<Callee.Route> found = callee.route(action.leg());
        if (found.isEmpty()) {
            running.submit(() -> running.on(
                    new CallEvent.LegFailed(action.leg(), action.attempt(), Failure.TRANSPORT, 503, Optional.empty())));
            return;
        }
        Callee.Route route = found.get();
        DeviceLeg leg = legTowards(action.leg(), route);
        if (route.farEnd() instanceof FarEnd.DeviceEnd end) {
            leg.flows.put(action.attempt(), end.flow());
        }
        leg.invites.put(
                action.attempt(),
                bridge.stack()
                        .send(
                                request(leg, route),
                                bridge.identifiers().inviteBranch(id(), leg.id, action.attempt()),
                                route.destination(),
                                new InviteOutcome(leg, action.attempt())));
        if (woken.equals(Optional.of(action.leg()))) {
            woken = Optional.empty();
            bridge.delays().invited(wokenNanos);
        }
    }

    /** The call's INVITE on a leg; the same each time, but for the way it takes. */
    private SIPRequest request(DeviceLeg leg, Callee.Route route) {
        SIPRequest incoming = caller.invite.message();
        SIPRequest invite = Messages.request(
                "INVITE",
                leg.requestUri,
                caller.from(),
                leg.localTag,
                caller.to(),
                Optional.empty(),
                leg.callId,
                INVITE_CSEQ,
                incoming.getMaxForwards().getMaxForwards() - 1,
                route.routes());
        put(caller.offer(), invite, route.farEnd());
        bridge.assertIdentity(invite, caller.farEnd, route.farEnd());
        invite.setHeader((Header)
                Messages.header("X-Pushbridge-Call-UUID", CallKitUuid.of(id()).toString()));
        invite.setHeader((Header) bridge.contactFor(route.destination()));
        return invite;
    }

    private DeviceLeg legTowards(LegId id, Callee.Route route) {
        DeviceLeg leg = newLeg(id, route.farEnd());
        leg.farEnd = route.farEnd();
        leg.requestUri = Messages.withoutPushParameters(route.requestUri());
        running.claimDialog(leg.localTag);
        return leg;
    }

    private DeviceLeg newLeg(LegId id, FarEnd farEnd) {
        return legs.computeIfAbsent(
                id,
                legId -> new DeviceLeg(
                        legId,
                        Identifiers.callId(id(), legId),
                        bridge.identifiers().legTag(id(), legId),
                        farEnd));
    }

    @Override
    public void cancel(CallAction.Cancel action) {
        changed();
        DeviceLeg leg = legs.get(action.leg());
        ClientCall invite = leg == null ? null : leg.invites.get(action.attempt());
        if (invite == null) {
            invite = takeUp(action.leg(), action.attempt());
            leg = legs.get(action.leg());
        }
        if (leg != null && invite != null) {
            invite.cancel(Reasons.towardsDevice(action.reason(), rules(action.leg())));
            if (!leg.tookAnotherThan(action.attempt())) {
                cancelOnNewestFlow(leg, action.attempt(), invite);
            }
        }
    }

    /** An INVITE that was sent before the bridge was started anew. */
    private @Nullable ClientCall takeUp(LegId id, int attempt) {
        Optional<Callee.Route> route = callee.route(id);
        if (route.isEmpty()) {
            running.submit(
                    () -> running.on(new CallEvent.LegFailed(id, attempt, Failure.TRANSPORT, 503, Optional.empty())));
            return null;
        }
        DeviceLeg leg = legTowards(id, route.get());
        ClientCall invite = bridge.stack()
                .takeUp(
                        request(leg, route.get()),
                        bridge.identifiers().inviteBranch(id(), id, attempt),
                        route.get().destination(),
                        new InviteOutcome(leg, attempt));
        leg.invites.put(attempt, invite);
        return invite;
    }

    @Override
    public void cancelAgain(CallAction.CancelAgain action) {
        DeviceLeg leg = legs.get(action.leg());
        ClientCall invite = leg == null ? null : leg.invites.get(action.attempt());
        if (leg != null && invite != null) {
            cancelOnNewestFlow(leg, action.attempt(), invite);
        }
    }

    /** A device that rings for an INVITE that came over an older connection hears of its end over the newest one. */
    private void cancelOnNewestFlow(DeviceLeg leg, int attempt, ClientCall invite) {
        bridge.device(leg.id)
                .flatMap(bridge::reachableBinding)
                .filter(binding -> !binding.flow().equals(leg.flows.get(attempt)))
                .ifPresent(binding -> invite.cancelAgain(
                        new Destination.OverFlow(binding.flow()),
                        () -> running.submit(() -> inviteForgotten(leg, attempt))));
    }

    /**
     * The device lost its INVITE with the connection, and may still show the call: if it has no other, it is told like
     * one that wakes too late.
     */
    private void inviteForgotten(DeviceLeg leg, int attempt) {
        Leg stands = running.call().legs().get(leg.id);
        Optional<Verdict> verdict = running.call().verdict();
        boolean wasItsLast =
                stands != null && stands.open().isEmpty() && stands.cancelled().equals(Set.of(attempt));
        if (wasItsLast && verdict.isPresent() && !leg.hasEndedAnInvite()) {
            bridge.device(leg.id).ifPresent(device -> {
                bridge.tombstones().bury(tombstone(device, verdict.get(), false));
                bridge.verdicts().onInviteForgotten(device);
            });
        }
        running.on(new CallEvent.LegFailed(leg.id, attempt, Failure.REFUSED, 481, Optional.empty()));
    }

    @Override
    public void repeatFinal(CallAction.RepeatFinal action) {
        caller.invite.repeatLastResponse();
    }

    private AppRules rules(LegId leg) {
        return bridge.device(leg).map(bridge.settings()::rulesFor).orElse(AppRules.DEFAULT);
    }

    @Override
    public void acknowledge(CallAction.Acknowledge action) {
        acknowledge(Side.LEG, action.dialog(), INVITE_CSEQ, action.content());
    }

    @Override
    public void bye(CallAction.Bye action) {
        changed();
        bridge.hungUp(id());
        if (action.to() == Side.CALLER && !acknowledged) {
            heldBye = Optional.of(action);
            return;
        }
        if (isCutOff(action.to(), action.dialog())) {
            running.submit(() -> byeUndelivered(action));
            return;
        }
        send(action.to(), action.dialog(), "BYE", action.content(), new ResponseHandler() {
            @Override
            public void onResponse(SIPResponse response) {
                if (response.getStatusCode() >= 200) {
                    running.submit(() -> running.on(new CallEvent.ByeCompleted(action.to(), action.dialog())));
                }
            }

            @Override
            public void onTimeout() {
                running.submit(() -> byeUndelivered(action));
            }

            @Override
            public void onTransportFailure(String why) {
                running.submit(() -> byeUndelivered(action));
            }
        });
    }

    private void byeUndelivered(CallAction.Bye action) {
        boolean toDevice = device(farEnd(action.to(), action.dialog())).isPresent();
        running.on(
                toDevice
                        ? new CallEvent.ByeUndelivered(action.to(), action.dialog())
                        : new CallEvent.ByeCompleted(action.to(), action.dialog()));
    }

    /** Whether it is a device whose connection is gone. */
    private boolean isCutOff(Side side, LegDialog id) {
        FarEnd farEnd = farEnd(side, id);
        return farEnd instanceof FarEnd.DeviceEnd
                && bridge.destination(dialog(side, id).orElseThrow(), farEnd) instanceof Destination.OverFlow over
                && !bridge.stack().isAlive(over.flow());
    }

    @Override
    public void push(CallAction.Push action) {
        changed();
        Optional<Device> device = bridge.device(action.leg());
        if (device.isEmpty()) {
            running.submit(() -> running.on(new CallEvent.PushFailed(action.leg())));
            return;
        }
        pushes++;
        bridge.waker()
                .wake(
                        wake(device.get()),
                        timed(this::isRinging),
                        accepted -> {
                            if (accepted.voip()) {
                                running.submit(() -> {
                                    running.on(new CallEvent.PushAccepted(action.leg()));
                                    if (legs.isEmpty()) {
                                        caller.fold(); // it may wait for long
                                    }
                                });
                            }
                        },
                        failure -> running.submit(() -> pushFailed(action.leg(), failure)));
    }

    /** It is asked when the push is about to be written, on another thread. */
    private BooleanSupplier timed(BooleanSupplier stillWanted) {
        AtomicBoolean counted = new AtomicBoolean();
        return () -> {
            boolean wanted = stillWanted.getAsBoolean();
            if (wanted && !counted.getAndSet(true)) {
                bridge.delays().pushed(caller.invite.receivedNanos());
            }
            return wanted;
        };
    }

    private void pushFailed(LegId leg, Waker.Failure failure) {
        log.info("The push of call={} will not wake device={}: {}", id(), leg, failure.why());
        wakeFailedForNow |= !failure.appGone();
        running.on(failure.appGone() ? new CallEvent.AppGone(leg) : new CallEvent.PushFailed(leg));
    }

    @Override
    public void alertMissedCall(CallAction.AlertMissedCall action) {
        bridge.device(action.leg()).ifPresent(device -> bridge.waker().alertMissedCall(wake(device)));
    }

    private Waker.Wake wake(Device device) {
        Address from = caller.invite.message().getFrom().getAddress();
        return new Waker.Wake(
                id(),
                device,
                CallKitUuid.of(id()),
                device(caller.farEnd).equals(Optional.of(device.id()))
                        ? caller.callId()
                        : Identifiers.callId(id(), Bridge.leg(device.id())),
                from.getURI().toString(),
                from.getDisplayName() == null ? "" : from.getDisplayName(),
                caller.offer().offersVideo(),
                began,
                began.plus(running.call().plan().ringLimit()),
                pushedBefore.contains(Bridge.leg(device.id())));
    }

    @Override
    public void bury(CallAction.Bury action) {
        Tombstone tombstone = buried.remove(action.leg());
        if (tombstone != null) {
            bridge.tombstones().place(tombstone);
            bridge.device(action.leg()).ifPresent(device -> bridge.verdicts().onBuried(device, began));
        }
    }

    private Tombstone tombstone(Device device, Verdict verdict, boolean had) {
        Address from = caller.invite.message().getFrom().getAddress();
        return bridge.tombstones()
                .make(
                        id().value(),
                        device.id(),
                        verdict.word(),
                        Messages.withoutPushParameters(from.getURI().toString()),
                        from.getDisplayName() == null ? "" : from.getDisplayName(),
                        had);
    }

    @Override
    public void pushEnd(CallAction.PushEnd action) {
        bridge.device(action.leg()).ifPresent(device -> {
            String reason = action.verdict().word();
            if (action.voip()) {
                bridge.waker().endByVoip(wake(device), reason);
            } else {
                bridge.waker().endByBackground(wake(device), reason);
            }
        });
    }

    @Override
    public void pushForRequest(CallAction.PushForRequest action) {
        bridge.device(action.leg()).ifPresent(device -> bridge.waker().wakeForRequest(wake(device)));
    }

    // --- what the rules ask for: inside a dialog -----------------------------------------------------------------

    /** A request inside a dialog under way. */
    private static final class OpenExchange {
        final InboundRequest request;
        /** What was sent on to the other side, until its final outcome is known. */
        Optional<ClientCall> forwarded = Optional.empty();
        /** The CSeq number it got there. */
        long forwardedCseq;

        boolean replied;
        /** Whether its sender may have been told to wait. */
        boolean toldToWait;

        /** Its final response, from when it is remembered until it is sent. */
        Optional<SIPResponse> answer = Optional.empty();

        Optional<AnswerRepeat> answerRepeat = Optional.empty();
        /** Whether the 2xx that waits for its ACK is from before the bridge was started anew. */
        boolean answeredBefore;

        OpenExchange(InboundRequest request) {
            this.request = request;
        }

        boolean isInvite() {
            return request.message().getMethod().equals("INVITE");
        }
    }

    @Override
    public void forward(CallAction.Forward action) {
        ExchangeId id = action.exchange();
        OpenExchange exchange = exchanges.get(id);
        if (exchange != null && isCutOff(id.from().other(), id.dialog())) {
            running.submit(() -> undelivered(action));
        } else if (exchange != null) {
            ClientCall sent = send(
                    id.from().other(),
                    id.dialog(),
                    action.method(),
                    Optional.of(action.content()),
                    new ExchangeOutcome(id));
            exchange.forwarded = Optional.of(sent);
            exchange.forwardedCseq = sent.cseq();
        }
    }

    private void undelivered(CallAction.Forward action) {
        ExchangeId id = action.exchange();
        if (!isCutOff(id.from().other(), id.dialog())) {
            forward(action); // it has come back in the meantime
        } else if (mayBeWokenFor(id)) {
            running.on(new CallEvent.RequestUndelivered(id));
        } else {
            running.on(new CallEvent.ResponseReceived(id, 480, Optional.empty()));
        }
    }

    /** Whether the device has said in its Contact that requests in this dialog may wake it (RFC 8599 section 6). */
    private boolean mayBeWokenFor(ExchangeId id) {
        Side to = id.from().other();
        return device(farEnd(to, id.dialog()))
                .filter(device -> Messages.purr(
                                dialog(to, id.dialog()).orElseThrow().remoteTarget())
                        .filter(device::hasPurr)
                        .isPresent())
                .isPresent();
    }

    @Override
    public void reply(CallAction.Reply action) {
        ExchangeId id = action.exchange();
        OpenExchange exchange = exchanges.get(id);
        if (exchange == null || exchange.replied) {
            return;
        }
        if (action.status() < 200) {
            exchange.request.respond(response(action, exchange));
            return;
        }
        SIPResponse response = exchange.answer.orElseGet(() -> response(action, exchange));
        exchange.answer = Optional.empty();
        exchange.request.respond(response);
        exchange.replied = true;
        if (exchange.isInvite() && action.status() < 300) {
            exchange.answerRepeat = Optional.of(new AnswerRepeat(
                    bridge,
                    running,
                    exchange.request,
                    response,
                    () -> running.on(new CallEvent.ExchangeAckMissing(id))));
        } else if (exchange.forwarded.isEmpty()) {
            exchanges.remove(id);
        }
    }

    private SIPResponse response(CallAction.Reply action, OpenExchange exchange) {
        ExchangeId id = action.exchange();
        SIPResponse response = response(
                exchange.request, action.status(), Optional.empty(), action.content(), farEnd(id.from(), id.dialog()));
        if (action.status() < 300 && action.content().isPresent()) {
            response.setHeader((Header) bridge.contactFor(exchange.request.flow()));
        }
        if (action.status() == 500 && action.content().isEmpty()) {
            response.setHeader((Header) Messages.header("Retry-After", "5")); // RFC 3261 section 14.2
        }
        return response;
    }

    @Override
    public void acknowledgeExchange(CallAction.AcknowledgeExchange action) {
        ExchangeId id = action.exchange();
        OpenExchange exchange = exchanges.remove(id);
        if (exchange != null) {
            exchange.answerRepeat.ifPresent(AnswerRepeat::stop);
            acknowledge(id.from().other(), id.dialog(), exchange.forwardedCseq, action.content());
        }
    }

    @Override
    public void cancelExchange(CallAction.CancelExchange action) {
        OpenExchange exchange = exchanges.get(action.exchange());
        if (exchange != null) {
            exchange.forwarded.ifPresent(sent -> sent.cancel(Optional.empty()));
        }
    }

    /** Sends a request in the dialog of one side. */
    private ClientCall send(Side to, LegDialog id, String method, Optional<Content> content, ResponseHandler outcome) {
        Dialog dialog = dialog(to, id).orElseThrow().nextRequest();
        remember(to, id, dialog);
        FarEnd farEnd = farEnd(to, id);
        SIPRequest request = Messages.inDialog(method, dialog, dialog.localCseq());
        content.ifPresent(c -> put(c, request, farEnd));
        content.flatMap(c -> ((Carried) c).rack()).ifPresent(rack -> request.setHeader((Header) towards(to, id, rack)));
        var destination = bridge.destination(dialog, farEnd);
        request.setHeader((Header) bridge.contactFor(destination));
        String branch = bridge.identifiers().branch(id(), to, id, method, dialog.localCseq());
        return bridge.stack().send(request, branch, destination, outcome);
    }

    /** The RAck of a PRACK in the numbers of the leg it goes to. */
    private RAck towards(Side to, LegDialog id, RAck rack) {
        OpenExchange reInvite = exchanges.get(new ExchangeId(to.other(), id, rack.getCSeqNumberLong()));
        long cseq = reInvite == null ? INVITE_CSEQ : reInvite.forwardedCseq;
        return (RAck) Messages.header("RAck", rack.getRSequenceNumber() + " " + cseq + " " + rack.getMethod());
    }

    private void acknowledge(Side to, LegDialog id, long cseq, Optional<Content> content) {
        Dialog dialog = dialog(to, id).orElseThrow();
        FarEnd farEnd = farEnd(to, id);
        SIPRequest ack = Messages.inDialog("ACK", dialog, cseq);
        content.ifPresent(c -> put(c, ack, farEnd));
        SentAck sent = bridge.stack().sendAck(ack, bridge.destination(dialog, farEnd));
        acks.put(new Confirmed(to, id), new Acknowledged(cseq, sent, System.nanoTime()));
    }

    // --- what comes in -------------------------------------------------------------------------------------------

    /** The caller's CANCEL of the call's INVITE; it is confirmed once the end of the call is remembered. */
    void onCancel(InboundRequest cancel) {
        running.on(new CallEvent.CallerCancelled(), cancel::confirm);
    }

    private boolean isOfCaller(SIPRequest message) {
        return message.getCallId().getCallId().equals(caller.callId());
    }

    /** The dialog that a request is of, and whose request it is; empty if there is no such dialog. */
    private Optional<Confirmed> dialogOf(SIPRequest message) {
        if (isOfCaller(message)) {
            return caller.byLocalTag(message.getToTag()).map(dialog -> new Confirmed(Side.CALLER, dialog));
        }
        return legByCallId(message.getCallId().getCallId())
                .filter(leg -> leg.localTag.equals(message.getToTag()))
                .map(leg -> new LegDialog(leg.id, message.getFromTag()))
                .filter(dialog -> dialog(Side.LEG, dialog).isPresent())
                .map(dialog -> new Confirmed(Side.LEG, dialog));
    }

    /** Any request that carries a To tag and one of the call's Call-IDs; ACK included. */
    void onInDialog(InboundRequest request) {
        SIPRequest message = request.message();
        Optional<Confirmed> found = dialogOf(message);
        if (found.isEmpty()) {
            if (isOfCaller(message) && message.getMethod().equals("BYE") && caller.ownTag.equals(message.getToTag())) {
                // A caller may end the early dialog that only 182 made (RFC 3261 section 15).
                request.respond(Responses.create(request.message(), 200, Optional.empty()));
                running.on(new CallEvent.CallerCancelled());
            } else {
                refuse(request, 481);
            }
            return;
        }
        Side from = found.get().side();
        LegDialog id = found.get().dialog();
        Dialog dialog = dialog(from, id).orElseThrow();
        long cseq = message.getCSeq().getSeqNumber();
        arrivedOn(from, id, request.flow());
        if (message.getMethod().equals("ACK")) {
            onAck(from, id, cseq, message);
            return;
        }
        boolean mayBeRepeated =
                message.getMethod().equals("BYE") && running.call().phase() == Call.Phase.ENDED; // over a restart
        if (cseq < dialog.remoteCseq() || (cseq == dialog.remoteCseq() && !mayBeRepeated)) {
            Optional<CallMemory.Answer> given = answerTo(found.get(), message);
            if (given.isPresent()) {
                request.respond(parsed(given.get())); // over a restart
                return;
            }
            refuse(request, 500); // RFC 3261 section 12.2.2: out of order
            return;
        }
        List<String> unsupported = Carried.unsupported(message);
        if (!unsupported.isEmpty()) {
            SIPResponse response = Responses.create(message, 420, Optional.empty());
            unsupported.forEach(tag -> response.addHeader((Header) Messages.header("Unsupported", tag)));
            request.respond(response);
            return;
        }
        if (exchanges.size() >= MOST_EXCHANGES && !message.getMethod().equals("BYE")) {
            bridge.admission().crowdedOut();
            SIPResponse response = Responses.create(message, 503, Optional.empty());
            response.setHeader((Header) Messages.header("Retry-After", "5"));
            request.respond(response);
            return;
        }
        dialog = dialog.received(cseq);
        boolean refreshesTarget =
                message.getMethod().equals("INVITE") || message.getMethod().equals("UPDATE");
        if (refreshesTarget) {
            dialog = Messages.contactUri(message).map(dialog::refreshed).orElse(dialog);
        }
        remember(from, id, dialog);
        ExchangeId exchange = new ExchangeId(from, id, cseq);
        OpenExchange open = new OpenExchange(request);
        exchanges.put(exchange, open);
        if (message.getMethod().equals("INVITE")) {
            running.after(TRYING_WITHIN, () -> tellToWait(exchange, open));
        }
        Carried content = Carried.of(message, farEnd(from, id).isTrusted());
        if (message.getMethod().equals("BYE")) {
            if (from == Side.CALLER) {
                callerAcknowledged(); // its ACK was lost, or is behind
            }
            running.on(new CallEvent.ByeReceived(exchange, content));
            if (running.call().phase() == Call.Phase.ENDED) {
                bridge.hungUp(id()); // before its sender hears so, and perhaps calls again
            }
        } else {
            if (restored
                    && message.getMethod().equals("INVITE")
                    && running.call().phase() == Call.Phase.ANSWERED) {
                // Neither side sends one before the answer is acknowledged.
                callerAcknowledged();
                running.on(new CallEvent.CallerAcknowledged(id, Carried.NOTHING));
            }
            request.attach((Cancellable) cancel -> {
                cancel.confirm();
                running.submit(() -> running.on(new CallEvent.ExchangeCancelled(exchange)));
            });
            running.on(new CallEvent.RequestReceived(exchange, message.getMethod(), content));
        }
    }

    /** Once its sender has a 100 it does not send the request again, so that it must survive from then on. */
    private void tellToWait(ExchangeId id, OpenExchange exchange) {
        if (exchanges.get(id) == exchange && !exchange.replied) {
            exchange.toldToWait = true;
            running.remembered(() -> {
                if (!exchange.replied) {
                    SIPRequest request = exchange.request.message();
                    exchange.request.respond(Responses.create(request, 100, Optional.empty()));
                }
            });
        }
    }

    private void onAck(Side from, LegDialog id, long cseq, SIPRequest ack) {
        Carried content = Carried.of(ack, farEnd(from, id).isTrusted());
        if (from == Side.CALLER && cseq == caller.cseq()) {
            callerAcknowledged();
            running.on(new CallEvent.CallerAcknowledged(id, content));
        } else {
            ExchangeId exchange = new ExchangeId(from, id, cseq);
            if (Optional.ofNullable(exchanges.get(exchange))
                    .filter(open -> open.answeredBefore)
                    .isPresent()) {
                acknowledgeExchange(new CallAction.AcknowledgeExchange(exchange, Optional.of(content)));
            } else {
                running.on(new CallEvent.ExchangeAcknowledged(exchange, content));
            }
        }
    }

    private void onCallerAckMissing() {
        callerAcknowledged();
        running.on(new CallEvent.CallerAckMissing());
    }

    /** The answer is repeated no more, and a BYE that waited may go. */
    private void callerAcknowledged() {
        acknowledged = true;
        unacknowledged = Optional.empty();
        caller.fold(); // they may talk for long
        answerRepeat.ifPresent(AnswerRepeat::stop);
        Optional<CallAction.Bye> waiting = heldBye;
        heldBye = Optional.empty();
        waiting.ifPresent(this::bye);
    }

    private void refuse(InboundRequest request, int status) {
        if (!request.message().getMethod().equals("ACK")) {
            request.respond(Responses.create(request.message(), status, Optional.empty()));
        }
    }

    /** A 2xx to an INVITE that no transaction waits for: sent again, late, or from another branch of a fork. */
    void onStrayAnswer(SIPResponse response) {
        String callId = response.getCallId().getCallId();
        long cseq = response.getCSeq().getSeqNumber();
        if (callId.equals(caller.callId())) {
            caller.byLocalTag(response.getFromTag()).ifPresent(id -> acknowledgeAgain(Side.CALLER, id, cseq));
            return;
        }
        legByCallId(callId).ifPresent(leg -> {
            if (cseq == INVITE_CSEQ) {
                int newest = leg.invites.size();
                ClientCall invite = leg.invites.get(newest);
                if (answered(leg, newest, response) && invite != null) {
                    invite.answered();
                }
            } else {
                acknowledgeAgain(Side.LEG, new LegDialog(leg.id, response.getToTag()), cseq);
            }
        });
    }

    /**
     * A 2xx came again, so its ACK did not arrive. One from before the bridge was started anew is made again, if the 2xx had
     * reached whoever waited for it; if not, that one sends its request again and acknowledges.
     */
    private void acknowledgeAgain(Side side, LegDialog id, long cseq) {
        Acknowledged last = acks.get(new Confirmed(side, id));
        Optional<Dialog> dialog = dialog(side, id);
        if (last != null && last.cseq() == cseq) {
            // A 2xx comes again after T1 at the earliest; one that came at each ACK would go on for ever.
            long quickest = bridge.settings().t1().toNanos() / 2;
            if (System.nanoTime() - last.sentNanos() >= quickest) {
                acks.put(new Confirmed(side, id), new Acknowledged(cseq, last.ack(), System.nanoTime()));
                bridge.stack().sendAgain(last.ack(), bridge.destination(dialog.orElseThrow(), farEnd(side, id)));
            }
        } else if (restored
                && (last == null || last.cseq() < cseq)
                && acknowledged
                && dialog.isPresent()
                && cseq <= dialog.get().localCseq()
                && !waitsForAck(side, id, cseq)) {
            acknowledge(side, id, cseq, Optional.empty());
        }
    }

    /** Whether the ACK to this 2xx is to come from the other side. */
    private boolean waitsForAck(Side side, LegDialog id, long cseq) {
        return exchanges.entrySet().stream()
                .anyMatch(open -> open.getKey().from() == side.other()
                        && open.getKey().dialog().equals(id)
                        && open.getValue().forwardedCseq == cseq);
    }

    /** A device of the caller or of the called user registered, and its 200 is on the way. */
    void onRegistered(Device device, Flow flow, long receivedNanos) {
        boolean isCaller = device(caller.farEnd).equals(Optional.of(device.id()));
        if (isCaller) {
            caller.farEnd = caller.farEnd.nowOn(flow);
            if (!bridge.stack().isAlive(caller.invite.flow())) {
                bridge.stack().redirect(caller.invite, flow);
            }
        }
        boolean isCalled = called.equals(Optional.of(device.aor()));
        if (isCaller || isCalled) {
            LegId leg = Bridge.leg(device.id());
            if (!legs.containsKey(leg)) {
                woken = Optional.of(leg);
                wokenNanos = receivedNanos;
            }
            running.on(new CallEvent.DeviceRegistered(Bridge.leg(device.id()), bridge.pushes(device)));
        }
    }

    /** Who registered after the candidates were looked up, and before the call could be found, was not reported. */
    void catchUp() {
        running.call().plan().candidates().stream()
                .filter(candidate -> candidate.reach() == CallPlan.Reach.ASLEEP)
                .flatMap(candidate -> bridge.device(candidate.leg()).stream())
                .filter(device -> bridge.reachableBinding(device).isPresent())
                .forEach(device ->
                        running.on(new CallEvent.DeviceRegistered(Bridge.leg(device.id()), bridge.pushes(device))));
    }

    /** A connection is gone. */
    void onFlowClosed(Flow flow) {
        if (caller.farEnd instanceof FarEnd.DeviceEnd end
                && end.id().isPresent()
                && end.flow().equals(flow)) {
            running.on(new CallEvent.FlowLost(Bridge.leg(end.id().get())));
        }
        for (DeviceLeg leg : legs.values()) {
            if (leg.farEnd instanceof FarEnd.DeviceEnd end && end.flow().equals(flow)) {
                running.on(new CallEvent.FlowLost(leg.id));
            }
        }
    }

    /** What becomes of the call's INVITE on one leg. Called on transport threads. */
    private final class InviteOutcome implements ResponseHandler {
        private final DeviceLeg leg;
        private final int attempt;

        InviteOutcome(DeviceLeg leg, int attempt) {
            this.leg = leg;
            this.attempt = attempt;
        }

        @Override
        public void onResponse(SIPResponse response) {
            running.submit(() -> {
                int status = response.getStatusCode();
                if (leg.noteHeard()) {
                    bridge.device(leg.id).ifPresent(bridge.waker()::awake);
                }
                leg.noteTaken(attempt, status);
                if (status < 200) {
                    provisional(response);
                } else if (status < 300) {
                    if (!answered(leg, attempt, response)) {
                        // It answered another copy of the INVITE so before: this one has ended, too.
                        failed(Failure.REFUSED, DeviceLeg.MERGED_REQUEST, Optional.empty());
                    }
                } else {
                    leg.noteEnded(status);
                    failed(Failure.REFUSED, crossing(status, leg.id), Optional.of(carried(response)));
                }
            });
        }

        private void provisional(SIPResponse response) {
            String tag = response.getToTag() == null ? "" : response.getToTag();
            if (!leg.hasRoomFor(tag)) {
                return;
            }
            if (response.getStatusCode() > 100) {
                leg.dialogs.computeIfAbsent(tag, t -> legDialog(leg, response, leg.requestUri));
            }
            running.on(new CallEvent.Provisional(
                    new LegDialog(leg.id, tag), attempt, response.getStatusCode(), carried(response)));
        }

        private Carried carried(SIPResponse response) {
            return Carried.of(response, leg.farEnd.isTrusted());
        }

        @Override
        public void onTimeout() {
            running.submit(() -> failed(Failure.TIMEOUT, 408, Optional.empty()));
        }

        @Override
        public void onTransportFailure(String why) {
            running.submit(() -> {
                log.debug("INVITE {} of call {} to {} could not be sent: {}", attempt, id(), leg.id, why);
                failed(Failure.TRANSPORT, 503, Optional.empty());
            });
        }

        private void failed(Failure failure, int status, Optional<Content> content) {
            running.on(new CallEvent.LegFailed(leg.id, attempt, failure, status, content));
        }
    }

    /**
     * What the caller is told of a refusal. A challenge is for the bridge, which has no credentials to give; a
     * redirection is not followed, and its Contact does not cross.
     */
    private int crossing(int status, LegId from) {
        if (status == 401 || status == 407) {
            log.warn("Call {} failed: {} asks for credentials, and none are configured for it", id(), from);
            return 502;
        }
        return status >= 300 && status < 400 ? 480 : status;
    }

    /** @return whether that is news */
    private boolean answered(DeviceLeg leg, int attempt, SIPResponse response) {
        String tag = response.getToTag() == null ? "" : response.getToTag();
        LegDialog id = new LegDialog(leg.id, tag);
        if (!leg.hasRoomFor(tag)) {
            return false;
        }
        if (!leg.answered.add(tag)) {
            acknowledgeAgain(Side.LEG, id, INVITE_CSEQ);
            return false;
        }
        Dialog early = leg.dialogs.get(tag);
        Dialog confirmed = legDialog(leg, response, early == null ? leg.requestUri : early.remoteTarget());
        // Requests may have crossed in the early dialog already.
        leg.dialogs.put(tag, early == null ? confirmed : confirmed.counting(early.localCseq(), early.remoteCseq()));
        running.on(new CallEvent.Answered(
                id, attempt, response.getStatusCode(), Carried.of(response, leg.farEnd.isTrusted())));
        return true;
    }

    /** The dialog a response makes (RFC 3261 section 12.1.2). */
    private Dialog legDialog(DeviceLeg leg, SIPResponse response, String targetIfNoContact) {
        return new Dialog(
                leg.callId,
                caller.from(),
                leg.localTag,
                caller.to(),
                response.getToTag() == null ? "" : response.getToTag(),
                INVITE_CSEQ,
                -1,
                Messages.reversed(Messages.recordRoutes(response)),
                Messages.contactUri(response).orElse(targetIfNoContact),
                false);
    }

    /** What becomes of a request that was passed on. Called on transport threads. */
    private final class ExchangeOutcome implements ResponseHandler {
        private final ExchangeId id;

        ExchangeOutcome(ExchangeId id) {
            this.id = id;
        }

        @Override
        public void onResponse(SIPResponse response) {
            running.submit(() -> {
                int status = response.getStatusCode();
                Side answering = id.from().other();
                if (isOver()
                        && status / 100 == 2
                        && response.getCSeq().getMethod().equals("INVITE")) {
                    acknowledgeAgain(answering, id.dialog(), response.getCSeq().getSeqNumber());
                    return;
                }
                boolean refreshesTarget = status / 100 == 2
                        && (response.getCSeq().getMethod().equals("INVITE")
                                || response.getCSeq().getMethod().equals("UPDATE"));
                if (refreshesTarget) {
                    Messages.contactUri(response)
                            .ifPresent(target -> dialog(answering, id.dialog())
                                    .ifPresent(d -> remember(answering, id.dialog(), d.refreshed(target))));
                }
                if (status > 100) {
                    Carried content =
                            Carried.of(response, farEnd(answering, id.dialog()).isTrusted());
                    completed(crossing(status, id.dialog().leg()), Optional.of(content));
                }
            });
        }

        @Override
        public void onTimeout() {
            running.submit(() -> completed(408, Optional.empty()));
        }

        @Override
        public void onTransportFailure(String why) {
            running.submit(this::failed);
        }

        /** A device whose connection breaks under a request is as one whose connection was gone before. */
        private void failed() {
            Side to = id.from().other();
            OpenExchange exchange = exchanges.get(id);
            Optional<DeviceId> device = device(farEnd(to, id.dialog()));
            if (device.isEmpty()) {
                completed(503, Optional.empty());
            } else if (exchange == null || exchange.replied || !mayBeWokenFor(id)) {
                completed(480, Optional.empty());
            } else {
                exchange.forwarded = Optional.empty();
                running.on(new CallEvent.RequestUndelivered(id));
                if (!isCutOff(to, id.dialog())) { // it has come back in the meantime
                    bridge.directory()
                            .device(device.get())
                            .ifPresent(back -> running.on(
                                    new CallEvent.DeviceRegistered(Bridge.leg(back.id()), bridge.pushes(back))));
                }
            }
        }

        /** Whether the final response came already: the transaction still hands over repetitions of a 2xx. */
        private boolean isOver() {
            OpenExchange exchange = exchanges.get(id);
            return exchange == null || exchange.forwarded.isEmpty();
        }

        private void completed(int status, Optional<Content> content) {
            OpenExchange exchange = exchanges.get(id);
            if (exchange != null && status >= 200) {
                exchange.forwarded = Optional.empty();
                if (exchange.replied) {
                    running.on(new CallEvent.ResponseReceived(id, status, content));
                    exchanges.remove(id);
                    return;
                }
            }
            running.on(new CallEvent.ResponseReceived(id, status, content));
        }
    }

    // --- the end -------------------------------------------------------------------------------------------------

    @Override
    public void finished(Call call, Ending ending) {
        answerRepeat.ifPresent(AnswerRepeat::stop);
        exchanges.values().forEach(e -> e.answerRepeat.ifPresent(AnswerRepeat::stop));
        bridge.over(id());
        Runnable settled = forgetting(bridge.journal(), id());
        if (caller.farEnd instanceof FarEnd.DeviceEnd end && end.id().isPresent() && !caller.invite.isSettled()) {
            settle(
                    bridge,
                    end.aor(),
                    end.id().get(),
                    caller.invite,
                    whenLost(end.id().get()),
                    settled);
        } else {
            caller.invite.whenSettled(settled);
        }
        legs.values().forEach(this::letGo);
        log.info(
                "Call {} from {} to {} is over: {}; caller got {}; legs {}; pushes {}; lasted {} ms",
                id(),
                Messages.address(caller.from()).getURI(),
                caller.requestUri(),
                ending.cause().words(),
                ending.status(),
                call.legs().size(),
                pushes,
                Duration.between(began, bridge.clock().instant()).toMillis());
    }

    @Override
    public void broken() {
        answerRepeat.ifPresent(AnswerRepeat::stop);
        bridge.over(id());
        forget();
        if (!answeredFinally) {
            quietly(
                    "answer the caller",
                    () -> caller.invite.respond(
                            Responses.create(caller.invite.message(), 500, Optional.of(caller.ownTag))));
        }
        for (DeviceLeg leg : legs.values()) {
            leg.invites.values().forEach(invite -> quietly("cancel", () -> invite.cancel(Optional.empty())));
        }
        running.call()
                .answered()
                .filter(d -> !acks.containsKey(new Confirmed(Side.LEG, d)))
                .ifPresent(dialog -> {
                    quietly("acknowledge", () -> acknowledge(Side.LEG, dialog, INVITE_CSEQ, Optional.empty()));
                });
        for (Confirmed confirmed : List.copyOf(acks.keySet())) {
            quietly(
                    "hang up",
                    () -> send(Side.LEG, confirmed.dialog(), "BYE", Optional.empty(), ResponseHandler.NOBODY_CARES));
            quietly(
                    "hang up",
                    () -> send(Side.CALLER, confirmed.dialog(), "BYE", Optional.empty(), ResponseHandler.NOBODY_CARES));
        }
    }

    /** Does not keep the call. */
    private static void settle(
            Bridge bridge, Aor aor, DeviceId device, InboundRequest invite, Runnable whenLost, Runnable settled) {
        Bridge.Unsettled unsettled = bridge.answerUnderWay(aor, device, invite, whenLost);
        invite.whenSettled(() -> {
            bridge.answerSettled(aor, unsettled);
            settled.run();
        });
    }

    /** Its screen is ended as that of any lost device. Does not keep the call. */
    private Runnable whenLost(DeviceId id) {
        Optional<Device> device = bridge.directory().device(id);
        Optional<Verdict> verdict = running.call().verdict();
        boolean knows = running.call().callerAt() != Call.CallerAt.REACHABLE
                || verdict.equals(Optional.of(Verdict.CALLER_GAVE_UP));
        if (knows || device.isEmpty() || verdict.isEmpty()) {
            return () -> {};
        }
        Bridge all = bridge;
        Waker.Wake wake = wake(device.get());
        Tombstone tombstone = tombstone(device.get(), verdict.get(), true);
        return () -> {
            all.tombstones().bury(tombstone);
            all.waker().endByBackground(wake, tombstone.reason());
        };
    }

    /** Its requests are remembered for a while by what is below, but the call need not be. */
    private void letGo(DeviceLeg leg) {
        Map<String, SentAck> sent = new HashMap<>();
        Destination destination = new Destination.OverFlow(caller.invite.flow());
        for (Map.Entry<String, Dialog> dialog : leg.dialogs.entrySet()) {
            Acknowledged last = acks.get(new Confirmed(Side.LEG, new LegDialog(leg.id, dialog.getKey())));
            if (last != null && last.cseq() == INVITE_CSEQ) {
                sent.put(dialog.getKey(), last.ack());
                destination = bridge.destination(dialog.getValue(), leg.farEnd);
            }
        }
        for (ClientCall invite : leg.invites.values()) {
            invite.over(sent, destination);
        }
    }

    private void forget() {
        forgetting(bridge.journal(), id()).run();
    }

    /** Does not keep the call. */
    private static Runnable forgetting(CallJournal journal, CallId id) {
        return () -> journal.end(id.value()).whenComplete((done, fault) -> {
            if (fault != null) {
                log.warn(
                        "The end of call {} could not be written; it is seen to at the next start: {}",
                        id,
                        fault.getMessage());
            }
        });
    }

    private void quietly(String what, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            log.warn("Call {} broke, and to {} failed too", id(), what, e);
        }
    }

    // --- what they share -----------------------------------------------------------------------------------------

    private SIPResponse response(
            InboundRequest request, int status, Optional<String> tag, Optional<Content> content, FarEnd receiver) {
        SIPResponse response = Responses.create(request.message(), status, tag);
        content.ifPresent(c -> put(c, response, receiver));
        return response;
    }

    /** Puts what crosses into a message for a far end, less what that one may not see. */
    private static void put(Content content, SIPMessage message, FarEnd receiver) {
        Carried carried = (Carried) content;
        boolean hides = !receiver.isTrusted() && carried.asksForPrivacy();
        (hides ? carried.without(Carried::isAssertedIdentity) : carried).into(message);
    }

    private Optional<Dialog> dialog(Side side, LegDialog id) {
        if (side == Side.CALLER) {
            return Optional.of(caller.dialog(id));
        }
        DeviceLeg leg = legs.get(id.leg());
        return leg == null ? Optional.empty() : Optional.ofNullable(leg.dialogs.get(id.tag()));
    }

    private void remember(Side side, LegDialog id, Dialog dialog) {
        if (side == Side.CALLER) {
            caller.dialogs.put(id, dialog);
        } else {
            leg(id.leg()).dialogs.put(id.tag(), dialog);
        }
    }

    private FarEnd farEnd(Side side, LegDialog id) {
        return side == Side.CALLER ? caller.farEnd : leg(id.leg()).farEnd;
    }

    private void arrivedOn(Side side, LegDialog id, Flow flow) {
        if (side == Side.CALLER) {
            caller.farEnd = caller.farEnd.nowOn(flow);
        } else {
            DeviceLeg leg = leg(id.leg());
            leg.farEnd = leg.farEnd.nowOn(flow);
        }
    }

    private DeviceLeg leg(LegId id) {
        DeviceLeg leg = legs.get(id);
        if (leg == null) {
            throw new IllegalStateException("Leg " + id + " has no INVITE yet");
        }
        return leg;
    }

    private Optional<DeviceLeg> legByCallId(String callId) {
        for (DeviceLeg leg : legs.values()) {
            if (leg.callId.equals(callId)) {
                return Optional.of(leg);
            }
        }
        return Optional.empty();
    }

    private static Optional<DeviceId> device(FarEnd farEnd) {
        return farEnd instanceof FarEnd.DeviceEnd end ? end.id() : Optional.empty();
    }
}
