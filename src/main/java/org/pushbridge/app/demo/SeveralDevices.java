package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.IPAD;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;

/** One user's devices, awake and asleep; and one device that registers or is called several times. */
final class SeveralDevices {
    private static final String SPARING = "apps.\"" + Stage.BUNDLE + "\".push-when-ringing-elsewhere = false";

    private SeveralDevices() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                new Story(
                        "registers-twice",
                        "The woken phone registers from two ports, then anew with another Call-ID: it gets one INVITE.",
                        List.of(ALICE),
                        "",
                        SeveralDevices::registersTwice,
                        bridge),
                new Story(
                        "two-calls-one-phone",
                        "Two calls for one sleeping phone: two pushes; the first caller gives up, the second is answered.",
                        List.of(ALICE),
                        "",
                        SeveralDevices::twoCallsOnePhone,
                        bridge),
                new Story(
                        "fork-and-join",
                        "The phone that is awake rings at once; the sleeping tablet is pushed to, joins and takes the"
                                + " call.",
                        List.of(ALICE, IPAD),
                        "",
                        SeveralDevices::forkAndJoin,
                        bridge),
                new Story(
                        "fork-best-response",
                        "The phone is busy and the tablet's app was deleted: the caller hears 486, which says more than"
                                + " 480.",
                        List.of(ALICE, IPAD),
                        "",
                        SeveralDevices::bestResponse,
                        bridge),
                new Story(
                        "push-spared",
                        "With push-when-ringing-elsewhere = false, the tablet sleeps on while the phone rings.",
                        List.of(ALICE, IPAD),
                        SPARING,
                        SeveralDevices::pushSpared,
                        bridge),
                new Story(
                        "push-spared-until-declined",
                        "The same, but the phone declines with 486: now the tablet is pushed to, and takes the call.",
                        List.of(ALICE, IPAD),
                        SPARING,
                        SeveralDevices::pushSparedUntilDeclined,
                        bridge));
    }

    private static void registersTwice(Stage stage) throws IOException {
        stage.phonesWakeSlowly();
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen screen = stage.screen(alice);
        // The second REGISTER leaves before the first is challenged.
        CompletableFuture<Integer> first = alice.launch();
        stage.must("the REGISTER from the second port is answered with", alice.registerAgain(), 200);
        stage.must("the REGISTER from the first port is answered on", first.isDone(), false);
        stage.soon("the phone gets the INVITE", screen.invited());
        stage.soon("the app forgets its registration", alice.forgetRegistration());
        stage.must("the REGISTER with another Call-ID is answered with", alice.registerAgain(), 200);
        UaCall callee = stage.answerNow(alice, screen);
        stage.mustTalk(caller, callee);
        stage.mustStillTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 1);
        stage.mustHavePushed(1, alice);
    }

    private static void twoCallsOnePhone(Stage stage) throws IOException {
        stage.phonesWakeSlowly();
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");

        UaCall first = stage.pbxCalls("alice");
        CallScreen ofFirst = stage.screen(alice, 1);
        UaCall second = stage.pbxCalls("alice");
        CallScreen ofSecond = stage.screen(alice, 2);
        stage.giveUp(first);
        stage.must("the first call's ringing ends as", ofFirst.ringing(), RingingEnd.CANCELLED);
        stage.must("the second call rings on:", ofSecond.isRinging(), true);
        UaCall callee = stage.answerNow(alice, ofSecond);
        stage.mustTalk(second, callee);
        stage.hangUp(second, callee);
        stage.until("the phone shows a missed call", () -> alice.alerts().size() == 1);
        stage.must("INVITEs that came to the phone:", stage.arrived(alice, "INVITE"), 2);
        stage.must("CANCELs that came to the phone:", stage.arrived(alice, "CANCEL"), 1);
        stage.mustHavePushed(2, alice);
    }

    private static void forkAndJoin(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        UaCall caller = stage.pbxCalls("alice");
        CallScreen onPhone = stage.screen(phone);
        stage.must("an INVITE, not a push, rings the phone:", onPhone.isPushed(), false);
        CallScreen onTablet = stage.screen(tablet);
        stage.must("a push, not an INVITE, rings the tablet:", onTablet.isPushed(), true);
        UaCall callee = stage.answerNow(tablet, onTablet);
        stage.mustTalk(caller, callee);
        stage.must("the phone's ringing ends as", onPhone.ringing(), RingingEnd.ANSWERED_ELSEWHERE);
        stage.hangUp(caller, callee);
        noneMissed(stage, 0, phone, 1, tablet);
    }

    private static void noneMissed(
            Stage stage, int pushesToPhone, SimulatedIphone phone, int pushesToTablet, SimulatedIphone tablet) {
        stage.mustHavePushed(pushesToPhone, phone);
        stage.mustHavePushed(pushesToTablet, tablet);
        stage.must("missed calls:", phone.alerts().size() + tablet.alerts().size(), 0);
    }

    private static void bestResponse(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");
        phone.onCall(new Answering.Busy());
        stage.uninstall(tablet);

        UaCall caller = stage.pbxCalls("alice");
        stage.must("the caller hears", caller.outcome(), 486);
        noneMissed(stage, 0, phone, 1, tablet);
    }

    private static void pushSpared(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        Stage.Talk talk = stage.talk("alice", phone);
        stage.hangUp(talk.caller(), talk.callee());
        stage.must("calls on the tablet:", tablet.screens().size(), 0);
        noneMissed(stage, 0, phone, 0, tablet);
    }

    private static void pushSparedUntilDeclined(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone phone = stage.awake(ALICE, "alice", Transport.TCP);
        SimulatedIphone tablet = stage.asleep(IPAD, "alice");

        UaCall caller = stage.pbxCalls("alice");
        stage.until("the caller hears that it rings", () -> caller.statuses().contains(180));
        stage.mustHavePushed(0, tablet);
        phone.declineNow(stage.screen(phone));
        UaCall callee = stage.answerNow(tablet, stage.screen(tablet));
        stage.mustTalk(caller, callee);
        stage.hangUp(caller, callee);
        noneMissed(stage, 0, phone, 1, tablet);
    }
}
