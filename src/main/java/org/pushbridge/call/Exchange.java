package org.pushbridge.call;

/**
 * A request inside a dialog that has been passed on and is not over.
 *
 * @param method the SIP method
 * @param content what it carries
 * @param state how far it has come
 */
public record Exchange(ExchangeId id, String method, Content content, State state) {
    /** How far an exchange has come. */
    public enum State {
        /** Passed on; the far side has not answered finally. */
        FORWARDED,
        /** Waiting for the device it is for, whose connection is gone, to register. */
        HELD,
        /** A re-INVITE whose 2xx was passed back; its ACK is awaited. */
        AWAITING_ACK,
        /** Its sender has been answered by the bridge; the far side's answer is awaited only to be cleaned up. */
        ORPHANED
    }

    Exchange in(State next) {
        return new Exchange(id, method, content, next);
    }

    public boolean isInvite() {
        return method.equals("INVITE");
    }
}
