package org.pushbridge.app.demo;

import static org.pushbridge.app.demo.Stage.ALICE;
import static org.pushbridge.app.demo.Stage.A_MOMENT;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.UaCall.End;

/** What happens inside a call, to a phone that is there or is not. */
final class HangUps {
    private static final String SHORT_HOLD_LIMIT = "calls.hold-limit = 1s";
    private static final Duration PAST_THE_HOLD_LIMIT = Duration.ofMillis(2500);

    private HangUps() {}

    static List<Story> stories(DemoBridge bridge) {
        return List.of(
                new Story(
                        "hang-up-in-call",
                        "Both sides change the session in mid-call; then the caller hangs up.",
                        List.of(ALICE),
                        "",
                        HangUps::inCall,
                        bridge),
                new Story(
                        "hang-up-by-callee",
                        "The woken phone answers and, after a word, hangs up.",
                        List.of(ALICE),
                        "",
                        HangUps::byCallee,
                        bridge),
                new Story(
                        "hang-up-lost",
                        "The caller hangs up on a phone that lost its connection and is answered at once; a background"
                                + " push brings the phone back, and it gets the BYE.",
                        List.of(ALICE),
                        "",
                        HangUps::lost,
                        bridge),
                new Story(
                        "hang-up-lost-too-long",
                        "The phone comes back only after calls.hold-limit: no BYE any more, the dialog events say that the"
                                + " call is over.",
                        List.of(ALICE),
                        SHORT_HOLD_LIMIT,
                        HangUps::lostTooLong,
                        bridge),
                new Story(
                        "hang-up-lost-and-redial",
                        "The caller hangs up on a phone that lost its connection and calls again: the phone is not busy,"
                                + " a VoIP push brings it back.",
                        List.of(ALICE),
                        "calls.call-waiting = busy",
                        HangUps::lostAndRedial,
                        bridge),
                new Story(
                        "re-invite-lost",
                        "The caller's re-INVITE waits for a phone that lost its connection; a background push brings it"
                                + " back (RFC 8599, PURR).",
                        List.of(ALICE),
                        "",
                        HangUps::reInviteLost,
                        bridge),
                new Story(
                        "re-invite-lost-in-vain",
                        "The phone does not come back within calls.hold-limit: the re-INVITE is answered 480, and the call"
                                + " goes on when it does.",
                        List.of(ALICE),
                        SHORT_HOLD_LIMIT,
                        HangUps::reInviteLostInVain,
                        bridge),
                new Story(
                        "network-change-in-call",
                        "The phone changes networks in a call: requests inside the call follow it, both ways.",
                        List.of(ALICE),
                        "",
                        HangUps::networkChange,
                        bridge));
    }

    private static void inCall(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.asleep(ALICE, "alice");
        alice.onCall(Answering.answerAfter(A_MOMENT));

        UaCall caller = stage.pbxCalls("alice");
        UaCall callee = stage.answered(alice);
        stage.mustTalk(caller, callee);
        stage.must("the caller's re-INVITE is answered with", caller.reInvite(), 200);
        stage.must("the phone's re-INVITE is answered with", callee.reInvite(), 200);
        stage.mustStillTalk(caller, callee);
        stage.hangUp(caller, callee);
        stage.mustHavePushed(1, alice);
    }

    private static void byCallee(Stage stage) throws IOException {
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

    private static void lost(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk talk = stage.talk("alice", alice);
        stage.soon("the phone loses its connection", alice.loseFlow());

        stage.hangUp(talk.caller(), talk.callee());
        stage.untilRegistered(alice, 2);
        stage.until("the phone gets the BYE", () -> stage.arrived(alice, "BYE") == 1);
        stage.must("background pushes:", alice.backgroundPushes().size(), 1);
        stage.must("alerts on the phone:", alice.alerts().size(), 0);
        stage.mustHavePushed(0, alice);
    }

    private static void lostTooLong(Stage stage) throws IOException {
        stage.start("alice");
        AppSettings onDialogEvents = AppSettings.stock().learningBy(VerdictWay.DIALOG_EVENTS);
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP, onDialogEvents);
        stage.dropRegularPushes(alice);
        Stage.Talk talk = stage.talk("alice", alice);
        stage.soon("the phone loses its connection", alice.loseFlow());

        stage.must("the caller's BYE is answered with", talk.caller().hangUp(), 200);
        stage.later(PAST_THE_HOLD_LIMIT);
        stage.must("the phone can register again:", alice.launch(), 200);
        stage.must("the phone's call ends as", talk.callee().ended(), End.HUNG_UP_THERE);
        stage.must("BYEs that came to the phone:", stage.arrived(alice, "BYE"), 0);
        stage.mustHavePushed(0, alice);
    }

    private static void lostAndRedial(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        stage.dropRegularPushes(alice);
        Stage.Talk lost = stage.talk("alice", alice);
        stage.soon("the phone loses its connection", alice.loseFlow());
        stage.must("the caller's BYE is answered with", lost.caller().hangUp(), 200);

        Stage.Talk again = stage.talk("alice", alice);
        stage.must("the phone's first call ends as", lost.callee().ended(), End.HUNG_UP_THERE);
        stage.hangUp(again.caller(), again.callee());
        stage.mustHavePushed(1, alice);
    }

    private static void reInviteLost(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice =
                stage.awake(ALICE, "alice", Transport.TCP, AppSettings.stock().withPurr());
        Stage.Talk talk = stage.talk("alice", alice);
        stage.soon("the phone loses its connection", alice.loseFlow());

        CompletableFuture<Integer> reInvite = talk.caller().reInvite();
        stage.must("the caller's re-INVITE is answered with", reInvite, 200);
        stage.must("background pushes:", alice.backgroundPushes().size(), 1);
        stage.mustStillTalk(talk.caller(), talk.callee());
        stage.hangUp(talk.caller(), talk.callee());
        stage.mustHavePushed(0, alice);
    }

    private static void reInviteLostInVain(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice =
                stage.awake(ALICE, "alice", Transport.TCP, AppSettings.stock().withPurr());
        stage.dropRegularPushes(alice);
        Stage.Talk talk = stage.talk("alice", alice);
        stage.soon("the phone loses its connection", alice.loseFlow());

        stage.must("the caller's re-INVITE is answered with", talk.caller().reInvite(), 480);
        stage.must("the phone can register again:", alice.launch(), 200);
        stage.mustStillTalk(talk.caller(), talk.callee());
        stage.hangUp(talk.caller(), talk.callee());
        stage.mustHavePushed(0, alice);
    }

    private static void networkChange(Stage stage) throws IOException {
        stage.start("alice");
        SimulatedIphone alice = stage.awake(ALICE, "alice", Transport.TCP);
        Stage.Talk talk = stage.talk("alice", alice);

        stage.must("the phone can register from the new network:", alice.changeNetwork(), 200);
        stage.mustStillTalk(talk.caller(), talk.callee());
        stage.must("the phone's re-INVITE is answered with", talk.callee().reInvite(), 200);
        stage.must("the phone can register from the next network:", alice.changeNetwork(), 200);
        stage.must("the caller's re-INVITE is answered with", talk.caller().reInvite(), 200);
        stage.hangUp(talk.caller(), talk.callee());
        stage.mustHavePushed(0, alice);
    }
}
