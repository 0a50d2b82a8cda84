package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;

import java.io.IOException;
import java.util.List;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** Nobody answers, until the ring limit is over: a story for each state that the phone can be in. */
final class RingLimitStories {
    private static final String ONE_SECOND = "calls.ring-limit = 1s";
    /** Time enough for a phone to wake and register. */
    private static final String THREE_SECONDS = "calls.ring-limit = 3s";

    private RingLimitStories() {}

    static List<Story> all(DemoBridge bridge) {
        return List.of(
                story(
                        "ring-limit-unreached",
                        "The ring limit ends the call while the phone is in flight mode; the push comes late, and a"
                                + " NOTIFY ends the ringing.",
                        ONE_SECOND,
                        RingLimitStories::unreached,
                        bridge),
                story(
                        "ring-limit-awake",
                        "The app has asked over HTTPS and alerts when the ring limit is over; its REGISTER brings the"
                                + " verdict.",
                        THREE_SECONDS,
                        RingLimitStories::awake,
                        bridge),
                story(
                        "ring-limit-ringing",
                        "Nobody answers: when the ring limit is over, the phone falls silent and shows a missed call.",
                        THREE_SECONDS,
                        RingLimitStories::ringing,
                        bridge),
                story(
                        "ring-limit-in-call",
                        "A call waits at a phone in use until the ring limit is over; the other goes on.",
                        ONE_SECOND,
                        RingLimitStories::inCall,
                        bridge),
                story(
                        "ring-limit-lost",
                        "The phone rings, loses its connection, and comes back when the ring limit is over: it is"
                                + " silenced at once.",
                        THREE_SECONDS,
                        RingLimitStories::lost,
                        bridge));
    }

    private static Story story(String name, String title, String settings, Story.Script script, DemoBridge bridge) {
        return new Story(name, title, List.of(ALICE), settings, script, bridge);
    }

    private static void unreached(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice =
                stage.outOfReach(ALICE, "alice", AppSettings.stock().learningBy(VerdictWay.DIALOG_EVENTS));

        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushedTo(alice);
        mustEnd(stage, caller);
        stage.backInReach(alice);
        CallScreen screen = stage.screen(alice);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.NOT_ALIVE);
        stage.must("an INVITE came:", screen.invited().isDone(), false);
        mustHavePushed(stage, alice, 1);
    }

    private static void mustEnd(Stage stage, UaCall caller) {
        stage.must("the caller hears", caller.outcome(), 480);
        stage.mustSayWhy(caller, "No answer");
    }

    private static void mustHavePushed(Stage stage, SimulatedIphone phone, int voip) {
        stage.mustShowMissedCall(phone);
        stage.mustHavePushed(voip, phone);
        stage.mustHavePushedInBackground(0, phone);
    }

    private static void awake(Stage stage) throws IOException {
        stage.start("alice");
        AppSettings app = AppSettings.stock().learningBy(VerdictWay.HTTPS).tellingThatItRings();
        SimulatedIphone alice = stage.slowToRegister(ALICE, "alice", app);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.mustHearOverHttps(alice, "live", "live");
        stage.mustHearRinging(caller);
        mustEnd(stage, caller);
        stage.must("its REGISTER is answered with", alice.launch(), 200);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        stage.must(
                "the CANCEL behind the INVITE has the Reason",
                stage.soon("the INVITE that is cancelled at once", screen.invited())
                        .cancelReason()
                        .orElse("none"),
                "SIP;cause=408;text=\"No answer\"");
        mustHavePushed(stage, alice, 1);
    }

    private static void ringing(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.mustHearRinging(caller);
        mustEnd(stage, caller);
        mustBeCancelled(stage, screen);
        mustHavePushed(stage, alice, 1);
    }

    private static void mustBeCancelled(Stage stage, CallScreen screen) {
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        UaCall call = stage.soon("the INVITE", screen.invited());
        stage.must("its CANCEL has a Reason:", call.cancelReason().isPresent(), false);
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk talk = stage.talks(alice);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.mustHearRinging(caller);
        mustEnd(stage, caller);
        mustBeCancelled(stage, screen);
        stage.mustHaveGoneOn(talk);
        mustHavePushed(stage, alice, 0);
    }

    private static void lost(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.mustHearRinging(caller);
        stage.loseConnection(alice);
        mustEnd(stage, caller);
        stage.must("its REGISTER is answered with", alice.launch(), 200);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.CANCELLED);
        mustHavePushed(stage, alice, 1);
    }
}
