package org.pushbridge.call;

/** Why a call is over for a device: what its CANCEL, its tombstone and its pushes tell. */
public enum Verdict {
    CALLER_GAVE_UP("caller-gave-up"),
    ANSWERED_ELSEWHERE("answered-elsewhere"),
    DECLINED_ELSEWHERE("declined-elsewhere"),
    RING_LIMIT("ring-limit"),
    /** The call could not be completed; nobody answered or declined it. */
    FAILED("failed"),
    /** The other side hung up. */
    HUNG_UP("hung-up"),
    /** The user of this very device declined. */
    DECLINED_HERE("declined-here");

    private final String word;

    Verdict(String word) {
        this.word = word;
    }

    /** The word used in logs, tombstones and the API. */
    public String word() {
        return word;
    }

    /**
     * The verdict of a word.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Verdict ofWord(String word) {
        for (Verdict verdict : values()) {
            if (verdict.word.equals(word)) {
                return verdict;
            }
        }
        throw new IllegalArgumentException("There is no verdict '" + word + "'");
    }

    /** Whether the user missed a call that nobody took. */
    public boolean isMissedCall() {
        return this == CALLER_GAVE_UP || this == RING_LIMIT;
    }
}
