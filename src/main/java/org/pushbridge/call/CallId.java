package org.pushbridge.call;

import java.util.UUID;

/** The bridge's own name for one call, on all its legs. */
public record CallId(UUID value) {
    public static CallId random() {
        return new CallId(UUID.randomUUID());
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
