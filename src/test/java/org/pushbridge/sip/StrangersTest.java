package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pushbridge.sip.registrar.GuessLimits;
import org.pushbridge.sip.stack.SipStackSettings.AddressLimits;
import org.pushbridge.sip.stack.Transport;

/** What those get who prove nothing: no knowledge, no tool, and no room. */
class StrangersTest {
    private static final Duration T1 = Duration.ofMillis(25);
    private Edge edge;

    @BeforeEach
    void start() {
        edge = Edge.startWithT1(T1);
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    // --- no knowledge: who is a user here ------------------------------------------------------------------------

    /** What is new in each response is left out; all else has to be the same, to the letter. */
    private static String shape(String response, String name) {
        return response.replaceAll("nonce=\"[^\"]*\"", "nonce")
                .replaceAll("tag=[^;\r\n]*", "tag")
                .replaceAll("branch=[^;\r\n]*", "branch")
                .replaceAll("rport=\\d+", "rport")
                .replaceAll("127\\.0\\.0\\.1:\\d+", "me")
                .replaceAll("(?m)^Date: .*\r\n", "")
                .replaceAll("(?m)^(Call-ID|CSeq): .*\r\n", "")
                .replaceAll("sip:" + name + "@", "sip:name@");
    }

    private static Stream<String> methods() {
        return Stream.of("REGISTER", "INVITE", "SUBSCRIBE");
    }

    private static String request(Party party, String method, String about) {
        String uri = method.equals("REGISTER") ? "sip:example.com" : "sip:" + about + "@example.com";
        return party.request(method, uri, "", "Event: dialog")
                .replaceFirst("To: .*", "To: <sip:" + about + "@example.com>");
    }

    /** The answers to a request without credentials, with a wrong password, and with so many that there is a ban. */
    private List<String> answers(String method, String about, String as) {
        List<String> answers = new ArrayList<>();
        Party party = edge.stranger(as);
        String asked = party.send(request(party, method, about));
        String challenge = party.expect("SIP/2.0 40");
        answers.add(shape(challenge, about));
        for (int i = 0; i < 11; i++) {
            party.send(party.withCredentials(asked, challenge, "guess" + i)
                    .replaceFirst("Call-ID: .*", "Call-ID: g" + Party.next()));
            answers.add(shape(party.expect("SIP/2.0 "), about).replaceFirst("Retry-After: \\d+", "Retry-After"));
        }
        return answers;
    }

    @ParameterizedTest
    @MethodSource("methods")
    void aUserAndNobodyAreAnsweredTheSameToTheLetter(String method) {
        List<String> user = answers(method, "alice", "alice");
        List<String> nobody = answers(method, "nobody", "nobody");

        assertThat(Stream.concat(user.stream(), nobody.stream())
                        .map(answer -> answer.replaceAll("sip:(alice|nobody)@", "sip:name@")
                                .replaceAll("sip:(alice|nobody)@me", "me")))
                .as("one after the other")
                .containsExactlyElementsOf(Stream.concat(user.stream(), user.stream())
                        .map(answer -> answer.replaceAll("sip:(alice|nobody)@", "sip:name@"))
                        .toList());
        assertThat(user.get(1)).startsWith("SIP/2.0 40").contains("nonce");
        assertThat(user.get(11)).startsWith("SIP/2.0 503").contains("Retry-After");
    }

    @Test
    void theCallsOfStrangersAreChallengedWhoeverIsCalled() {
        Party stranger = edge.stranger("mallory");
        List<String> answers = new ArrayList<>();
        for (String called : List.of("alice", "nobody", "90800123")) {
            stranger.send(request(stranger, "INVITE", called));
            answers.add(shape(stranger.expect("SIP/2.0 407"), called));
        }
        assertThat(answers).allMatch(answers.get(0)::equals);
    }

    // --- guessing ------------------------------------------------------------------------------------------------

    @Test
    void aGuesserDoesNotLockThePhoneOutThatIsRegistered() {
        Party phone = edge.phone("alice", ";x=y");
        answers("REGISTER", "alice", "alice");

        // The same address, 127.0.0.1: where the phone is registered, but without its +sip.instance.
        Party guesser = edge.stranger("alice");
        String asked = guesser.send(request(guesser, "REGISTER", "alice"));
        guesser.send(guesser.withCredentials(asked, guesser.expect("SIP/2.0 401"), "secret"));
        guesser.expect("SIP/2.0 503");
        assertThat(edge.digest.refusedPasswords()).isPositive();

        edge.pbx.send(edge.pbx.invite("sip:alice@example.com"));
        phone.expect("INVITE ");
    }

    @Test
    void aNonceIsGoodOnlyWhereItWasSentTo() {
        Party here = edge.stranger("alice");
        Party there = edge.carrier;
        String asked = here.send(request(here, "REGISTER", "alice"));
        String challenge = here.expect("SIP/2.0 401");

        there.send(here.withCredentials(asked, challenge, "guess").replaceFirst("Via: .*", there.via()));

        assertThat(there.expect("SIP/2.0 401")).contains("stale=true");
        assertThat(edge.digest.wrongPasswords())
                .as("guesses that were looked at")
                .isZero();
    }

    // --- no tool: reflection and amplification -------------------------------------------------------------------

    private static final Map<String, String> REQUESTS = Map.of(
            "401", "REGISTER sip:example.com SIP/2.0\r\n%sCSeq: 1 REGISTER\r\n",
            "407", "INVITE sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 INVITE\r\nm: <sip:a@192.0.2.1>\r\n",
            "483",
                    "INVITE sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 INVITE\r\nMax-Forwards: 0\r\nm: <sip:a@192.0.2.1>\r\n",
            "400", "INVITE sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 BYE\r\nm: <sip:a@192.0.2.1>\r\n",
            "405", "MESSAGE sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 MESSAGE\r\n",
            "481", "BYE sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 BYE\r\n",
            "200", "OPTIONS sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 OPTIONS\r\n",
            "489", "SUBSCRIBE sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 SUBSCRIBE\r\no: x\r\n",
            "501", "invite sip:alice@example.com SIP/2.0\r\n%sCSeq: 1 invite\r\n",
            "505", "INVITE sip:alice@example.com SIP/3.0\r\n%sCSeq: 1 INVITE\r\n");

    private static Stream<String> statuses() {
        return REQUESTS.keySet().stream().sorted();
    }

    /** As small as a request can be that is answered so, from an address that may be a lie: nothing is acknowledged. */
    private static byte[] small(String status, String via) {
        String text = String.format(
                        REQUESTS.get(status),
                        via + "f: <sip:a@example.com>;tag=1\r\nt: <sip:a@example.com>\r\ni: " + Party.next() + "\r\n")
                + "l: 0\r\n\r\n";
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private List<DatagramPacket> heard(DatagramSocket socket, Duration time) throws IOException {
        List<DatagramPacket> heard = new ArrayList<>();
        socket.setSoTimeout((int) time.toMillis());
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
                socket.receive(packet);
                heard.add(packet);
            }
        } catch (SocketTimeoutException enough) {
            return heard;
        }
    }

