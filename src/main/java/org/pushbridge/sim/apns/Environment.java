package org.pushbridge.sim.apns;

/** Apple's two push services. Each simulated one listens on a port of its own. */
public enum Environment {
    PRODUCTION,
    SANDBOX
}
