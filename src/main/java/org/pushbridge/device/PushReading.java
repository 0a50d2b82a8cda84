package org.pushbridge.device;

import java.util.Optional;

/**
 * What a device says about pushing in the {@code pn-*} parameters of its Contact URI (RFC 8599 section 4), read.
 *
 * <p>For APNs, {@code pn-param} is {@code <Team>.<bundle>.voip} with a VoIP token, or {@code <Team>.<bundle>} with a
 * regular one. Linphone's apps give both tokens, {@code pn-param=<Team>.<bundle>.voip&remote} with {@code
 * pn-prid=<token>:voip&<token>:remote}, and name the sandbox {@code apns.dev}.
 */
public sealed interface PushReading {
    /** Nothing is said about pushing. */
    record Absent() implements PushReading {}

    /**
     * A provider without a token asks whether pushing is there (RFC 8599 section 4.1.2).
     *
     * @param environment the service asked about; empty asks for all
     */
    record Query(Optional<ApnsEnvironment> environment) implements PushReading {}

    /**
     * A push target.
     *
     * @param voip the PushKit token; at least one of the two is there
     * @param regular the token for alert and background pushes
     */
    record Target(
            ApnsEnvironment environment,
            String teamId,
            String bundleId,
            Optional<PushToken> voip,
            Optional<PushToken> regular)
            implements PushReading {}

    /**
     * A push service that is not Apple's.
     *
     * @param provider its name, cut to 40 characters and to what may stand in a log line
     */
    record Unsupported(String provider) implements PushReading {}

    /**
     * The parameters do not add up.
     *
     * @param fault what is wrong and how it is written; never holds any part of a token
     */
    record Damaged(String fault) implements PushReading {}

    /**
     * Reads the parameters, each as it stands in the URI, percent-escapes and all.
     *
     * @param provider {@code pn-provider}, if it is there; may be the empty text
     * @param param {@code pn-param}, if it is there
     * @param prid {@code pn-prid}, if it is there
     */
    static PushReading of(Optional<String> provider, Optional<String> param, Optional<String> prid) {
        return PushParameters.read(provider, param, prid);
    }
}