    private static DatagramSocket socket(String ip, int port) throws IOException {
        return new DatagramSocket(new InetSocketAddress(ip, port));
    }

    private static void send(DatagramSocket socket, byte[] message, InetSocketAddress to) throws IOException {
        socket.send(new DatagramPacket(message, message.length, to));
    }

    /**
     * The response to a stranger's datagram is one, not much longer than the request, and goes to where that came from, in
     * spite of Via, maddr and received.
     */
    @ParameterizedTest
    @MethodSource("statuses")
    void oneResponseNotMuchLongerGoesBackWhereTheRequestCameFrom(String status) throws Exception {
        InetSocketAddress bridge = edge.udp();
        try (DatagramSocket here = socket("127.0.0.1", 0);
                DatagramSocket victim = socket("127.0.0.5", 0)) {
            byte[] message = small(
                    status,
                    "v: SIP/2.0/UDP 127.0.0.5:" + victim.getLocalPort() + ";branch=z9hG4bK" + Party.next()
                            + ";rport;maddr=127.0.0.5;received=127.0.0.5\r\n");
            send(here, message, bridge);

            List<DatagramPacket> answers = heard(here, T1.multipliedBy(12));
            assertThat(answers)
                    .as("responses within the time that would bring retransmissions")
                    .hasSize(1);
            String answer =
                    new String(answers.get(0).getData(), 0, answers.get(0).getLength(), StandardCharsets.ISO_8859_1);
            assertThat(answer).startsWith("SIP/2.0 " + status + " ");
            assertThat(answer.length())
                    .as("bytes in answer to " + message.length)
                    .isLessThanOrEqualTo(message.length * 5 / 2);
            assertThat(heard(victim, Duration.ofMillis(50))).isEmpty();
        }
    }

