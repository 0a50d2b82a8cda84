package org.pushbridge.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OwnersTest {
    /** Few numbers meet often; many make it grow; those below zero and far apart are numbers, too. */
    @ParameterizedTest
    @ValueSource(ints = {1, 20, 500, 20_000})
    void itKnowsWhatAMapOfSetsWouldKnow(int count) {
        Random random = new Random(count);
        List<Aor> aors = IntStream.range(0, 5)
                .mapToObj(i -> new Aor("user" + i, "example.com"))
                .toList();
        long[] numbers = LongStream.generate(() -> random.nextBoolean() ? random.nextLong() : random.nextInt(count * 2))
                .limit(count)
                .toArray();
        Owners owners = new Owners();
        Map<Long, Set<Aor>> expected = new HashMap<>();

        for (int i = 0; i < 100_000; i++) {
            long number = numbers[random.nextInt(count)];
            Aor aor = aors.get(random.nextInt(aors.size()));
            if (random.nextInt(5) < 3) {
                owners.add(number, aor);
                expected.computeIfAbsent(number, key -> new HashSet<>()).add(aor);
            } else {
                owners.remove(number, aor);
                expected.getOrDefault(number, new HashSet<>()).remove(aor);
            }
            if (i % 10 == 0) {
                assertThat(owners.of(number))
                        .containsExactlyInAnyOrderElementsOf(expected.getOrDefault(number, Set.of()));
            }
        }

        for (long number : numbers) {
            assertThat(owners.of(number)).containsExactlyInAnyOrderElementsOf(expected.getOrDefault(number, Set.of()));
        }
    }
}
