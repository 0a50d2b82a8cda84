package org.pushbridge.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pushbridge.call.CallSimulation.Outcome;
import org.pushbridge.call.CallSimulation.Rules;
import org.pushbridge.call.Leg.State;

/** The simulation has teeth: rules with one bug planted in them are caught, each within a few hundred seeds. */
class PlantedBugsTest {
    private static final int SEEDS_AT_MOST = 5_000;

    /** Rules with one bug, and the invariants that may give it away. */
    private record Planted(String bug, Rules rules, Set<Invariant> breaks) {
        @Override
        public String toString() {
            return bug;
        }
    }

    private static Planted planted(
            String bug, Function<Call, CallRules> mutant, Invariant breaks, Invariant... alternatively) {
        return new Planted(
                bug, (call, event) -> mutant.apply(call).apply(call, event), EnumSet.of(breaks, alternatively));
    }

    /** A bug in what comes out of the right rules. */
    private static Planted planted(
            String bug,
            BiFunction<CallEvent, Step, List<CallAction>> actions,
            Invariant breaks,
            Invariant... alternatively) {
        return new Planted(
                bug,
                (call, event) -> {
                    Step step = CallRules.step(call, event);
                    return new Step(step.call(), actions.apply(event, step));
                },
                EnumSet.of(breaks, alternatively));
    }

    static Stream<Planted> bugs() {
        return Stream.of(
                        bugsInTheCallItself(),
                        bugsInWhatPushesAndAppsDo(),
                        bugsAboutLostConnections(),
                        bugsAboutRestarts())
                .flatMap(bugs -> bugs);
    }

