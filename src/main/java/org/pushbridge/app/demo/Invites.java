package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;

import java.io.IOException;
import java.util.List;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** An INVITE comes, whatever state the phone is in. */
final class Invites {
    private Invites() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                new Story(
                        "invite-unreached",
                        "The call waits while one VoIP push wakes the phone; it rings at once, registers and answers.",
                        List.of(ALICE),
                        "",
                        Invites::unreached,
                        bridge),
                new Story(
                        "invite-awake",
                        "A phone that is awake gets the call over its own connection; nobody sends a push.",
                        List.of(ALICE),
                        "",
                        Invites::awake,
                        bridge),
                new Story(
                        "invite-in-call",
                        "A phone in a call gets a second one as a waiting call; its user hangs up and takes it.",
                        List.of(ALICE),
                        "",
                        Invites::inCall,
                        bridge),
                new Story(
                        "invite-in-call-busy",
                        "With calls.call-waiting = busy, the second caller hears 486, and the phone nothing.",
                        List.of(ALICE),
                        "calls.call-waiting = busy",
                        Invites::inCallBusy,
                        bridge),
                new Story(
                        "invite-lost",
                        "A phone in a call has lost its connection: one VoIP push brings the second call, and the first"
                                + " goes on.",
                        List.of(ALICE),
                        "",
                        Invites::lost,
                        bridge),
                new Story(
                        "invite-suspended",
                        "The app is suspended behind a connection that looks alive: the INVITE meets silence, and one"
                                + " VoIP push wakes it.",
                        List.of(ALICE),
                        "calls.silence-limit = 400ms",
                        Invites::suspended,
                        bridge));
    }

    private static void unreached(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        alice.onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = stage.pbxCalls("alice");
        stage.until(
                "the caller hears 182 while the call waits",
                () -> caller.statuses().contains(182));
        stage.must(
                "a push, not an INVITE, brings up the call screen:",
                stage.screen(alice).isPushed(),
                true);
        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 1);
    }

    private static void awake(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.UDP);
        alice.onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = stage.pbxCalls("alice");
        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.must("the caller was told that it rings:", caller.statuses().contains(180), true);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(0, alice);
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk first = stage.talk("alice", alice);

        UaCall second = stage.pbxCalls("alice");
        CallScreen waiting = stage.screen(alice, 2);
        stage.until(
                "the second caller hears that it rings", () -> second.statuses().contains(180));
        stage.mustStillTalk(first.caller(), first.callee());
        stage.must("the phone's BYE is answered with", first.callee().hangUp(), 200);
        UaCall callee = stage.answerNow(alice, waiting);
        stage.mustTalk(second, callee);
        stage.hangUp(second, callee);
        stage.mustHavePushed(0, alice);
        stage.must("alerts on the phone:", alice.alerts().size(), 0);
    }

    private static void inCallBusy(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk first = stage.talk("alice", alice);

        UaCall second = stage.pbxCalls("alice");
        stage.must("the second caller hears", second.outcome(), 486);
        stage.mustStillTalk(first.caller(), first.callee());
        stage.must("calls on the phone:", alice.screens().size(), 1);
        stage.hangUp(first.caller(), first.callee());
        stage.mustHavePushed(0, alice);

        Stage.Talk third = stage.talk("alice", alice);
        stage.hangUp(third.caller(), third.callee());
    }

    private static void lost(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk first = stage.talk("alice", alice);
        stage.soon("the phone loses its connection", alice.loseFlow());

        UaCall second = stage.pbxCalls("alice");
        CallScreen waiting = stage.screen(alice, 2);
        stage.must("a push, not an INVITE, brings up the call screen:", waiting.isPushed(), true);
        UaCall callee = stage.answerNow(alice, waiting);
        stage.mustTalk(second, callee);
        stage.mustStillTalk(first.caller(), first.callee());
        stage.hangUp(second, callee);
        stage.hangUp(first.caller(), first.callee());
        stage.mustHavePushed(1, alice);
    }

    private static void suspended(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.UDP);
        stage.soon("the app is suspended", alice.suspend());

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.must("a push, not an INVITE, brings up the call screen:", screen.isPushed(), true);
        UaCall callee = stage.answerNow(alice, screen);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
        stage.must("alerts on the phone:", alice.alerts().size(), 0);
    }
}
