package org.pushbridge.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.pushbridge.app.bench.Soak.Sample;
import org.pushbridge.app.bench.Soak.Trend;

/** What counts as growth. */
class SoakTest {
    private static final long MEGABYTE = 1024 * 1024;

    private static List<Sample> samples(LongUnaryOperator heap) {
        return LongStream.range(0, 9)
                .mapToObj(i -> new Sample(
                        i * 30,
                        OptionalLong.of(heap.applyAsLong(i)),
                        OptionalLong.of(50),
                        OptionalLong.empty(),
                        OptionalLong.of(500 * MEGABYTE),
                        20 * MEGABYTE,
                        30))
                .toList();
    }

    @Test
    void whatStaysTheSameButForNoiseDoesNotGrow() {
        assertThat(Soak.trends(samples(i -> (100 + i % 2 * 5) * MEGABYTE)))
                .noneMatch(Trend::grows)
                .extracting(Trend::name)
                .as("descriptors could not be counted")
                .doesNotContain("descriptors");
    }

    @Test
    void aLeakGrows() {
        assertThat(Soak.trends(samples(i -> (100 + i * 10) * MEGABYTE)))
                .filteredOn(Trend::grows)
                .extracting(Trend::name)
                .containsExactly("heap after collection, bytes");
    }
}
