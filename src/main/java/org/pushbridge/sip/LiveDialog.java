package org.pushbridge.sip;

import java.util.Optional;

/**
 * A call as one device sees it: one that it may still answer, or is in (RFC 4235 section 3.7.1).
 *
 * @param id tells it from the device's other calls, and stays the same while it lives
 * @param callId the Call-ID of the INVITE the device gets or got; for a parked call, as the push announced it
 * @param localTag the device's tag, once there is a dialog
 * @param remoteTag the bridge's tag, once there is a dialog
 * @param remoteUri who is at the other end, without pn-* parameters
 * @param remoteName the display name of the other end, or empty
 */
record LiveDialog(
        String id,
        String callId,
        Optional<String> localTag,
        Optional<String> remoteTag,
        Direction direction,
        State state,
        String remoteUri,
        String remoteName) {
    /** Who began it, as the device sees it. */
    enum Direction {
        INITIATOR("initiator"),
        RECIPIENT("recipient");

        private final String word;

        Direction(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    /** How far it has come for the device. */
    enum State {
        /** The device may still answer it: it rings, or it is parked for the device. */
        EARLY("early"),
        /** The device is in it. */
        CONFIRMED("confirmed");

        private final String word;

        State(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }
}
