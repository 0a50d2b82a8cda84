package org.pushbridge.sim.phone;

import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Subscription;
import org.pushbridge.sim.ua.Violations;

/** What an app makes of the NOTIFYs of one subscription, or of one NOTIFY that stands alone. Used by one thread. */
final class DialogWatch {
    private final String entity;
    private final Violations violations;
    private long documents;

    /** @param entity whose dialogs are to be told: a URI */
    DialogWatch(String entity, Violations violations) {
        this.entity = entity;
        this.violations = violations;
    }

    /** The Call-IDs of the calls that live; empty if the NOTIFY does not say. */
    Optional<Set<String>> alive(SipMessage notify) {
        boolean terminates = notify.header("Subscription-State")
                .filter(s -> s.startsWith("terminated"))
                .isPresent();
        if (notify.body().isEmpty()) {
            if (!terminates || documents == 0) {
                violations.add("A NOTIFY of dialog events has no body");
            }
            return Optional.empty();
        }
        String type =
                notify.header("Content-Type").orElse("").replaceAll(";.*", "").strip();
        if (!type.equals(Subscription.CONTENT_TYPE)) {
            violations.add("A NOTIFY of dialog events has the Content-Type '" + type + "'");
            return Optional.empty();
        }
        try {
            return Optional.of(alive(DialogInfo.read(notify.body())));
        } catch (IllegalArgumentException e) {
            violations.add("A NOTIFY has a dialog-info that is wrong: " + e.getMessage());
            return Optional.empty();
        }
    }

    private Set<String> alive(DialogInfo info) {
        if (info.version() != documents) {
            violations.add("A dialog-info has the version " + info.version() + " where " + documents + " was next");
        }
        documents = info.version() + 1;
        if (!info.full()) {
            violations.add("A dialog-info has partial state");
        }
        if (!info.entity().equals(entity)) {
            violations.add("A dialog-info is about " + info.entity() + ", not " + entity);
        }
        if (info.dialogs().stream().anyMatch(d -> d.callId().isEmpty())) {
            violations.add("A dialog-info has a dialog without a call-id: the app cannot tell which call it is");
        }
        return info.dialogs().stream()
                .filter(DialogInfo.Dialog::isAlive)
                .flatMap(d -> d.callId().stream())
                .collect(Collectors.toUnmodifiableSet());
    }
}
