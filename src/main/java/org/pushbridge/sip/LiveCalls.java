package org.pushbridge.sip;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import javax.sip.address.Address;
import org.pushbridge.call.Call;
import org.pushbridge.call.LegId;
import org.pushbridge.device.Device;
import org.pushbridge.engine.RunningCall;

/** The calls of the engine as one device sees them. Looks at what calls publish, on any thread. */
final class LiveCalls implements LiveDialogs {
    private final Bridge bridge;

    LiveCalls(Bridge bridge) {
        this.bridge = bridge;
    }

    @Override
    public List<LiveDialog> of(Device device) {
        return bridge.engine().byAor(device.aor().toString()).stream()
                .flatMap(call -> dialog(call, device).stream())
                .sorted(Comparator.comparing(LiveDialog::id))
                .toList();
    }

    private static Optional<LiveDialog> dialog(RunningCall<BridgedCall> running, Device device) {
        Call call = running.call();
        LegId leg = Bridge.leg(device.id());
        boolean calls = call.plan().caller().equals(Optional.of(leg));
        if ((!calls && !call.legs().containsKey(leg)) || call.endFor(leg).isPresent()) {
            return Optional.empty();
        }
        BridgedCall edge = running.edge();
        Address other = calls ? edge.calledAddress() : edge.callerAddress();
        return Optional.of(new LiveDialog(
                running.id().toString(),
                calls ? edge.callersCallId() : Identifiers.callId(running.id(), leg),
                Optional.empty(),
                Optional.empty(),
                calls ? LiveDialog.Direction.INITIATOR : LiveDialog.Direction.RECIPIENT,
                call.answered().isPresent() ? LiveDialog.State.CONFIRMED : LiveDialog.State.EARLY,
                Messages.withoutPushParameters(other.getURI().toString()),
                Optional.ofNullable(other.getDisplayName()).orElse("")));
    }
}
