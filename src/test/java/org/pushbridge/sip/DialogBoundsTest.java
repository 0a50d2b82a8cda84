package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one peer can make the bridge remember inside one call is bounded. */
class DialogBoundsTest {
    private final Edge edge = Edge.start();

    @AfterEach
    void stop() {
        edge.close();
    }

    @Test
    void whoSendsRequestsWithoutWaitingForAnswersIsToldToComeBackLater() {
        Edge.Established call = edge.establish();
        for (int i = 0; i < 33; i++) {
            call.caller().send("INFO", "");
        }

        assertThat(Wire.header(call.caller().party.expect("SIP/2.0 503"), "Retry-After"))
                .isEqualTo("5");
        assertThat(edge.sip.requestsInCallsRefused()).isEqualTo(1);

        Party phone = call.callee().party;
        for (int i = 0; i < 32; i++) {
            phone.answer(phone.expect("INFO "), 200, "");
            call.caller().party.expect("SIP/2.0 200");
        }
        call.caller().send("INFO", "");
        phone.answer(phone.expect("INFO "), 200, "");
        call.caller().party.expect("SIP/2.0 200");
        Edge.hangUp(call.caller(), call.callee());
    }
}
