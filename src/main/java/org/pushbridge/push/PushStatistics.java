package org.pushbridge.push;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the sender did so far, for metrics.
 *
 * @param outcomes how many pushes ended in each way, by {@link PushOutcome#name()}; ways that did not occur are not
 *     listed
 * @param links the sets of connections in use
 */
public record PushStatistics(Map<String, Long> outcomes, List<Link> links) {
    public PushStatistics {
        outcomes = Map.copyOf(outcomes);
        links = List.copyOf(links);
    }

    /** Pushes that ended with the outcome of this name. */
    public long count(String outcome) {
        return outcomes.getOrDefault(outcome, 0L);
    }

    /**
     * The connections for one environment and one set of credentials.
     *
     * @param label credentials and host, without a secret
     * @param inFlight pushes under way
     * @param refused why APNs refuses the credentials, if it does
     */
    public record Link(String label, int inFlight, Optional<String> refused) {}
}
