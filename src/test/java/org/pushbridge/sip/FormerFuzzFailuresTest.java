package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.sip.stack.Injector;
import org.pushbridge.sip.stack.Transport;

/** What the fuzzer once broke the bridge with, and what it gets for it now. */
class FormerFuzzFailuresTest {
    private final Edge edge = Edge.start();

    @AfterEach
    void stop() {
        assertThat(edge.sip.stack().counters().listenerFailures()).isZero();
        edge.close();
    }

    private void isRefused(String invite, String warning) {
        edge.pbx.send(invite);
        assertThat(Wire.header(edge.pbx.expect("SIP/2.0 400"), "Warning")).contains(warning);
        assertThat(edge.sip.callKeys()).isZero();
        edge.pbx.send(edge.pbx.request("OPTIONS", "sip:example.com", ""));
        edge.pbx.expect("SIP/2.0 200");
    }

    private String inviteToAPhone() {
        edge.phone("alice");
        return edge.pbx.invite("sip:alice@example.com");
    }

    /** The call began, and broke when its end was to be remembered with the caller's address. */
    @Test
    void aFromWhoseSchemeIsNoneEndsNoCallWithAnInternalFault() {
        isRefused(inviteToAPhone().replaceFirst("From: .*?<sip:", "From: <s=z9hG4ip:"), "From cannot be read");
    }

    /** The call was answered, and broke when the phone was to be acknowledged with the caller's address. */
    @Test
    void aDisplayNameWithStrayQuotesEndsNoCallWithAnInternalFault() {
        isRefused(inviteToAPhone().replace("\"Some One\"", "\"@\"Some One\""), "From cannot be read");
    }

    /** The receiving thread had to catch an IllegalArgumentException. */
    @Test
    void aViaWithAnImpossiblePortIsRefused() {
        Party stranger = edge.stranger("alice");
        String options = stranger.request("OPTIONS", "sip:example.com", "");
        stranger.send(options.replaceFirst("(Via: SIP/2.0/UDP 127.0.0.1:)\\d+", "$1417441749"));

        assertThat(Wire.header(stranger.expect("SIP/2.0 400"), "Warning")).contains("above 65535");
    }

    /** It was stored, and from then on every REGISTER of that user was answered 500. */
    @Test
    void aContactThatCannotBeWrittenAgainIsNotStored() {
        Party phone = edge.stranger("alice");
        String register = phone.request("REGISTER", "sip:example.com", "")
                .replace(phone.contact(), phone.contact() + "tance=\"<urn:uuid:1>\";reg-id=1;expires=3600");
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));

        assertThat(Wire.header(phone.expect("SIP/2.0 400"), "Warning")).contains("Contact");
        edge.phone("alice");
    }

    /** The handler of answers to no transaction met a null. */
    @Test
    void anAnswerWithoutFromTagIsIgnored() {
        Party stranger = edge.stranger("alice");
        stranger.send(Wire.message(
                "SIP/2.0 200 OK",
                List.of(
                        "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKnone",
                        "From: <sip:a@example.com>",
                        "To: <sip:b@example.com>;tag=1",
                        "Call-ID: stray",
                        "CSeq: 1 INVITE"),
                ""));
        stranger.send(stranger.request("OPTIONS", "sip:example.com", ""));
        stranger.expect("SIP/2.0 200");
    }

    /** The call took the answer, and the transaction of the INVITE waited for one to the end of days. */
    @Test
    void anAnswerWithAnotherBranchLeavesNoTransactionThatWaitsForOne() {
        Party phone = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        String answer = phone.answer(invite.replaceFirst("branch=z9hG4bK", "branch=z9hG4bKother"), 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        assertThat(new Injector(edge.sip.stack()).clientTransactions()).isZero();

        Edge.hangUp(caller, Dialogue.ofCallee(phone, invite, answer));
    }

    /** The same phone, each time. */
    private Party onAConnection() {
        Party phone = edge.stranger("alice", Transport.TCP);
        String register = phone.request("REGISTER", "sip:example.com", "")
                .replace(
                        phone.contact(),
                        phone.contact()
                                + ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\";reg-id=1");
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));
        phone.expect("SIP/2.0 200");
        return phone;
    }

    /** The call waited for ever for the end of the copy that its phone answered last. */
    @Test
    void aPhoneThatAnswersEachCopyOfTheInviteWithTheSameDialogLeavesNoCallBehind() {
        Party before = onAConnection();
        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        String invite = before.expect("INVITE ");
        before.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");
        edge.leave(before);
        Party after = onAConnection();
        String again = after.expect("INVITE ");
        after.answer(invite, 200, "");
        String answer = after.answer(again, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        after.expect("ACK ");

        Edge.hangUp(caller, Dialogue.ofCallee(after, again, answer));
        await().untilAsserted(() -> assertThat(edge.sip.calls()).isZero());
    }

    /** JAIN-SIP remembered each of them for good: 100 bytes for each that a stranger wrote. */
    @Test
    void namesOfHeadersThatNobodyKnowsAreNotRememberedForEver() {
        Party stranger = edge.stranger("alice");
        for (int i = 0; i < 10_000; i++) {
            String options = stranger.request("OPTIONS", "sip:example.com", "", "X-Name-" + i + ": x");
            assertThat(Injector.parse(options.getBytes(StandardCharsets.ISO_8859_1)))
                    .isPresent();
        }

        assertThat(Injector.headerNames()).isLessThan(6_000);
    }

    /** No response could be made, so the request stayed unanswered, and the receiving thread had to catch something. */
    @Test
    void aLowerViaWithAnRportThatIsNoNumberIsRefused() {
        Party stranger = edge.stranger("alice");
        stranger.send(stranger.request(
                "OPTIONS", "sip:example.com", "", "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKlow;rport=many"));

        assertThat(Wire.header(stranger.expect("SIP/2.0 400"), "Warning")).contains("Via");
    }
}
