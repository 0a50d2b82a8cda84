package org.pushbridge.call;

/**
 * Names a leg of a call away from the caller: the device id of a device leg, {@code trunk:} and the trunk's name for a
 * leg towards a trunk.
 */
public record LegId(String value) {
    @Override
    public String toString() {
        return value;
    }
}
