package org.pushbridge.call;

import static org.pushbridge.call.CallStory.acknowledge;
import static org.pushbridge.call.CallStory.alert;
import static org.pushbridge.call.CallStory.answersCaller;
import static org.pushbridge.call.CallStory.asleep;
import static org.pushbridge.call.CallStory.bury;
import static org.pushbridge.call.CallStory.buryWhatRang;
import static org.pushbridge.call.CallStory.bye;
import static org.pushbridge.call.CallStory.cancel;
import static org.pushbridge.call.CallStory.connected;
import static org.pushbridge.call.CallStory.dialog;
import static org.pushbridge.call.CallStory.endInBackground;
import static org.pushbridge.call.CallStory.finish;
import static org.pushbridge.call.CallStory.invite;
import static org.pushbridge.call.CallStory.parked;
import static org.pushbridge.call.CallStory.passesOn;
import static org.pushbridge.call.CallStory.push;
import static org.pushbridge.call.CallStory.refuses;
import static org.pushbridge.call.CallStory.repeatFinal;
import static org.pushbridge.call.CallStory.reply;
import static org.pushbridge.call.CallStory.tellsOfAlerting;
import static org.pushbridge.call.CallStory.trunk;

import org.junit.jupiter.api.Test;
import org.pushbridge.call.Ending.Cause;

/** Scenes in which the simulation once found the rules wrong, cut down to what matters. */
class FormerFailuresTest {
    @Test
    void aByeOfADismissedAnswerDoesNotHangUpTheTwoWhoTalk() {
        LegDialog second = dialog("trunk", "b");
        CallStory story = CallStory.to(trunk("trunk"))
                .answers("trunk", 1)
                .callerAcknowledges("trunk")
                .answers(second, 1)
                .does(acknowledge(second), bye(Side.LEG, second))
                .hangsUp(Side.LEG, second);
        story.does(reply(story.newest(Side.LEG, second), 200));
    }

