package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;

import java.io.IOException;
import java.util.List;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.TokenDialect;
import org.pushbridge.sim.ua.UaCall;

/** The tokens that apps pass on, in their dialects, and how many pushes they get. */
final class Pushes {
    private Pushes() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                dialect("linphone-token", "the Linphone SDK", TokenDialect.LINPHONE, bridge),
                dialect(
                        "linphone-token-remote-first",
                        "the Linphone SDK, the other way round",
                        TokenDialect.LINPHONE_REMOTE_FIRST,
                        bridge),
                dialect("older-linphone-token", "older Linphone apps", TokenDialect.OLD_LINPHONE, bridge),
                dialect("portsip-token", "PortSIP's SDK", TokenDialect.PORTSIP, bridge),
                new Story(
                        "push-budget",
                        "VoIP pushes that never lead to a REGISTER: the bridge rings by alert instead, the operator sees"
                                + " it, and a REGISTER brings VoIP back.",
                        List.of(ALICE),
                        "calls.push-budget { wasted-limit = 2, pause = 1h }",
                        Pushes::budget,
                        bridge));
    }

    private static Story dialect(String name, String whose, TokenDialect dialect, DemoBridge bridge) {
        return new Story(
                name,
                "The phone passes its token on in the words of " + whose + ", and is woken by it.",
                List.of(ALICE),
                "",
                stage -> dialect(stage, dialect),
                bridge);
    }

    private static void dialect(Stage stage, TokenDialect dialect) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice", AppSettings.stock().speaking(dialect));
        Stage.Talk talk = stage.talk("alice", alice);
        stage.hangUp(talk.caller(), talk.callee());
        stage.mustHavePushed(1, alice);
    }

    private static void budget(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.apns().block(alice.settings().voipToken());
        // The last of them is known to be wasted only when the next call comes.
        for (int pushes = 1; pushes <= 3; pushes++) {
            UaCall caller = stage.pbxCalls("alice");
            stage.untilPushed(pushes, alice);
            stage.giveUp(caller);
            int missed = pushes;
            stage.until(
                    "the phone shows " + missed + " missed calls",
                    () -> alice.alerts().size() == missed);
        }

        UaCall caller = stage.pbxCalls("alice");
        stage.until("the phone rings by alert", () -> alice.alerts().size() == 4);
        stage.operatorMustRead("no VoIP pushes until");
        stage.must("the user opens the app, which can register:", alice.launch(), 200);
        stage.until(
                "the phone is told of the three calls that are over, and rings for the fourth",
                () -> alice.screens().size() == 4
                        && alice.screens().stream()
                                        .filter(CallScreen::isRinging)
                                        .count()
                                == 1);
        CallScreen alive = alice.screens().stream()
                .filter(CallScreen::isRinging)
                .findFirst()
                .orElseThrow();
        UaCall callee = stage.answerNow(alice, alive);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(3, alice);

        stage.soon("the phone falls asleep", alice.sleep());
        stage.apns().unblock(alice.settings().voipToken());
        Stage.Talk talk = stage.talk("alice", alice);
        stage.hangUp(talk.caller(), talk.callee());
        stage.mustHavePushed(4, alice);
        stage.must("alerts on the phone:", alice.alerts().size(), 4);
    }
}
