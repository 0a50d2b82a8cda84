package org.pushbridge.device;

import java.time.Instant;
import java.util.Optional;

/**
 * How a sleeping device is woken: provider, topic parameters and tokens. It outlives the reachability of the
 * binding it came with.
 *
 * @param environment the service that issued the tokens
 * @param teamId the Apple team, ten characters; empty if the app's dialect does not carry it
 * @param bundleId the app's bundle identifier, without {@code .voip}
 * @param voip the PushKit token, if the app gave one
 * @param regular the token for alert and background pushes, if the app gave one
 * @param registeredAt when the device last confirmed these tokens with a REGISTER; compared with the time stamp of
 *     a 410
 * @param prid the {@code pn-prid} exactly as received, to match and to echo (RFC 8599 section 4.1.1)
 * @param param the {@code pn-param} exactly as received
 * @param provider the {@code pn-provider} exactly as received
 */
public record PushTarget(
        ApnsEnvironment environment,
        String teamId,
        String bundleId,
        Optional<PushToken> voip,
        Optional<PushToken> regular,
        Instant registeredAt,
        String provider,
        String param,
        String prid) {
    /** The time of a target that was confirmed together with its device's first binding, until that is read, too. */
    public static final Instant WITH_FIRST_BINDING = Instant.MIN;

    public PushTarget {
        if (voip.isEmpty() && regular.isEmpty()) {
            throw new IllegalArgumentException("A push target needs a VoIP token, a regular token, or both");
        }
        if (bundleId.isEmpty()) {
            throw new IllegalArgumentException("A push target needs the app's bundle identifier");
        }
    }

    PushTarget withoutRegular() {
        return new PushTarget(
                environment, teamId, bundleId, voip, Optional.empty(), registeredAt, provider, param, prid);
    }

    /** With the time of its device's first binding, if that is what it was to have. */
    PushTarget read(Binding first) {
        return registeredAt.equals(WITH_FIRST_BINDING)
                ? new PushTarget(
                        environment, teamId, bundleId, voip, regular, first.registeredAt(), provider, param, prid)
                : this;
    }

    /** Says everything but the secrets. */
    @Override
    public String toString() {
        return "PushTarget[" + environment + " " + bundleId + " voip="
                + voip.map(PushToken::toString).orElse("none") + " regular="
                + regular.map(PushToken::toString).orElse("none") + "]";
    }
}
