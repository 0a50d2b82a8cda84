package org.pushbridge.device;

import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The devices of those that were looked up last: a call looks up its own a dozen times. Each has one place, and the last one
 * to come to it stays; to keep an order among them would take longer than to make the devices anew. Safe for any thread.
 */
final class LookedUp {
    private static final int PLACES = 4_096;

    private final AtomicReferenceArray<@Nullable Found> places = new AtomicReferenceArray<>(PLACES);

    private record Found(PackedUser user, List<Device> devices) {}

    List<Device> devices(PackedUser user) {
        int hash = user.aor().hashCode();
        int place = (hash ^ (hash >>> 16)) & (PLACES - 1);
        Found found = places.get(place);
        if (found == null || found.user() != user) {
            found = new Found(user, user.devices());
            places.set(place, found);
        }
        return found.devices();
    }
}
