package org.pushbridge.app;

import org.pushbridge.call.CallId;
import org.pushbridge.device.DeviceId;
import org.pushbridge.web.VerdictTokens;

/**
 * What a push says about where, and with what, its device can ask for the call's verdict.
 *
 * @param publicUrl by which the verdict API is reached from outside, without a slash at the end
 */
record VerdictLinks(String publicUrl, VerdictTokens tokens) {
    String url(CallId call) {
        return publicUrl + "/v1/calls/" + call.value();
    }

    String token(CallId call, DeviceId device) {
        return tokens.issue(call.value(), device);
    }
}
