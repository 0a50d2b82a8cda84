package org.pushbridge.call;

/** The two directions a message of a call can come from or go to. */
public enum Side {
    CALLER,
    LEG;

    public Side other() {
        return this == CALLER ? LEG : CALLER;
    }
}
