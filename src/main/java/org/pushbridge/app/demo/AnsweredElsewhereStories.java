package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.IPAD;

import java.io.IOException;
import java.util.List;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** The user takes the call on the phone: a story for each state that the tablet can be in. It shows no missed call. */
final class AnsweredElsewhereStories {
    private AnsweredElsewhereStories() {}

    static List<Story> all(DemoBridge bridge) {
        return List.of(
                story(
                        "answered-elsewhere-unreached",
                        "The call is answered on the phone while the tablet is in flight mode; the push comes late, and"
                                + " one round trip ends the ringing.",
                        AnsweredElsewhereStories::unreached,
                        bridge),
                story(
                        "answered-elsewhere-awake",
                        "The tablet's app has asked over HTTPS and alerts when the phone answers; its REGISTER brings"
                                + " the verdict.",
                        AnsweredElsewhereStories::awake,
                        bridge),
                story(
                        "answered-elsewhere-ringing",
                        "A phone that is awake and a tablet that sleeps both ring; one answers, the other stops.",
                        AnsweredElsewhereStories::ringing,
                        bridge),
                story(
                        "answered-elsewhere-in-call",
                        "The phone answers a call that waits at a tablet in use: it waits no more, and the tablet's"
                                + " talk goes on.",
                        AnsweredElsewhereStories::inCall,
                        bridge),
                story(
                        "answered-elsewhere-lost",
                        "The tablet rings and loses its connection before the phone answers: a background push ends"
                                + " the ringing.",
                        AnsweredElsewhereStories::lost,
                        bridge));
    }

    private static Story story(String name, String title, Story.Script script, DemoBridge bridge) {
        return new Story(name, title, List.of(ALICE, IPAD), "", script, bridge);
    }

    private static void unreached(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.outOfReach(IPAD, "alice", AppSettings.stock());

        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushedTo(tablet);
        Stage.Talk talk = takes(stage, phone, caller);
        stage.backInReach(tablet);
        CallScreen screen = stage.screen(tablet);
        mustStop(stage, screen, stage.soon("the INVITE that is cancelled at once", screen.invited()));
        stage.mustHaveGoneOn(talk);
        mustHavePushed(stage, phone, tablet, 1, 0);
    }

    /** The phone takes the call, and both talk. */
    private static Stage.Talk takes(Stage stage, SimulatedIphone phone, UaCall caller) {
        phone.answerNow(stage.screen(phone));
        UaCall callee = stage.answered(phone);
        stage.mustTalk(caller, callee);
        return new Stage.Talk(caller, callee);
    }

    private static void mustStop(Stage stage, CallScreen onTablet, UaCall call) {
        stage.must("the tablet's ringing ends as", onTablet.ringing(), RingingEnd.ANSWERED_ELSEWHERE);
        stage.must(
                "its CANCEL has the Reason",
                call.cancelReason().orElse("none"),
                "SIP;cause=200;text=\"Call completed elsewhere\"");
    }

    private static void mustHavePushed(
            Stage stage, SimulatedIphone phone, SimulatedIphone tablet, int voip, int background) {
        stage.mustHavePushed(0, phone);
        stage.mustNotShowMissedCall(phone);
        stage.mustHavePushedInBackground(0, phone);
        stage.mustHavePushed(voip, tablet);
        stage.mustNotShowMissedCall(tablet);
        stage.mustHavePushedInBackground(background, tablet);
    }

    private static void awake(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        AppSettings app = AppSettings.stock().learningBy(VerdictWay.HTTPS).tellingThatItRings();
        SimulatedIphone tablet = stage.slowToRegister(IPAD, "alice", app);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(tablet);
        stage.mustHearOverHttps(tablet, "live", "live");
        Stage.Talk talk = takes(stage, phone, caller);
        stage.must("the tablet's REGISTER is answered with", tablet.launch(), 200);
        mustStop(stage, screen, stage.soon("the INVITE that is cancelled at once", screen.invited()));
        stage.mustHaveGoneOn(talk);
        mustHavePushed(stage, phone, tablet, 1, 0);
    }

    private static void ringing(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(tablet);
        UaCall call = stage.soon("the woken tablet gets the INVITE too", screen.invited());
        Stage.Talk talk = takes(stage, phone, caller);
        mustStop(stage, screen, call);
        stage.mustHaveGoneOn(talk);
        mustHavePushed(stage, phone, tablet, 1, 0);
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.awake(IPAD, "alice", Transport.TCP);
        Stage.Talk talkOnTablet = stage.talks(tablet);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(tablet);
        UaCall waiting = stage.soon("the second call waits at the tablet", screen.invited());
        Stage.Talk talk = takes(stage, phone, caller);
        mustStop(stage, screen, waiting);
        stage.mustHaveGoneOn(talkOnTablet);
        stage.mustHaveGoneOn(talk);
        mustHavePushed(stage, phone, tablet, 0, 0);
    }

    private static void lost(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(tablet);
        stage.soon("the woken tablet gets the INVITE too", screen.invited());
        stage.loseConnection(tablet, 1);
        Stage.Talk talk = takes(stage, phone, caller);
        stage.must("the tablet's ringing ends as", screen.ringing(), RingingEnd.ENDED_BY_PUSH);
        stage.untilConnected(tablet, 2);
        stage.mustHaveGoneOn(talk);
        mustHavePushed(stage, phone, tablet, 1, 1);
    }
}
