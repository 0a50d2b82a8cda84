package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Subscription;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/**
 * A push in flight mode: the caller gives up, flight mode ends, Apple delivers the old push all the same, and the phone
 * rings for a call that is long over. It is told so as soon as it shows up; and nobody ends a call that is alive.
 */
final class LateWakeStories {
    private static final AppSettings STOCK = AppSettings.stock();
    private static final AppSettings ON_DIALOG_EVENTS = STOCK.learningBy(VerdictWay.DIALOG_EVENTS);
    private static final AppSettings ON_HTTPS = STOCK.learningBy(VerdictWay.HTTPS);
    private static final String HTTPS_ALONE = "apps.\"" + Stage.BUNDLE + "\".verdict = none";
    private static final Duration AN_HOUR = Duration.ofHours(1);

    private LateWakeStories() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                new Story(
                        "late-wake-dialog-events",
                        "A phone wakes after the call's end: the NOTIFY right behind the 200 to its REGISTER names no call,"
                                + " so it stops ringing.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::dialogEvents,
                        bridge),
                new Story(
                        "late-wake-subscribed",
                        "The same for an app that had subscribed to dialog events: the NOTIFY comes in its subscription.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::subscribed,
                        bridge),
                new Story(
                        "late-wake-invite-cancel",
                        "The same for a stock app: an INVITE that is cancelled at once ends its ringing.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::inviteAndCancel,
                        bridge),
                new Story(
                        "late-wake-https",
                        "The same for an app that asks over HTTPS: it is silent before SIP is even up.",
                        List.of(ALICE),
                        HTTPS_ALONE,
                        LateWakeStories::https,
                        bridge),
                live(
                        "late-wake-live-dialog-events",
                        "the NOTIFY names it, and it is answered",
                        ON_DIALOG_EVENTS,
                        "",
                        bridge),
                new Story(
                        "late-wake-live-subscribed",
                        "A late push, but the call is still alive: the NOTIFY in the subscription names it, and it is"
                                + " answered.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::liveSubscribed,
                        bridge),
                live("late-wake-live-invite", "a stock phone gets its INVITE and no CANCEL", STOCK, "", bridge),
                live("late-wake-live-https", "HTTPS says so, and it is answered", ON_HTTPS, HTTPS_ALONE, bridge),
                new Story(
                        "late-wake-after-restart",
                        "The bridge is restarted before the phone wakes: it is told all the same, and only once.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::afterRestart,
                        bridge),
                new Story(
                        "late-wake-in-another-call",
                        "A stock phone in a call learns of a missed one only when it has hung up: an INVITE would disturb"
                                + " it.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::inAnotherCall,
                        bridge),
                new Story(
                        "stale-push-in-call",
                        "The push arrives when the phone is in that very call already: nothing happens.",
                        List.of(ALICE),
                        "",
                        LateWakeStories::stalePush,
                        bridge));
    }

    private static Story live(String name, String how, AppSettings app, String settings, DemoBridge bridge) {
        String title = "A late push, but the call is still alive: " + how + ".";
        return new Story(name, title, List.of(ALICE), settings, stage -> live(stage, app), bridge);
    }

    /** The call is over when flight mode ends; the screen that rings all the same. */
    private static CallScreen wakesLate(Stage stage, SimulatedIphone alice) {
        stage.soon("flight mode begins", alice.flightMode(true));
        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushed(1, alice);
        stage.giveUp(caller);
        stage.soon("flight mode ends", alice.flightMode(false));
        return stage.screen(alice);
    }

    private static void isTold(Stage stage, SimulatedIphone alice, CallScreen screen, RingingEnd how) {
        stage.must("the phone's ringing ends as", screen.ringing(), how);
        stage.untilRegistered(alice, 2);
        stage.until("the phone shows a missed call", () -> alice.alerts().size() == 1);
        stage.mustHavePushed(1, alice);
    }

    private static void dialogEvents(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice", ON_DIALOG_EVENTS);

        int before = stage.arrived(alice, "NOTIFY");

        CallScreen screen = wakesLate(stage, alice);
        isTold(stage, alice, screen, RingingEnd.NOT_ALIVE);
        stage.must("NOTIFYs that came to the phone:", stage.arrived(alice, "NOTIFY") - before, 1);
        nextCallRings(stage, alice, 1);
    }

    private static void subscribed(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP, ON_DIALOG_EVENTS);
        Subscription subscription = subscribe(stage, alice);
        stage.soon("the phone falls asleep", alice.sleep());

        CallScreen screen = wakesLate(stage, alice);
        isTold(stage, alice, screen, RingingEnd.NOT_ALIVE);
        stage.must("NOTIFYs in the subscription:", subscription.notifications().size(), 2);
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 0);
    }

    private static Subscription subscribe(Stage stage, SimulatedIphone alice) {
        Subscription subscription = alice.dialogEvents();
        stage.must("the SUBSCRIBE is answered with", subscription.subscribe(AN_HOUR), 200);
        stage.until("the first NOTIFY comes", () -> subscription.notifications().size() == 1);
        return subscription;
    }

    private static void inviteAndCancel(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        CallScreen screen = wakesLate(stage, alice);
        isTold(stage, alice, screen, RingingEnd.CANCELLED);
        stage.must("CANCELs that came to the phone:", stage.arrived(alice, "CANCEL"), 1);
        nextCallRings(stage, alice, 2);
    }

    private static void https(Stage stage) throws IOException {
        stage.phonesWakeSlowly();
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice", ON_HTTPS);

        CallScreen screen = wakesLate(stage, alice);
        isTold(stage, alice, screen, RingingEnd.CANCELLED);
        nextCallRings(stage, alice, 1);
    }

    private static void nextCallRings(Stage stage, SimulatedIphone alice, int invites) {
        Stage.Talk next = stage.talk("alice", alice);
        stage.hangUp(next.caller(), next.callee());
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), invites);
    }

    private static void live(Stage stage, AppSettings app) throws IOException {
        stage.start("alice");
        answersLate(stage, stage.asleep(ALICE, "alice", app));
    }

    private static void liveSubscribed(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP, ON_DIALOG_EVENTS);
        subscribe(stage, alice);
        stage.soon("the phone falls asleep", alice.sleep());
        answersLate(stage, alice);
    }

    private static void answersLate(Stage stage, SimulatedIphone alice) {
        alice.onCall(Answering.answerAfter(A_MOMENT));
        stage.soon("flight mode begins", alice.flightMode(true));
        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushed(1, alice);
        stage.soon("flight mode ends", alice.flightMode(false));

        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.mustStillTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.must("CANCELs that came to the phone:", stage.arrived(alice, "CANCEL"), 0);
        stage.must("missed calls on the phone:", alice.alerts().size(), 0);
        stage.mustHavePushed(1, alice);
    }

    private static void afterRestart(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        stage.soon("flight mode begins", alice.flightMode(true));
        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushed(1, alice);
        stage.giveUp(caller);
        stage.restart();
        stage.soon("flight mode ends", alice.flightMode(false));

        isTold(stage, alice, stage.screen(alice), RingingEnd.CANCELLED);
        stage.must("the phone can register anew:", alice.launch(), 200);
        nextCallRings(stage, alice, 2);
        stage.must("CANCELs that came to the phone:", stage.arrived(alice, "CANCEL"), 1);
    }

    private static void inAnotherCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk talk = stage.talk("alice", alice);
        stage.soon("flight mode begins", alice.flightMode(true));
        stage.soon("the connection breaks", alice.loseFlow());
        UaCall second = stage.pbxCalls("alice");
        stage.untilPushed(1, alice);
        stage.giveUp(second);
        stage.soon("flight mode ends", alice.flightMode(false));

        CallScreen missed = stage.screen(alice, 2);
        stage.untilRegistered(alice, 2);
        stage.mustStillTalk(talk.caller(), talk.callee());
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 1);
        stage.hangUp(talk.caller(), talk.callee());
        stage.must("the missed call's ringing ends as", missed.ringing(), RingingEnd.CANCELLED);
        stage.until("the phone shows a missed call", () -> alice.alerts().size() == 1);
        stage.mustHavePushed(1, alice);
    }

    private static void stalePush(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        String voip = alice.settings().voipToken();
        stage.apns().setOnline(voip, false);
        UaCall caller = stage.pbxCalls("alice");
        stage.untilPushed(1, alice);
        stage.must("the user opens the app, which can register:", alice.launch(), 200);
        UaCall callee = stage.answerNow(alice, stage.screen(alice));
        stage.mustTalk(caller, callee);

        stage.apns().setOnline(voip, true);
        stage.until("Apple delivers the push", () -> stage.soon("the count", alice.voipPushes()) == 1);
        stage.must("the phone can register anew:", alice.registerAgain(), 200);
        stage.mustStillTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.must("calls that rang on the phone:", alice.screens().size(), 1);
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 1);
        stage.must("missed calls on the phone:", alice.alerts().size(), 0);
    }
}
