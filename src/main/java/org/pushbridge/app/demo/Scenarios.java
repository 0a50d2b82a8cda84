package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;
import static org.pushbridge.app.demo.Stage.BOB;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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
        all.addAll(Declines.stories(bridge));
        all.addAll(HangUps.stories(bridge));
        all.addAll(LateWakeStories.stories(bridge));
        all.addAll(SeveralDevices.stories(bridge));
        all.addAll(FastFailures.stories(bridge));
        all.addAll(CallersHear.stories(bridge));
        all.addAll(Pushes.stories(bridge));
        all.addAll(new Scenarios(bridge).others());
        return List.copyOf(all);
    }

    private List<Scenario> others() {
        return List.of(
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
                        Scenarios::restartWhileAsleep));
    }

    private Story story(String name, String title, Story.Script script) {
        return new Story(name, title, List.of(ALICE), "", script, bridge);
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
}
