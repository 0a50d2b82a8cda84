package org.pushbridge.call;

/**
 * How a call ended, for its one-line summary.
 *
 * @param cause what ended it
 * @param status the final status the caller got
 */
public record Ending(Cause cause, int status) {
    /** What ended a call. */
    public enum Cause {
        CALLER_GAVE_UP("caller gave up"),
        DECLINED("declined"),
        RING_LIMIT("ring limit"),
        UNREACHABLE("nobody could be reached"),
        CALLER_HUNG_UP("caller hung up"),
        CALLEE_HUNG_UP("callee hung up"),
        ACK_MISSING("the caller never acknowledged the answer"),
        DURATION_LIMIT("duration limit"),
        FAULT("internal fault");

        private final String words;

        Cause(String words) {
            this.words = words;
        }

        public String words() {
            return words;
        }
    }
}
