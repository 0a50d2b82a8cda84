package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.pushbridge.sip.stack.Transport;

/** The messages of RFC 4475 and RFC 5118, one by one, against one edge. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TortureTest {
    private Edge edge = Edge.start();

    @AfterAll
    void stop() {
        edge.close();
    }

    private static Stream<Arguments> eachTransport(List<TortureMessage> messages) {
        return messages.stream()
                .flatMap(message -> message.over().stream().map(transport -> Arguments.of(message, transport)));
    }

    static Stream<Arguments> rfc4475() {
        return eachTransport(Rfc4475Messages.all());
    }

    static Stream<Arguments> rfc5118() {
        return eachTransport(Rfc5118Messages.all());
    }

    @ParameterizedTest(name = "{1} {0}")
    @MethodSource("rfc4475")
    void rfc4475(TortureMessage message, Transport transport) {
        play(message, transport);
    }

    @ParameterizedTest(name = "{1} {0}")
    @MethodSource("rfc5118")
    void rfc5118(TortureMessage message, Transport transport) {
        play(message, transport);
    }

    private void play(TortureMessage message, Transport transport) {
        boolean passed = false;
        try {
            edge.forgetDevices("alice");
            new TorturePlay(edge, edge.phone("alice"), message, transport).run();
            assertThat(edge.sip.stack().counters().listenerFailures()).isZero();
            passed = true;
        } finally {
            if (!passed) {
                edge.close();
                edge = Edge.start(); // The next one is to fail for reasons of its own.
            }
        }
    }

    @Test
    void noneIsMissing() {
        assertThat(Rfc4475Messages.all().stream()
                        .map(message -> message.name().replaceAll(",.*", ""))
                        .distinct())
                .hasSize(49)
                .containsExactly(
                        ("wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason"
                                        + " noreason badinv01 clerr ncl scalar02 scalarlg quotbal ltgtruri lwsruri lwsstart"
                                        + " trws escruri baddate regbadct badaspec baddn badvers mismatch01 mismatch02"
                                        + " bigcode badbranch insuf unkscm novelsc unksm2 bext01 invut regaut01 multi01"
                                        + " mcl01 bcast zeromf cparam01 cparam02 regescrt sdp01 inv2543")
                                .split(" "));
        assertThat(Rfc5118Messages.all().stream().map(TortureMessage::name)).hasSize(12);
    }
}
