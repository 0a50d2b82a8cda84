package org.pushbridge.sim.apns;

import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Instant;

/** A team with a key, an app, and a simulated APNs that knows them: where each test begins. */
final class AppleAccount {
    static final String TEAM = "TEAM123456";
    static final String BUNDLE = "com.example.phone";

    final TeamKey key = TeamKey.generate(TEAM, "KEY1234567");
    private final Clock clock;
    private final String jwt;

    AppleAccount(Clock clock) throws GeneralSecurityException {
        this.clock = clock;
        this.jwt = Provider.jwt(key, clock.instant());
    }

    SimulatedApnsSettings.Builder settings() {
        return SimulatedApnsSettings.builder().clock(clock).key(key).app(TEAM, BUNDLE);
    }

    static String voipToken(SimulatedApns apns) {
        return apns.issueToken(BUNDLE, TokenKind.VOIP, Environment.PRODUCTION);
    }

    static String regularToken(SimulatedApns apns) {
        return apns.issueToken(BUNDLE, TokenKind.REGULAR, Environment.PRODUCTION);
    }

    Provider.Push voip(String token, String callId) {
        return Provider.Push.voip(token, BUNDLE, callId).jwt(jwt);
    }

    Provider.Push alert(String token) {
        return alert(token, clock.instant().plusSeconds(86_400));
    }

    Provider.Push alert(String token, Instant expiration) {
        return Provider.Push.alert(token, BUNDLE, expiration).jwt(jwt);
    }

    Provider.Push background(String token) {
        return Provider.Push.background(token, BUNDLE, clock.instant().plusSeconds(45))
                .jwt(jwt);
    }
}
