package org.pushbridge.call;

/** Why a call is over for a device that was asked to ring: what its CANCEL, its tombstone and its alert tell. */
public enum Verdict {
    CALLER_GAVE_UP("caller-gave-up"),
    ANSWERED_ELSEWHERE("answered-elsewhere"),
    DECLINED_ELSEWHERE("declined-elsewhere"),
    RING_LIMIT("ring-limit"),
    /** The call could not be completed; nobody answered or declined it. */
    FAILED("failed");

    private final String word;

    Verdict(String word) {
        this.word = word;
    }

    /** The word used in logs, tombstones and the API. */
    public String word() {
        return word;
    }

    /** Whether the user missed a call that nobody took. */
    public boolean isMissedCall() {
        return this == CALLER_GAVE_UP || this == RING_LIMIT;
    }
}
