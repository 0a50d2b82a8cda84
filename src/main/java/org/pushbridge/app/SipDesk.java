package org.pushbridge.app;

import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.pushbridge.device.DeviceId;
import org.pushbridge.sip.CallStates;
import org.pushbridge.web.CallDesk;

/** Joins the verdict API to the calls of the SIP edge. */
final class SipDesk implements CallDesk {
    private static final int BUSY_HERE = 486;
    private static final int DECLINED = 603;

    private final CallStates calls;

    SipDesk(CallStates calls) {
        this.calls = calls;
    }

    @Override
    public Optional<CallState> stateForAwake(UUID call, DeviceId device) {
        Optional<CallState> state = calls.of(call, device).map(SipDesk::state);
        calls.asked(call, device);
        return state;
    }

    @Override
    public CompletionStage<Optional<CallState>> alerting(UUID call, DeviceId device) {
        return calls.alerting(call, device).thenApply(state -> state.map(SipDesk::state));
    }

    @Override
    public CompletionStage<Optional<CallState>> decline(UUID call, DeviceId device, Decline how) {
        return calls.decline(call, device, how == Decline.BUSY ? BUSY_HERE : DECLINED)
                .thenApply(state -> state.map(SipDesk::state));
    }

    private static CallState state(CallStates.CallState state) {
        return new CallState(state.end().isEmpty(), state.end(), state.endedAt());
    }
}
