package org.pushbridge.sip;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pushbridge.device.Device;

/**
 * How the SIP edge treats calls.
 *
 * @param domains the domains whose users live here, the default one first
 * @param ringLimit how long a call may stay unanswered; under CallKit's own limit of 30 to 60 s
 * @param silenceLimit how long an INVITE to a pushable device may stay without any answer before the device is pushed
 * @param durationLimit how long an answered call may last
 * @param whileParked the provisional status while a call is parked: 100, 180, 182 or 183
 * @param declinesAll final statuses of one device that end the call for all
 * @param callWaiting whether a device in a call is rung for another; else it counts as busy
 * @param maxParkedPerUser how many calls may ring or be parked for one user at once; the next hears 486
 * @param maxSubscriptions how many subscriptions to dialog events there may be at once; the next hears 503
 * @param maxSubscriptionsPerUser how many of them of one user
 * @param trunks the PBXs and carriers
 * @param t1 RFC 3261's estimate of the round trip time
 * @param holdLimit how long a BYE or re-INVITE waits for a device whose connection is gone
 * @param maxRegisterDelay how long messages may wait before REGISTERs are refused
 * @param apps the rules of each app, by bundle identifier
 */
public record SipSettings(
        List<String> domains,
        Duration ringLimit,
        Duration silenceLimit,
        Duration durationLimit,
        int whileParked,
        Set<Integer> declinesAll,
        boolean callWaiting,
        int maxParkedPerUser,
        int maxSubscriptions,
        int maxSubscriptionsPerUser,
        List<Trunk> trunks,
        Duration t1,
        Duration holdLimit,
        Duration maxRegisterDelay,
        Map<String, AppRules> apps) {
    public SipSettings {
        domains = List.copyOf(domains);
        declinesAll = Set.copyOf(declinesAll);
        trunks = List.copyOf(trunks);
        apps = Map.copyOf(apps);
        if (domains.isEmpty()) {
            throw new IllegalArgumentException("At least one domain is needed");
        }
    }

    /** The rules of the app that the device can be woken by; the usual ones for a device that cannot be. */
    AppRules rulesFor(Device device) {
        return device.target()
                .map(target -> apps.getOrDefault(target.bundleId(), AppRules.DEFAULT))
                .orElse(AppRules.DEFAULT);
    }

    String defaultDomain() {
        return domains.get(0);
    }
}
