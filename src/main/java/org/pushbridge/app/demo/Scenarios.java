package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;
import static org.pushbridge.app.demo.Stage.BOB;
import static org.pushbridge.app.demo.Stage.IPAD;

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
    private static final String SHORT_RING_LIMIT = "calls.ring-limit = 4s";

    private final DemoBridge bridge;

    private Scenarios(DemoBridge bridge) {
        this.bridge = bridge;
    }

    /** All of them, to be played with this bridge. */
    public static List<Scenario> all(DemoBridge bridge) {
        List<Scenario> all = new ArrayList<>();
        all.addAll(Invites.stories(bridge));
        all.addAll(new Scenarios(bridge).others());
        return List.copyOf(all);
    }

    private List<Scenario> others() {
        return List.of(
                story(
                        "phone-wakes-while-caller-gives-up",
                        "The caller gives up just as the woken phone gets the call: it stops ringing at once.",
                        Scenarios::phoneWakesWhileCallerGivesUp),
                story(
                        "dead-token",
                        "The app was deleted: Apple says so, the caller hears it at once, and nobody pushes there again.",
                        Scenarios::deadToken),
                new Story(
                        "no-answer",
                        "Nobody answers: when the ring limit is over, the phone falls silent and shows a missed call.",
                        List.of(ALICE),
                        SHORT_RING_LIMIT,
                        Scenarios::noAnswer,
                        bridge),
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
                new Story(
                        "two-devices-one-answers",
                        "A phone that is awake and a tablet that sleeps both ring; one answers, the other stops.",
                        List.of(ALICE, IPAD),
                        "",
                        Scenarios::twoDevicesOneAnswers,
                        bridge),
                story(
                        "decline",
                        "The woken phone's user declines, and the caller hears it at once.",
                        Scenarios::decline));
    }

    private Story story(String name, String title, Story.Script script) {
        return new Story(name, title, List.of(ALICE), "", script, bridge);
    }

    private static void phoneWakesWhileCallerGivesUp(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.soon("the woken phone gets the INVITE", screen.invited());
        caller.cancel();

        stage.must("the caller hears", caller.outcome(), 487);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        stage.until("the phone shows a missed call", () -> alice.alerts().size() == 1);
        stage.mustHavePushed(1, alice);
    }

    private static void deadToken(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.uninstall(alice);

        UaCall caller = stage.pbxCalls("alice");
        stage.must("the caller hears", caller.outcome(), 480);
        stage.mustSayWhy(caller, "Subscriber absent");
        stage.must("the next caller hears", stage.pbxCalls("alice").outcome(), 480);
        stage.mustHavePushed(1, alice);
        stage.must("calls on the phone:", alice.screens().size(), 0);
    }

    private static void noAnswer(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.must("the caller hears", caller.outcome(), 480);
        stage.mustSayWhy(caller, "No answer");
        stage.must("the caller was told that it rings:", caller.statuses().contains(180), true);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        stage.until("the phone shows a missed call", () -> alice.alerts().size() == 1);
        stage.mustHavePushed(1, alice);
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

    private static void twoDevicesOneAnswers(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen onTablet = stage.screen(tablet);
        stage.soon("the woken tablet gets the INVITE too", onTablet.invited());
        phone.answerNow(stage.screen(phone));
        UaCall callee = stage.answered(phone);
        stage.mustTalk(caller, callee);
        stage.must("the tablet's ringing ends as", onTablet.ringing(), RingingEnd.ANSWERED_ELSEWHERE);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(0, phone);
        stage.mustHavePushed(1, tablet);
        stage.must("missed calls on the tablet:", tablet.alerts().size(), 0);
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