    @Test
    void withoutRportTheAddressStillIsWhereItCameFrom() throws Exception {
        try (DatagramSocket here = socket("127.0.0.1", 0);
                DatagramSocket victim = socket("127.0.0.5", 0);
                DatagramSocket sameHost = socket("127.0.0.1", victim.getLocalPort())) {
            byte[] message = small(
                    "405",
                    "v: SIP/2.0/UDP 127.0.0.5:" + victim.getLocalPort() + ";branch=z9hG4bK1;maddr=127.0.0.5\r\n");
            send(here, message, edge.udp());

            assertThat(heard(sameHost, Duration.ofMillis(300))).hasSize(1);
            assertThat(heard(victim, Duration.ofMillis(50))).isEmpty();
        }
    }

    // --- no room: floods -----------------------------------------------------------------------------------------

    private Edge limited(Predicate<java.net.InetAddress> exempt) {
        edge.close();
        edge = Edge.startWithLimits(new AddressLimits(2, 1, exempt), GuessLimits.DEFAULT);
        return edge;
    }

    @Test
    void anAddressThatFloodsIsRefusedThenIgnoredAndTheOthersAreServed() throws Exception {
        limited(address -> address.getHostAddress().equals("127.0.0.2"));
        try (DatagramSocket here = socket("127.0.0.1", 0)) {
            String via = "v: SIP/2.0/UDP 127.0.0.1:" + here.getLocalPort() + ";branch=z9hG4bK%d;rport\r\n";
            int sent = 200;
            for (int i = 0; i < sent; i++) {
                send(here, small("401", String.format(via, Party.next())), edge.udp());
            }
            await().until(() -> edge.sip.stack().counters().received() == sent);
            List<String> answers = heard(here, Duration.ofMillis(300)).stream()
                    .map(p -> new String(p.getData(), 0, p.getLength(), StandardCharsets.ISO_8859_1))
                    .toList();

            assertThat(answers.stream().filter(a -> a.startsWith("SIP/2.0 401")))
                    .as("ten seconds' worth of two, and some that came in later")
                    .hasSizeBetween(20, 40);
            assertThat(answers.stream().filter(a -> a.startsWith("SIP/2.0 503")))
                    .as("refused")
                    .hasSizeBetween(10, 40)
                    .allMatch(a -> a.contains("Retry-After: 5"));
            assertThat(answers).as("the others were ignored").hasSizeLessThan(sent / 2);
            assertThat(edge.sip.stack().counters().flooded()).isGreaterThan(sent / 2);
        }
        // A trunk, another address, and what is inside a call.
        for (int i = 0; i < 30; i++) {
            edge.pbx.send(edge.pbx.request("OPTIONS", "sip:example.com", ""));
            edge.pbx.expect("SIP/2.0 200");
        }
        edge.carrier.send(edge.carrier.request("OPTIONS", "sip:example.com", ""));
        edge.carrier.expect("SIP/2.0 200");
    }

    @Test
    void onAConnectionTooManyAreRefusedToo() {
        limited(address -> false);
        Party party = edge.stranger("mallory", Transport.TCP);
        for (int i = 0; i < 10; i++) {
            party.send(party.request("OPTIONS", "sip:example.com", ""));
            party.expect("SIP/2.0 200");
        }
        party.send(party.request("OPTIONS", "sip:example.com", ""));
        assertThat(party.expect("SIP/2.0 503")).contains("Retry-After: 5");
        party.send(party.request("BYE", "sip:alice@example.com", ""));
        party.expect("SIP/2.0 481");
    }
}
