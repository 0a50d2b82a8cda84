package org.pushbridge.device;

import java.util.Optional;
import java.util.function.Function;

/**
 * What a device says about pushing, read: in the {@code pn-*} parameters of its Contact URI (RFC 8599 section 4), or in
 * one of the dialects from before that.
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

    /**
     * Reads the parameters of the Contact URI that older Linphone apps and others made for Flexisip use: {@code
     * pn-type=apple;app-id=com.example.phone.voip.prod;pn-tok=<token>}. The app-id ends in {@code .prod} or, for the
     * sandbox, {@code .dev}; with {@code .voip} before that or not, the one token there is rings the device. Each is given as it stands in
     * the URI.
     *
     * @param type {@code pn-type}, if it is there; for another than {@code apple} the reading is {@link Absent}
     * @param appId {@code app-id}, if it is there
     * @param token {@code pn-tok}, if it is there
     */
    static PushReading ofFlexisip(Optional<String> type, Optional<String> appId, Optional<String> token) {
        return FlexisipParameters.read(type, appId, token);
    }

    /**
     * Reads the header that PortSIP's SDK adds to a REGISTER: {@code x-p-push: device-os=ios;device-uid=<VoIP
     * token>|<regular token>;allow-call-push=true;allow-message-push=true;app-id=com.example.phone}. For another system
     * than iOS, and for a user who wants no calls pushed, the reading is {@link Absent}.
     *
     * @param header the header's value
     * @param environmentOf where the tokens of an app belong, by bundle identifier: the header does not say it
     */
    static PushReading ofPortSip(String header, Function<String, ApnsEnvironment> environmentOf) {
        return PortSipHeader.read(header, environmentOf);
    }
}
