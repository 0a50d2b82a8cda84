package org.pushbridge.sip;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.sip.stack.Destination;
import org.pushbridge.sip.stack.Transport;

/**
 * Where trunks are: looks their names up at the start and every minute, on a thread of its own, so that no call ever
 * waits for DNS. A name that cannot be looked up keeps the address it had. Any thread.
 */
final class TrunkAddresses implements AutoCloseable {
    private static final Logger log = LogManager.getLogger(TrunkAddresses.class);
    private static final long SECONDS_BETWEEN_LOOK_UPS = 60;

    private final Map<Trunk.Destination, InetAddress> found = new ConcurrentHashMap<>();
    private final ScheduledExecutorService lookUps = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "trunk-look-up");
        thread.setDaemon(true);
        return thread;
    });

    /** Looks all names up once. Blocks. */
    TrunkAddresses(List<Trunk> trunks) {
        List<Trunk.Destination> destinations =
                trunks.stream().flatMap(t -> t.destination().stream()).toList();
        destinations.forEach(this::lookUp);
        var unused = lookUps.scheduleWithFixedDelay(
                () -> destinations.forEach(this::lookUp),
                SECONDS_BETWEEN_LOOK_UPS,
                SECONDS_BETWEEN_LOOK_UPS,
                TimeUnit.SECONDS);
    }

    private void lookUp(Trunk.Destination destination) {
        try {
            found.put(destination, InetAddress.getByName(destination.host()));
        } catch (UnknownHostException e) {
            log.warn("The trunk destination {} cannot be looked up; check the name and DNS", destination.host());
        }
    }

    /** Empty as long as its name has not been found. */
    Optional<Destination> of(Trunk.Destination destination) {
        return Optional.ofNullable(found.get(destination))
                .map(address -> new Destination.ToAddress(
                        Transport.of(destination.transport()), new InetSocketAddress(address, destination.port())));
    }

    @Override
    public void close() {
        lookUps.shutdownNow();
    }
}
