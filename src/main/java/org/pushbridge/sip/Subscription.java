package org.pushbridge.sip;

import gov.nist.javax.sip.header.ContentType;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import io.netty.util.Timeout;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import javax.sip.header.Header;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.Destination;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.ResponseHandler;

/**
 * A device's subscription to the state of its calls, with the dialog it lives in (RFC 6665 section 4.2).
 *
 * <p>One NOTIFY is under way at a time; what changes meanwhile is in the next, which always tells the newest state. The
 * subscription outlives the connection it was made on: each NOTIFY goes over the flow the device was last heard on, and
 * one that could not leave is made up for when the device registers again.
 *
 * <p>Safe for any thread. Its lock is held for moments, and never while those who wait for an outcome are told it.
 */
final class Subscription {
    private static final Logger log = LogManager.getLogger(Subscription.class);
    /** How many NOTIFYs of a device that keeps registering and never answers may wait for their time-out at once. */
    private static final int MAX_TRANSACTIONS = 4;

    /** Why a subscription ends (RFC 6665 section 4.1.3). */
    enum End {
        /** It was for once, or its time is over, or the device ended it: it may subscribe again. */
        TIMEOUT("timeout"),
        /** The device has subscribed anew. "deactivated" would make it subscribe once more, and again. */
        REPLACED("rejected"),
        /** The device is known no more. */
        DEVICE_GONE("noresource");

        private final String reason;

        End(String reason) {
            this.reason = reason;
        }
    }

    /** What came of a NOTIFY. */
    private enum Outcome {
        ACKNOWLEDGED,
        /** Refused, which says nothing about the next one. */
        REFUSED,
        /** The subscription is dead at the other end. */
        GONE,
        /** Nobody answered. */
        SILENCE,
        /** It did not leave, or the connection broke. */
        UNREACHABLE
    }

    /** What came of a SUBSCRIBE inside the dialog. */
    enum Refreshed {
        DONE,
        OUT_OF_ORDER,
        OVER
    }

    private final Subscriptions home;
    private final Aor aor;
    private final DeviceId device;
    private final String event;
    private final String localTag;
    private Dialog dialog;
    private Flow flow;
    private Instant heardAt;
    private Instant expiresAt = Instant.MAX;
    private Optional<End> end = Optional.empty();
    private boolean removed;
    private long version;

    /** Whether there may be something to tell. */
    private boolean due;
    /** Whether to tell it even if nothing changed, and without waiting. */
    private boolean atOnce;

    private Optional<Notify> underWay = Optional.empty();
    private int transactions;
    /** Those who want to know whether the device got to know the state as of now. */
    private final List<CompletableFuture<Boolean>> curious = new ArrayList<>();
    /** What the device was told last; empty when it is not known to have heard it. */
    private Optional<List<LiveDialog>> told = Optional.empty();

    private Instant toldAt = Instant.EPOCH;
    /** Counts the times it was made to last. */
    private int term;

    private Optional<Timeout> expiry = Optional.empty();
    private Optional<Timeout> pause = Optional.empty();

    /**
     * @param event the value of Event in its NOTIFYs
     * @param flow what the device was last heard on
     */
    Subscription(Subscriptions home, Aor aor, DeviceId device, Dialog dialog, String event, Flow flow) {
        this.home = home;
        this.aor = aor;
        this.device = device;
        this.dialog = dialog;
        this.event = event;
        this.localTag = dialog.localTag();
        this.flow = flow;
        this.heardAt = now();
    }

    Aor aor() {
        return aor;
    }

    DeviceId device() {
        return device;
    }

    /** The bridge's tag. */
    String localTag() {
        return localTag;
    }

    /** Whether a request inside a dialog belongs to this one (RFC 3261 section 12). */
    synchronized boolean isDialogOf(String callId, String remoteTag) {
        return dialog.callId().equals(callId) && dialog.remoteTag().equals(remoteTag);
    }

    String event() {
        return event;
    }

    // --- what the device does ------------------------------------------------------------------------------------

    /**
     * Begins, if there is room: answers the SUBSCRIBE and tells the state. Nobody else gets at it before that is done.
     *
     * @param expires zero to tell it once
     */
    synchronized Subscriptions.Added begin(Duration expires, Runnable answer) {
        Subscriptions.Added added = expires.isZero() ? home.addPassing(this) : home.add(this);
        if (added.taken()) {
            answer.run();
            last(expires);
            tellAtOnce();
        }
        return added;
    }

    /** Tells the state once, unasked for; empty if there is no room. */
    synchronized Optional<CompletionStage<Boolean>> tellOnce() {
        CompletableFuture<Boolean> acknowledged = new CompletableFuture<>();
        curious.add(acknowledged);
        return begin(Duration.ZERO, () -> {}).taken() ? Optional.of(acknowledged) : Optional.empty();
    }

