package org.pushbridge.sip.registrar;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushReading;
import org.pushbridge.device.PushTarget;

/**
 * What one REGISTER does to a user's devices (RFC 3261 section 10.3 step 7, RFC 5626 section 6, RFC 8599). Pure: the
 * same request and devices give the same outcome.
 *
 * @param contacts what it asks for, none for a mere question
 * @param flow what it came over; the device is reached there, whatever Contact and Via say
 */
record RegisterChange(
        Aor aor,
        List<Granted> contacts,
        Instant now,
        Flow flow,
        List<String> path,
        String callId,
        long cseq,
        String userAgent,
        boolean dialogEvents,
        int maxContacts) {

    /**
     * A Contact and the time it gets.
     *
     * @param expires zero to remove it
     */
    record Granted(RequestedContact contact, Duration expires) {
        boolean leaves() {
            return expires.isZero();
        }
    }

    /**
     * @param devices all of the user's from now on
     * @param own those this REGISTER is about, in the order of its contacts; those that are gone left out
     */
    record Outcome(List<Device> devices, List<Device> own) {}

    /** @throws RefusedException if the request is out of order or would be one contact too many */
    Outcome applyTo(List<Device> known) {
        for (Granted granted : contacts) {
            for (Binding binding : find(granted, known).map(Device::bindings).orElse(List.of())) {
                if (isReplacedBy(binding, granted)) {
                    requireOrder(binding);
                }
            }
        }
        Map<DeviceId, Device> devices = new LinkedHashMap<>();
        for (Device device : known) {
            if (isOfUse(device, known.size())) {
                devices.put(device.id(), device);
            }
        }
        List<DeviceId> own = new ArrayList<>();
        for (Granted granted : contacts) {
            Optional<Device> before = find(granted, devices.values());
            Optional<Device> after =
                    granted.leaves() ? before.flatMap(d -> left(d, granted)) : Optional.of(registered(before, granted));
            before.ifPresent(d -> devices.remove(d.id()));
            after.ifPresent(d -> {
                devices.put(d.id(), d);
                own.add(d.id());
                supersede(d, granted, devices);
            });
        }
        long count = count(devices.values());
        if (count > maxContacts && count > count(known)) {
            throw tooManyContacts(maxContacts);
        }
        return new Outcome(List.copyOf(devices.values()), ownOf(own, devices));
    }

    private static List<Device> ownOf(List<DeviceId> own, Map<DeviceId, Device> devices) {
        List<Device> found = new ArrayList<>(own.size());
        for (DeviceId id : own) {
            Device device = devices.get(id);
            if (device != null && !found.contains(device)) {
                found.add(device);
            }
        }
        return found;
    }

    /**
     * {@code Contact: *}: nothing is left, push targets included, for whoever signs out everywhere wants silence.
     *
     * @throws RefusedException if the request is out of order
     */
    Outcome removeAll(List<Device> known) {
        known.forEach(device -> device.bindings().forEach(this::requireOrder));
        return new Outcome(List.of(), List.of());
    }

    /** The binding this REGISTER made for a device, if it did. */
    Optional<Binding> bindingOf(Device device) {
        return device.bindings().stream().filter(this::isOurs).findFirst();
    }

    static RefusedException tooManyContacts(int most) {
        return new RefusedException(
                403,
                "Too Many Contacts",
                "A user may have " + most + " contacts, sleeping devices included; remove one first");
    }

    /** RFC 3261 section 10.3 step 7: with the same Call-ID, the CSeq has to be higher. */
    private void requireOrder(Binding replaced) {
        if (replaced.callId().equals(callId) && replaced.cseq() >= cseq && replaced.isLiveAt(now)) {
            throw new RefusedException(500, "Out Of Order: CSeq Is Not Higher Than Before");
        }
    }

    /**
     * By instance or push target. One token of the target is enough, and a device that leaves its instance out, or
     * gives one for the first time, is known by it, too: another dialect may carry other things of the same device. What
     * gives neither is known by its Contact, which may be that of a device that gave its push target before.
     */
    private Optional<Device> find(Granted granted, Collection<Device> devices) {
        RequestedContact contact = granted.contact();
        String identity = contact.identity();
        for (Device device : devices) {
            if (device.identity().equals(identity)) {
                return Optional.of(device);
            }
        }
        if (contact.push() instanceof PushReading.Target target) {
            Optional<Device> sharing = devices.stream()
                    .filter(d -> contact.instance().isEmpty() || !RequestedContact.isInstance(d.identity()))
                    .filter(d -> d.target()
                            .filter(known -> sharesToken(known, target))
                            .isPresent())
                    .findFirst();
            if (sharing.isPresent() || !granted.leaves()) {
                return sharing;
            }
        }
        if (contact.instance().isPresent()) {
            return Optional.empty();
        }
        return devices.stream()
                .filter(d -> granted.leaves() || !RequestedContact.isInstance(d.identity()))
                .filter(d -> d.bindings().stream().anyMatch(b -> hasKeyOf(b, contact)))
                .findFirst();
    }

    /**
     * A device has one binding, or one for each reg-id: it comes back from other ports and networks, and where it was
     * before it is no more.
     */
    private boolean isReplacedBy(Binding binding, Granted granted) {
        RequestedContact contact = granted.contact();
        if (!isOurs(binding) && !granted.leaves() && contact.regId().isEmpty()) {
            // Whatever its key: to read that takes longer than all else.
            return true;
        }
        if (hasKeyOf(binding, contact) && binding.regId().equals(contact.regId())) {
            return true;
        }
        if (isOurs(binding)) {
            return false;
        }
        if (contact.regId().isPresent()) {
            return binding.regId().isEmpty() || binding.regId().equals(contact.regId());
        }
        return !granted.leaves()
                || contact.instance().isPresent()
                || contact.push() instanceof PushReading.Target
                || hasKeyOf(binding, contact);
    }

    private boolean isOurs(Binding binding) {
        return binding.callId().equals(callId) && binding.cseq() == cseq;
    }

    private Device registered(Optional<Device> before, Granted granted) {
        RequestedContact contact = granted.contact();
        Binding binding = new Binding(
                contact.uri(),
                contact.parameters(),
                contact.q(),
                contact.regId(),
                flow,
                path,
                callId,
                cseq,
                now,
                granted.expires(),
                userAgent,
                dialogEvents);
        List<Binding> bindings = new ArrayList<>(remaining(before, granted));
        bindings.add(binding);
        Optional<PushTarget> known = before.flatMap(Device::target);
        Optional<PushTarget> target = target(known, contact);
        // A token that is registered anew stays as dead as APNs called it.
        Optional<String> fault = before.flatMap(Device::targetFault)
                .filter(f -> target.isPresent()
                        && known.filter(k -> hasSameTokens(k, target.get())).isPresent());
        String identity = before.filter(d -> contact.instance().isEmpty())
                .map(Device::identity)
                .orElseGet(contact::identity);
        DeviceId id = before.filter(d -> d.identity().equals(identity))
                .map(Device::id)
                .orElseGet(() -> DeviceId.of(aor, identity));
        return new Device(id, aor, identity, target, fault, bindings);
    }

    private Optional<PushTarget> target(Optional<PushTarget> known, RequestedContact contact) {
        if (contact.push() instanceof PushReading.Target target) {
            return Optional.of(new PushTarget(
                    target.environment(),
                    target.teamId(),
                    target.bundleId(),
                    target.voip(),
                    target.regular(),
                    now,
                    contact.spelled().provider(),
                    contact.spelled().param(),
                    contact.spelled().prid()));
        }
        // To ask whether pushing is there is not to renounce it; to leave it out is (RFC 8599 section 4.1.1).
        return contact.push() instanceof PushReading.Query ? known : Optional.empty();
    }

    /** A device that gives its token while it leaves is going to sleep; one that leaves it out wants no more pushes. */
    private Optional<Device> left(Device device, Granted granted) {
        List<Binding> bindings = remaining(Optional.of(device), granted);
        boolean pushable = !bindings.isEmpty() || granted.contact().push() instanceof PushReading.Target;
        Optional<PushTarget> target = device.target().filter(t -> pushable);
        return bindings.isEmpty() && target.isEmpty()
                ? Optional.empty()
                : Optional.of(new Device(
                        device.id(),
                        aor,
                        device.identity(),
                        target,
                        device.targetFault().filter(f -> target.isPresent()),
                        bindings));
    }

    private List<Binding> remaining(Optional<Device> before, Granted granted) {
        List<Binding> remaining = new ArrayList<>();
        for (Binding binding : before.map(Device::bindings).orElse(List.of())) {
            if (binding.isLiveAt(now) && !isReplacedBy(binding, granted)) {
                remaining.add(binding);
            }
        }
        return remaining;
    }

    /**
     * A device without an instance that now gives another token, or gives one for the first time, has another
     * identity than before; its Contact tells that it is the same one.
     */
    private void supersede(Device device, Granted granted, Map<DeviceId, Device> devices) {
        if (RequestedContact.isInstance(device.identity()) || granted.leaves()) {
            return;
        }
        devices.values()
                .removeIf(d -> !d.id().equals(device.id())
                        && !RequestedContact.isInstance(d.identity())
                        && d.bindings().stream().anyMatch(b -> hasKeyOf(b, granted.contact())));
    }

    /** What can be neither reached nor woken is forgotten; a dead token only once there is no room for it. */
    private boolean isOfUse(Device device, int known) {
        return device.isPushable()
                || device.newestBinding(now).isPresent()
                || (device.target().isPresent() && known <= maxContacts);
    }

    private long count(Collection<Device> devices) {
        long count = 0;
        for (Device device : devices) {
            int live = 0;
            for (Binding binding : device.bindings()) {
                live += binding.isLiveAt(now) ? 1 : 0;
            }
            count += Math.max(device.isPushable() ? 1 : 0, live);
        }
        return count;
    }

    private static boolean hasKeyOf(Binding binding, RequestedContact contact) {
        return Addresses.sipUri(binding.contact())
                .filter(uri -> Addresses.contactKey(uri).equals(contact.key()))
                .isPresent();
    }

    private static boolean sharesToken(PushTarget known, PushReading.Target target) {
        return known.environment() == target.environment()
                && known.bundleId().equals(target.bundleId())
                && ((known.voip().isPresent() && known.voip().equals(target.voip()))
                        || (known.regular().isPresent() && known.regular().equals(target.regular())));
    }

    private static boolean hasSameTokens(PushTarget one, PushTarget other) {
        return one.environment() == other.environment()
                && one.bundleId().equals(other.bundleId())
                && one.voip().equals(other.voip())
                && one.regular().equals(other.regular());
    }
}