    private static Stream<Planted> bugsInTheCallItself() {
        return Stream.of(
                planted(
                        "forgets to stop the ring limit",
                        call -> new CallRules(call) {
                            @Override
                            void stopTimer(Timer timer) {
                                if (!timer.equals(Timer.RING_LIMIT)) {
                                    super.stopTimer(timer);
                                }
                            }
                        },
                        Invariant.TIMERS),
                planted(
                        "obeys stale timers",
                        call -> new CallRules(call) {
                            @Override
                            void onTimerFired(Timer timer, int firedGeneration) {
                                super.onTimerFired(timer, timers.getOrDefault(timer, firedGeneration));
                            }
                        },
                        Invariant.TIMERS,
                        Invariant.ONE_INVITE),
                planted(
                        "pushes twice",
                        call -> new CallRules(call) {
                            @Override
                            void push(Leg leg) {
                                super.push(leg);
                                actions.add(new CallAction.Push(leg.id()));
                            }
                        },
                        Invariant.ONE_PUSH),
                planted(
                        "pushes after the end",
                        call -> new CallRules(call) {
                            @Override
                            void endRinging(Verdict why) {
                                super.endRinging(why);
                                legs.values().stream()
                                        .filter(leg -> leg.pushable() && !leg.wasPushed())
                                        .forEach(leg -> actions.add(new CallAction.Push(leg.id())));
                            }
                        },
                        Invariant.ONE_PUSH),
                planted(
                        "does not push to a silent phone",
                        call -> new CallRules(call) {
                            @Override
                            void onSilence(LegId id) {}
                        },
                        Invariant.ONE_PUSH,
                        Invariant.ONE_INVITE),
                planted(
                        "does not hear that a push failed",
                        call -> new CallRules(call) {
                            @Override
                            void onPushFailed(LegId id) {}
                        },
                        Invariant.PROMPT),
                planted(
                        "waits for the ring limit though nothing is left to wait for",
                        call -> new CallRules(call) {
                            @Override
                            void failIfHopeless() {}
                        },
                        Invariant.PROMPT),
                planted(
                        "does not hear the caller's CANCEL once a phone rings",
                        call -> new CallRules(call) {
                            @Override
                            void onCallerCancelled() {
                                if (legs.values().stream().noneMatch(leg -> leg.state() == State.RINGING)) {
                                    super.onCallerCancelled();
                                }
                            }
                        },
                        Invariant.PROMPT),
                planted(
                        "invites again at every REGISTER",
                        call -> new CallRules(call) {
                            @Override
                            void onDeviceRegistered(LegId id, Pushes pushes) {
                                Leg leg = legs.get(id);
                                if (leg != null && leg.state() == State.INVITED) {
                                    invite(leg);
                                } else {
                                    super.onDeviceRegistered(id, pushes);
                                }
                            }
                        },
                        Invariant.ONE_INVITE),
                planted(
                        "takes each 482 for a refusal",
                        call -> new CallRules(call) {
                            @Override
                            void onLegFailed(
                                    LegId id,
                                    int attempt,
                                    CallEvent.Failure failure,
                                    int status,
                                    Optional<Content> content) {
                                super.onLegFailed(id, attempt, failure, status == 482 ? 488 : status, content);
                            }
                        },
                        Invariant.ONE_INVITE,
                        Invariant.PROMPT,
                        Invariant.ONE_FINAL_RESPONSE,
                        Invariant.CANCELLED),
                planted(
                        "cancels nobody when one answers",
                        call -> new CallRules(call) {
                            @Override
                            void cancelOpenAttempts(Leg leg, Verdict why) {
                                if (why != Verdict.ANSWERED_ELSEWHERE) {
                                    super.cancelOpenAttempts(leg, why);
                                }
                            }
                        },
                        Invariant.CANCELLED),
                planted(
                        "sends a second 2xx to the caller",
                        call -> new CallRules(call) {
                            @Override
                            void dismiss(Leg leg, LegDialog dialog) {
                                actions.add(new CallAction.AnswerCaller(dialog, 200, new Content() {}));
                            }
                        },
                        Invariant.ONE_FINAL_RESPONSE),
                planted(
                        "leaves a late 2xx without ACK and BYE",
                        call -> new CallRules(call) {
                            @Override
                            void dismiss(Leg leg, LegDialog dialog) {}
                        },
                        Invariant.ONE_ANSWER),
                planted(
                        "acknowledges a late 2xx, but does not end it",
                        call -> new CallRules(call) {
                            @Override
                            void bye(Side to, LegDialog dialog, Optional<Content> content) {
                                if (answered.equals(Optional.of(dialog))) {
                                    super.bye(to, dialog, content);
                                }
                            }
                        },
                        Invariant.ONE_ANSWER),
                planted(
                        "buries nobody",
                        call -> new CallRules(call) {
                            @Override
                            Leg bury(Leg leg) {
                                return leg;
                            }
                        },
                        Invariant.VERDICT),
                planted(
                        "does not bury a phone whose CANCEL was lost",
                        call -> new CallRules(call) {
                            @Override
                            void noMoreAwaited(Leg leg) {}
                        },
                        Invariant.VERDICT),
                planted(
                        "alerts after the call was answered elsewhere",
                        call -> new CallRules(call) {
                            @Override
                            void endRinging(Verdict why) {
                                super.endRinging(why);
                                legs.values().stream()
                                        .filter(leg -> leg.pushable() && leg.state() != State.ANSWERED)
                                        .forEach(leg -> actions.add(new CallAction.AlertMissedCall(leg.id())));
                            }
                        },
                        Invariant.ALERT),
                planted(
                        "leaves requests without an answer when the call ends",
                        call -> new CallRules(call) {
                            @Override
                            void orphanExchanges(int status) {}
                        },
                        Invariant.EXCHANGE),
                planted(
                        "lets both sides change the session at once",
                        call -> new CallRules(call) {
                            @Override
                            boolean mayNotReInvite(ExchangeId id) {
                                return false;
                            }
                        },
                        Invariant.EXCHANGE),
                planted(
                        "forgets the ACK of a re-INVITE that was answered after the end",
                        (event, step) -> event instanceof CallEvent.ResponseReceived
                                ? without(CallAction.AcknowledgeExchange.class, step)
                                : step.actions(),
                        Invariant.EXCHANGE),
                planted(
                        "forgets the ACK when someone hangs up before the caller's ACK",
                        call -> new CallRules(call) {
                            @Override
                            void hangUp(Set<Side> toTell, Ending.Cause cause, Optional<Content> content) {
                                super.hangUp(toTell, cause, content);
                                actions.removeIf(action -> action instanceof CallAction.Acknowledge);
                            }
                        },
                        Invariant.ONE_ANSWER),
                planted(
                        "sends a BYE back to who hung up",
                        call -> new CallRules(call) {
                            @Override
                            void hangUp(Set<Side> toTell, Ending.Cause cause, Optional<Content> content) {
                                super.hangUp(EnumSet.allOf(Side.class), cause, content);
                            }
                        },
                        Invariant.HANG_UP),
                planted(
                        "takes the BYE of a dismissed answer for the end of the call",
                        call -> new CallRules(call) {
                            @Override
                            void onByeReceived(ExchangeId exchange, Content content) {
                                super.onByeReceived(exchange, content);
                                if (phase == Call.Phase.ESTABLISHED) {
                                    hangUp(EnumSet.allOf(Side.class), Ending.Cause.CALLEE_HUNG_UP, Optional.empty());
                                }
                            }
                        },
                        Invariant.HANG_UP),
                planted(
                        "tells of ringing after the final response",
                        call -> new CallRules(call) {
                            @Override
                            void onProvisional(LegDialog dialog, int attempt, int status, Content content) {
                                super.onProvisional(dialog, attempt, status, content);
                                if (phase != Call.Phase.RINGING) {
                                    actions.add(new CallAction.RespondToCaller(
                                            status, Optional.empty(), Optional.of(dialog), Optional.of(content)));
                                }
                            }
                        },
                        Invariant.ONE_FINAL_RESPONSE),
                planted("never finishes", (event, step) -> without(CallAction.Finish.class, step), Invariant.FINISH));
    }

