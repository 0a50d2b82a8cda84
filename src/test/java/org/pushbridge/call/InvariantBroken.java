package org.pushbridge.call;

/** The rules did what they must not do, or did not do what they must. */
final class InvariantBroken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Invariant invariant;

    InvariantBroken(Invariant invariant, String what) {
        super(invariant + " (" + invariant.words() + "): " + what);
        this.invariant = invariant;
    }

    InvariantBroken(Invariant invariant, String what, Throwable cause) {
        super(invariant + " (" + invariant.words() + "): " + what, cause);
        this.invariant = invariant;
    }

    Invariant invariant() {
        return invariant;
    }
}
