package org.pushbridge.sim.apns;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** The faults that are yet to strike, in the order in which they were injected. Thread-safe. */
final class Faults {
    private final List<Armed> armed = new ArrayList<>();

    private static final class Armed {
        final Aim aim;
        final Fault fault;
        int left;

        Armed(Aim aim, Fault fault) {
            this.aim = aim;
            this.fault = fault;
            this.left = aim.times();
        }
    }

    synchronized void inject(Aim aim, Fault fault) {
        armed.add(new Armed(aim, fault));
    }

    synchronized void clear() {
        armed.clear();
    }

    /** The fault that strikes this request, if one does. */
    synchronized Optional<Fault> strike(String token, Optional<String> bundleId, Optional<PushType> type) {
        for (Iterator<Armed> candidates = armed.iterator(); candidates.hasNext(); ) {
            Armed candidate = candidates.next();
            if (candidate.aim.hits(token, bundleId, type)) {
                if (candidate.left != Integer.MAX_VALUE && --candidate.left == 0) {
                    candidates.remove();
                }
                return Optional.of(candidate.fault);
            }
        }
        return Optional.empty();
    }
}
