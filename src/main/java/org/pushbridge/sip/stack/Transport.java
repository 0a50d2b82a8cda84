package org.pushbridge.sip.stack;

import java.util.Locale;

/** A transport protocol the stack speaks (RFC 3261 section 18). */
public enum Transport {
    UDP,
    TCP;

    /**
     * @param name as in {@link org.pushbridge.device.Flow#transport()} or a {@code transport} parameter; any case
     * @throws IllegalArgumentException for a transport the stack does not speak
     */
    public static Transport of(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "udp" -> UDP;
            case "tcp" -> TCP;
            default -> throw new IllegalArgumentException("The SIP stack speaks udp and tcp, not '" + name + "'");
        };
    }

    /** As in a {@code transport} parameter and in a {@link org.pushbridge.device.Flow}: lower case. */
    public String parameter() {
        return this == UDP ? "udp" : "tcp";
    }

    boolean isReliable() {
        return this != UDP;
    }

    @Override
    public String toString() {
        return parameter();
    }
}
