package org.pushbridge.device;

/** Apple's two push services. A token belongs to exactly one of them. */
public enum ApnsEnvironment {
    PRODUCTION,
    SANDBOX
}
