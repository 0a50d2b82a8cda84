package org.pushbridge.sip;

import java.time.Duration;
import java.util.Optional;

/** Whether the bridge takes new calls now. Asked for each INVITE before anything is spent on it. Any thread. */
final class Admission {
    private volatile Optional<Duration> comeBack = Optional.empty();

    /** No new calls from now on; refused callers are told to try again after this time. */
    void drain(Duration comeBack) {
        this.comeBack = Optional.of(comeBack);
    }

    /** How many seconds a new call is to wait before it tries again; empty if it may begin now. */
    Optional<Long> retryAfter() {
        return comeBack.map(wait -> Math.max(1, wait.toSeconds()));
    }
}
