package org.pushbridge.sip;

import org.pushbridge.sip.stack.InboundRequest;

/** What hangs on an INVITE that can be cancelled. Any thread. */
@FunctionalInterface
interface Cancellable {
    /** The CANCEL came; it is to be confirmed. */
    void cancel(InboundRequest cancel);
}
