package org.pushbridge.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pushbridge.call.CallStory.acknowledge;
import static org.pushbridge.call.CallStory.alert;
import static org.pushbridge.call.CallStory.answerAgain;
import static org.pushbridge.call.CallStory.answersCaller;
import static org.pushbridge.call.CallStory.asleep;
import static org.pushbridge.call.CallStory.bury;
import static org.pushbridge.call.CallStory.buryWhatRang;
import static org.pushbridge.call.CallStory.busy;
import static org.pushbridge.call.CallStory.bye;
import static org.pushbridge.call.CallStory.cancel;
import static org.pushbridge.call.CallStory.cancelAgain;
import static org.pushbridge.call.CallStory.connected;
import static org.pushbridge.call.CallStory.dialog;
import static org.pushbridge.call.CallStory.endByVoip;
import static org.pushbridge.call.CallStory.endInBackground;
import static org.pushbridge.call.CallStory.endable;
import static org.pushbridge.call.CallStory.finish;
import static org.pushbridge.call.CallStory.forward;
import static org.pushbridge.call.CallStory.invite;
import static org.pushbridge.call.CallStory.parked;
import static org.pushbridge.call.CallStory.passesOn;
import static org.pushbridge.call.CallStory.passesOnAck;
import static org.pushbridge.call.CallStory.passesOnBye;
import static org.pushbridge.call.CallStory.passesOnReply;
import static org.pushbridge.call.CallStory.push;
import static org.pushbridge.call.CallStory.pushForRequest;
import static org.pushbridge.call.CallStory.refuses;
import static org.pushbridge.call.CallStory.repeatFinal;
import static org.pushbridge.call.CallStory.reply;
import static org.pushbridge.call.CallStory.sparing;
import static org.pushbridge.call.CallStory.tellsOfAlerting;
import static org.pushbridge.call.CallStory.tellsOfRinging;
import static org.pushbridge.call.CallStory.trunk;
import static org.pushbridge.call.CallStory.words;

import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.pushbridge.call.Ending.Cause;

/** What happens when: the rules, told as calls. */
class CallRulesTest {
    private static final LegDialog PHONE = dialog("phone");
    private static final LegDialog TABLET = dialog("tablet");

    private static CallStory ringing() {
        return CallStory.to(connected("phone")).rings("phone", 1);
    }

    private static CallStory talking() {
        return CallStory.to(connected("phone")).answers("phone", 1).callerAcknowledges("phone");
    }

    @Nested
    class ParkAndWake {
        @Test
        void aCallForASleepingPhoneIsParkedAfterOnePush() {
            CallStory.to(asleep("phone")).does(push("phone"), parked());
        }

        @Test
        void theWokenPhoneGetsTheInviteOnceHoweverOftenItRegisters() {
            CallStory.to(asleep("phone"))
                    .registers("phone")
                    .does(invite("phone", 1))
                    .registers("phone")
                    .doesNothing()
                    .rings("phone", 1)
                    .does(tellsOfRinging("phone"))
                    .registers("phone")
                    .doesNothing();
        }

        @Test
        void aConnectedPhoneGetsTheInviteAndNoPush() {
            CallStory.to(connected("phone")).does(invite("phone", 1));
        }

        @Test
        void aPhoneThatComesUpWhileOthersRingJoins() {
            ringing().registers("tablet").does(invite("tablet", 1));
        }

        @Test
        void aFailedPushFailsTheCallAtOnceAndLeavesAVerdictInCaseItWasDeliveredAfterAll() {
            CallStory.to(asleep("phone"))
                    .pushFails("phone")
                    .does(refuses(480, Verdict.FAILED), bury("phone", Verdict.FAILED), finish(Cause.UNREACHABLE, 480));
        }

        @Test
        void aFailedPushEndsNothingWhileAnotherPhoneRings() {
            CallStory.to(connected("phone"), asleep("tablet"))
                    .rings("phone", 1)
                    .pushFails("tablet")
                    .doesNothing()
                    .answers("phone", 1)
                    .does(answersCaller("phone"), bury("tablet", Verdict.ANSWERED_ELSEWHERE));
        }

        @Test
        void anAppThatIsGoneFailsTheCallAtOnceAlthoughItsOldConnectionLooksAlive() {
            CallStory.to(connected("phone"))
                    .staysSilent("phone")
                    .appIsGone("phone")
                    .does(cancel("phone", 1, Verdict.FAILED), refuses(480, Verdict.FAILED))
                    .timesOut("phone", 1)
                    .does(finish(Cause.UNREACHABLE, 480));
        }

