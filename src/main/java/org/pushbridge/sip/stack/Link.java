package org.pushbridge.sip.stack;

import java.util.function.Consumer;
import org.pushbridge.device.Flow;

/** A way to one peer that bytes can be sent on. Safe for any thread. */
interface Link {
    Transport transport();

    Flow flow();

    /**
     * Sends one message and returns at once. What is sent by one thread goes out in that order.
     *
     * @param onFailure told why, at most once, if the message certainly did not leave; on any thread, this one included
     */
    void send(byte[] message, Consumer<String> onFailure);

    /** A request waits for its response on this link; {@link ClientTransaction#linkClosed} if it closes. */
    void expect(ClientTransaction transaction);

    void expectNoMore(ClientTransaction transaction);
}
