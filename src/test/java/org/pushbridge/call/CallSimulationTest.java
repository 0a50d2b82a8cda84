package org.pushbridge.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.pushbridge.call.CallSimulation.Outcome;
import org.pushbridge.call.Coverage.Situation;

/**
 * Plays the rules through many seeds. By hand: {@code -Dpushbridge.seeds=N} plays another number, {@code
 * -Dpushbridge.seed=S} starts at another seed ({@code random} draws one). A failure prints its seed and the whole trace.
 */
class CallSimulationTest {
    private static final long SEEDS_IN_EVERY_BUILD = 100_000;
    private static final long ENOUGH_OF_EACH_PER_100_000 = 50;

    @Test
    void theRulesKeepEveryInvariantInEverySeed() throws InterruptedException, ExecutionException {
        long seeds = Long.getLong("pushbridge.seeds", SEEDS_IN_EVERY_BUILD);
        String start = System.getProperty("pushbridge.seed", "1");
        long first = start.equals("random") ? System.nanoTime() : Long.parseLong(start);

        int threads = Math.min(4, Runtime.getRuntime().availableProcessors());
        Coverage coverage = new Coverage();
        List<Outcome> failures = new ArrayList<>();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Part>> parts = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                long offset = thread;
                parts.add(pool.submit(() -> play(first + offset, first + seeds, threads)));
            }
            for (Future<Part> part : parts) {
                coverage.add(part.get().coverage());
                part.get().failure().ifPresent(failures::add);
            }
        } finally {
            pool.shutdownNow();
        }
        System.out.println("Simulated from seed " + first + ": " + coverage);
        failures.stream().min(Comparator.comparingLong(Outcome::seed)).ifPresent(CallSimulationTest::explain);
        if (seeds >= SEEDS_IN_EVERY_BUILD) {
            for (Situation situation : Situation.values()) {
                assertThat(coverage.of(situation))
                        .as("how often the simulation met %s", situation)
                        .isGreaterThanOrEqualTo(ENOUGH_OF_EACH_PER_100_000);
            }
        }
    }

    private record Part(Coverage coverage, Optional<Outcome> failure) {}

    /** Stops at its first failure. */
    private static Part play(long first, long end, int stride) {
        Coverage coverage = new Coverage();
        for (long seed = first; seed < end; seed += stride) {
            Outcome outcome = CallSimulation.run(seed, CallRules::step, coverage, false);
            if (outcome.broken().isPresent()) {
                return new Part(coverage, Optional.of(outcome));
            }
        }
        return new Part(coverage, Optional.empty());
    }

    private static void explain(Outcome failure) {
        Outcome again = CallSimulation.run(failure.seed(), CallRules::step, new Coverage(), true);
        InvariantBroken broken = failure.broken().orElseThrow();
        throw new AssertionError(
                "Seed " + failure.seed() + " breaks " + broken.getMessage() + "\n"
                        + String.join("\n", again.trace())
                        + "\nOnce more: mvn -o test -Dtest=CallSimulationTest -Dpushbridge.seeds=1 -Dpushbridge.seed="
                        + failure.seed(),
                broken);
    }
}
