package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.IPAD;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.pushbridge.sim.apns.Aim;
import org.pushbridge.sim.apns.Fault;
import org.pushbridge.sim.apns.PushType;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** Apple says no, or says nothing: the caller does not wait in vain, and devices that can be reached still ring. */
final class FastFailures {
    private static final Duration LONGER_THAN_ANYBODY_WAITS = Duration.ofMinutes(1);

    private FastFailures() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                new Story(
                        "dead-token",
                        "The app was deleted: Apple says so, the caller hears it at once, and nobody pushes there again.",
                        List.of(ALICE),
                        "",
                        FastFailures::deadToken,
                        bridge),
                new Story(
                        "bad-device-token",
                        "Apple does not know the token: the caller hears it at once, the operator is told why,"
                                + " and the phone rings again once it is awake.",
                        List.of(ALICE),
                        "",
                        FastFailures::badDeviceToken,
                        bridge),
                new Story(
                        "dead-token-one-of-two",
                        "The app was deleted from the tablet; the call goes on at the phone.",
                        List.of(ALICE, IPAD),
                        "",
                        FastFailures::deadTokenOneOfTwo,
                        bridge),
                new Story(
                        "apns-failing",
                        "Apple answers 503, twice: the caller of a sleeping phone hears 480 with Retry-After at once.",
                        List.of(ALICE),
                        "",
                        FastFailures::apnsFailing,
                        bridge),
                new Story(
                        "apns-down",
                        "Apple cannot be reached: the caller of a sleeping phone hears 480 at the ring limit at the"
                                + " latest.",
                        List.of(ALICE),
                        "calls.ring-limit = 2s",
                        FastFailures::apnsDown,
                        bridge),
                new Story(
                        "apns-down-one-of-two",
                        "Apple cannot be reached, but the phone is awake and takes the call.",
                        List.of(ALICE, IPAD),
                        "",
                        FastFailures::apnsDownOneOfTwo,
                        bridge),
                new Story(
                        "apns-slow",
                        "Apple does not answer: the caller of a sleeping phone hears 480 at the ring limit at the latest.",
                        List.of(ALICE),
                        "calls.ring-limit = 2s",
                        FastFailures::apnsSlow,
                        bridge),
                new Story(
                        "apns-slow-one-of-two",
                        "Apple does not answer for the tablet; meanwhile the phone rings and takes the call.",
                        List.of(ALICE, IPAD),
                        "",
                        FastFailures::apnsSlowOneOfTwo,
                        bridge));
    }

    private static void deadToken(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.uninstall(alice);

        callerHearsThatNobodyIsThere(stage);
        callerHearsThatNobodyIsThere(stage);
        stage.mustHavePushed(1, alice);
        stage.operatorMustRead("Unregistered");
        stage.must("calls on the phone:", alice.screens().size(), 0);
    }

    private static UaCall callerHearsThatNobodyIsThere(Stage stage) {
        UaCall caller = stage.pbxCalls("alice");
        stage.must("the caller hears", caller.outcome(), 480);
        return caller;
    }

    private static void badDeviceToken(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        Aim once = Aim.token(alice.settings().voipToken()).times(1);
        stage.apns().inject(once, Fault.answer(400, "BadDeviceToken"));

        stage.mustSayWhy(callerHearsThatNobodyIsThere(stage), "Subscriber absent");
        callerHearsThatNobodyIsThere(stage);
        stage.mustHavePushed(1, alice);
        stage.operatorMustRead("BadDeviceToken");

        // No call rings that the phone was never told of.
        stage.must("the phone can register again:", alice.launch(), 200);
        Stage.Talk next = stage.talk("alice", alice);
        stage.hangUp(next.caller(), next.callee());
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 1);
        stage.mustHavePushed(1, alice);
    }

    private static void deadTokenOneOfTwo(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.asleep(ALICE, "alice");
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");
        stage.uninstall(tablet);

        phoneTakesTheCall(stage, phone, tablet);
        stage.mustHavePushed(1, phone);
        stage.mustHavePushed(1, tablet);
    }

    private static void phoneTakesTheCall(Stage stage, SimulatedIphone phone, SimulatedIphone tablet) {
        Stage.Talk talk = stage.talk("alice", phone);
        stage.hangUp(talk.caller(), talk.callee());
        stage.must("calls on the tablet:", tablet.screens().size(), 0);
        stage.must("missed calls:", phone.alerts().size() + tablet.alerts().size(), 0);
    }

    private static void apnsDown(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.appleIsDown();

        callerHearsThatNobodyIsThere(stage);
        stage.mustHavePushed(0, alice);
        stage.must("calls on the phone:", alice.screens().size(), 0);
    }

    private static void apnsFailing(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.apns().inject(Aim.type(PushType.VOIP), Fault.answer(503, "ServiceUnavailable"));

        UaCall caller = callerHearsThatNobodyIsThere(stage);
        stage.must("the caller is told when to try again:", lastHas(caller, "Retry-After"), true);
        stage.must("calls on the phone:", alice.screens().size(), 0);
    }

    private static boolean lastHas(UaCall caller, String header) {
        return caller.responses()
                .get(caller.responses().size() - 1)
                .header(header)
                .isPresent();
    }

    private static void apnsDownOneOfTwo(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");
        stage.appleIsDown();

        phoneTakesTheCall(stage, phone, tablet);
    }

    private static void apnsSlow(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.apns().inject(Aim.type(PushType.VOIP), Fault.of(Fault.Ending.SILENCE));

        UaCall caller = callerHearsThatNobodyIsThere(stage);
        stage.mustSayWhy(caller, "No answer");
        stage.until("the phone shows a missed call", () -> alice.alerts().size() == 1);
        stage.must("calls on the phone:", alice.screens().size(), 0);
    }

    private static void apnsSlowOneOfTwo(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");
        stage.apns()
                .inject(
                        Aim.token(tablet.settings().voipToken()),
                        Fault.of(Fault.Ending.SILENCE).after(LONGER_THAN_ANYBODY_WAITS));

        phoneTakesTheCall(stage, phone, tablet);
    }
}
