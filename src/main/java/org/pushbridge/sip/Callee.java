package org.pushbridge.sip;

import java.util.List;
import java.util.Optional;
import org.pushbridge.call.LegId;
import org.pushbridge.sip.stack.Destination;

/** Whom a call is for: finds how a leg is reached at the very moment its INVITE is to go out. */
interface Callee {
    Optional<Route> route(LegId leg);

    /**
     * The way to one leg.
     *
     * @param requestUri the Request-URI, pn-* parameters still in it
     * @param routes the Route set: a device's Path
     */
    record Route(FarEnd farEnd, String requestUri, List<String> routes, Destination destination) {}
}
