package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;

import java.io.IOException;
import java.util.List;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.UaCall;

/** What the caller hears before anybody answers. */
final class CallersHear {
    private CallersHear() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                whileParked(180, "180, as if the phone rang already", bridge),
                whileParked(183, "183, which is no promise that anything rings", bridge),
                whileParked(100, "nothing but 100", bridge),
                new Story(
                        "early-media",
                        "The woken phone sends 183 with a session description, which reaches the caller untouched.",
                        List.of(ALICE),
                        "",
                        CallersHear::earlyMedia,
                        bridge));
    }

    private static Story whileParked(int status, String what, DemoBridge bridge) {
        return new Story(
                "while-parked-" + status,
                "While the phone sleeps, callers from a trunk with while-parked = " + status + " hear " + what + ".",
                List.of(ALICE),
                "trunks.pbx.while-parked = " + status,
                stage -> whileParked(stage, status),
                bridge);
    }

    private static void whileParked(Stage stage, int status) throws IOException {
        stage.phonesWakeSlowly();
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        List<Integer> heard = status == 100 ? List.of(100) : List.of(100, status);
        stage.until("the caller hears " + heard, () -> caller.statuses().equals(heard));
        stage.soon("the phone gets the INVITE", screen.invited());
        stage.until(
                "the caller hears that the phone rings",
                () -> caller.statuses()
                        .subList(heard.size(), caller.statuses().size())
                        .contains(180));
        UaCall callee = stage.answerNow(alice, screen);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
    }

    private static void earlyMedia(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        UaCall callee = stage.soon("the phone gets the INVITE", screen.invited());
        callee.earlyMedia();
        stage.until("the caller hears 183", () -> caller.statuses().contains(183));
        String early = caller.responses().stream()
                .filter(r -> r.status() == 183)
                .findFirst()
                .map(SipMessage::body)
                .orElse("");
        stage.must("the caller has the phone's SDP, untouched:", early, callee.localSdp());
        stage.answerNow(alice, screen);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
    }
}
