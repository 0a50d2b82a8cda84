package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;
import static org.pushbridge.app.demo.Stage.IPAD;

import java.time.Duration;
import java.util.List;
import org.pushbridge.sim.apns.Fault;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.TokenDialect;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.UaCall.End;

/** Pushes that cannot ring a phone, or had better not, and tokens as apps of all kinds hand them over. */
final class FailureStories {
    private final DemoBridge bridge;

    private FailureStories(DemoBridge bridge) {
        this.bridge = bridge;
    }

    static List<Story> all(DemoBridge bridge) {
        FailureStories with = new FailureStories(bridge);
        return List.of(
                with.story(
                        "dead-token",
                        "The app was deleted: Apple says so, the caller hears it at once, and nobody pushes there again.",
                        "",
                        FailureStories::deadToken),
                with.story(
                        "bad-device-token",
                        "Apple does not know the token: the caller hears it at once, and nobody pushes there again.",
                        "",
                        FailureStories::badDeviceToken),
                with.story(
                        "dead-token-one-of-two",
                        "The app was deleted from one of two devices: the call goes on with the other.",
                        "",
                        FailureStories::deadTokenOneOfTwo),
                with.story(
                        "apns-down",
                        "Apple cannot be reached: it is tried while the call rings, then the caller hears when to call again.",
                        "calls.ring-limit = 3s",
                        FailureStories::apnsDown),
                with.story(
                        "apns-down-one-rings",
                        "Apple cannot be reached, but a phone that is awake rings all the same, and answers.",
                        "",
                        FailureStories::apnsDownOneRings),
                with.story(
                        "apns-slow",
                        "Apple answers late: the phone was woken all the same, and the call goes on.",
                        "",
                        FailureStories::apnsSlow),
                with.story(
                        "push-budget",
                        "A phone that never shows up wastes its pushes: it is rung by an alert instead, until it registers.",
                        "calls.push-budget { wasted-limit = 2, pause = 1h }",
                        FailureStories::pushBudget),
                with.story(
                        "linphone-token",
                        "An app on Linphone's SDK hands over two tokens in upper case, the other one first.",
                        "",
                        stage -> dialect(stage, TokenDialect.LINPHONE_REMOTE_FIRST)),
                with.story(
                        "older-linphone-token",
                        "An older Linphone hands over its token by app-id and pn-tok.",
                        "",
                        stage -> dialect(stage, TokenDialect.OLD_LINPHONE)),
                with.story(
                        "portsip-token",
                        "PortSIP hands over its tokens in a header of its own.",
                        "",
                        stage -> dialect(stage, TokenDialect.PORTSIP)));
    }

    private Story story(String name, String title, String settings, Story.Script script) {
        return new Story(name, title, List.of(ALICE, IPAD), settings, script, bridge);
    }

    private static void deadToken(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.uninstall(alice);

        mustBeUnreachable(stage, stage.pbxCalls("alice"));
        stage.must("the next caller hears", stage.pbxCalls("alice").outcome(), 480);
        stage.mustHavePushed(1, alice);
        stage.must("calls on the phone:", alice.screens().size(), 0);
    }

    private static void badDeviceToken(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.fault(alice, Fault.answer(400, "BadDeviceToken"));

        mustBeUnreachable(stage, stage.pbxCalls("alice"));
        stage.must("the next caller hears", stage.pbxCalls("alice").outcome(), 480);
        stage.mustHavePushed(1, alice);
    }

    private static void mustBeUnreachable(Stage stage, UaCall caller) {
        stage.must("the caller hears", caller.outcome(), 480);
        stage.mustSayWhy(caller, "Subscriber absent");
    }

    private static void deadTokenOneOfTwo(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone gone = stage.asleep(ALICE, "alice");
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");
        stage.uninstall(gone);
        tablet.onCall(Answering.answerAfter(A_MOMENT));

        talkAndHangUp(stage, stage.pbxCalls("alice"), tablet);
        stage.mustHavePushed(1, gone);
        stage.mustHavePushed(1, tablet);
    }

    private static void apnsDown(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.appleIsOutOfReach();

        UaCall caller = stage.pbxCalls("alice");
        mustBeUnreachable(stage, caller);
        stage.must(
                "the caller is told when to try again:",
                caller.responses()
                        .get(caller.responses().size() - 1)
                        .header("Retry-After")
                        .isPresent(),
                true);
        stage.mustHavePushed(0, alice);
    }

    private static void apnsDownOneRings(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");
        stage.appleIsOutOfReach();
        phone.onCall(Answering.answerAfter(A_MOMENT));

        talkAndHangUp(stage, stage.pbxCalls("alice"), phone);
        stage.mustHavePushed(0, tablet);
    }

    private static void apnsSlow(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.fault(alice, Fault.slow(Duration.ofSeconds(2)));
        alice.onCall(Answering.answerAfter(A_MOMENT));

        talkAndHangUp(stage, stage.pbxCalls("alice"), alice);
        stage.mustHavePushed(1, alice);
    }

    private static void pushBudget(Stage stage) throws Exception {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.soon("Alice's phone is off", alice.flightMode(true));
        // The last of them is not known to be wasted yet.
        for (int sent = 1; sent <= 3; sent++) {
            int pushes = sent;
            UaCall caller = stage.pbxCalls("alice");
            stage.until("the phone is pushed to", () -> stage.voipPushesTo(alice) == pushes);
            caller.cancel();
            stage.must("the caller hears", caller.outcome(), 487);
        }

        UaCall next = stage.pbxCalls("alice");
        stage.until("an alert is sent to ring the phone", () -> stage.ringingAlertsTo(alice) == 1);
        next.cancel();
        stage.must("the caller hears", next.outcome(), 487);
        stage.mustHavePushed(3, alice);

        stage.soon("Alice's phone is on", alice.flightMode(false));
        stage.until(
                "whatever rings falls silent",
                () -> !alice.screens().isEmpty()
                        && alice.screens().stream().noneMatch(screen -> screen.isRinging())
                        && alice.isRegistered());
        stage.soon("Alice's phone falls asleep", alice.sleep());
        long before = stage.voipPushesTo(alice);
        UaCall last = stage.pbxCalls("alice");
        stage.until("it is pushed to again", () -> stage.voipPushesTo(alice) == before + 1);
        last.cancel();
        stage.must("the caller hears", last.outcome(), 487);
        stage.until(
                "the phone falls silent",
                () -> alice.screens().stream().noneMatch(screen -> screen.isRinging()) && alice.isRegistered());
    }

    private static void dialect(Stage stage, TokenDialect dialect) throws Exception {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice", AppSettings.stock().speaking(dialect));
        alice.onCall(Answering.answerAfter(A_MOMENT));

        talkAndHangUp(stage, stage.pbxCalls("alice"), alice);
        stage.mustHavePushed(1, alice);
    }

    private static void talkAndHangUp(Stage stage, UaCall caller, SimulatedIphone phone) {
        UaCall callee = stage.soon(
                phone.settings().name() + " gets the INVITE",
                stage.screen(phone).invited());
        stage.mustTalk(caller, callee);
        stage.must("the caller's BYE is answered with", caller.hangUp(), 200);
        stage.must("the callee's call ends as", callee.ended(), End.HUNG_UP_THERE);
    }
}
