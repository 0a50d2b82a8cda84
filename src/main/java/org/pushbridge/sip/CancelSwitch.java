package org.pushbridge.sip;

import java.util.Optional;
import org.pushbridge.sip.stack.InboundRequest;

/**
 * Hangs on an INVITE from its very arrival, so that a CANCEL that overtakes the making of the call is not lost. Any
 * thread.
 */
final class CancelSwitch implements Cancellable {
    private Optional<InboundRequest> cancelled = Optional.empty();
    private Optional<Cancellable> whenCancelled = Optional.empty();

    @Override
    public synchronized void cancel(InboundRequest cancel) {
        cancelled = Optional.of(cancel);
        whenCancelled.ifPresent(work -> work.cancel(cancel));
    }

    /** Says what a CANCEL is to do; at once, if it has come. */
    synchronized void connect(Cancellable work) {
        whenCancelled = Optional.of(work);
        cancelled.ifPresent(work::cancel);
    }
}