    private static Stream<Planted> bugsInWhatPushesAndAppsDo() {
        return Stream.of(
                planted(
                        "ends call screens by VoIP push where the app never asked for it",
                        call -> new CallRules(call) {
                            @Override
                            void pushEnd(Leg leg, Verdict why) {
                                if (leg.hadThePush()) {
                                    actions.add(new CallAction.PushEnd(leg.id(), why, true));
                                }
                            }
                        },
                        Invariant.END_PUSH),
                planted(
                        "ends call screens by VoIP push though nobody knows that the first arrived",
                        call -> new CallRules(call) {
                            @Override
                            void pushEnd(Leg leg, Verdict why) {
                                if (leg.pushes().end() && leg.wasPushed()) {
                                    actions.add(new CallAction.PushEnd(leg.id(), why, true));
                                } else {
                                    super.pushEnd(leg, why);
                                }
                            }
                        },
                        Invariant.END_PUSH),
                planted(
                        "hints at the end in the background when the ring limit passes, too",
                        call -> new CallRules(call) {
                            @Override
                            void pushEnd(Leg leg, Verdict why) {
                                super.pushEnd(leg, why == Verdict.RING_LIMIT ? Verdict.CALLER_GAVE_UP : why);
                            }
                        },
                        Invariant.END_PUSH),
                planted(
                        "does not hint at the end",
                        call -> new CallRules(call) {
                            @Override
                            void pushEnd(Leg leg, Verdict why) {}
                        },
                        Invariant.END_PUSH),
                planted(
                        "pushes to phones that want to be spared",
                        call -> new CallRules(call) {
                            @Override
                            void pushToSpared() {
                                legs.values().stream()
                                        .filter(leg -> leg.state() == State.SPARED)
                                        .toList()
                                        .forEach(this::push);
                            }
                        },
                        Invariant.SPARED),
                planted(
                        "spares phones for ever",
                        call -> new CallRules(call) {
                            @Override
                            void pushToSpared() {}
                        },
                        Invariant.SPARED,
                        Invariant.PROMPT),
                planted(
                        "does not hear that an app is awake",
                        call -> new CallRules(call) {
                            @Override
                            void onAppAwake(LegId id) {}
                        },
                        Invariant.PROMPT,
                        Invariant.CANCELLED,
                        Invariant.END_PUSH,
                        Invariant.ONE_PUSH),
                planted(
                        "does not hear that APNs accepted a push",
                        call -> new CallRules(call) {
                            @Override
                            void onPushAccepted(LegId id) {}
                        },
                        Invariant.END_PUSH,
                        Invariant.ONE_PUSH),
                planted(
                        "tells the caller of alerting whenever the app says so",
                        call -> new CallRules(call) {
                            @Override
                            void onAlerting(LegId id) {
                                super.onAlerting(id);
                                if (phase == Call.Phase.RINGING && actions.isEmpty()) {
                                    actions.add(new CallAction.RespondToCaller(
                                            180, Optional.empty(), Optional.empty(), Optional.empty()));
                                }
                            }
                        },
                        Invariant.ONE_FINAL_RESPONSE),
                planted(
                        "tells the caller of alerting after the end",
                        call -> new CallRules(call) {
                            @Override
                            void onAlerting(LegId id) {
                                super.onAlerting(id);
                                if (phase != Call.Phase.RINGING) {
                                    actions.add(new CallAction.RespondToCaller(
                                            180, Optional.empty(), Optional.empty(), Optional.empty()));
                                }
                            }
                        },
                        Invariant.ONE_FINAL_RESPONSE),
                planted(
                        "does not hear that an app alerts",
                        call -> new CallRules(call) {
                            @Override
                            void onAlerting(LegId id) {
                                onAppAwake(id);
                            }
                        },
                        Invariant.ONE_FINAL_RESPONSE),
                planted(
                        "does not hear that a user declined over HTTP",
                        call -> new CallRules(call) {
                            @Override
                            void onDeclined(LegId id, int status) {
                                onAppAwake(id);
                            }
                        },
                        Invariant.PROMPT,
                        Invariant.CANCELLED,
                        Invariant.VERDICT,
                        Invariant.ONE_INVITE),
                planted(
                        "lets a phone ring on whose user declined over HTTP",
                        call -> new CallRules(call) {
                            @Override
                            void cancelOpenAttempts(Leg leg, Verdict why) {
                                if (why != Verdict.DECLINED_ELSEWHERE || phase != Call.Phase.RINGING) {
                                    super.cancelOpenAttempts(leg, why);
                                }
                            }
                        },
                        Invariant.CANCELLED));
    }

