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

/**
 * The user declines on the phone, for all devices (603): a story for each state that the tablet can be in. It shows no
 * missed call.
 */
final class DeclinedElsewhereStories {
    private static final String LINPHONE = "apps.\"com.example.phone\".reason-600 = true";

    private DeclinedElsewhereStories() {}

    static List<Story> all(DemoBridge bridge) {
        return List.of(
                story(
                        "declined-elsewhere-unreached",
                        "The call is declined on the phone while the tablet is in flight mode; when the push comes"
                                + " late, its app asks over HTTPS.",
                        "",
                        DeclinedElsewhereStories::unreached,
                        bridge),
                story(
                        "declined-elsewhere-awake",
                        "The tablet's app has asked over HTTPS and alerts when the phone declines; its REGISTER brings"
                                + " the verdict.",
                        "",
                        DeclinedElsewhereStories::awake,
                        bridge),
                story(
                        "declined-elsewhere-ringing",
                        "A phone that is awake and a tablet that sleeps both ring; one declines, the other stops.",
                        "",
                        stage -> ringing(stage, "603"),
                        bridge),
                story(
                        "declined-elsewhere-ringing-linphone",
                        "The same with apps on the Linphone SDK, which know another cause for it.",
                        LINPHONE,
                        stage -> ringing(stage, "600"),
                        bridge),
                story(
                        "declined-elsewhere-in-call",
                        "The phone declines a call that waits at a tablet in use: it waits no more, and the tablet's"
                                + " talk goes on.",
                        "",
                        DeclinedElsewhereStories::inCall,
                        bridge),
                story(
                        "declined-elsewhere-lost",
                        "The tablet rings and loses its connection before the phone declines: a background push ends"
                                + " the ringing.",
                        "",
                        DeclinedElsewhereStories::lost,
                        bridge));
    }

    private static Story story(String name, String title, String settings, Story.Script script, DemoBridge bridge) {
        return new Story(name, title, List.of(ALICE, IPAD), settings, script, bridge);
    }

    private static void unreached(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet =
                stage.outOfReach(IPAD, "alice", AppSettings.stock().learningBy(VerdictWay.HTTPS));

        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushedTo(tablet);
        decline(stage, phone, caller);
        stage.backInReach(tablet);
        CallScreen screen = stage.screen(tablet);
        stage.must("the tablet's ringing ends as", screen.ringing(), RingingEnd.DECLINED_ELSEWHERE);
        stage.mustHearOverHttps(tablet, "declined-elsewhere");
        stage.untilConnected(tablet, 2);
        stage.must("an INVITE came:", screen.invited().isDone(), false);
        mustHavePushed(stage, phone, tablet, 1, 0);
    }

    private static void decline(Stage stage, SimulatedIphone phone, UaCall caller) {
        CallScreen screen = stage.screen(phone);
        stage.soon("the phone gets the INVITE", screen.invited());
        phone.declineEverywhereNow(screen);
        stage.must("the caller hears", caller.outcome(), 603);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.DECLINED_HERE);
    }

    private static void mustStop(Stage stage, CallScreen onTablet, UaCall call, String cause) {
        stage.must("the tablet's ringing ends as", onTablet.ringing(), RingingEnd.DECLINED_ELSEWHERE);
        stage.must(
                "its CANCEL has the Reason",
                call.cancelReason().orElse("none"),
                "SIP;cause=" + cause + ";text=\"Declined elsewhere\"");
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
        decline(stage, phone, caller);
        stage.must("the tablet's REGISTER is answered with", tablet.launch(), 200);
        mustStop(stage, screen, stage.soon("the INVITE that is cancelled at once", screen.invited()), "603");
        mustHavePushed(stage, phone, tablet, 1, 0);
    }

    private static void ringing(Stage stage, String cause) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(tablet);
        UaCall call = stage.soon("the woken tablet gets the INVITE too", screen.invited());
        decline(stage, phone, caller);
        mustStop(stage, screen, call, cause);
        mustHavePushed(stage, phone, tablet, 1, 0);
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.awake(IPAD, "alice", Transport.TCP);
        Stage.Talk talk = stage.talks(tablet);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(tablet);
        UaCall waiting = stage.soon("the second call waits at the tablet", screen.invited());
        decline(stage, phone, caller);
        mustStop(stage, screen, waiting, "603");
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
        decline(stage, phone, caller);
        stage.must("the tablet's ringing ends as", screen.ringing(), RingingEnd.ENDED_BY_PUSH);
        stage.untilConnected(tablet, 2);
        mustHavePushed(stage, phone, tablet, 1, 1);
    }
}
