package org.pushbridge.sim.apns;

/** A phone's side of the push connection, for one of its tokens. */
@FunctionalInterface
public interface DeviceListener {
    /** A push has arrived. Called on the server's delivery thread, one call at a time: hand over, do not wait. */
    void onPush(DeliveredPush push);
}
