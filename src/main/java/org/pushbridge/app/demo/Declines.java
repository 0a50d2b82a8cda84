package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.BOB;
import static org.pushbridge.app.demo.Stage.IPAD;

import java.io.IOException;
import java.util.List;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.OutgoingCall.DialingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** The user declines, whatever state the phone is in. */
final class Declines {
    private static final AppSettings ON_HTTPS = AppSettings.stock().learningBy(VerdictWay.HTTPS);

    private Declines() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                new Story(
                        "decline-unreached",
                        "The user declines over HTTPS before the phone has registered; the caller hears it at once.",
                        List.of(ALICE),
                        "",
                        Declines::unreached,
                        bridge),
                new Story(
                        "decline-awake",
                        "The app says over HTTPS that it rings, so the caller hears 180, and then that its user declines,"
                                + " all before any INVITE.",
                        List.of(ALICE),
                        "",
                        Declines::awake,
                        bridge),
                new Story(
                        "decline-ringing-486",
                        "The user declines on the phone with 486; the tablet goes on ringing and takes the call.",
                        List.of(ALICE, IPAD),
                        "",
                        Declines::ringing486,
                        bridge),
                new Story(
                        "decline-ringing-603",
                        "The woken phone's user declines with 603, and the caller hears it at once.",
                        List.of(ALICE),
                        "",
                        Declines::ringing603,
                        bridge),
                new Story(
                        "decline-in-call",
                        "The user declines the waiting call; the other one goes on.",
                        List.of(ALICE),
                        "",
                        Declines::inCall,
                        bridge),
                new Story(
                        "decline-while-caller-is-lost",
                        "The caller is a phone that lost its connection: a background push ends its call screen, never a"
                                + " VoIP push.",
                        List.of(ALICE, BOB),
                        "",
                        Declines::whileCallerIsLost,
                        bridge),
                new Story(
                        "decline-while-caller-is-lost-for-longer",
                        "The same, and Apple drops the push: the caller's phone hears 603 when it has registered again.",
                        List.of(ALICE, BOB),
                        "",
                        Declines::whileCallerIsLostForLonger,
                        bridge));
    }

    private static void unreached(Stage stage) throws IOException {
        stage.phonesWakeSlowly();
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice", ON_HTTPS);

        UaCall caller = stage.pbxCalls("alice");
        alice.declineEverywhereNow(stage.screen(alice));
        stage.must("the caller hears", caller.outcome(), 603);
        stage.untilRegistered(alice, 2);
        isOverFor(alice, stage);
    }

    private static void awake(Stage stage) throws IOException {
        stage.phonesWakeSlowly();
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice", ON_HTTPS.tellingThatItRings());

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.until("the caller hears that it rings", () -> caller.statuses().contains(180));
        alice.declineEverywhereNow(screen);
        stage.must("the caller hears", caller.outcome(), 603);
        stage.untilRegistered(alice, 2);
        isOverFor(alice, stage);
    }

    /** Nothing came for the call that was declined, and the next call rings as ever. */
    private static void isOverFor(SimulatedIphone alice, Stage stage) {
        Stage.Talk next = stage.talk("alice", alice);
        stage.hangUp(next.caller(), next.callee());
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 1);
        stage.must("missed calls on the phone:", alice.alerts().size(), 0);
        stage.mustHavePushed(1, alice);
    }

    private static void ringing486(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.awake(IPAD, "alice", Transport.TCP);

        UaCall caller = stage.pbxCalls("alice");
        CallScreen onTablet = stage.screen(tablet);
        phone.declineNow(stage.screen(phone));
        stage.until("the bridge acknowledges the 486", () -> stage.arrived(phone, "ACK") == 1);
        stage.must("the tablet rings on:", onTablet.isRinging(), true);
        UaCall callee = stage.answerNow(tablet, onTablet);
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.must("missed calls:", phone.alerts().size() + tablet.alerts().size(), 0);
        stage.mustHavePushed(0, phone);
        stage.mustHavePushed(0, tablet);
    }

    private static void ringing603(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        stage.until("the caller hears that it rings", () -> caller.statuses().contains(180));
        alice.declineEverywhereNow(screen);
        stage.must("the caller hears", caller.outcome(), 603);
        stage.must("the phone's ringing ends as", screen.ringing(), RingingEnd.DECLINED_HERE);
        stage.must("missed calls on the phone:", alice.alerts().size(), 0);
        stage.mustHavePushed(1, alice);
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk first = stage.talk("alice", alice);

        UaCall second = stage.pbxCalls("alice");
        alice.declineNow(stage.screen(alice, 2));
        stage.must("the second caller hears", second.outcome(), 486);
        stage.mustStillTalk(first.caller(), first.callee());
        stage.hangUp(first.caller(), first.callee());
        stage.must("missed calls on the phone:", alice.alerts().size(), 0);
        stage.mustHavePushed(0, alice);
    }

    private static void whileCallerIsLost(Stage stage) throws IOException {
        stage.start("alice", "bob");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone bob = stage.awake(BOB, "bob", Transport.TCP);

        UaCall caller = bob.call(alice.settings().address());
        stage.until("Bob hears that it rings", () -> caller.statuses().contains(180));
        stage.soon("Bob's phone loses its connection", bob.loseFlow());
        alice.declineEverywhereNow(stage.screen(alice));
        stage.must("Bob stops waiting:", bob.outgoing().get(0).dialing(), DialingEnd.ENDED_BY_PUSH);
        stage.untilRegistered(bob, 2);
        stage.must("Bob's phone hears", caller.outcome(), 603);
        stage.must("background pushes to Bob's phone:", bob.backgroundPushes().size(), 1);
        noCallRang(bob, stage);
    }

    private static void whileCallerIsLostForLonger(Stage stage) throws IOException {
        stage.start("alice", "bob");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone bob = stage.awake(BOB, "bob", Transport.TCP);
        stage.dropRegularPushes(bob);

        UaCall caller = bob.call(alice.settings().address());
        stage.until("Bob hears that it rings", () -> caller.statuses().contains(180));
        stage.soon("Bob's phone loses its connection", bob.loseFlow());
        alice.declineEverywhereNow(stage.screen(alice));
        stage.until("the bridge acknowledges the 603", () -> stage.arrived(alice, "ACK") == 1);
        stage.must("Bob's phone can register again:", bob.launch(), 200);
        stage.must("Bob's phone hears", caller.outcome(), 603);
        stage.must("Bob stops waiting:", bob.outgoing().get(0).dialing(), DialingEnd.FAILED);
        noCallRang(bob, stage);
    }

    private static void noCallRang(SimulatedIphone bob, Stage stage) {
        stage.mustHavePushed(0, bob);
        stage.must("calls that rang on Bob's phone:", bob.screens().size(), 0);
        stage.must("alerts on Bob's phone:", bob.alerts().size(), 0);
    }
}
