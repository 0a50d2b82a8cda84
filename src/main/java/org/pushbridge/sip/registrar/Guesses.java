package org.pushbridge.sip.registrar;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Counts wrong passwords, and says when no more are looked at.
 *
 * <p>Three counts: for a user from an address, from an address, for a user. The last two would let a stranger lock out
 * others: everyone behind the same NAT, or a user from everywhere. So they do not hold for a user's own: the addresses
 * where the user is registered or proved the password lately, and the devices that show the instance of one of the
 * user's registrations, which a stranger cannot know. Such a device has a count of its own, so that even a guesser behind
 * the same NAT takes nothing from it.
 *
 * <p>Users that do not exist are counted like those that do. Bounded: under an attack from very many addresses, the
 * counts of those seen least are forgotten. Safe for any thread.
 */
final class Guesses {
    private static final int REMEMBERED = 100_000;
    private static final Duration KNOWN_FOR = Duration.ofDays(1);

    private final GuessLimits limits;
    private final InstantSource clock;
    private final Cache<String, Count> counts;
    private final Cache<String, Boolean> proven;

    /** @param bannedUntil {@link Instant#MIN} if it is not */
    private record Count(Instant since, int failures, Instant bannedUntil) {}

    /**
     * Who tries.
     *
     * @param user the name that was given, whether it exists or not; kept as a hash, as a stranger decides how long it is
     * @param device the instance of a device of the user's that the request shows, if it does
     * @param registered whether the user is registered from that address
     */
    record Guesser(InetAddress address, String user, Optional<String> device, boolean registered) {
        Guesser {
            user = DigestAlgorithm.SHA_256.hash(user);
        }

        private String place() {
            return "address " + Addresses.place(address);
        }

        private String name() {
            return "user " + user;
        }

        private String pair() {
            return name() + " " + device.map(d -> "device " + d).orElseGet(this::place);
        }
    }

    Guesses(GuessLimits limits, InstantSource clock) {
        this.limits = limits;
        this.clock = clock;
        this.counts = Caffeine.newBuilder()
                .maximumSize(REMEMBERED)
                .expireAfterWrite(limits.within().plus(limits.ban()))
                .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                .executor(Runnable::run)
                .build();
        this.proven = Caffeine.newBuilder()
                .maximumSize(REMEMBERED)
                .expireAfterWrite(KNOWN_FOR)
                .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                .executor(Runnable::run)
                .build();
    }

    private boolean isKnown(Guesser guesser, String pair) {
        return guesser.registered() || guesser.device().isPresent() || proven.getIfPresent(pair) != null;
    }

    /** How long no password of theirs is looked at; empty if it is. */
    Optional<Duration> banned(Guesser guesser) {
        Instant now = clock.instant();
        String pair = guesser.pair();
        List<String> keys = isKnown(guesser, pair) ? List.of(pair) : List.of(pair, guesser.place(), guesser.name());
        Duration longest = Duration.ZERO;
        for (String key : keys) {
            Count count = counts.getIfPresent(key);
            if (count != null && count.bannedUntil().isAfter(now.plus(longest))) {
                longest = Duration.between(now, count.bannedUntil());
            }
        }
        return longest.isZero() ? Optional.empty() : Optional.of(longest);
    }

    void failed(Guesser guesser) {
        String pair = guesser.pair();
        count(pair, limits.forUserFromAddress());
        if (!isKnown(guesser, pair)) {
            if (!limits.trusted().test(guesser.address())) {
                count(guesser.place(), limits.fromAddress());
            }
            count(guesser.name(), limits.forUser());
        }
    }

    void succeeded(Guesser guesser) {
        String pair = guesser.pair();
        counts.invalidate(pair);
        proven.put(pair, true);
    }

    private void count(String key, int limit) {
        Instant now = clock.instant();
        counts.asMap().compute(key, (same, before) -> {
            Count count = before == null || now.isAfter(before.since().plus(limits.within()))
                    ? new Count(now, 1, Instant.MIN)
                    : new Count(before.since(), before.failures() + 1, before.bannedUntil());
            return count.failures() >= limit ? new Count(now, 0, now.plus(limits.ban())) : count;
        });
    }
}
