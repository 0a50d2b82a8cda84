package org.pushbridge.sip.registrar;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.pushbridge.sip.registrar.Guesses.Guesser;

class GuessesTest {
    private static final GuessLimits LIMITS = new GuessLimits(
            3, 6, 8, Duration.ofMinutes(5), Duration.ofMinutes(10), address -> isAt(address, "192.0.2.99"));

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
    private final Guesses guesses = new Guesses(LIMITS, now::get);

    private static boolean isAt(InetAddress address, String ip) {
        return address.equals(ip(ip));
    }

    private static InetAddress ip(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static Guesser stranger(String ip, String user) {
        return new Guesser(ip(ip), user, Optional.empty(), false);
    }

    private static Guesser registered(String ip, String user) {
        return new Guesser(ip(ip), user, Optional.empty(), true);
    }

    private static Guesser device(String ip, String user) {
        return new Guesser(ip(ip), user, Optional.of("instance:urn:uuid:1"), false);
    }

    private void fail(Guesser guesser, int times) {
        for (int i = 0; i < times; i++) {
            guesses.failed(guesser);
        }
    }

    private boolean isBanned(Guesser guesser) {
        return guesses.banned(guesser).isPresent();
    }

    private void pass(Duration time) {
        now.updateAndGet(before -> before.plus(time));
    }

    @Test
    void whoGuessesIsBannedForAWhileAndNobodyElse() {
        fail(stranger("192.0.2.1", "alice"), 2);
        assertThat(isBanned(stranger("192.0.2.1", "alice"))).isFalse();
        guesses.failed(stranger("192.0.2.1", "alice"));

        assertThat(guesses.banned(stranger("192.0.2.1", "alice"))).contains(LIMITS.ban());
        assertThat(isBanned(stranger("192.0.2.1", "bob"))).isFalse();
        assertThat(isBanned(stranger("192.0.2.2", "alice"))).isFalse();

        pass(LIMITS.ban().minusSeconds(1));
        assertThat(guesses.banned(stranger("192.0.2.1", "alice"))).contains(Duration.ofSeconds(1));
        pass(Duration.ofSeconds(1));
        assertThat(isBanned(stranger("192.0.2.1", "alice"))).isFalse();
    }

    @Test
    void wrongPasswordsOfLongAgoDoNotCount() {
        fail(stranger("192.0.2.1", "alice"), 2);
        pass(LIMITS.within().plusSeconds(1));
        fail(stranger("192.0.2.1", "alice"), 2);

        assertThat(isBanned(stranger("192.0.2.1", "alice"))).isFalse();
    }

    @Test
    void aRightPasswordBeginsTheCountAnew() {
        fail(stranger("192.0.2.1", "alice"), 2);
        guesses.succeeded(stranger("192.0.2.1", "alice"));
        fail(stranger("192.0.2.1", "alice"), 2);

        assertThat(isBanned(stranger("192.0.2.1", "alice"))).isFalse();
    }

    @Test
    void anAddressThatTriesManyNamesIsBannedForAllButItsOwnUsers() {
        for (int i = 0; i < 6; i++) {
            guesses.failed(stranger("192.0.2.1", "name" + i));
        }

        assertThat(isBanned(stranger("192.0.2.1", "alice"))).isTrue();
        assertThat(isBanned(registered("192.0.2.1", "alice"))).isFalse();
        assertThat(isBanned(device("192.0.2.1", "alice"))).isFalse();
        assertThat(isBanned(stranger("192.0.2.2", "alice"))).isFalse();
    }

    @Test
    void aUserGuessedAtFromManyAddressesStillGetsInFromItsOwn() {
        guesses.succeeded(stranger("192.0.2.200", "alice"));
        for (int i = 0; i < 8; i++) {
            guesses.failed(stranger("192.0.2." + i, "alice"));
        }

        assertThat(isBanned(stranger("192.0.2.100", "alice"))).isTrue();
        assertThat(isBanned(registered("192.0.2.100", "alice"))).isFalse();
        assertThat(isBanned(stranger("192.0.2.200", "alice")))
                .as("proved the password lately")
                .isFalse();
        assertThat(isBanned(device("192.0.2.100", "alice")))
                .as("a phone that moved")
                .isFalse();
        assertThat(isBanned(stranger("192.0.2.100", "bob"))).isFalse();
    }

    @Test
    void aGuesserBehindTheSameNatTakesNothingFromAPhoneThatIsKnown() {
        fail(registered("192.0.2.1", "alice"), 3);

        assertThat(isBanned(registered("192.0.2.1", "alice"))).isTrue();
        assertThat(isBanned(device("192.0.2.1", "alice"))).isFalse();
    }

    @Test
    void aPhoneWithAWrongPasswordBansOnlyItself() {
        fail(device("192.0.2.1", "alice"), 20);

        assertThat(isBanned(device("192.0.2.1", "alice"))).isTrue();
        assertThat(isBanned(stranger("192.0.2.1", "bob"))).isFalse();
    }

    @Test
    void aProxyOfOnesOwnIsNotBannedAsAWhole() {
        for (int i = 0; i < 20; i++) {
            guesses.failed(stranger("192.0.2.99", "name" + i));
        }

        assertThat(isBanned(stranger("192.0.2.99", "alice"))).isFalse();
        fail(stranger("192.0.2.99", "alice"), 3);
        assertThat(isBanned(stranger("192.0.2.99", "alice"))).isTrue();
    }

    @Test
    void theAddressesOfOneIpv6SubscriberCountAsOne() {
        fail(stranger("2001:db8:1:2::1", "alice"), 2);
        guesses.failed(stranger("2001:db8:1:2:ffff::2", "alice"));

        assertThat(isBanned(stranger("2001:db8:1:2::3", "alice"))).isTrue();
        assertThat(isBanned(stranger("2001:db8:1:3::1", "alice"))).isFalse();
    }
}
