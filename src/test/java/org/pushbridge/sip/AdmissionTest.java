package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.engine.EngineSettings;

/** When no new call may begin, who calls is told so, and everything else goes on. */
class AdmissionTest {
    private static final String CALL = "sip:alice@example.com";

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
