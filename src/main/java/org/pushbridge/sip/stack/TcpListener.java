package org.pushbridge.sip.stack;

import io.netty.channel.Channel;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;

/** Accepts connections; {@link Connections} keeps them. */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written or closed shows as a closed channel.
final class TcpListener extends Listener {
    private final Channel channel;
    private final Connections connections;
    private final int maxMessageBytes;

    TcpListener(JainStack stack, ListenAddress listen, Channel channel, Connections connections, int maxMessageBytes) {
        super(stack, listen, (InetSocketAddress) channel.localAddress());
        this.channel = channel;
        this.connections = connections;
        this.maxMessageBytes = maxMessageBytes;
    }

    @Override
    public void start() throws IOException {
        connections.accepting(channel, this);
    }

    @Override
    public void stop() {
        channel.close();
    }

    @Override
    Link linkTo(InetSocketAddress remote) {
        return connections.to(remote, this);
    }

    @Override
    public int getMaximumMessageSize() {
        return maxMessageBytes;
    }
}
