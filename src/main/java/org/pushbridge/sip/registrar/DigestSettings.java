package org.pushbridge.sip.registrar;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;

/**
 * How users prove who they are.
 *
 * @param domains the domains the bridge is responsible for; each is the realm of its own users, and the first also
 *     that of strangers
 * @param algorithms what is offered, best first: a client takes the first it knows (RFC 8760 section 2.4)
 * @param nonceLifetime how long a nonce is good; an older one costs the client a round trip, not a password prompt
 * @param rememberedNonces for how many nonces the highest count seen is remembered, so that no request can be
 *     replayed. Only requests with the right password take room
 * @param guesses how many wrong passwords are put up with
 */
public record DigestSettings(
        List<String> domains,
        List<DigestAlgorithm> algorithms,
        Duration nonceLifetime,
        int rememberedNonces,
        GuessLimits guesses) {
    public DigestSettings {
        domains =
                domains.stream().map(d -> d.toLowerCase(Locale.ROOT)).distinct().toList();
        algorithms = List.copyOf(algorithms);
        if (domains.isEmpty()) {
            throw new IllegalArgumentException("Name at least one domain the bridge is responsible for");
        }
        if (domains.stream().anyMatch(d -> !d.matches("[a-z0-9.:\\[\\]_-]+"))) {
            throw new IllegalArgumentException("A domain is a host name or an address, such as example.com");
        }
        if (algorithms.isEmpty() || EnumSet.copyOf(algorithms).size() != algorithms.size()) {
            throw new IllegalArgumentException("Offer each digest algorithm once, and at least one: SHA-256, MD5");
        }
        if (nonceLifetime.compareTo(Duration.ofSeconds(10)) < 0 || nonceLifetime.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException(
                    "A nonce lives between 10 seconds and a day, not " + nonceLifetime.toSeconds() + " s");
        }
        if (rememberedNonces < 1) {
            throw new IllegalArgumentException("Remember at least one nonce, not " + rememberedNonces);
        }
    }

    /** Both algorithms, SHA-256 first; nonces good for five minutes; 100,000 of them remembered. */
    public static DigestSettings of(List<String> domains) {
        return new DigestSettings(
                domains,
                List.of(DigestAlgorithm.SHA_256, DigestAlgorithm.MD5),
                Duration.ofMinutes(5),
                100_000,
                GuessLimits.DEFAULT);
    }

    public DigestSettings withGuesses(GuessLimits value) {
        return new DigestSettings(domains, algorithms, nonceLifetime, rememberedNonces, value);
    }
}
