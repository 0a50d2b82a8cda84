package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;
import static org.pushbridge.app.demo.Stage.BOB;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.UaCall.End;

/** The stories, in the order in which they are played. */
public final class Scenarios {

    private final DemoBridge bridge;

    private Scenarios(DemoBridge bridge) {
        this.bridge = bridge;
    }

    /** All of them, to be played with this bridge. */
    public static List<Scenario> all(DemoBridge bridge) {
        List<Scenario> all = new ArrayList<>();
        all.addAll(Invites.stories(bridge));
        all.addAll(CancelStories.all(bridge));
        all.addAll(AnsweredElsewhereStories.all(bridge));
        all.addAll(DeclinedElsewhereStories.all(bridge));
        all.addAll(RingLimitStories.all(bridge));
        all.addAll(FailureStories.all(bridge));
        all.addAll(new Scenarios(bridge).others());
        return List.copyOf(all);
    }

    private List<Scenario> others() {
        return List.of(
                story(
                        "callee-hangs-up",
                        "The woken phone answers and, after a word, hangs up.",
                        Scenarios::calleeHangsUp),
                story(
                        "caller-hangs-up",
                        "Both sides change the session in mid-call; then the caller hangs up.",
                        Scenarios::callerHangsUp),
                story(
                        "outgoing-call",
                        "The phone calls a number outside, by way of the PBX, once it has proved who it is.",
                        Scenarios::outgoingCall),
                new Story(
                        "phone-to-phone",
                        "One phone calls another that is asleep.",
                        List.of(ALICE, BOB),
                        "",
                        Scenarios::phoneToPhone,
                        bridge),
                story(
                        "restart-while-asleep",
                        "The bridge is restarted while the phone sleeps; the next call wakes it all the same.",
                        Scenarios::restartWhileAsleep),
                story(
                        "decline",
                        "The woken phone's user declines, and the caller hears it at once.",
                        Scenarios::decline));
    }

    private Story story(String name, String title, Story.Script script) {
        return new Story(name, title, List.of(ALICE), "", script, bridge);
    }

    private static void calleeHangsUp(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        alice.onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = stage.pbxCalls("alice");
        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.must("the phone's BYE is answered with", callee.hangUp(), 200);
        stage.must("the caller's call ends as", caller.ended(), End.HUNG_UP_THERE);
        stage.mustHavePushed(1, alice);
    }

    private static void callerHangsUp(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        alice.onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = stage.pbxCalls("alice");
        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.must("the caller's re-INVITE is answered with", caller.reInvite(), 200);
        stage.must("the phone's re-INVITE is answered with", callee.reInvite(), 200);
        stage.must(
                "the caller's INFO is answered with",
                caller.request("INFO", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
                200);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
    }

    private static void outgoingCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        stage.pbx().onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = alice.call("sip:+4930987654@" + Stage.DOMAIN);
        stage.until("the call reaches the PBX", () -> stage.pbx().received().size() == 1);
        UaCall callee = stage.pbx().received().get(0);
        stage.mustTalk(caller, callee);
        stage.must("the caller was told that it rings:", caller.statuses().contains(180), true);
        stage.hangUp(caller, callee);
    }

    private static void phoneToPhone(Stage stage) throws IOException {
        stage.start("alice", "bob");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone bob = stage.asleep(BOB, "bob");
        bob.onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = alice.call(bob.settings().address());
        UaCall callee = stage.answered(bob);
        stage.mustTalk(caller, callee);
        stage.must("Bob's BYE is answered with", callee.hangUp(), 200);
        stage.must("Alice's call ends as", caller.ended(), End.HUNG_UP_THERE);
        stage.mustHavePushed(1, bob);
        stage.mustHavePushed(0, alice);
    }

    private static void restartWhileAsleep(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        alice.onCall(Answering.answerAfter(A_MOMENT));
        stage.restart();

        UaCall caller = stage.pbxCalls("alice");
        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
    }

    private static void decline(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        alice.onCall(Answering.declineEverywhereAfter(Duration.ofSeconds(1)));

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.must("the caller hears", caller.outcome(), 603);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.DECLINED_HERE);
        stage.must("missed calls on the phone:", alice.alerts().size(), 0);
        stage.mustHavePushed(1, alice);
    }
}
