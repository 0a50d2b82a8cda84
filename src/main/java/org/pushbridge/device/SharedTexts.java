package org.pushbridge.device;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Texts that very many devices have in common, such as the name of their app, each kept once and known by a number. Bounded:
 * who comes too late keeps a text of their own. Safe for any thread.
 */
final class SharedTexts {
    static final int NONE = -1;

    static final int MOST = 10_000;
    private static final int LONGEST = 200;

    private final Map<String, Integer> numbers = new ConcurrentHashMap<>();
    /** Written before the number is known, and never again. */
    private final String[] texts = new String[MOST];

    /** The number of a text, which it gets if there is room; otherwise {@link #NONE}. */
    int numberOf(String text) {
        Integer number = numbers.get(text);
        return number == null ? add(text) : number;
    }

    private synchronized int add(String text) {
        int next = numbers.size();
        if (next >= MOST || text.length() > LONGEST) {
            return numbers.getOrDefault(text, NONE);
        }
        return numbers.computeIfAbsent(text, key -> {
            texts[next] = key;
            return next;
        });
    }

    String text(int number) {
        return texts[number];
    }
}
