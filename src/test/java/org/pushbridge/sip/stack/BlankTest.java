package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import gov.nist.javax.sip.header.CSeq;
import gov.nist.javax.sip.header.CallID;
import gov.nist.javax.sip.header.From;
import gov.nist.javax.sip.header.MaxForwards;
import gov.nist.javax.sip.header.Via;
import gov.nist.javax.sip.message.SIPMessage;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** A copy of an empty message or header is as good as a new one. */
class BlankTest {
    @Test
    void whatIsPutIntoAMessageIsNotInTheNext() {
        for (Supplier<? extends SIPMessage> blank :
                List.<Supplier<? extends SIPMessage>>of(Blank::request, Blank::response)) {
            SIPMessage first = blank.get();
            first.addUnparsed("Oddity: 1");
            first.setHeader(Blank.maxForwards(1));
            first.setMessageContent(new byte[] {1, 2, 3});

            SIPMessage next = blank.get();

            assertThat(next.getUnrecognizedHeaders()).isExhausted();
            assertThat(next.getMaxForwards()).isNull();
            assertThat(next.getRawContent()).isNull();
            assertThat(next.getContentLength().getContentLength()).isZero();
        }
    }

    @Test
    void whatIsPutIntoAHeaderIsNotInTheNext() throws Exception {
        Via via = Blank.via();
        via.setHost("192.0.2.1");
        via.setBranch("z9hG4bK1");
        via.setTransport("TCP");
        From from = Blank.from();
        from.setTag("1");

        assertThat(Blank.via().getHost()).isNull();
        assertThat(Blank.via().getBranch()).isNull();
        assertThat(Blank.via().getTransport()).isNotEqualTo("TCP");
        assertThat(Blank.from().getTag()).isNull();
        assertThat(Blank.from().getAddress()).isNull();
    }

    @Test
    void itIsWhatJainSipMakes() throws Exception {
        assertThat(Blank.request()).isInstanceOf(SIPRequest.class);
        assertThat(Blank.response()).isInstanceOf(SIPResponse.class);
        assertThat(Blank.callId("a@b@c").encode()).isEqualTo(new CallID("a@b@c").encode());
        assertThat(Blank.callId("a@b")).isEqualTo(new CallID("a@b"));
        assertThat(Blank.cseq(7, "INVITE")).isEqualTo(new CSeq(7, "INVITE"));
        assertThat(Blank.maxForwards(70).encode()).isEqualTo(new MaxForwards(70).encode());
    }

    @Test
    void refusesWhatIsNoNumber() {
        assertThatIllegalArgumentException().isThrownBy(() -> Blank.maxForwards(256));
        assertThatIllegalArgumentException().isThrownBy(() -> Blank.cseq(-1, "INVITE"));
    }
}
