package org.pushbridge.push;

import org.pushbridge.device.ApnsEnvironment;

/** What to do about an answer from APNs: Apple's table of status codes and reasons as code. */
enum ApnsAnswer {
    ACCEPTED,
    TOKEN_DEAD,
    TARGET_WRONG,
    OUR_FAULT,
    /** The provider token (JWT) is too old. APNs refuses all else on that connection. */
    NEW_JWT,
    CREDENTIALS_WRONG,
    /** The provider token changes too often: go on with the one there is. */
    KEEP_JWT,
    /** Too many pushes to this one device. */
    SLOW_DOWN,
    TRY_AGAIN;

    /** @param reason Apple's, empty if the answer had none */
    static ApnsAnswer of(int status, String reason) {
        return switch (status) {
            case 200 -> ACCEPTED;
            case 400 ->
                reason.equals("BadDeviceToken") || reason.equals("DeviceTokenNotForTopic") ? TARGET_WRONG : OUR_FAULT;
            case 403 -> reason.equals("ExpiredProviderToken") ? NEW_JWT : CREDENTIALS_WRONG;
            case 410 -> TOKEN_DEAD;
            case 429 -> reason.equals("TooManyProviderTokenUpdates") ? KEEP_JWT : SLOW_DOWN;
            default -> status >= 500 ? TRY_AGAIN : OUR_FAULT;
        };
    }

    /** Why APNs may say that a token is wrong, and where to look. */
    static String explainTarget(String reason, ApnsEnvironment environment, String topic) {
        return switch (reason) {
            case "BadDeviceToken" ->
                "APNs does not know this token in the "
                        + (environment == ApnsEnvironment.PRODUCTION
                                ? "production environment. An app run from Xcode gets sandbox tokens: set the app's"
                                        + " environment to sandbox, or have it register with pn-provider=apns.dev"
                                : "sandbox. An app from TestFlight or the App Store gets production tokens: set the app's"
                                        + " environment to production")
                        + ". If the environment is right, the token is damaged";
            default ->
                "the token does not belong to topic " + topic + ". Either the device registered with another"
                        + " app's bundle identifier, or it swapped its VoIP token and its regular one";
        };
    }

    /** Why APNs may refuse the credentials, and where to look. */
    static String explainCredentials(String reason) {
        return switch (reason) {
            case "InvalidProviderToken" ->
                "the key id, the team id and the .p8 file do not belong together, or the key" + " was revoked";
            case "ExpiredProviderToken" -> "a token made just now is called expired: check this machine's clock";
            case "BadEnvironmentKeyIdInToken" -> "the key may not be used in this environment";
            case "UnrelatedKeyIdInToken" -> "the key may not be used for this app";
            case "MissingProviderToken" -> "APNs wants a .p8 key, or the app's certificate, for this topic";
            case "BadCertificateEnvironment" -> "the certificate is for the other environment";
            case "BadCertificate" -> "the certificate is expired, revoked or not an APNs certificate";
            default -> "check key, certificate, team and app at developer.apple.com";
        };
    }
}
