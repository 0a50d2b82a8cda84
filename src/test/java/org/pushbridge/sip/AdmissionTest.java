package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.engine.EngineSettings;
import org.pushbridge.sip.stack.Transport;

/** When no new call may begin, who calls is told so, and everything else goes on. */
class AdmissionTest {
    private static final String CALL = "sip:alice@example.com";
    private static final String PUSH =
            ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + "00fc13adff785122".repeat(4);

    private Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    private void assertRefused(CallRefusal why, String retryAfter) {
        long before = edge.sip.refusals(why);
        edge.pbx.send(edge.pbx.invite(CALL));
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 503"), "Retry-After")).isEqualTo(retryAfter);
        assertThat(edge.sip.refusals(why)).isEqualTo(before + 1);
    }

    private static void crosses(Edge.Established call) {
        call.caller().send("INFO", "");
        Party phone = call.callee().party;
        phone.answer(phone.expect("INFO "), 200, "");
        call.caller().party.expect("SIP/2.0 200");
    }

    @Test
    void aBridgeThatStopsTakesNoNewCallsAndLeavesTheOthersAlone() {
        Edge.Established call = edge.establish();

        edge.sip.drain(Duration.ofSeconds(42));

        assertRefused(CallRefusal.DRAINING, "42");
        edge.pbx.send(edge.pbx.request("OPTIONS", "sip:" + edge.hostPort(), ""));
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 503"), "Retry-After")).isEqualTo("42");
        assertThat(edge.sip.takesCalls()).isFalse();
        crosses(call);
        edge.phone("bob"); // registers
        Edge.hangUp(call.caller(), call.callee());
    }

    @Test
    void whileOldWorkWaitsNoNewCallBeginsAndOldOnesLoseNothing() throws Exception {
        Edge.Established call = edge.establish();
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        edge.sip.engine().calls().iterator().next().submit(() -> {
            busy.countDown();
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        busy.await();
        try {
            call.caller().send("INFO", "");
            await().until(() -> !edge.sip.takesCalls());

            assertRefused(CallRefusal.BEHIND, "5");
            edge.phone("bob"); // registers
        } finally {
            free.countDown();
        }

        Party phone = call.callee().party;
        phone.answer(phone.expect("INFO "), 200, "");
        edge.pbx.expect("SIP/2.0 200");
        await().until(edge.sip::takesCalls);
        Edge.hangUp(call.caller(), call.callee());
    }

    /** A UDP thread that stands still; what waits for it has waited too long after the time that a bridge is given to start. */
    @Test
    void whileMessagesWaitPhonesThatOnlyRefreshComeLaterAndTheOneThatACallerWaitsForIsServed() throws Exception {
        Party woken = edge.stranger("alice", Transport.TCP);
        woken.register(PUSH);
        edge.leave(woken);
        await().until(() -> edge.sip.stack().openConnections() == 0);
        String invite = edge.pbx.send(edge.pbx.invite(CALL));
        edge.pbx.expect("SIP/2.0 182");
        Party bob = edge.stranger("bob");
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        edge.whenAwake = () -> {
            busy.countDown();
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        String challenged = bob.send(register("bob", bob));
        bob.send(bob.withCredentials(challenged, bob.expect("SIP/2.0 401"), "secret"));
        busy.await();
        edge.whenAwake = () -> {};
        try {
            bob.send(bob.request("OPTIONS", "sip:example.com", ""));
            Party refreshing = edge.stranger("2000", Transport.TCP);
            String[] last = {""};
            await().until(() -> {
                refreshing.send(register("2000", refreshing));
                last[0] = refreshing.expect("SIP/2.0 ");
                return !last[0].startsWith("SIP/2.0 401");
            });
            assertThat(last[0]).startsWith("SIP/2.0 503 ");
            assertThat(Integer.parseInt(Wire.header(last[0], "Retry-After"))).isBetween(5, 30);
            assertThat(edge.sip.registersRefused()).isPositive();

            Party back = edge.stranger("alice", Transport.TCP);
            back.register(PUSH);
            back.answer(back.expect("INVITE "), 486, "");
        } finally {
            free.countDown();
        }

        edge.pbx.acknowledgeFailure(invite, edge.pbx.expectAfterProvisionals("SIP/2.0 486"));
        bob.expect("SIP/2.0 200");
        bob.expect("SIP/2.0 200"); // to OPTIONS
        await().until(() -> edge.sip.registerDelay().isZero());
        edge.phone("bob"); // registers
    }

    private static String register(String user, Party phone) {
        return phone.request("REGISTER", "sip:example.com", "", "Expires: 3600")
                .replace("To: <sip:alice@", "To: <sip:" + user + "@");
    }

    @Test
    void aChallengeIsNotRememberedAndIsTheSameForACopy() {
        Party phone = edge.stranger("alice");
        String register = phone.send(register("alice", phone));
        String challenge = phone.expect("SIP/2.0 401");
        await().until(() -> edge.sip.stack().serverTransactions() == 0);

        phone.send(register);
        String again = phone.expect("SIP/2.0 401");

        assertThat(Wire.header(again, "To")).isEqualTo(Wire.header(challenge, "To"));
        for (String either : new String[] {again, challenge}) {
            phone.send(phone.withCredentials(register, either, "secret"));
            phone.expect("SIP/2.0 200");
            register = register.replace("CSeq: 5 ", "CSeq: 7 ");
        }
    }

    @Test
    void noMoreCallsRingThanMay() {
        edge.close();
        edge = Edge.startWithLimits(new EngineSettings(1, 1000, 100, 1, Duration.ofMillis(200)));
        Party phone = edge.phone("alice");
        String invite = edge.pbx.invite(CALL);
        edge.pbx.send(invite);
        String offered = phone.expect("INVITE ");
        await().until(() -> !edge.sip.takesCalls());

        assertRefused(CallRefusal.UNANSWERED, "5");

        phone.answer(offered, 486, "");
        edge.pbx.expect("SIP/2.0 486");
        await().until(edge.sip::takesCalls);
    }

    @Test
    void noMoreCallsAreAliveThanMay() {
        edge.close();
        edge = Edge.startWithLimits(new EngineSettings(1, 1000, 1));
        Edge.Established call = edge.establish();

        assertRefused(CallRefusal.CALLS, "5");

        Edge.hangUp(call.caller(), call.callee());
        await().until(edge.sip::takesCalls);
    }
}