    private static Stream<Planted> bugsAboutLostConnections() {
        return Stream.of(
                planted(
                        "waits out the silence of a phone whose connection is gone",
                        call -> new CallRules(call) {
                            @Override
                            void onFlowLost(LegId id) {
                                Leg leg = legs.get(id);
                                if (leg == null || leg.state() != State.INVITED) {
                                    super.onFlowLost(id);
                                }
                            }
                        },
                        Invariant.ONE_PUSH,
                        Invariant.ONE_INVITE),
                planted(
                        "gives up a phone that rings for an older copy of the INVITE",
                        call -> new CallRules(call) {
                            @Override
                            void onLegFailed(
                                    LegId id,
                                    int attempt,
                                    CallEvent.Failure failure,
                                    int status,
                                    Optional<Content> content) {
                                Leg leg = legs.get(id);
                                boolean last = leg != null && leg.ended(attempt).awaitsNoEnd();
                                super.onLegFailed(
                                        id,
                                        attempt,
                                        last && status == 482 ? CallEvent.Failure.TRANSPORT : failure,
                                        last && status == 482 ? 503 : status,
                                        content);
                            }
                        },
                        Invariant.PROMPT,
                        Invariant.ONE_INVITE,
                        Invariant.ONE_PUSH,
                        Invariant.VERDICT),
                planted(
                        "does not cancel again on a fresh flow",
                        (event, step) -> without(CallAction.CancelAgain.class, step),
                        Invariant.CANCELLED),
                planted(
                        "cancels again while the caller waits",
                        call -> new CallRules(call) {
                            @Override
                            void onDeviceRegistered(LegId id, Pushes pushes) {
                                super.onDeviceRegistered(id, pushes);
                                Leg leg = legs.get(id);
                                if (phase == Call.Phase.RINGING && leg != null) {
                                    leg.open()
                                            .forEach(attempt -> actions.add(
                                                    new CallAction.CancelAgain(id, attempt, Verdict.CALLER_GAVE_UP)));
                                }
                            }
                        },
                        Invariant.CANCELLED),
                planted(
                        "forgets that the caller's connection is gone",
                        call -> new CallRules(call) {
                            @Override
                            void onFlowLost(LegId id) {
                                if (!plan.caller().equals(Optional.of(id))) {
                                    super.onFlowLost(id);
                                }
                            }
                        },
                        Invariant.VERDICT),
                planted(
                        "does not repeat the final response to a caller who is back",
                        (event, step) -> without(CallAction.RepeatFinal.class, step),
                        Invariant.HELD),
                planted(
                        "repeats the final response whenever the caller registers",
                        (event, step) -> {
                            List<CallAction> actions = new ArrayList<>(step.actions());
                            boolean byTheCaller = event instanceof CallEvent.DeviceRegistered e
                                    && step.call().plan().caller().equals(Optional.of(e.leg()));
                            if (byTheCaller && actions.isEmpty()) {
                                actions.add(new CallAction.RepeatFinal());
                            }
                            return actions;
                        },
                        Invariant.HELD,
                        Invariant.FINISH),
                planted(
                        "tells a lost caller by VoIP push",
                        (event, step) -> step.actions().stream()
                                .map(action -> action instanceof CallAction.PushEnd end
                                                && step.call().plan().caller().equals(Optional.of(end.leg()))
                                        ? new CallAction.PushEnd(end.leg(), end.verdict(), true)
                                        : action)
                                .toList(),
                        Invariant.END_PUSH),
                planted(
                        "takes a BYE that did not arrive for done",
                        call -> new CallRules(call) {
                            @Override
                            void onByeUndelivered(Side to, LegDialog dialog) {
                                onByeCompleted(to, dialog);
                            }
                        },
                        Invariant.HELD,
                        Invariant.END_PUSH,
                        Invariant.FINISH,
                        Invariant.HANG_UP),
                planted(
                        "holds what waits for ever",
                        call -> new CallRules(call) {
                            @Override
                            void startHold(Timer hold, Duration limit) {}
                        },
                        Invariant.TIMERS,
                        Invariant.FINISH),
                planted(
                        "holds other requests for as long as re-INVITEs",
                        call -> new CallRules(call) {
                            @Override
                            void startHold(Timer hold, Duration limit) {
                                super.startHold(hold, plan.holdLimit());
                            }
                        },
                        Invariant.HELD),
                planted(
                        "leaves no tombstone for a phone that never got its BYE",
                        (event, step) -> event instanceof CallEvent.TimerFired fired
                                        && fired.timer().kind() == Timer.Kind.HOLD
                                ? without(CallAction.Bury.class, step)
                                : step.actions(),
                        Invariant.HELD),
                planted(
                        "delivers nothing to a phone that is back",
                        call -> new CallRules(call) {
                            @Override
                            void deliverHeld(LegId party) {}
                        },
                        Invariant.HELD),
                planted(
                        "wakes nobody for a request that waits",
                        (event, step) -> without(CallAction.PushForRequest.class, step),
                        Invariant.HELD),
                planted(
                        "forgets who asked when nobody comes",
                        call -> new CallRules(call) {
                            @Override
                            void giveUpHeld(LegId party, boolean invites) {}
                        },
                        Invariant.HELD),
                planted(
                        "says of each tombstone that the device never had the INVITE",
                        (event, step) -> step.actions().stream()
                                .map(action -> action instanceof CallAction.Bury bury
                                        ? new CallAction.Bury(bury.leg(), bury.verdict(), false)
                                        : action)
                                .toList(),
                        Invariant.VERDICT));
    }

