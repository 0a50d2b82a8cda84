package org.pushbridge.sip.stack;

import org.jspecify.annotations.Nullable;

/**
 * One header of a message, the lines that continue it included: {@code text[from, to)}, as a rule a part of the whole head.
 *
 * @param colon where the name ends
 * @param name null if that is not one of those that are known
 * @param isUsual whether the name is spelled as by nearly everybody, or compact
 */
record HeaderLine(
        String text, int from, int to, int colon, @Nullable KnownHeader name, boolean isUsual) {
    /** A header by itself. */
    static HeaderLine of(KnownHeader name, String value) {
        String text = name.title() + ": " + value;
        return new HeaderLine(text, 0, text.length(), name.title().length(), name, true);
    }

    /** Where the value begins: behind white space. */
    int valueFrom() {
        int at = colon + 1;
        while (at < to && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    /** Where the value ends: before white space. */
    int valueTo() {
        int at = to;
        while (at > colon + 1 && Character.isWhitespace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    boolean isEmpty() {
        return valueFrom() >= to;
    }

    String value() {
        int start = valueFrom();
        return start >= to ? "" : text.substring(start, valueTo());
    }

    @Override
    public String toString() {
        return text.substring(from, to);
    }
}
