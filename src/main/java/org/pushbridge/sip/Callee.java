package org.pushbridge.sip;

import java.util.List;
import java.util.Optional;
import org.pushbridge.call.LegId;
import org.pushbridge.sip.stack.Destination;

/** Whom a call is for: finds how a leg is reached at the very moment its INVITE is to go out. */
interface Callee {
    Optional<Route> route(LegId leg);

    static Callee of(Bridge bridge, CallMemory.Called called) {
        return called instanceof CallMemory.Called.ByTrunk out
                ? leg -> toTrunk(bridge, out)
                : leg -> toDevice(bridge, leg);
    }

    private static Optional<Route> toDevice(Bridge bridge, LegId leg) {
        return bridge.device(leg)
                .flatMap(device -> bridge.reachableBinding(device)
                        .map(binding -> new Route(
                                new FarEnd.DeviceEnd(device.aor(), Optional.of(device.id()), binding.flow()),
                                binding.contact(),
                                binding.path(),
                                new Destination.OverFlow(binding.flow()))));
    }

    private static Optional<Route> toTrunk(Bridge bridge, CallMemory.Called.ByTrunk out) {
        if (out.trunk().destination().isEmpty()) {
            return Optional.empty(); // not any more: the configuration has changed since the call began
        }
        Trunk.Destination destination = out.trunk().destination().get();
        String host = destination.host().indexOf(':') >= 0 ? "[" + destination.host() + "]" : destination.host();
        String uri = "sip:" + Messages.userPart(out.number()) + "@" + host + ":" + destination.port()
                + (destination.transport().equals("udp") ? "" : ";transport=" + destination.transport());
        return bridge.trunkAddresses()
                .of(destination)
                .map(address -> new Route(new FarEnd.TrunkEnd(out.trunk(), Optional.empty()), uri, List.of(), address));
    }

    /**
     * The way to one leg.
     *
     * @param requestUri the Request-URI, pn-* parameters still in it
     * @param routes the Route set: a device's Path
     */
    record Route(FarEnd farEnd, String requestUri, List<String> routes, Destination destination) {}
}
