package org.pushbridge.sip;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.registrar.Registrar;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.Responses;

/**
 * REGISTER: the registrar decides; when it has accepted and the store has it, the 200 goes out, and right behind it the
 * INVITE of each call that was parked for the device (RFC 8599 section 5.6), and the verdict of each that it is too late
 * for.
 */
final class RegisterHandler {
    private static final Logger log = LogManager.getLogger(RegisterHandler.class);

    private final Bridge bridge;
    private final Registrar registrar;
    /** Whose connection a connection is. Connections are bounded, and so is this. */
    private final Map<Flow, Aor> connections = new ConcurrentHashMap<>();

    RegisterHandler(Bridge bridge, Registrar registrar) {
        this.bridge = bridge;
        this.registrar = registrar;
    }

    void handle(InboundRequest request) {
        registrar.register(request.message(), request.flow()).whenComplete((registration, fault) -> {
            if (fault != null) {
                log.error("A REGISTER from {} failed inside; it was answered with 500", request.flow(), fault);
                request.respond(Responses.create(request.message(), 500, Optional.of(Messages.token())));
                return;
            }
            if (registration.response().getStatusCode() == 401) {
                // In a storm of REGISTERs, half of all transactions, each kept for 64 T1, would remember nothing else.
                request.respondAndForget(registration.response());
                return;
            }
            request.respond(registration.response());
            registration.registered().ifPresent(registered -> awake(registered.device(), request));
        });
    }

    private void awake(Device device, InboundRequest register) {
        Flow flow = register.flow();
        if (flow.isConnection()) {
            connections.put(flow, device.aor());
            if (!bridge.stack().isAlive(flow)) {
                var unused = aorOf(flow); // it closed meanwhile, and nobody will tell
            }
        }
        bridge.waker().awake(device);
        bridge.repeatAnswers(device.aor());
        bridge.engine()
                .byAor(device.aor().toString())
                .forEach(call -> call.submit(() -> call.edge().onRegistered(device, flow, register.receivedNanos())));
        bridge.verdicts().onRegistered(device, flow);
    }

    /** The user whose device used a connection that is closed now; asked once. */
    Optional<Aor> aorOf(Flow closed) {
        Optional<Aor> aor = Optional.ofNullable(connections.remove(closed));
        aor.ifPresent(user -> {
            log.debug("A phone's connection is gone; user={} peer={}", user, closed.remote());
            bridge.repeatAnswers(user);
        });
        return aor;
    }
}
