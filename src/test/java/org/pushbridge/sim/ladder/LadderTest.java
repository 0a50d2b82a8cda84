package org.pushbridge.sim.ladder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LadderTest {
    private final AtomicLong nanos = new AtomicLong();
    private final List<String> lines = new ArrayList<>();
    private final Ladder ladder = new Ladder(List.of("PBX", "bridge", "APNs", "Alice"), lines::add, nanos::get);

    @Test
    void drawsEachMessageAsAnArrowWithItsTime() {
        ladder.message("PBX", "bridge", "INVITE", "");
        nanos.addAndGet(3_000_000);
        ladder.message("bridge", "PBX", "182 Queued", "");
        ladder.message("bridge", "APNs", "VoIP push", "accepted");
        nanos.addAndGet(1_200_000_000);
        ladder.event("Alice", "rings");
        ladder.message("bridge", "Alice", "INVITE", "");

        assertThat(lines)
                .containsExactly(
                        "     ms  PBX                        bridge                        APNs                         Alice",
                        "      0   │────────── INVITE ─────────▶│                            │                            │",
                        "      3   │◀─────── 182 Queued ────────│                            │                            │",
                        "      3   │                            │─── VoIP push (accepted) ──▶│                            │",
                        "   1203   │                            │                            │                      rings ●",
                        "   1203   │                            │──────────────────────── INVITE ────────────────────────▶│");
    }

    @Test
    void fitsAHundredColumnsWhateverTheNamesAndLabels() {
        Ladder crowded =
                new Ladder(List.of("a PBX with a long name", "bridge", "APNs", "Alice", "Alice's iPad"), lines::add);
        crowded.message("bridge", "APNs", "a label that is far too long for its place", "and a note");
        crowded.event("Alice's iPad", "something that took a whole sentence to say, and then some more words to boot");
        crowded.event("a PBX with a long name", "x".repeat(200));

        assertThat(lines).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
        assertThat(lines).anyMatch(line -> line.contains("…"));
    }

    @Test
    void tellsMachinesTheSameAsJsonLines() {
        ladder.message("PBX", "bridge", "INVITE", "");
        nanos.addAndGet(7_000_000);
        ladder.message("bridge", "APNs", "VoIP push", "accepted");

        assertThat(ladder.toJsonLines())
                .endsWith(
                        "\n{\"ms\":7,\"from\":\"bridge\",\"to\":\"APNs\",\"label\":\"VoIP push\",\"note\":\"accepted\"}\n");
    }

    @Test
    void leavesOutWhatComesAfterItsEnd() {
        ladder.message("PBX", "bridge", "INVITE", "");
        ladder.close();
        ladder.message("PBX", "bridge", "BYE", "");

        assertThat(String.join("\n", lines)).contains("INVITE").doesNotContain("BYE");
    }

    @Test
    void refusesAStranger() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ladder.event("Mallory", "rings"))
                .withMessageContaining("Mallory");
    }
}
