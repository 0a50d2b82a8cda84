package org.pushbridge.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the word that was probably meant. */
public final class Alike {
    private Alike() {}

    /** The nearest of the words, if it is so near that it was probably meant. */
    public static Optional<String> nearest(String wrong, Collection<String> words) {
        return words.stream()
                .filter(word -> distance(wrong, word) <= Math.max(1, word.length() / 3))
                .min(Comparator.comparingInt(word -> distance(wrong, word)));
    }

    /** How many letters to insert, delete or replace to get from one to the other (Levenshtein). */
    private static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[other.length()];
    }
}
