package org.pushbridge.sip;

import java.util.Optional;

/**
 * Hangs on an INVITE from its very arrival, so that a CANCEL that overtakes the making of the call is not lost. Any
 * thread.
 */
final class CancelSwitch implements Runnable {
    private boolean cancelled;
    private Optional<Runnable> whenCancelled = Optional.empty();

    /** The CANCEL came. */
    @Override
    public synchronized void run() {
        cancelled = true;
        whenCancelled.ifPresent(Runnable::run);
    }

    /** Says what a CANCEL is to do; at once, if it has come. */
    synchronized void connect(Runnable work) {
        whenCancelled = Optional.of(work);
        if (cancelled) {
            work.run();
        }
    }
}
