package org.pushbridge.sim.phone;

import java.net.URI;

/**
 * Where, and with what, an app asks about the call it was woken for.
 *
 * @param address of the call
 * @param token for this call and device
 */
record VerdictAccess(URI address, String token) {
    /** Hides the token. */
    @Override
    public String toString() {
        return "VerdictAccess[" + address + "]";
    }
}
