package org.pushbridge.device;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * One installation of an app, as last heard of.
 *
 * @param id derived from the address and {@link #identity}
 * @param aor the address it registers for
 * @param identity what tells it from the user's other devices (see {@link DeviceId#of})
 * @param target how to wake it, if it can be woken
 * @param targetFault why the push target cannot be used (Apple's reason and what it means), if it cannot; cleared
 *     when the device registers another token
 * @param bindings the registered contacts, one for each reg-id; expired ones may still be listed
 */
public record Device(
        DeviceId id,
        Aor aor,
        String identity,
        Optional<PushTarget> target,
        Optional<String> targetFault,
        List<Binding> bindings) {
    public Device {
        bindings = List.copyOf(bindings);
    }

    Device with(Optional<PushTarget> newTarget, Optional<String> newFault) {
        return new Device(id, aor, identity, newTarget, newFault, bindings);
    }

    /** With one more binding, behind the others: for who reads a device part by part. */
    public Device and(Binding binding) {
        List<Binding> all = new ArrayList<>(bindings);
        all.add(binding);
        return new Device(id, aor, identity, target.map(t -> t.read(all.get(0))), targetFault, all);
    }

    /** The binding heard of last among those that count at {@code now}. */
    public Optional<Binding> newestBinding(Instant now) {
        return bindings.stream().filter(b -> b.isLiveAt(now)).max(Comparator.comparing(Binding::registeredAt));
    }

    /** Whether there is a token to push to that is not known to be dead. */
    public boolean isPushable() {
        return target.isPresent() && targetFault.isEmpty();
    }
}
