package org.pushbridge.sim.ua;

/** How SIP travels. */
public enum Transport {
    UDP,
    TCP
}
