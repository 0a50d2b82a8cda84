package org.pushbridge.sim.phone;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Subscription;
import org.pushbridge.sim.ua.UserAgent;
import org.pushbridge.sim.ua.Violations;

/** What an app demands of the dialog events (RFC 4235) that reach it, and what it reads in them. Only on the agent's thread. */
final class AppDialogEvents {
    /** How soon the NOTIFY has to come behind the 200 to a REGISTER. */
    private static final Duration PROMPTLY = Duration.ofSeconds(2);

    private final IphoneSettings settings;
    private final UserAgent agent;
    private final Violations violations;
    private final CallScreens screens;
    private final Consumer<Set<String>> living;
    private boolean subscribed;
    private long registeredFlow;
    private long notifiedFlow;

    /**
     * @param screens of the phone
     * @param living hears the Call-IDs of the calls that live
     */
    AppDialogEvents(
            IphoneSettings settings,
            UserAgent agent,
            Violations violations,
            CallScreens screens,
            Consumer<Set<String>> living) {
        this.settings = settings;
        this.agent = agent;
        this.violations = violations;
        this.screens = screens;
        this.living = living;
    }

    private boolean areUnderstood() {
        return settings.app().verdicts().contains(VerdictWay.DIALOG_EVENTS);
    }

    /** The 200 to the REGISTER over a flow came: now the app is told at once what became of the call it rings for. */
    void registered(long flow) {
        registeredFlow = flow;
        if (!areUnderstood() || subscribed) {
            return;
        }
        agent.after(PROMPTLY, () -> {
            boolean waiting = screens.all().stream()
                    .anyMatch(s -> s.isPushed() && s.isRinging() && s.call().isEmpty());
            boolean stillThere = registeredFlow == flow && agent.localAddress().isPresent();
            if (waiting && stillThere && notifiedFlow != flow) {
                violations.add("No NOTIFY of dialog events followed the 200 to a REGISTER, though the phone rings");
            }
        });
    }

    /** Takes a NOTIFY out of any subscription; answers the status for it. */
    int notified(SipMessage notify, long flow) {
        if (!areUnderstood()) {
            violations.add("A NOTIFY came to an app that never said it understands events");
            return 489;
        }
        if (!Subscription.isOfDialogs(notify)) {
            violations.add("A NOTIFY came about another Event than dialog");
            return 489;
        }
        if (registeredFlow != flow) {
            violations.add("A NOTIFY came before the 200 to the REGISTER");
        }
        if (notifiedFlow == flow) {
            violations.add("A second NOTIFY came behind one REGISTER, out of any subscription");
        }
        notifiedFlow = flow;
        String state = notify.header("Subscription-State").orElse("missing");
        if (!state.replaceAll(";.*", "").strip().equals("terminated")) {
            violations.add("A NOTIFY out of any subscription has the Subscription-State " + state + ", not terminated");
        }
        watch().alive(notify).ifPresent(living);
        return 200;
    }

    private DialogWatch watch() {
        return new DialogWatch(settings.address(), violations);
    }

    /** A subscription to the phone's own address, not asked for yet. */
    Subscription subscription() {
        DialogWatch watch = watch();
        agent.run(() -> subscribed = true);
        return agent.subscription(
                settings.registrar(),
                settings.address(),
                Optional.of(settings.credentials()),
                notify -> watch.alive(notify).ifPresent(living));
    }
}