    @Test
    void aSilentPhoneWhosePushFailedIsGivenUpAsSoonAsItsConnectionBreaks() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .pushFails("phone")
                .doesNothing()
                .breaks("phone", 1)
                .does(refuses(480, Verdict.FAILED), bury("phone", Verdict.FAILED), finish(Cause.UNREACHABLE, 480));
    }

    @Test
    void aWokenPhoneThatItsEdgeProxyLostIsWaitedFor() {
        CallStory.to(asleep("phone"))
                .registers("phone")
                .refuses("phone", 1, 430)
                .doesNothing()
                .registers("phone")
                .does(invite("phone", 2));
    }

    @Test
    void aPhoneThatDeclinesForAllHasItsOtherCopyOfTheInviteCancelled() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .registers("phone")
                .refuses("phone", 2, 603)
                .does(cancel("phone", 1, Verdict.DECLINED_ELSEWHERE), passesOn(603, Verdict.DECLINED_ELSEWHERE));
    }

    @Test
    void theCallerHearsThatTheCallIsParkedWhenOnlyTheSleepingPhoneIsLeft() {
        CallStory.to(trunk("trunk"), asleep("phone"))
                .does(invite("trunk", 1), push("phone"))
                .breaks("trunk", 1)
                .does(parked());
    }

    @Test
    void aRingingPhoneThatCrashedAndCameBackIsInvitedAgain() {
        CallStory.to(connected("phone"))
                .rings("phone", 1)
                .flowIsLost("phone")
                .registers("phone")
                .does(invite("phone", 2));
    }

    @Test
    void aPhoneThatMovedWhileItRangRingsOnAndIsNotPushedTo() {
        CallStory.to(connected("phone"))
                .rings("phone", 1)
                .flowIsLost("phone")
                .registers("phone")
                .does(invite("phone", 2))
                .refuses("phone", 2, 482)
                .doesNothing()
                .answers("phone", 1)
                .does(answersCaller("phone"));
    }

    @Test
    void aPhoneThatWasBackBeforeItsOldConnectionBrokeIsInvitedOnTheNewOne() {
        CallStory.to(connected("phone"))
                .rings("phone", 1)
                .registers("phone")
                .breaks("phone", 1)
                .does(invite("phone", 2));
    }

    @Test
    void aPhoneThatIsStillInvitedOnItsNewFlowIsNotInvitedOnceMoreWhenTheOldOneIsReportedBroken() {
        CallStory.to(asleep("phone"))
                .registers("phone")
                .rings("phone", 1)
                .flowIsLost("phone")
                .registers("phone")
                .does(invite("phone", 2))
                .breaks("phone", 1)
                .doesNothing()
                .registers("phone")
                .doesNothing();
    }

    @Test
    void aFlowThatWasNotTriedIsTriedWhenTheNewestFails() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .registers("phone")
                .does(invite("phone", 2))
                .registers("phone")
                .breaks("phone", 2)
                .does(invite("phone", 3));
    }

    @Test
    void aPhoneThatComesUpAfterALongSilenceAndAFailedPushIsInvitedAtOnce() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .pushFails("phone")
                .registers("phone")
                .does(invite("phone", 2));
    }

    @Test
    void aPhoneThatLosesItsCancelIsBuriedOnce() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .callerCancels()
                .does(
                        refuses(487, Verdict.CALLER_GAVE_UP),
                        alert("phone"),
                        bury("phone", Verdict.CALLER_GAVE_UP),
                        cancel("phone", 1, Verdict.CALLER_GAVE_UP))
                .timesOut("phone", 1)
                .does(finish(Cause.CALLER_GAVE_UP, 487));
    }

    @Test
    void aPhoneThatGotItsCancelIsNotBuriedForTheCopyThatNeverArrived() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .registers("phone")
                .callerCancels()
                .does(
                        refuses(487, Verdict.CALLER_GAVE_UP),
                        alert("phone"),
                        cancel("phone", 1, Verdict.CALLER_GAVE_UP),
                        cancel("phone", 2, Verdict.CALLER_GAVE_UP))
                .refuses("phone", 2, 487)
                .doesNothing()
                .timesOut("phone", 1)
                .does(finish(Cause.CALLER_GAVE_UP, 487));
    }

    @Test
    void aPhoneWhosePushFailedIsAlertedWhenTheCallerGivesUpOnTheOthers() {
        CallStory.to(connected("phone"), asleep("tablet"))
                .rings("phone", 1)
                .pushFails("tablet")
                .callerCancels()
                .does(
                        refuses(487, Verdict.CALLER_GAVE_UP),
                        alert("phone"),
                        cancel("phone", 1, Verdict.CALLER_GAVE_UP),
                        alert("tablet"),
                        bury("tablet", Verdict.CALLER_GAVE_UP));
    }

    @Test
    void theNewestInviteIsWaitedForWhenTheCopyThatAPhoneRangForBreaks() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .registers("phone")
                .does(invite("phone", 2))
                .registers("phone")
                .rings("phone", 1)
                .breaks("phone", 1)
                .doesNothing()
                .staysSilent("phone")
                .does(invite("phone", 3));
    }

    @Test
    void aPhoneThatHasOneOfSeveralCopiesIsLeftAloneWhicheverBreaks() {
        CallStory.to(connected("phone"))
                .registers("phone")
                .staysSilent("phone")
                .does(invite("phone", 2))
                .staysSilent("phone")
                .does(push("phone"), parked())
                .registers("phone")
                .does(invite("phone", 3))
                .refuses("phone", 2, 482)
                .registers("phone")
                .breaks("phone", 3)
                .doesNothing()
                .answers("phone", 1)
                .does(answersCaller("phone"));
    }

    @Test
    void aPhoneThatAnswersOnACopyAfterRefusingAnotherHasNothingCancelledTwice() {
        CallStory.to(connected("phone"), connected("tablet"))
                .rings("tablet", 1)
                .staysSilent("phone")
                .registers("phone")
                .rings("phone", 2)
                .flowIsLost("phone")
                .registers("phone")
                .does(invite("phone", 3))
                .refuses("phone", 3, 486)
                .does(cancel("phone", 1, Verdict.DECLINED_ELSEWHERE), cancel("phone", 2, Verdict.DECLINED_ELSEWHERE))
                .answers("phone", 2)
                .does(answersCaller("phone"), cancel("tablet", 1, Verdict.ANSWERED_ELSEWHERE));
    }

    @Test
    void aPhoneThatSaidTryingIsNotInvitedAgainWhenItRegistersTwice() {
        CallStory.to(asleep("phone"))
                .registers("phone")
                .does(invite("phone", 1))
                .isTrying("phone", 1)
                .registers("phone")
                .doesNothing();
    }

    @Test
    void aPhoneWhoseConnectionBreaksAfterItSaidTryingIsInvitedWhenItIsBack() {
        CallStory.to(connected("phone"))
                .isTrying("phone", 1)
                .flowIsLost("phone")
                .registers("phone")
                .does(invite("phone", 2));
    }

    @Test
    void anAppThatWasGoneAndCameBackHasItsFirstInviteCancelledOnce() {
        CallStory.to(connected("phone"), connected("tablet"))
                .rings("tablet", 1)
                .staysSilent("phone")
                .appIsGone("phone")
                .does(cancel("phone", 1, Verdict.FAILED))
                .registers("phone")
                .does(invite("phone", 2))
                .refuses("phone", 1, 487)
                .rings("phone", 2)
                .answers("tablet", 1)
                .does(answersCaller("tablet"), cancel("phone", 2, Verdict.ANSWERED_ELSEWHERE));
    }

    @Test
    void aDeskPhoneThatIsBackOnceMoreIsInvitedThoughAnOlderInviteIsOpen() {
        CallStory.to(trunk("desk"))
                .rings("desk", 1)
                .flowIsLost("desk")
                .registers("desk")
                .does(invite("desk", 2))
                .isTrying("desk", 2)
                .refuses("desk", 2, 430)
                .doesNothing()
                .registers("desk")
                .does(invite("desk", 3));
    }

    @Test
    void aPhoneThatKeepsToAnOlderCopyAndWhoseAppAlertsIsHeardByTheCaller() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .registers("phone")
                .isTrying("phone", 1)
                .refuses("phone", 2, 482)
                .alertsOverHttp("phone")
                .does(tellsOfAlerting());
    }

    @Test
    void aPhoneThatAnsweredTooLateAndMissedItsByeIsToldWhatTheOthersAreTold() {
        LegDialog tablet = dialog("tablet");
        CallStory.to(connected("phone"), connected("tablet"))
                .answers("phone", 1)
                .answers("tablet", 1)
                .byeDoesNotArrive(Side.LEG, tablet)
                .does(endInBackground("tablet", Verdict.ANSWERED_ELSEWHERE))
                .holdLimitPasses("tablet")
                .does(buryWhatRang("tablet", Verdict.ANSWERED_ELSEWHERE));
    }

    @Test
    void aCallThatHadFinishedAsTheBridgeCrashedStillOwesItsFinalResponse() {
        CallStory.to(asleep("phone"))
                .pushFails("phone")
                .restarts()
                .does(refuses(480, Verdict.FAILED))
                .lingersOn()
                .does(finish(Cause.UNREACHABLE, 480));
    }

    @Test
    void aPhoneThatDoesNotKnowTheInviteThatIsCancelledAfterARestartIsBuried() {
        CallStory.to(asleep("phone"))
                .registers("phone")
                .callerCancels()
                .restarts("phone")
                .does(refuses(487, Verdict.CALLER_GAVE_UP), cancel("phone", 1, Verdict.CALLER_GAVE_UP))
                .refuses("phone", 1, 481)
                .does(buryWhatRang("phone", Verdict.CALLER_GAVE_UP));
    }

    @Test
    void aFinalResponseThatWaitsForTheCallerIsMadeAgainAfterARestart() {
        CallStory.from("desk", asleep("phone"))
                .flowIsLost("desk")
                .pushFails("phone")
                .restarts()
                .does(refuses(480, Verdict.FAILED))
                .registers("desk")
                .does(repeatFinal());
    }

    @Test
    void aSilentPhoneThatWasPushedToBeforeARestartIsNotTakenForOneThatHasTheInvite() {
        CallStory.to(connected("phone"))
                .staysSilent("phone")
                .restarts("phone")
                .does(invite("phone", 1), push("phone"), parked())
                .ringLimitPasses()
                .does(
                        refuses(480, Verdict.RING_LIMIT),
                        alert("phone"),
                        bury("phone", Verdict.RING_LIMIT),
                        cancel("phone", 1, Verdict.RING_LIMIT));
    }

    @Test
    void aDeskPhoneThatRefusesACopyAsMergedAfterTheEndIsKnownToRing() {
        CallStory.to(trunk("desk"), connected("phone"))
                .flowIsLost("desk")
                .registers("desk")
                .does(invite("desk", 2))
                .breaks("desk", 1)
                .callerCancels()
                .refuses("desk", 2, 482)
                .does(buryWhatRang("desk", Verdict.CALLER_GAVE_UP));
    }
}
