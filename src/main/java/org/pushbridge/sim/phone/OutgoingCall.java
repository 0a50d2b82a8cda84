package org.pushbridge.sim.phone;

import java.util.concurrent.CompletableFuture;
import org.pushbridge.sim.ua.UaCall;

/** A call that the phone's user placed, as its screen shows it. Thread-safe to read; only its phone changes it. */
public final class OutgoingCall {
    /** Why the screen stopped waiting for an answer. */
    public enum DialingEnd {
        ANSWERED,
        /** The INVITE got another final response. */
        FAILED,
        /** No answer of any kind came. */
        SILENCE,
        /** The bridge does not name the call among those that live. */
        NOT_ALIVE,
        /** A background push said so. */
        ENDED_BY_PUSH
    }

    private final UaCall call;
    private final CompletableFuture<DialingEnd> dialing = new CompletableFuture<>();

    OutgoingCall(UaCall call) {
        this.call = call;
        var unused = call.outcome().thenAccept(status -> {
            if (status == 0) {
                dialing.complete(DialingEnd.SILENCE);
            } else {
                dialing.complete(status < 300 ? DialingEnd.ANSWERED : DialingEnd.FAILED);
            }
        });
    }

    public UaCall call() {
        return call;
    }

    /** How the waiting ended; not done while the far side may still answer. */
    public CompletableFuture<DialingEnd> dialing() {
        return dialing.copy();
    }

    public boolean isDialing() {
        return !dialing.isDone();
    }

    /** Whether anything but silence came for its INVITE, so that the bridge knows the call. */
    boolean isKnown() {
        return !call.responses().isEmpty();
    }

    /** Takes the screen down; false if nothing was shown any more. */
    boolean end(DialingEnd how) {
        if (call.ended().isDone()) {
            return false;
        }
        dialing.complete(how);
        call.vanish();
        return true;
    }
}
