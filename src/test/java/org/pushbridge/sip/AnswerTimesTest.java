package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pushbridge.sip.registrar.GuessLimits;
import org.pushbridge.sip.stack.SipStackSettings.AddressLimits;

/**
 * By hand: whether the time of an answer tells a stranger who is a user here. Prints the medians over so many requests for
 * a user, who has a phone, and as many for a name that is none, in random order:
 * {@code mvn test -Dtest=AnswerTimesTest -Dpushbridge.times=3000}.
 */
@EnabledIfSystemProperty(named = "pushbridge.times", matches = "\\d+")
class AnswerTimesTest {
    private static final int REQUESTS = Integer.getInteger("pushbridge.times", 0);
    /** As long as the user's name, so that not even the message's length differs. */
    private static final String USER = "alice";

    private static final String NOBODY = "alica";

    private static Edge patientEdge() {
        return Edge.startWithLimits(
                new AddressLimits(1_000_000, 1_000_000, address -> false),
                new GuessLimits(
                        Integer.MAX_VALUE,
                        Integer.MAX_VALUE,
                        Integer.MAX_VALUE,
                        Duration.ofMinutes(5),
                        Duration.ofMinutes(5),
                        address -> false));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource({
        "REGISTER, wrong password",
        "REGISTER, no password",
        "INVITE, wrong password",
        "INVITE, no password",
        "SUBSCRIBE, wrong password"
    })
    void aUserIsAnsweredAsFastAsNobody(String method, String how) throws Exception {
        boolean withPassword = how.startsWith("wrong");
        Random coin = new Random(1);
        try (Edge edge = patientEdge();
                Party stranger = new Party(
                        USER,
                        new DatagramSocket(new InetSocketAddress(InetAddress.getByName("127.0.0.9"), 0)),
                        edge.udp())) {
            edge.phone(USER);
            String challenge = exchange(stranger, request(stranger, method));
            long[][] times = new long[2][REQUESTS];
            for (int i = -REQUESTS / 3; i < REQUESTS; i++) { // the first ones warm up
                int first = coin.nextInt(2);
                for (int who : new int[] {first, 1 - first}) {
                    String request = request(stranger, method);
                    String sent = withPassword ? stranger.withCredentials(request, challenge, "guess") : request;
                    String asked = who == 0 ? sent : sent.replace(USER, NOBODY);
                    long start = System.nanoTime();
                    String answer = exchange(stranger, asked);
                    long taken = System.nanoTime() - start;
                    assertThat(answer).startsWith("SIP/2.0 40").doesNotContain("stale");
                    if (i >= 0) {
                        times[who][i] = taken;
                    }
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "%s, %s: medians of %d each: user %.1f us, nobody %.1f us; quartiles %.1f to %.1f, %.1f to %.1f%n",
                    method,
                    how,
                    REQUESTS,
                    quantile(times[0], 0.5),
                    quantile(times[1], 0.5),
                    quantile(times[0], 0.25),
                    quantile(times[0], 0.75),
                    quantile(times[1], 0.25),
                    quantile(times[1], 0.75));
        }
    }

    private static String request(Party party, String method) {
        String uri = method.equals("REGISTER") ? "sip:example.com" : "sip:alice@example.com";
        return party.request(method, uri, "", "Event: dialog");
    }

    private static String exchange(Party party, String request) {
        party.send(request);
        return party.expect("SIP/2.0 ");
    }

    private static double quantile(long[] nanos, double part) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return sorted[(int) (part * (sorted.length - 1))] / 1e3;
    }
}
