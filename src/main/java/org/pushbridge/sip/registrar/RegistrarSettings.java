package org.pushbridge.sip.registrar;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.pushbridge.device.ApnsEnvironment;

/**
 * What the registrar grants.
 *
 * @param domains the domains whose users may register
 * @param apps the apps the bridge has Apple credentials for, by bundle identifier, and where a token belongs whose
 *     dialect does not say it; a device with any other app is told so (555)
 * @param minExpires a shorter binding is refused with 423
 * @param minPushExpires the same for a device that asks for pushes; longer than {@code refreshAhead}
 * @param defaultExpires for a device that names no time
 * @param maxExpires a longer one is cut to this
 * @param refreshAhead how long before the end a device that can wake itself has to refresh ({@code +sip.pnsreg});
 *     more than 120 s (RFC 8599 section 4.1.4)
 * @param maxContacts how many bindings and sleeping devices a user may have
 */
public record RegistrarSettings(
        Set<String> domains,
        Map<String, ApnsEnvironment> apps,
        Duration minExpires,
        Duration minPushExpires,
        Duration defaultExpires,
        Duration maxExpires,
        Duration refreshAhead,
        int maxContacts) {
    public RegistrarSettings {
        domains = domains.stream().map(d -> d.toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
        apps = Map.copyOf(apps);
        if (domains.isEmpty()) {
            throw new IllegalArgumentException("Name at least one domain whose users may register");
        }
        if (minExpires.compareTo(Duration.ofSeconds(1)) < 0
                || minExpires.compareTo(Duration.ofHours(1)) > 0
                || minPushExpires.compareTo(minExpires) < 0
                || defaultExpires.compareTo(minPushExpires) < 0
                || maxExpires.compareTo(defaultExpires) < 0) {
            throw new IllegalArgumentException("Expiry times must rise from minimum (1 s to 1 h) over the minimum with "
                    + "pushes and the default to the maximum, not " + minExpires.toSeconds() + ", "
                    + minPushExpires.toSeconds() + ", " + defaultExpires.toSeconds() + ", " + maxExpires.toSeconds());
        }
        if (refreshAhead.compareTo(Duration.ofMinutes(2)) <= 0 || minPushExpires.compareTo(refreshAhead) <= 0) {
            throw new IllegalArgumentException(
                    "A device must refresh more than 120 s ahead, and less than the shortest binding with pushes ("
                            + minPushExpires.toSeconds() + " s), not " + refreshAhead.toSeconds() + " s");
        }
        if (maxContacts < 1) {
            throw new IllegalArgumentException("Allow a user at least one contact, not " + maxContacts);
        }
    }

    /**
     * Bindings of 60 s (300 s with pushes) to a day, an hour by default; refreshed 150 s ahead; ten contacts a user.
     */
    public static RegistrarSettings of(Set<String> domains, Set<String> apps) {
        return new RegistrarSettings(
                domains,
                apps.stream().collect(Collectors.toMap(app -> app, app -> ApnsEnvironment.PRODUCTION)),
                Duration.ofSeconds(60),
                Duration.ofSeconds(300),
                Duration.ofHours(1),
                Duration.ofDays(1),
                Duration.ofSeconds(150),
                10);
    }
}