    private static Stream<Planted> bugsAboutRestarts() {
        return Stream.of(
                planted(
                        "forgets the ring limit in a restart",
                        (event, step) -> isResumed(event) ? without(Timer.RING_LIMIT, step) : step.actions(),
                        Invariant.TIMERS),
                planted(
                        "begins the ring limit anew in a restart",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                super.onResumed(
                                        new CallEvent.Resumed(Duration.ZERO, e.reachable(), e.callerReachable()));
                            }
                        },
                        Invariant.TIMERS,
                        Invariant.PROMPT),
                planted(
                        "lets phones ring for a moment though the ring limit passed while the bridge was down",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                Duration justInTime = plan.ringLimit().minusMillis(1);
                                boolean late = phase == Call.Phase.RINGING
                                        && e.elapsed().compareTo(justInTime) > 0;
                                super.onResumed(new CallEvent.Resumed(
                                        late ? justInTime : e.elapsed(), e.reachable(), e.callerReachable()));
                            }
                        },
                        Invariant.PROMPT),
                planted(
                        "lets an answered call last for ever after a restart",
                        (event, step) -> isResumed(event) ? without(Timer.DURATION_LIMIT, step) : step.actions(),
                        Invariant.TIMERS),
                planted(
                        "pushes again though Apple had accepted the push",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                super.onResumed(e);
                                legs.values().stream()
                                        .filter(leg -> leg.wake() == Leg.Wake.ACCEPTED && phase == Call.Phase.RINGING)
                                        .forEach(leg -> actions.add(new CallAction.Push(leg.id())));
                            }
                        },
                        Invariant.ONE_PUSH),
                planted(
                        "does not push again though nobody knows what became of the push",
                        (event, step) -> isResumed(event) ? without(CallAction.Push.class, step) : step.actions(),
                        Invariant.ONE_PUSH),
                planted(
                        "forgets the BYEs that are under way in a restart",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                byes.clear();
                                super.onResumed(e);
                            }
                        },
                        Invariant.HANG_UP),
                planted(
                        "takes a cancelled INVITE for one that rings after a restart",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                super.onResumed(e);
                                legs.values().stream()
                                        .filter(leg -> leg.state() == State.CANCELLING)
                                        .forEach(leg -> actions.add(new CallAction.Invite(leg.id(), leg.attempt())));
                            }
                        },
                        Invariant.ONE_INVITE,
                        Invariant.PROMPT),
                planted(
                        "does not cancel again what it cancelled before a restart",
                        (event, step) -> isResumed(event) ? without(CallAction.Cancel.class, step) : step.actions(),
                        Invariant.FINISH),
                planted(
                        "sends a new INVITE after a restart, which a phone that rings takes for another call",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                super.onResumed(e);
                                actions.replaceAll(action -> action instanceof CallAction.Invite again
                                        ? new CallAction.Invite(again.leg(), again.attempt() + 1)
                                        : action);
                            }
                        },
                        Invariant.ONE_INVITE),
                planted(
                        "takes connections for alive after a restart",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                super.onResumed(new CallEvent.Resumed(e.elapsed(), legs.keySet(), true));
                            }
                        },
                        Invariant.ONE_INVITE,
                        Invariant.FINISH,
                        Invariant.VERDICT),
                planted(
                        "takes the caller's connection for alive after a restart",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                super.onResumed(new CallEvent.Resumed(e.elapsed(), e.reachable(), true));
                            }
                        },
                        Invariant.VERDICT),
                planted(
                        "answers 481 to a BYE that is repeated after a restart",
                        call -> new CallRules(call) {
                            @Override
                            void onByeReceived(ExchangeId exchange, Content content) {
                                Optional<Integer> lingers = Optional.ofNullable(timers.remove(Timer.LINGER));
                                super.onByeReceived(exchange, content);
                                lingers.ifPresent(generation -> timers.put(Timer.LINGER, generation));
                            }
                        },
                        Invariant.EXCHANGE),
                planted(
                        "does not send its final response again after a restart",
                        (event, step) ->
                                isResumed(event) ? without(CallAction.RespondToCaller.class, step) : step.actions(),
                        Invariant.ONE_FINAL_RESPONSE,
                        Invariant.PROMPT),
                planted(
                        "does not send the answer again after a restart",
                        (event, step) -> without(CallAction.AnswerAgain.class, step),
                        Invariant.ONE_FINAL_RESPONSE),
                planted(
                        "says of each phone that it had the INVITE, once the bridge was started anew",
                        call -> new CallRules(call) {
                            @Override
                            void onResumed(CallEvent.Resumed e) {
                                legs.replaceAll((id, leg) -> leg.heardOn() == 0 ? leg.withHeardOn(1) : leg);
                                super.onResumed(e);
                            }
                        },
                        Invariant.VERDICT),
                planted(
                        "takes a 481 to its CANCEL for word from a phone that has the call",
                        call -> new CallRules(call) {
                            @Override
                            void onLegFailed(
                                    LegId id,
                                    int attempt,
                                    CallEvent.Failure failure,
                                    int status,
                                    Optional<Content> content) {
                                super.onLegFailed(id, attempt, failure, status == 481 ? 487 : status, content);
                            }
                        },
                        Invariant.VERDICT));
    }

    private static boolean isResumed(CallEvent event) {
        return event instanceof CallEvent.Resumed;
    }

    private static List<CallAction> without(Timer timer, Step step) {
        List<CallAction> rest = new ArrayList<>(step.actions());
        rest.removeIf(action ->
                action instanceof CallAction.StartTimer start && start.timer().equals(timer));
        return rest;
    }

    private static List<CallAction> without(Class<? extends CallAction> kind, Step step) {
        List<CallAction> rest = new ArrayList<>(step.actions());
        rest.removeIf(kind::isInstance);
        return rest;
    }

    @ParameterizedTest(name = "a call that {0}")
    @MethodSource("bugs")
    void aPlantedBugIsCaught(Planted planted) {
        for (int seed = 1; seed <= SEEDS_AT_MOST; seed++) {
            Outcome outcome = CallSimulation.run(seed, planted.rules(), new Coverage(), false);
            if (outcome.broken().isPresent()) {
                Invariant broken = outcome.broken().get().invariant();
                System.out.println(
                        "Planted bug: " + planted.bug() + "; caught by " + broken + "; seeds needed: " + seed);
                assertThat(planted.breaks()).contains(broken);
                return;
            }
        }
        throw new AssertionError(SEEDS_AT_MOST + " seeds did not catch this planted bug: " + planted.bug());
    }
}
