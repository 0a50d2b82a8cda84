package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WhoMayCallTest {
    private final Edge edge = Edge.start();
    private final Party pbx = edge.pbx;

    @AfterEach
    void stop() {
        edge.close();
    }

    private String refused(Party caller, String invite, int status) {
        caller.send(invite);
        String refusal = caller.expect("SIP/2.0 " + status + " ");
        caller.acknowledgeFailure(invite, refusal);
        assertThat(edge.sip.calls()).isZero();
        return refusal;
    }

    @Test
    void aCallThatHasNoHopLeftIsRefused() {
        edge.phone("alice");
        refused(pbx, pbx.invite("sip:alice@example.com").replace("Max-Forwards: 70", "Max-Forwards: 0"), 483);
    }

    @Test
    void anExtensionThatTheBridgeDoesNotKnowIsNamedInTheRefusal() {
        edge.phone("alice");
        String refusal = refused(pbx, pbx.invite("sip:alice@example.com", "Require: foo, 100rel"), 420);
        assertThat(Wire.list(refusal, "Unsupported")).containsExactly("foo");
    }

    @Test
    void anUnknownUserIsNotFound() {
        refused(pbx, pbx.invite("sip:nobody@example.com"), 404);
    }

    @Test
    void aUserWithoutDeviceIsNotThere() {
        refused(pbx, pbx.invite("sip:alice@example.com"), 480);
    }

    @Test
    void aForeignDomainIsNotFound() {
        edge.phone("alice");
        refused(pbx, pbx.invite("sip:alice@elsewhere.example"), 404);
    }

    @Test
    void aTrunkReachesAUserByTheAddressOfTheBridge() {
        Party phone = edge.phone("alice");
        pbx.send(pbx.invite("sip:alice@" + edge.hostPort()));
        phone.expect("INVITE ");
    }

    @Test
    void aTrunkReachesAUserByTelephoneNumber() {
        Party phone = edge.phone("2000");
        pbx.send(pbx.invite("tel:2000;phone-context=example.com"));
        phone.expect("INVITE sip:2000@" + phone.hostPort());
    }

    @Test
    void anInviteWithoutContactIsMalformed() {
        edge.phone("alice");
        refused(pbx, pbx.invite("sip:alice@example.com").replace(pbx.contact() + "\r\n", ""), 400);
    }

    @Test
    void aTrunkSeesThatTheBridgeLives() {
        pbx.send(pbx.request("OPTIONS", "sip:" + edge.hostPort(), ""));
        String answer = pbx.expect("SIP/2.0 200");
        assertThat(Wire.list(answer, "Allow")).contains("INVITE", "PRACK", "UPDATE", "REFER", "REGISTER");
        assertThat(Wire.list(answer, "Accept")).contains("application/sdp");
    }

    @Test
    void nothingCanBeSubscribedTo() {
        pbx.send(pbx.request("SUBSCRIBE", "sip:alice@example.com", "", "Event: presence"));
        assertThat(Wire.find(pbx.expect("SIP/2.0 489"), "Allow-Events")).isPresent();
    }

    @Test
    void anUnknownMethodIsAnsweredWithTheKnownOnes() {
        pbx.send(pbx.request("FROB", "sip:alice@example.com", ""));
        assertThat(Wire.list(pbx.expect("SIP/2.0 405"), "Allow")).contains("INVITE", "BYE");
    }

    @Test
    void aStrangerIsChallenged() {
        edge.phone("alice");
        Party stranger = edge.stranger("bob");
        String refusal = refused(stranger, stranger.invite("sip:alice@example.com"), 407);
        assertThat(Wire.headers(refusal, "Proxy-Authenticate"))
                .isNotEmpty()
                .allSatisfy(challenge -> assertThat(challenge).contains("realm=\"example.com\""));
    }

    @Test
    void aWrongPasswordIsChallengedAgain() {
        edge.phone("alice");
        Party stranger = edge.stranger("bob");
        String invite = stranger.invite("sip:alice@example.com");
        String challenge = refused(stranger, invite, 407);
        refused(stranger, stranger.withCredentials(invite, challenge, "guessed"), 407);
    }

    @Test
    void aUserWithTheRightPasswordGetsThroughAndThePasswordDoesNot() {
        Party phone = edge.phone("alice");
        edge.stranger("bob").inviteWithCredentials("sip:alice@example.com");
        String invite = phone.expect("INVITE ");
        assertThat(Wire.header(invite, "From")).contains("<sip:bob@example.com>");
        assertThat(invite).doesNotContain("Proxy-Authorization").doesNotContain("0a4f113b");
    }

    @Test
    void aUserCannotCallInAnothersName() {
        edge.phone("alice");
        Party bob = edge.stranger("bob");
        String invite = bob.invite("sip:alice@example.com").replace("<sip:bob@example.com>", "<sip:2000@example.com>");
        String challenge = refused(bob, invite, 407);
        refused(bob, bob.withCredentials(invite, challenge, "secret"), 403);
    }

    @Test
    void aTrunkIsNoWayToAnotherTrunk() {
        refused(pbx, pbx.invite("sip:8123@example.com"), 404);
    }

    @Test
    void aPhoneCallsOutThroughTheTrunkOfItsNumber() {
        Party bob = edge.phone("bob");
        bob.inviteWithCredentials("sip:9123@example.com");
        pbx.expect("INVITE sip:9123@" + pbx.hostPort());
        bob.inviteWithCredentials("sip:8123@example.com");
        edge.carrier.expect("INVITE sip:8123@" + edge.carrier.hostPort());
    }

    @Test
    void aPhoneIsToldWhenNoTrunkTakesTheNumber() {
        Party bob = edge.phone("bob");
        String invite = bob.inviteWithCredentials("sip:7123@example.com");
        bob.acknowledgeFailure(invite, bob.expect("SIP/2.0 404"));
    }
}
