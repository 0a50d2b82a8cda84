package org.pushbridge.web;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections that are one too many of their address, and those that do not bring a whole request within a time:
 * an idle timeout alone is fooled by one byte now and then. Called by Jetty, on its threads.
 */
final class ConnectionGuard implements Connection.Listener {
    private final int perAddress;
    private final Duration requestWithin;
    private final Predicate<InetAddress> trustedProxy;
    private final Scheduler scheduler;
    private final Runnable refused;
    private final Map<Connection, ClientAddress> counted = new ConcurrentHashMap<>();
    private final Map<ClientAddress, Integer> open = new ConcurrentHashMap<>();

    /** @param refused run for each connection that is one too many */
    ConnectionGuard(
            int perAddress,
            Duration requestWithin,
            Predicate<InetAddress> trustedProxy,
            Scheduler scheduler,
            Runnable refused) {
        this.refused = refused;
        this.perAddress = perAddress;
        this.requestWithin = requestWithin;
        this.trustedProxy = trustedProxy;
        this.scheduler = scheduler;
    }

    @Override
    public void onOpened(Connection connection) {
        if (!carriesHttp(connection)) {
            return;
        }
        lookAgain(connection, connection.getMessagesIn());
        if (connection.getEndPoint().getRemoteSocketAddress() instanceof InetSocketAddress remote
                && !trustedProxy.test(remote.getAddress())) {
            ClientAddress address = ClientAddress.of(remote.getAddress());
            counted.put(connection, address);
            if (open.merge(address, 1, Integer::sum) > perAddress) {
                refused.run();
                connection.close();
            }
        }
    }

    @Override
    public void onClosed(Connection connection) {
        // Not asked of the connection: once closed, it does not know its peer any more.
        ClientAddress address = counted.remove(connection);
        if (address != null) {
            open.computeIfPresent(address, (a, count) -> count > 1 ? count - 1 : null);
        }
    }

    /** The TLS connection around it counts no messages, and opens and closes together with it. */
    private static boolean carriesHttp(Connection connection) {
        return connection.getMessagesIn() >= 0;
    }

    private void lookAgain(Connection connection, long requestsSoFar) {
        var unused = scheduler.schedule(
                () -> {
                    long requests = connection.getMessagesIn();
                    if (!connection.getEndPoint().isOpen()) {
                        return;
                    }
                    if (requests > requestsSoFar) {
                        lookAgain(connection, requests);
                    } else {
                        connection.close();
                    }
                },
                requestWithin.toMillis(),
                TimeUnit.MILLISECONDS);
    }
}
