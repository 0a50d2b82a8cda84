package org.pushbridge.sip;

import java.util.Comparator;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.Flow;

/**
 * Tells devices which of their calls are alive, as dialog events (RFC 4235): those that subscribed whenever it changes,
 * and those that say they understand it each time they register. Safe for any thread; never blocks.
 */
final class DialogEvents {
    private static final Logger log = LogManager.getLogger(DialogEvents.class);

    private final Subscriptions subscriptions;

    DialogEvents(Subscriptions subscriptions) {
        this.subscriptions = subscriptions;
    }

    /**
     * A device has registered and its 200 is on the way: it is told the state of its calls right behind it.
     *
     * @param flow what the REGISTER came over
     * @param unasked whether a device that has not subscribed is to be told too
     * @return if a NOTIFY was sent: whether the device acknowledged it (2xx), once that is known. Completed on a
     *     transport or timer thread. Empty if none was sent
     */
    Optional<CompletionStage<Boolean>> onRegistered(Device device, Flow flow, boolean unasked) {
        try {
            Optional<CompletionStage<Boolean>> inside =
                    subscriptions.of(device.id()).flatMap(subscription -> subscription.registeredOn(flow));
            return inside.isPresent() || !unasked ? inside : tellUnasked(device, flow);
        } catch (RuntimeException fault) {
            // Calls wait for this device; they must not suffer.
            log.error("What is alive could not be told to device={}", device.id(), fault);
            return Optional.empty();
        }
    }

    /** The answer to a fetch that was never sent: the app has said that it understands one. */
    private Optional<CompletionStage<Boolean>> tellUnasked(Device device, Flow flow) {
        return device.bindings().stream()
                .filter(b -> b.flow().equals(flow))
                .max(Comparator.comparing(Binding::registeredAt))
                .map(binding -> new Subscription(
                        subscriptions,
                        device.aor(),
                        device.id(),
                        unasked(device.aor(), binding),
                        SubscribeHandler.PACKAGE,
                        flow))
                .flatMap(Subscription::tellOnce);
    }

    private static Dialog unasked(Aor aor, Binding binding) {
        String user = "<sip:" + Messages.userPart(aor.user()) + "@" + aor.host() + ">";
        return new Dialog(
                UUID.randomUUID().toString(),
                user,
                Messages.token(),
                user,
                "",
                0,
                -1,
                binding.path(),
                Messages.withoutPushParameters(binding.contact()),
                false);
    }

    /**
     * The calls of a user changed: one began, rings, was answered, or is over. To be called when {@link LiveDialogs}
     * shows it. Devices that subscribed are told what is new to them.
     */
    void onChanged(Aor aor) {
        for (Subscription subscription : subscriptions.of(aor)) {
            try {
                subscription.changed();
            } catch (RuntimeException fault) {
                log.error("What changed could not be told to device={}", subscription.device(), fault);
            }
        }
    }

    /** How many subscriptions there are, those that wait for their last answer included. */
    int subscriptions() {
        return subscriptions.size();
    }
}
