package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** The caller gives up before anyone has answered: a story for each state that the phone can be in. */
final class CancelStories {
    private static final String END_PUSH = "apps.\"com.example.phone\".end-push = voip";
    private static final String NO_ALERT = "apps.\"com.example.phone\".missed-call-alert = false";

    private CancelStories() {}

    static List<Story> all(DemoBridge bridge) {
        return List.of(
                story(
                        "cancel-unreached",
                        "The caller gives up while the phone is in flight mode; the push comes late, and one round trip"
                                + " ends the ringing.",
                        "",
                        CancelStories::unreached,
                        bridge),
                story(
                        "cancel-unreached-no-alert",
                        "The same with an app that wants no missed-call alerts: it gets none.",
                        NO_ALERT,
                        CancelStories::unreachedWithoutAlert,
                        bridge),
                story(
                        "cancel-unreached-end-push",
                        "The caller gives up while the pushed phone rings without SIP; its app takes a VoIP push that"
                                + " ends the call.",
                        END_PUSH,
                        CancelStories::unreachedWithEndPush,
                        bridge),
                story(
                        "cancel-awake",
                        "The app has asked over HTTPS and alerts when the caller gives up; a NOTIFY behind its REGISTER"
                                + " tells it.",
                        "",
                        CancelStories::awake,
                        bridge),
                story(
                        "cancel-ringing",
                        "The caller gives up just as the woken phone has the call: a CANCEL silences it at once.",
                        "",
                        CancelStories::ringing,
                        bridge),
                story(
                        "cancel-in-call",
                        "The caller gives up while the phone talks to somebody else: the waiting call goes, the other"
                                + " goes on.",
                        "",
                        CancelStories::inCall,
                        bridge),
                story(
                        "cancel-lost",
                        "The phone rings and loses its connection before the caller gives up: a background push ends"
                                + " the ringing.",
                        "",
                        CancelStories::lost,
                        bridge));
    }

    private static Story story(String name, String title, String settings, Story.Script script, DemoBridge bridge) {
        return new Story(name, title, List.of(ALICE), settings, script, bridge);
    }

    private static void unreached(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.outOfReach(ALICE, "alice", AppSettings.stock());

        callAndGiveUp(stage, alice);
        stage.backInReach(alice);
        mustFallSilentByVerdict(stage, alice);
        stage.mustShowMissedCall(alice);
        stage.mustHavePushed(1, alice);
        stage.mustHavePushedInBackground(0, alice);
    }

    private static void unreachedWithoutAlert(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.outOfReach(ALICE, "alice", AppSettings.stock());

        callAndGiveUp(stage, alice);
        stage.backInReach(alice);
        mustFallSilentByVerdict(stage, alice);
        stage.mustNotShowMissedCall(alice);
        stage.mustHavePushed(1, alice);
    }

    private static void callAndGiveUp(Stage stage, SimulatedIphone phone) {
        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushedTo(phone);
        giveUp(stage, caller);
    }

    private static void giveUp(Stage stage, UaCall caller) {
        caller.cancel();
        stage.must("the caller hears", caller.outcome(), 487);
    }

    private static void mustFallSilentByVerdict(Stage stage, SimulatedIphone phone) {
        CallScreen screen = stage.screen(phone);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        UaCall call = stage.soon("the INVITE that is cancelled at once", screen.invited());
        stage.must("its CANCEL says why:", call.cancelReason(), Optional.of("SIP;cause=487;text=\"Caller gave up\""));
    }

    private static void unreachedWithEndPush(Stage stage) throws IOException {
        stage.start("alice");
        AppSettings app = AppSettings.stock()
                .learningBy(VerdictWay.HTTPS)
                .tellingThatItRings()
                .handlingEndPushes();
        SimulatedIphone alice = stage.slowToRegister(ALICE, "alice", app);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.mustHearOverHttps(alice, "live", "live");
        stage.mustHearRinging(caller);
        giveUp(stage, caller);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.ENDED_BY_PUSH);
        stage.must("its REGISTER is answered with", alice.launch(), 200);
        stage.mustShowMissedCall(alice);
        stage.mustHavePushed(2, alice);
        stage.mustHavePushedInBackground(0, alice);
    }

    private static void awake(Stage stage) throws IOException {
        stage.start("alice");
        AppSettings app = AppSettings.stock()
                .learningBy(VerdictWay.HTTPS, VerdictWay.DIALOG_EVENTS)
                .tellingThatItRings();
        SimulatedIphone alice = stage.slowToRegister(ALICE, "alice", app);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.mustHearOverHttps(alice, "live", "live");
        stage.mustHearRinging(caller);
        giveUp(stage, caller);
        stage.must("its REGISTER is answered with", alice.launch(), 200);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.NOT_ALIVE);
        stage.must("an INVITE came:", screen.invited().isDone(), false);
        stage.mustShowMissedCall(alice);
        stage.mustHavePushed(1, alice);
        stage.mustHavePushedInBackground(0, alice);
    }

    private static void ringing(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        UaCall call = stage.soon("the woken phone gets the INVITE", screen.invited());
        giveUp(stage, caller);
        mustBeCancelled(stage, screen, call);
        stage.mustShowMissedCall(alice);
        stage.mustHavePushed(1, alice);
        stage.mustHavePushedInBackground(0, alice);
    }

    private static void mustBeCancelled(Stage stage, CallScreen screen, UaCall call) {
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        stage.must("its CANCEL has a Reason:", call.cancelReason().isPresent(), false);
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk talk = stage.talks(alice);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        UaCall waiting = stage.soon("the second call waits at the phone", screen.invited());
        stage.mustHearRinging(caller);
        giveUp(stage, caller);
        mustBeCancelled(stage, screen, waiting);
        stage.mustShowMissedCall(alice);
        stage.mustHaveGoneOn(talk);
        stage.mustHavePushed(0, alice);
        stage.mustHavePushedInBackground(0, alice);
    }

    private static void lost(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.soon("the woken phone gets the INVITE", screen.invited());
        stage.mustHearRinging(caller);
        stage.loseConnection(alice);
        giveUp(stage, caller);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.ENDED_BY_PUSH);
        stage.untilConnected(alice, 1);
        stage.mustShowMissedCall(alice);
        stage.mustHavePushed(1, alice);
        stage.mustHavePushedInBackground(1, alice);
    }
}
