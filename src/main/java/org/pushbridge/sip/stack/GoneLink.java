package org.pushbridge.sip.stack;

import java.util.function.Consumer;
import org.pushbridge.device.Flow;

/**
 * A connection that ended with the process that had it.
 *
 * @param flow of that connection
 */
record GoneLink(Flow flow) implements Link {
    @Override
    public Transport transport() {
        return Transport.of(flow.transport());
    }

    @Override
    public void send(byte[] message, Consumer<String> onFailure) {
        onFailure.accept("the connection " + flow + " is gone");
    }

    @Override
    public void expect(ClientTransaction transaction) {
        // Nothing comes.
    }

    @Override
    public void expectNoMore(ClientTransaction transaction) {
        // Nothing was expected.
    }
}