    /** Takes a SUBSCRIBE inside the dialog; answers it only if it is done. */
    synchronized Refreshed refresh(InboundRequest request, Duration expires, Runnable answer) {
        if (end.isPresent() || removed) {
            return Refreshed.OVER;
        }
        long cseq = request.message().getCSeq().getSeqNumber();
        if (cseq <= dialog.remoteCseq()) {
            return Refreshed.OUT_OF_ORDER;
        }
        dialog = dialog.received(cseq);
        dialog = Messages.contactUri(request.message()).map(dialog::refreshed).orElse(dialog);
        if (!flow.equals(request.flow())) {
            giveUpWaiting();
        }
        heardOn(request.flow());
        answer.run();
        last(expires);
        tellAtOnce();
        return Refreshed.DONE;
    }

    /**
     * The device has registered: what it was sent before may be lost, so it is told the state over the new flow.
     *
     * @return whether it acknowledged that; empty if the subscription is over
     */
    synchronized Optional<CompletionStage<Boolean>> registeredOn(Flow newest) {
        if (end.isPresent() || removed) {
            return Optional.empty();
        }
        heardOn(newest);
        giveUpWaiting();
        CompletableFuture<Boolean> acknowledged = new CompletableFuture<>();
        curious.add(acknowledged);
        tellAtOnce();
        return Optional.of(acknowledged);
    }

    private void heardOn(Flow newest) {
        flow = newest;
        heardAt = now();
    }

    /** A newer NOTIFY tells all that an older one did, so nobody has to wait for what went to where nobody is. */
    private void giveUpWaiting() {
        if (transactions < MAX_TRANSACTIONS) {
            underWay.ifPresent(notify -> curious.addAll(notify.curious));
            underWay = Optional.empty();
        }
    }

    private void last(Duration expires) {
        expiry.ifPresent(Timeout::cancel);
        expiry = Optional.empty();
        term++;
        if (expires.isZero()) {
            end = Optional.of(End.TIMEOUT);
        } else {
            int thisTerm = term;
            expiresAt = now().plus(expires);
            expiry = Optional.of(home.after(expires, () -> expired(thisTerm)));
        }
    }

    private synchronized void expired(int ended) {
        if (ended == term) { // not refreshed while this waited for the lock
            terminate(End.TIMEOUT);
        }
    }

    // --- what happens to its calls -------------------------------------------------------------------------------

    /** The device's calls may have changed. */
    synchronized void changed() {
        if (!removed) {
            due = true;
            notifyIfDue();
        }
    }

    /** Ends it with a last NOTIFY. */
    synchronized void terminate(End why) {
        if (end.isEmpty() && !removed) {
            endBecause(why);
            tellAtOnce();
        }
    }

    private void endBecause(End why) {
        end = Optional.of(why);
        expiry.ifPresent(Timeout::cancel);
    }

    private void tellAtOnce() {
        due = true;
        atOnce = true;
        try {
            notifyIfDue();
        } catch (RuntimeException fault) {
            if (end.isPresent()) {
                remove(); // nothing else would
            }
            throw fault;
        }
    }

    private void notifyIfDue() {
        if (removed || !due || underWay.isPresent()) {
            return;
        }
        Optional<Device> known = home.bridge.directory().device(device);
        if (known.isEmpty() && end.isEmpty()) {
            endBecause(End.DEVICE_GONE);
            atOnce = true;
        }
        List<LiveDialog> live = known.map(home.live::of).orElse(List.of());
        Destination destination = destination(known);
        if (atOnce) {
            send(live, destination);
        } else if (told.equals(Optional.of(live)) || !isAlive(destination)) {
            due = false; // it knows, or is told when it registers
        } else if (isOverForIt(live) || waited()) {
            send(live, destination);
        }
    }

    /** Whether a call the device was told of is over, which must not wait. */
    private boolean isOverForIt(List<LiveDialog> live) {
        return told.isEmpty()
                || !live.stream()
                        .map(LiveDialog::id)
                        .toList()
                        .containsAll(told.get().stream().map(LiveDialog::id).toList());
    }

    /** Whether the interval since the last NOTIFY is over; if not, sees to it that there is another look then. */
    private boolean waited() {
        Duration interval = home.settings.interval();
        Duration left = interval.minus(Duration.between(toldAt, now()));
        if (left.isNegative() || left.isZero()) {
            return true;
        }
        if (pause.isEmpty()) {
            pause = Optional.of(home.after(left.compareTo(interval) > 0 ? interval : left, this::pauseOver));
        }
        return false;
    }