        @Test
        void tryingShowsThatAPhoneIsAwakeAndIsNotTheCallersBusiness() {
            CallStory story =
                    CallStory.to(connected("phone")).isTrying("phone", 1).doesNothing();
            assertThatThrownBy(() -> story.staysSilent("phone")).hasMessageContaining("does not run");
        }

        @Test
        void aBrokenConnectionMeansThatThePhoneIsAsleep() {
            CallStory.to(connected("phone")).breaks("phone", 1).does(push("phone"), parked());
        }

        @Test
        void aSilentPhoneIsPushedToAndMayRefuseTheSecondCopyAsMerged() {
            CallStory.to(connected("phone"))
                    .staysSilent("phone")
                    .does(push("phone"), parked())
                    .registers("phone")
                    .does(invite("phone", 2))
                    .refuses("phone", 2, 482)
                    .doesNothing()
                    .rings("phone", 1)
                    .does(tellsOfRinging("phone"))
                    .answers("phone", 1)
                    .does(answersCaller("phone"));
        }

        @Test
        void nobodyToCallFailsTheCallAtOnce() {
            CallStory.to().does(refuses(480, Verdict.FAILED), finish(Cause.UNREACHABLE, 480));
        }
    }

    @Nested
    class Ringing {
        @Test
        void everyProvisionalResponseReachesTheCallerInTheDialogItCameFrom() {
            CallEvent earlyMedia = new CallEvent.Provisional(dialog("trunk", "b"), 1, 183, words("early media"));
            CallStory.to(trunk("trunk"))
                    .rings("trunk", 1)
                    .does(tellsOfRinging("trunk"))
                    .on(earlyMedia)
                    .does(new CallAction.RespondToCaller(
                            183,
                            Optional.empty(),
                            Optional.of(dialog("trunk", "b")),
                            Optional.of(words("early media"))));
        }

        @Test
        void requestsCrossInAnEarlyDialog() {
            CallStory story = ringing().asks(Side.CALLER, PHONE, "PRACK");
            ExchangeId prack = story.newest(Side.CALLER, PHONE);
            story.does(forward(prack, "PRACK")).isTold(prack, 200).does(passesOnReply(prack, 200));
        }

        @Test
        void theFirstToAnswerGetsTheCallAndTheOthersAreCancelledOrBuried() {
            CallStory.to(connected("phone"), connected("tablet"), asleep("old phone"))
                    .rings("phone", 1)
                    .rings("tablet", 1)
                    .answers("phone", 1)
                    .does(
                            answersCaller("phone"),
                            cancel("tablet", 1, Verdict.ANSWERED_ELSEWHERE),
                            bury("old phone", Verdict.ANSWERED_ELSEWHERE))
                    .callerAcknowledges("phone")
                    .does(passesOnAck(PHONE))
                    .refuses("tablet", 1, 487)
                    .doesNothing();
        }

        @Test
        void anAnswerThatCrossesTheCancelIsAcknowledgedAndEnded() {
            CallStory.to(connected("phone"), connected("tablet"))
                    .answers("phone", 1)
                    .answers("tablet", 1)
                    .does(acknowledge(TABLET), bye(Side.LEG, TABLET));
        }

        @Test
        void theRingLimitEndsTheCallAndAlertsEachPhoneThatMissedIt() {
            CallStory.to(connected("phone"), asleep("tablet"))
                    .rings("phone", 1)
                    .ringLimitPasses()
                    .does(
                            refuses(480, Verdict.RING_LIMIT),
                            alert("phone"),
                            cancel("phone", 1, Verdict.RING_LIMIT),
                            alert("tablet"),
                            bury("tablet", Verdict.RING_LIMIT))
                    .refuses("phone", 1, 487)
                    .does(finish(Cause.RING_LIMIT, 480));
        }

        @Test
        void aPhoneThatRegistersAsTheRingLimitPassesIsNotInvitedAnyMore() {
            CallStory.to(asleep("phone"))
                    .ringLimitPasses()
                    .does(
                            refuses(480, Verdict.RING_LIMIT),
                            alert("phone"),
                            bury("phone", Verdict.RING_LIMIT),
                            finish(Cause.RING_LIMIT, 480))
                    .registers("phone")
                    .doesNothing();
        }

        @Test
        void aPhoneThatRegistersJustBeforeTheRingLimitIsInvitedAndThenCancelled() {
            CallStory.to(asleep("phone"))
                    .registers("phone")
                    .ringLimitPasses()
                    .does(refuses(480, Verdict.RING_LIMIT), alert("phone"), cancel("phone", 1, Verdict.RING_LIMIT));
        }
    }

