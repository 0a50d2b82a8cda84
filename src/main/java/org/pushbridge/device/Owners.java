package org.pushbridge.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From numbers, such as that of a device or of a token, to the addresses they belong to; a number may belong to several. As
 * a table of its own, for an entry of a {@code ConcurrentHashMap} takes three times the room. Safe for any thread.
 */
final class Owners {
    private static final int PARTS = 64;

    private final Part[] parts = new Part[PARTS];

    Owners() {
        Arrays.setAll(parts, i -> new Part());
    }

    /** Does nothing if it is known. */
    void add(long number, Aor owner) {
        part(number).add(number, owner);
    }

    void remove(long number, Aor owner) {
        part(number).remove(number, owner);
    }

    List<Aor> of(long number) {
        return part(number).of(number);
    }

    private Part part(long number) {
        return parts[(int) (spread(number) >>> 58)];
    }

    private static long spread(long number) {
        return (number ^ (number >>> 32)) * 0x9e3779b97f4a7c15L;
    }

    /** An entry stands at its place, or behind it with no gap between. A slot is free if it has no owner. */
    private static final class Part {
        private long[] numbers = new long[16];
        private @Nullable Aor[] owners = new @Nullable Aor[16];
        private int size;

        synchronized void add(long number, Aor owner) {
            if (find(number, owner) >= 0) {
                return;
            }
            if ((size + 1) * 4 > owners.length * 3) {
                grow();
            }
            put(number, owner);
        }

        synchronized void remove(long number, Aor owner) {
            int free = find(number, owner);
            if (free < 0) {
                return;
            }
            // Those behind it move up, but none in front of its place.
            for (int i = next(free); owners[i] != null; i = next(i)) {
                int place = place(numbers[i]);
                if (distance(place, i) >= distance(free, i)) {
                    numbers[free] = numbers[i];
                    owners[free] = owners[i];
                    free = i;
                }
            }
            owners[free] = null;
            size--;
        }

        synchronized List<Aor> of(long number) {
            List<Aor> found = new ArrayList<>(1);
            Aor owner;
            for (int i = place(number); (owner = owners[i]) != null; i = next(i)) {
                if (numbers[i] == number) {
                    found.add(owner);
                }
            }
            return found;
        }

        private int find(long number, Aor owner) {
            for (int i = place(number); owners[i] != null; i = next(i)) {
                if (numbers[i] == number && owner.equals(owners[i])) {
                    return i;
                }
            }
            return -1;
        }

        private void put(long number, Aor owner) {
            int i = place(number);
            while (owners[i] != null) {
                i = next(i);
            }
            numbers[i] = number;
            owners[i] = owner;
            size++;
        }

        private void grow() {
            long[] oldNumbers = numbers;
            @Nullable Aor[] oldOwners = owners;
            numbers = new long[oldNumbers.length * 2];
            owners = new @Nullable Aor[oldOwners.length * 2];
            size = 0;
            for (int i = 0; i < oldOwners.length; i++) {
                Aor owner = oldOwners[i];
                if (owner != null) {
                    put(oldNumbers[i], owner);
                }
            }
        }

        private int place(long number) {
            return (int) (spread(number) >>> 26) & (owners.length - 1);
        }

        private int next(int slot) {
            return (slot + 1) & (owners.length - 1);
        }

        /** How far it is from one slot on to another. */
        private int distance(int from, int to) {
            return (to - from) & (owners.length - 1);
        }
    }
}