    private synchronized void pauseOver() {
        pause = Optional.empty();
        notifyIfDue();
    }

    // --- NOTIFY --------------------------------------------------------------------------------------------------

    private void send(List<LiveDialog> live, Destination destination) {
        SIPRequest request = notification(live, destination);
        Notify notify = new Notify(List.copyOf(curious), end.isPresent());
        due = false;
        atOnce = false;
        curious.clear();
        told = Optional.of(live);
        toldAt = now();
        version++;
        underWay = Optional.of(notify);
        transactions++;
        home.bridge.stack().send(request, destination, notify);
    }

    private SIPRequest notification(List<LiveDialog> live, Destination destination) {
        dialog = dialog.nextRequest();
        SIPRequest notify = Messages.inDialog("NOTIFY", dialog, dialog.localCseq());
        notify.setHeader((Header) home.bridge.contactFor(destination));
        notify.setHeader((Header) Messages.header("Event", event));
        notify.setHeader((Header) Messages.header("Subscription-State", state()));
        notify.setHeader((Header) new ContentType("application", DialogInfo.CONTENT_SUBTYPE));
        notify.setMessageContent(new DialogInfo(aor, version, live).xml());
        return notify;
    }

    private String state() {
        return end.map(why -> "terminated;reason=" + why.reason)
                .orElseGet(() -> "active;expires="
                        + Math.max(
                                1,
                                Duration.between(now(), expiresAt)
                                        .plusMillis(999)
                                        .toSeconds()));
    }

    /** The flow it was heard on last: in a SUBSCRIBE, or in a REGISTER. */
    private Destination destination(Optional<Device> known) {
        Flow best = known.flatMap(home.bridge::reachableBinding)
                .filter(b -> b.registeredAt().isAfter(heardAt)
                        || !home.bridge.stack().isAlive(flow))
                .map(Binding::flow)
                .orElse(flow);
        return new Destination.OverFlow(best);
    }

    private boolean isAlive(Destination destination) {
        return destination instanceof Destination.OverFlow over
                && home.bridge.stack().isAlive(over.flow());
    }

    /** One NOTIFY under way. Called on transport and timer threads. */
    private final class Notify implements ResponseHandler {
        private final List<CompletableFuture<Boolean>> curious;
        private final boolean isLast;

        Notify(List<CompletableFuture<Boolean>> curious, boolean isLast) {
            this.curious = curious;
            this.isLast = isLast;
        }

        @Override
        public void onResponse(SIPResponse response) {
            int status = response.getStatusCode();
            if (status >= 200) {
                completed(
                        this,
                        status < 300 ? Outcome.ACKNOWLEDGED : endsSubscription(status) ? Outcome.GONE : Outcome.REFUSED,
                        "status " + status);
            }
        }

        @Override
        public void onTimeout() {
            completed(this, Outcome.SILENCE, "no answer");
        }

        @Override
        public void onTransportFailure(String why) {
            completed(this, Outcome.UNREACHABLE, why);
        }
    }

    /** The refusals of a NOTIFY that are the end of the subscription, not of the NOTIFY alone (RFC 6665 4.2.2, RFC 5057). */
    private static boolean endsSubscription(int status) {
        return switch (status) {
            case 404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604 -> true;
            default -> false;
        };
    }

    private void completed(Notify notify, Outcome outcome, String how) {
        List<CompletableFuture<Boolean>> settled = new ArrayList<>();
        synchronized (this) {
            transactions--;
            if (underWay.filter(notify::equals).isEmpty()) {
                return; // given up: a newer one tells more
            }
            underWay = Optional.empty();
            settled.addAll(notify.curious);
            if (outcome != Outcome.ACKNOWLEDGED) {
                told = Optional.empty();
            }
            // Silence is the end (RFC 6665 section 4.2.2), unless the device was heard since and waits for its NOTIFY.
            boolean gone = outcome == Outcome.GONE || (outcome == Outcome.SILENCE && !atOnce);
            if (notify.isLast || gone) {
                log.debug("A subscription of device={} is over: {}", device, how);
                remove();
                settled.addAll(curious);
                curious.clear();
            } else if (outcome != Outcome.UNREACHABLE || atOnce) {
                notifyIfDue();
            }
        }
        settled.forEach(each -> each.complete(outcome == Outcome.ACKNOWLEDGED));
    }

    private void remove() {
        removed = true;
        expiry.ifPresent(Timeout::cancel);
        pause.ifPresent(Timeout::cancel);
        home.remove(this);
    }

    private Instant now() {
        return home.bridge.clock().instant();
    }
}