    @Nested
    class TheCallerGivesUp {
        @Test
        void aRingingPhoneIsCancelledAndAlerted() {
            ringing()
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            cancel("phone", 1, Verdict.CALLER_GAVE_UP))
                    .refuses("phone", 1, 487)
                    .does(finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aSleepingPhoneFindsATombstone() {
            CallStory.to(asleep("phone"))
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            bury("phone", Verdict.CALLER_GAVE_UP),
                            finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aPhoneWhoseCancelIsLostFindsATombstone() {
            ringing()
                    .callerCancels()
                    .timesOut("phone", 1)
                    .does(buryWhatRang("phone", Verdict.CALLER_GAVE_UP), finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aRingingPhoneThatLostItsConnectionFindsATombstoneAndIsHintedAtTheEnd() {
            ringing()
                    .flowIsLost("phone")
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            buryWhatRang("phone", Verdict.CALLER_GAVE_UP),
                            cancel("phone", 1, Verdict.CALLER_GAVE_UP),
                            endInBackground("phone", Verdict.CALLER_GAVE_UP));
        }

        @Test
        void theAnswerComesFirst() {
            ringing()
                    .answers("phone", 1)
                    .does(answersCaller("phone"))
                    .callerCancels()
                    .doesNothing();
        }

        @Test
        void theCancelComesFirst() {
            ringing()
                    .callerCancels()
                    .answers("phone", 1)
                    .does(acknowledge(PHONE), bye(Side.LEG, PHONE))
                    .byeIsAnswered(Side.LEG, PHONE)
                    .does(finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aByeInAnEarlyDialogGivesUpToo() {
            CallStory story = ringing().hangsUp(Side.CALLER, PHONE);
            story.does(
                    reply(story.newest(Side.CALLER, PHONE), 200),
                    refuses(487, Verdict.CALLER_GAVE_UP),
                    alert("phone"),
                    cancel("phone", 1, Verdict.CALLER_GAVE_UP));
        }

        @Test
        void aRequestThatIsStillOpenIsAnswered() {
            CallStory story = ringing().asks(Side.LEG, PHONE, "INFO");
            ExchangeId info = story.newest(Side.LEG, PHONE);
            story.callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            cancel("phone", 1, Verdict.CALLER_GAVE_UP),
                            reply(info, 487));
        }
    }

    @Nested
    class Refusals {
        @Test
        void busyHereEndsOnlyThatPhone() {
            CallStory.to(connected("phone"), connected("tablet"))
                    .refuses("phone", 1, 486)
                    .doesNothing()
                    .rings("tablet", 1)
                    .refuses("tablet", 1, 486)
                    .does(passesOn(486, Verdict.FAILED), finish(Cause.DECLINED, 486));
        }

        @Test
        void declineEndsTheCallForAllAndAlertsNobody() {
            CallStory.to(connected("phone"), connected("tablet"), asleep("old phone"))
                    .rings("tablet", 1)
                    .refuses("phone", 1, 603)
                    .does(
                            passesOn(603, Verdict.DECLINED_ELSEWHERE),
                            cancel("tablet", 1, Verdict.DECLINED_ELSEWHERE),
                            bury("old phone", Verdict.DECLINED_ELSEWHERE));
        }

        @Test
        void theCallerGetsAPersonsWordRatherThanAMachines() {
            CallStory.to(trunk("a"), trunk("b"), trunk("c"))
                    .refuses("a", 1, 404)
                    .refuses("b", 1, 486)
                    .refuses("c", 1, 500)
                    .does(passesOn(486, Verdict.FAILED), finish(Cause.DECLINED, 486));
        }

        @Test
        void sixHundredOutranksAllOthers() {
            CallStory.to(trunk("a"), trunk("b"))
                    .refuses("a", 1, 606)
                    .refuses("b", 1, 486)
                    .does(passesOn(606, Verdict.FAILED), finish(Cause.DECLINED, 606));
        }

        @Test
        void serviceUnavailableOfOneTrunkIsNotPassedOn() {
            CallStory.to(trunk("a"))
                    .refuses("a", 1, 503)
                    .does(
                            new CallAction.RespondToCaller(
                                    500, Optional.of(Verdict.FAILED), Optional.empty(), Optional.of(words("503"))),
                            finish(Cause.DECLINED, 500));
        }

        @Test
        void aPhoneInAnotherCallIsBusyWithoutBeingAsked() {
            CallStory.to(busy("phone")).does(refuses(486, Verdict.FAILED), finish(Cause.UNREACHABLE, 486));
        }

        @Test
        void aTrunkThatCannotBeReachedFailsTheCallAtOnce() {
            CallStory.to(trunk("a")).breaks("a", 1).does(refuses(480, Verdict.FAILED), finish(Cause.UNREACHABLE, 480));
        }
    }

    @Nested
    class Talking {
        @Test
        void requestsCrossBothWays() {
            CallStory story = talking().asks(Side.CALLER, PHONE, "INFO");
            ExchangeId info = story.newest(Side.CALLER, PHONE);
            story.does(forward(info, "INFO")).isTold(info, 200).does(passesOnReply(info, 200));
            story.asks(Side.LEG, PHONE, "MESSAGE");
            ExchangeId message = story.newest(Side.LEG, PHONE);
            story.does(forward(message, "MESSAGE")).isTold(message, 415).does(passesOnReply(message, 415));
        }

        @Test
        void aReInviteCrossesWithItsAnswerAndItsAck() {
            CallStory story = talking().asks(Side.LEG, PHONE, "INVITE");
            ExchangeId hold = story.newest(Side.LEG, PHONE);
            story.does(forward(hold, "INVITE"))
                    .isTold(hold, 200)
                    .does(passesOnReply(hold, 200))
                    .on(new CallEvent.ExchangeAcknowledged(hold, words("ACK")))
                    .does(new CallAction.AcknowledgeExchange(hold, Optional.of(words("ACK"))));
        }

        @Test
        void twoReInvitesAtOnceAreGlare() {
            CallStory story = talking().asks(Side.LEG, PHONE, "INVITE").asks(Side.CALLER, PHONE, "INVITE");
            story.does(reply(story.newest(Side.CALLER, PHONE), 491));
            story.asks(Side.LEG, PHONE, "INVITE");
            story.does(reply(story.newest(Side.LEG, PHONE), 500));
        }

        @Test
        void aCancelledReInviteIsCancelledOnTheOtherSide() {
            CallStory story = talking().asks(Side.CALLER, PHONE, "INVITE");
            ExchangeId hold = story.newest(Side.CALLER, PHONE);
            story.on(new CallEvent.ExchangeCancelled(hold))
                    .does(new CallAction.CancelExchange(hold))
                    .isTold(hold, 487)
                    .does(passesOnReply(hold, 487));
        }

        @Test
        void aRequestInAnUnknownDialogIsRefused() {
            CallStory story = talking().asks(Side.CALLER, TABLET, "INFO");
            story.does(reply(story.newest(Side.CALLER, TABLET), 481));
        }
    }

    @Nested
    class HangingUp {
        @Test
        void theCallerHangsUp() {
            CallStory story = talking().hangsUp(Side.CALLER, PHONE);
            story.does(reply(story.newest(Side.CALLER, PHONE), 200), passesOnBye(Side.LEG, PHONE))
                    .byeIsAnswered(Side.LEG, PHONE)
                    .does(finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void theCalleeHangsUp() {
            CallStory story = talking().hangsUp(Side.LEG, PHONE);
            story.does(reply(story.newest(Side.LEG, PHONE), 200), passesOnBye(Side.CALLER, PHONE))
                    .byeIsAnswered(Side.CALLER, PHONE)
                    .does(finish(Cause.CALLEE_HUNG_UP, 200));
        }

        @Test
        void bothHangUpAtOnce() {
            CallStory story = talking().hangsUp(Side.CALLER, PHONE).hangsUp(Side.LEG, PHONE);
            story.does(reply(story.newest(Side.LEG, PHONE), 200))
                    .byeIsAnswered(Side.LEG, PHONE)
                    .does(finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void theCallerHangsUpBeforeItsAck() {
            CallStory story =
                    CallStory.to(connected("phone")).answers("phone", 1).hangsUp(Side.CALLER, PHONE);
            story.does(reply(story.newest(Side.CALLER, PHONE), 200), acknowledge(PHONE), passesOnBye(Side.LEG, PHONE));
        }

        @Test
        void theCallerNeverAcknowledges() {
            CallStory.to(connected("phone"))
                    .answers("phone", 1)
                    .on(new CallEvent.CallerAckMissing())
                    .does(acknowledge(PHONE), bye(Side.CALLER, PHONE), bye(Side.LEG, PHONE));
        }

        @Test
        void aByeCrossesAReInvite() {
            CallStory story = talking().asks(Side.LEG, PHONE, "INVITE");
            ExchangeId hold = story.newest(Side.LEG, PHONE);
            story.hangsUp(Side.CALLER, PHONE);
            story.does(reply(story.newest(Side.CALLER, PHONE), 200), passesOnBye(Side.LEG, PHONE), reply(hold, 487))
                    .byeIsAnswered(Side.LEG, PHONE)
                    .doesNothing()
                    .isTold(hold, 200)
                    .does(
                            new CallAction.AcknowledgeExchange(hold, Optional.empty()),
                            finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void theDurationLimitEndsACallWhoseByeWasNeverSeen() {
            talking()
                    .durationLimitPasses()
                    .does(bye(Side.CALLER, PHONE), bye(Side.LEG, PHONE))
                    .byeIsAnswered(Side.CALLER, PHONE)
                    .doesNothing()
                    .byeIsAnswered(Side.LEG, PHONE)
                    .does(finish(Cause.DURATION_LIMIT, 200));
        }
    }

    @Nested
    class OverHttp {
        @Test
        void anAppThatAlertsBeforeAnyInviteIsHeardByTheCallerOnce() {
            CallStory.to(asleep("phone"))
                    .alertsOverHttp("phone")
                    .does(tellsOfAlerting())
                    .alertsOverHttp("phone")
                    .doesNothing();
        }

        @Test
        void anAppWhosePhoneRingsAlreadyTellsTheCallerNothingNew() {
            ringing().alertsOverHttp("phone").doesNothing();
        }

        @Test
        void whoDeclinesBeforeAnyInviteIsHeardAtOnce() {
            CallStory.to(asleep("phone"))
                    .declinesOverHttp("phone", 486)
                    .does(refuses(486, Verdict.FAILED), finish(Cause.DECLINED, 486));
        }

        @Test
        void whoDeclinesForAllBeforeAnyInviteStopsTheOthers() {
            CallStory.to(asleep("phone"), connected("tablet"))
                    .rings("tablet", 1)
                    .declinesOverHttp("phone", 603)
                    .does(refuses(603, Verdict.DECLINED_ELSEWHERE), cancel("tablet", 1, Verdict.DECLINED_ELSEWHERE));
        }

        @Test
        void whoDeclinesARingingPhoneOverHttpHasItsInviteCancelledAndIsInvitedNoMore() {
            CallStory.to(connected("phone"), connected("tablet"))
                    .rings("phone", 1)
                    .declinesOverHttp("phone", 486)
                    .does(cancel("phone", 1, Verdict.DECLINED_ELSEWHERE))
                    .registers("phone")
                    .doesNothing();
        }

        @Test
        void anAppThatAskedIsAwakeWhateverApnsSays() {
            CallStory.to(asleep("phone"))
                    .asksOverHttp("phone")
                    .pushFails("phone")
                    .doesNothing()
                    .registers("phone")
                    .does(invite("phone", 1));
        }

        @Test
        void afterTheEndNothingThatAnAppSaysMatters() {
            CallStory.to(connected("phone"), asleep("tablet"))
                    .callerCancels()
                    .alertsOverHttp("tablet")
                    .doesNothing()
                    .declinesOverHttp("tablet", 603)
                    .doesNothing();
        }
    }

    @Nested
    class Sparing {
        @Test
        void aSleepingPhoneIsSparedWhileAnotherMayHaveTheCallAndPushedToWhenNobodyHasIt() {
            CallStory.to(connected("desk"), sparing("phone"))
                    .does(invite("desk", 1))
                    .rings("desk", 1)
                    .does(tellsOfRinging("desk"))
                    .flowIsLost("desk")
                    .does(push("phone"));
        }

        @Test
        void aSleepingPhoneIsPushedToAtOnceWhenNobodyElseIsThere() {
            CallStory.to(sparing("phone")).does(push("phone"), parked());
        }

        @Test
        void silenceElsewhereSparesNobody() {
            CallStory.to(trunk("desk"), sparing("phone")).staysSilent("desk").does(push("phone"));
        }

        @Test
        void aSparedPhoneThatComesUpByItselfJoins() {
            CallStory.to(connected("desk"), sparing("phone"))
                    .rings("desk", 1)
                    .registers("phone")
                    .does(invite("phone", 1));
        }

        @Test
        void aSparedPhoneMissesTheCallWithoutATombstone() {
            CallStory.to(connected("desk"), sparing("phone"))
                    .rings("desk", 1)
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("desk"),
                            cancel("desk", 1, Verdict.CALLER_GAVE_UP),
                            alert("phone"));
        }
    }

    @Nested
    class EndPushes {
        @Test
        void anAppThatHandlesItHasItsCallScreenEndedByVoipIfTheFirstPushWasAccepted() {
            CallStory.to(endable("phone"))
                    .pushIsAccepted("phone")
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            bury("phone", Verdict.CALLER_GAVE_UP),
                            endByVoip("phone", Verdict.CALLER_GAVE_UP),
                            finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void nobodyKnowsThatTheFirstPushArrivedSoNoSecondLeaves() {
            CallStory.to(endable("phone"))
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            bury("phone", Verdict.CALLER_GAVE_UP),
                            finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aLostPhoneGetsNoBackgroundPushAtTheRingLimit() {
            ringing()
                    .flowIsLost("phone")
                    .ringLimitPasses()
                    .does(
                            refuses(480, Verdict.RING_LIMIT),
                            alert("phone"),
                            buryWhatRang("phone", Verdict.RING_LIMIT),
                            cancel("phone", 1, Verdict.RING_LIMIT));
        }
    }

    @Nested
    class LostAndFound {
        @Test
        void aSilentPhoneWhoseConnectionIsSeenToBeGoneIsPushedToAtOnce() {
            CallStory.to(connected("phone")).flowIsLost("phone").does(push("phone"), parked());
        }

        @Test
        void aSilentDeskPhoneWhoseConnectionIsGoneIsInvitedAsSoonAsItIsBack() {
            CallStory.to(trunk("desk"))
                    .flowIsLost("desk")
                    .doesNothing()
                    .registers("desk")
                    .does(invite("desk", 2));
        }

        @Test
        void aPhoneThatMovesToAnotherConnectionWhileItRingsRingsOn() {
            ringing()
                    .flowIsLost("phone")
                    .registers("phone")
                    .does(invite("phone", 2))
                    .refuses("phone", 2, 482)
                    .doesNothing()
                    .registers("phone")
                    .doesNothing()
                    .answers("phone", 1)
                    .does(answersCaller("phone"));
        }

        @Test
        void aPhoneWhoseInviteWasGivenUpAndThatRefusesTheNextCopyAsMergedRingsOn() {
            CallStory.to(connected("phone"))
                    .rings("phone", 1)
                    .breaks("phone", 1)
                    .does(push("phone"))
                    .registers("phone")
                    .does(invite("phone", 2))
                    .refuses("phone", 2, 482)
                    .doesNothing()
                    .answers("phone", 1)
                    .does(answersCaller("phone"));
        }

        @Test
        void aPhoneThatRingsForACopyWithoutTransactionIsToldTheEndByTombstone() {
            CallStory.to(connected("phone"))
                    .rings("phone", 1)
                    .breaks("phone", 1)
                    .registers("phone")
                    .refuses("phone", 2, 482)
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            buryWhatRang("phone", Verdict.CALLER_GAVE_UP),
                            finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aPhoneThatRegistersAfterTheEndIsCancelledAgainOnItsFreshFlow() {
            ringing()
                    .callerCancels()
                    .registers("phone")
                    .does(cancelAgain("phone", 1, Verdict.CALLER_GAVE_UP))
                    .refuses("phone", 1, 487)
                    .does(finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void aPushedPhoneThatRegistersAfterTheEndAndNeverHadTheInviteIsTold() {
            CallStory.to(asleep("phone"))
                    .registers("phone")
                    .callerCancels()
                    .registers("phone")
                    .does(bury("phone", Verdict.CALLER_GAVE_UP));
        }

        @Test
        void aCallerWhoLostItsConnectionHearsTheEndWhenItIsBack() {
            CallStory.from("caller", connected("phone"))
                    .flowIsLost("caller")
                    .refuses("phone", 1, 486)
                    .does(
                            passesOn(486, Verdict.FAILED),
                            buryWhatRang("caller", Verdict.FAILED),
                            endInBackground("caller", Verdict.FAILED))
                    .registers("caller")
                    .does(repeatFinal(), finish(Cause.DECLINED, 486));
        }

        @Test
        void aCallerWhoDoesNotComeBackIsWaitedForUntilTheHoldLimit() {
            CallStory.from("caller", connected("phone"))
                    .flowIsLost("caller")
                    .refuses("phone", 1, 486)
                    .holdLimitPasses("caller")
                    .does(finish(Cause.DECLINED, 486));
        }

        @Test
        void aCallerWhoWasBackInTimeHearsTheEndOnce() {
            CallStory.from("caller", connected("phone"))
                    .flowIsLost("caller")
                    .registers("caller")
                    .doesNothing()
                    .refuses("phone", 1, 486)
                    .does(passesOn(486, Verdict.FAILED), finish(Cause.DECLINED, 486));
        }
    }

    @Nested
    class Held {
        private CallStory byeHeld() {
            return talking()
                    .hangsUp(Side.CALLER, PHONE)
                    .byeDoesNotArrive(Side.LEG, PHONE)
                    .does(endInBackground("phone", Verdict.HUNG_UP));
        }

        @Test
        void aByeForALostPhoneReachesItWhenItIsBack() {
            byeHeld()
                    .registers("phone")
                    .does(passesOnBye(Side.LEG, PHONE))
                    .byeIsAnswered(Side.LEG, PHONE)
                    .does(finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void aLostPhoneThatDoesNotComeBackFindsATombstone() {
            byeHeld()
                    .holdLimitPasses("phone")
                    .does(buryWhatRang("phone", Verdict.HUNG_UP), finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void aLostPhoneThatHangsUpItselfNeedsNoBye() {
            CallStory story = byeHeld().hangsUp(Side.LEG, PHONE);
            story.does(reply(story.newest(Side.LEG, PHONE), 200), finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void aPhoneThatHungUpAsItsConnectionBrokeIsNotWaitedFor() {
            talking()
                    .hangsUp(Side.CALLER, PHONE)
                    .hangsUp(Side.LEG, PHONE)
                    .byeDoesNotArrive(Side.LEG, PHONE)
                    .does(finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void aPhoneThatRegisteredBehindItsByeGetsAnother() {
            talking()
                    .hangsUp(Side.CALLER, PHONE)
                    .registers("phone")
                    .doesNothing()
                    .byeDoesNotArrive(Side.LEG, PHONE)
                    .does(passesOnBye(Side.LEG, PHONE));
        }

        @Test
        void aReInviteForALostPhoneWakesItAndReachesItWhenItIsBack() {
            CallStory story = talking().asks(Side.CALLER, PHONE, "INVITE");
            ExchangeId hold = story.newest(Side.CALLER, PHONE);
            story.doesNotArrive(hold)
                    .does(pushForRequest("phone"))
                    .registers("phone")
                    .does(forward(hold, "INVITE"))
                    .isTold(hold, 200)
                    .does(passesOnReply(hold, 200));
        }

        @Test
        void aReInviteThatIsCancelledWhileItWaitsIsOver() {
            CallStory story = talking().asks(Side.CALLER, PHONE, "INVITE");
            ExchangeId hold = story.newest(Side.CALLER, PHONE);
            story.doesNotArrive(hold)
                    .on(new CallEvent.ExchangeCancelled(hold))
                    .does(reply(hold, 487))
                    .registers("phone")
                    .doesNothing();
        }

        @Test
        void whoeverAsksALostPhoneIsAnsweredBeforeItsTransactionRunsOut() {
            CallStory story = talking().asks(Side.CALLER, PHONE, "INVITE");
            ExchangeId hold = story.newest(Side.CALLER, PHONE);
            story.doesNotArrive(hold).asks(Side.CALLER, PHONE, "INFO");
            ExchangeId info = story.newest(Side.CALLER, PHONE);
            story.doesNotArrive(info).briefHoldLimitPasses("phone").does(reply(info, 480));
            assertThat(story.now()).isEqualTo(15_000);
            story.holdLimitPasses("phone").does(reply(hold, 480));
            assertThat(story.now()).isEqualTo(30_000);
        }

        @Test
        void aCallThatEndsAnswersWhatWaits() {
            CallStory story = talking().asks(Side.CALLER, PHONE, "INFO");
            ExchangeId info = story.newest(Side.CALLER, PHONE);
            story.doesNotArrive(info).hangsUp(Side.CALLER, PHONE);
            story.does(reply(story.newest(Side.CALLER, PHONE), 200), passesOnBye(Side.LEG, PHONE), reply(info, 487));
        }
    }

    @Nested
    class Restarts {
        @Test
        void aParkedCallGoesOnWithTheTimeItHadLeft() {
            CallStory story = CallStory.to(asleep("phone"))
                    .pushIsAccepted("phone")
                    .after(20)
                    .restarts()
                    .does(parked())
                    .ringLimitPasses()
                    .does(
                            refuses(480, Verdict.RING_LIMIT),
                            alert("phone"),
                            bury("phone", Verdict.RING_LIMIT),
                            finish(Cause.RING_LIMIT, 480));
            assertThat(story.now()).isEqualTo(45_000);
        }

        @Test
        void aPhoneThatRegistersAfterwardsGetsTheInvite() {
            CallStory.to(asleep("phone"))
                    .pushIsAccepted("phone")
                    .restarts()
                    .registers("phone")
                    .does(invite("phone", 1));
        }

        @Test
        void aPushThatAppleDidNotConfirmIsSentAgain() {
            CallStory.to(asleep("phone")).restarts().does(push("phone"), parked());
        }

        @Test
        void aCancelStillMatches() {
            CallStory.to(asleep("phone"))
                    .pushIsAccepted("phone")
                    .restarts()
                    .callerCancels()
                    .does(
                            refuses(487, Verdict.CALLER_GAVE_UP),
                            alert("phone"),
                            bury("phone", Verdict.CALLER_GAVE_UP),
                            finish(Cause.CALLER_GAVE_UP, 487));
        }

        @Test
        void nobodyRingsAnyMoreIfTheRingLimitPassedMeanwhile() {
            ringing()
                    .after(60)
                    .restarts("phone")
                    .does(refuses(480, Verdict.RING_LIMIT), alert("phone"), cancel("phone", 1, Verdict.RING_LIMIT))
                    .refuses("phone", 1, 487)
                    .does(finish(Cause.RING_LIMIT, 480));
        }

        @Test
        void aRingingPhoneIsSentTheSameInviteAgainAndRingsOn() {
            ringing()
                    .restarts("phone")
                    .does(invite("phone", 1))
                    .rings("phone", 1)
                    .does(tellsOfRinging("phone"))
                    .answers("phone", 1)
                    .does(answersCaller("phone"));
        }

        @Test
        void aRingingPhoneThatLostItsConnectionWithTheBridgeIsTreatedAsAsleep() {
            ringing()
                    .restarts()
                    .does(push("phone"), parked())
                    .registers("phone")
                    .does(invite("phone", 2))
                    .refuses("phone", 2, 482)
                    .doesNothing()
                    .answers("phone", 1)
                    .does(answersCaller("phone"));
        }

        @Test
        void aRingingPhoneIsNotGivenUpBecauseItCannotBePushedTo() {
            ringing()
                    .restarts()
                    .pushFails("phone")
                    .doesNothing()
                    .registers("phone")
                    .does(invite("phone", 2));
        }

        @Test
        void anAnswerThatTheBridgeForgotIsTakenWhenItComesAgain() {
            ringing()
                    .restarts("phone")
                    .answers("phone", 1)
                    .does(answersCaller("phone"))
                    .callerAcknowledges("phone")
                    .does(passesOnAck(PHONE));
        }

        @Test
        void anAnswerThatTheCallerHasNotAcknowledgedIsSentAgain() {
            ringing()
                    .answers("phone", 1)
                    .restarts("phone")
                    .does(answerAgain(PHONE))
                    .callerAcknowledges("phone")
                    .does(passesOnAck(PHONE));
        }

        @Test
        void thoseWhoTalkTalkOn() {
            CallStory story = talking().restarts().doesNothing().asks(Side.CALLER, PHONE, "INVITE");
            story.does(forward(story.newest(Side.CALLER, PHONE), "INVITE"));
            ExchangeId reInvite = story.newest(Side.CALLER, PHONE);
            story.hangsUp(Side.LEG, PHONE)
                    .does(
                            reply(story.newest(Side.LEG, PHONE), 200),
                            passesOnBye(Side.CALLER, PHONE),
                            reply(reInvite, 487));
        }

        @Test
        void aByeThatIsUnderWayIsSentAgain() {
            CallStory story = talking().hangsUp(Side.CALLER, PHONE);
            story.restarts("phone")
                    .does(answerAgain(PHONE), bye(Side.LEG, PHONE))
                    .byeIsAnswered(Side.LEG, PHONE)
                    .doesNothing()
                    .lingersOn()
                    .does(finish(Cause.CALLER_HUNG_UP, 200));
        }

        @Test
        void aByeThatIsRepeatedIsAnsweredOnceMore() {
            CallStory story =
                    talking().hangsUp(Side.CALLER, PHONE).restarts("phone").hangsUp(Side.CALLER, PHONE);
            story.does(reply(story.newest(Side.CALLER, PHONE), 200));
        }

        @Test
        void aFinalResponseIsSentAgain() {
            CallStory.to(connected("phone"), connected("tablet"))
                    .rings("tablet", 1)
                    .refuses("phone", 1, 603)
                    .restarts("tablet")
                    .does(refuses(603, Verdict.DECLINED_ELSEWHERE), cancel("tablet", 1, Verdict.DECLINED_ELSEWHERE))
                    .refuses("tablet", 1, 487)
                    .doesNothing()
                    .lingersOn()
                    .does(finish(Cause.DECLINED, 603));
        }

        @Test
        void aPhoneWhoseCancelDidNotArriveAndThatLostItsConnectionIsBuried() {
            CallStory.to(connected("phone"), connected("tablet"))
                    .rings("tablet", 1)
                    .refuses("phone", 1, 603)
                    .restarts()
                    .does(refuses(603, Verdict.DECLINED_ELSEWHERE), buryWhatRang("tablet", Verdict.DECLINED_ELSEWHERE));
        }

        @Test
        void aCallerThatLostItsConnectionWithTheBridgeIsTreatedAsLost() {
            CallStory.from("desk", asleep("phone"))
                    .pushIsAccepted("phone")
                    .restarts()
                    .ringLimitPasses()
                    .does(
                            refuses(480, Verdict.RING_LIMIT),
                            alert("phone"),
                            bury("phone", Verdict.RING_LIMIT),
                            buryWhatRang("desk", Verdict.RING_LIMIT),
                            endInBackground("desk", Verdict.RING_LIMIT))
                    .registers("desk")
                    .does(repeatFinal(), finish(Cause.RING_LIMIT, 480));
        }
    }
}
