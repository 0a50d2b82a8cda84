package org.pushbridge.push;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApnsAnswerTest {
    @ParameterizedTest
    @CsvSource({
        "200, '', ACCEPTED",
        "400, BadDeviceToken, TARGET_WRONG",
        "400, DeviceTokenNotForTopic, TARGET_WRONG",
        "400, BadTopic, OUR_FAULT",
        "400, TopicDisallowed, OUR_FAULT",
        "400, IdleTimeout, OUR_FAULT",
        "403, ExpiredProviderToken, NEW_JWT",
        "403, InvalidProviderToken, CREDENTIALS_WRONG",
        "403, MissingProviderToken, CREDENTIALS_WRONG",
        "403, BadEnvironmentKeyIdInToken, CREDENTIALS_WRONG",
        "403, UnrelatedKeyIdInToken, CREDENTIALS_WRONG",
        "403, Forbidden, CREDENTIALS_WRONG",
        "403, BadCertificate, CREDENTIALS_WRONG",
        "403, BadCertificateEnvironment, CREDENTIALS_WRONG",
        "404, BadPath, OUR_FAULT",
        "405, MethodNotAllowed, OUR_FAULT",
        "410, Unregistered, TOKEN_DEAD",
        "410, ExpiredToken, TOKEN_DEAD",
        "413, PayloadTooLarge, OUR_FAULT",
        "429, TooManyProviderTokenUpdates, KEEP_JWT",
        "429, TooManyRequests, SLOW_DOWN",
        "500, InternalServerError, TRY_AGAIN",
        "503, ServiceUnavailable, TRY_AGAIN",
        "503, Shutdown, TRY_AGAIN",
        "301, '', OUR_FAULT",
    })
    void eachAnswerOfApnsMeansOneThing(int status, String reason, ApnsAnswer meaning) {
        assertThat(ApnsAnswer.of(status, reason)).isEqualTo(meaning);
    }
}
