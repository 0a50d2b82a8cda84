package org.pushbridge.sip.stack;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What was read of texts that came lately, to be found by a part of a longer text without making a text of it. The messages
 * of a call name the same few addresses again and again. Bounded: each text has one place, which the next with that place
 * takes. Safe for any thread; what is found is shared, and must not be changed.
 */
final class Recent<T> {
    private static final int PLACES = 4096;
    /** So that the longest take no more than a few megabytes. */
    private static final int LONGEST = 128;

    private final AtomicReferenceArray<@Nullable Entry<T>> entries = new AtomicReferenceArray<>(PLACES);

    private record Entry<T>(String text, T value) {}

    /** What was read of {@code text[from, to)}. */
    @Nullable
    T find(String text, int from, int to) {
        if (to - from > LONGEST) {
            return null;
        }
        Entry<T> entry = entries.get(place(text, from, to));
        return entry != null && entry.text.length() == to - from && text.startsWith(entry.text, from)
                ? entry.value
                : null;
    }

    void keep(String text, int from, int to, T value) {
        if (to - from <= LONGEST) {
            entries.set(place(text, from, to), new Entry<>(text.substring(from, to), value));
        }
    }

    private static int place(String text, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return (hash ^ (hash >>> 16)) & (PLACES - 1);
    }
}
