package org.pushbridge.config;

import java.util.Locale;

/** What SIP is carried over. */
public enum Transport {
    UDP,
    TCP;

    /** As it stands in a SIP URI: {@code udp} or {@code tcp}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
