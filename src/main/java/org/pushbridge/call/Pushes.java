package org.pushbridge.call;

/**
 * What pushes can do for a device, as its app has it.
 *
 * @param wake whether a push may wake it
 * @param sparing whether it wants none while another device of the user has the call
 * @param end whether a second VoIP push may end the call screen that the first brought up: only for apps that declare
 *     that they handle it, because Apple frowns on it
 */
public record Pushes(boolean wake, boolean sparing, boolean end) {
    /** It cannot be pushed to. */
    public static final Pushes NONE = new Pushes(false, false, false);

    /** A push wakes it, and regular pushes tell it the rest. */
    public static final Pushes USUAL = new Pushes(true, false, false);

    public Pushes {
        if (!wake && (sparing || end)) {
            throw new IllegalArgumentException("A device that no push can wake is not pushed to for anything else");
        }
    }
}
