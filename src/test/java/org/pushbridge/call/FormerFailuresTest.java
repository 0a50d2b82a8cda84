package org.pushbridge.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pushbridge.call.CallStory.acknowledge;
import static org.pushbridge.call.CallStory.alert;
import static org.pushbridge.call.CallStory.asleep;
import static org.pushbridge.call.CallStory.bury;
import static org.pushbridge.call.CallStory.bye;
import static org.pushbridge.call.CallStory.cancel;
import static org.pushbridge.call.CallStory.connected;
import static org.pushbridge.call.CallStory.dialog;
import static org.pushbridge.call.CallStory.finish;
import static org.pushbridge.call.CallStory.invite;
import static org.pushbridge.call.CallStory.parked;
import static org.pushbridge.call.CallStory.passesOn;
import static org.pushbridge.call.CallStory.push;
import static org.pushbridge.call.CallStory.refuses;
import static org.pushbridge.call.CallStory.reply;
import static org.pushbridge.call.CallStory.trunk;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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
                .does(CallStory.answersCaller("phone"));
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

    /** Rare tangles of several flows and copies of one INVITE: longer than is good to read. */
    @ParameterizedTest
    @ValueSource(longs = {1402, 24584, 152981})
    void tanglesOfFlowsAndCopies(long seed) {
        CallSimulation.Outcome outcome = CallSimulation.run(seed, CallRules::step, new Coverage(), true);
        assertThat(outcome.broken())
                .as(() -> "seed " + seed + "\n" + String.join("\n", outcome.trace()))
                .isEmpty();
    }
}
