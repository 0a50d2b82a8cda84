package org.pushbridge.sim.pbx;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.pushbridge.sim.ua.Answering;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.Transport;
import org.pushbridge.sim.ua.UaCall;
import org.pushbridge.sim.ua.UserAgent;
import org.pushbridge.sim.ua.Violations;
import org.pushbridge.sim.ua.Wire;

/**
 * A PBX: a user agent that does not register and is known by its address. Any thread may call its methods; whoever
 * opened it closes it.
 */
public final class SimulatedPbx implements AutoCloseable {
    private static final Duration T1 = Duration.ofMillis(500);

    private final Violations violations = new Violations();
    private final List<UaCall> received = new CopyOnWriteArrayList<>();
    private final Transport transport;
    private final InetSocketAddress address;
    private final UserAgent agent;
    private volatile Answering answering = new Answering.Ring();

    private SimulatedPbx(Transport transport, InetSocketAddress local, UserAgent.Trace trace) throws IOException {
        this.transport = transport;
        this.agent = new UserAgent("pbx", T1, violations, this::incoming, trace);
        Wire wire = Wire.listen(transport, local, agent.receiver());
        this.address = wire.local();
        agent.run(() -> agent.attach(wire));
    }

    /**
     * Opens a PBX.
     *
     * @param local where it listens; port 0 for a free one
     * @param trace sees its messages
     * @throws IOException if the address cannot be had
     */
    public static SimulatedPbx open(Transport transport, InetSocketAddress local, UserAgent.Trace trace)
            throws IOException {
        return new SimulatedPbx(transport, local, trace);
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return address;
    }

    public Transport transport() {
        return transport;
    }

    /** Decides about the calls that come from now on; it rings for ever unless told otherwise. */
    public void onCall(Answering decision) {
        answering = decision;
    }

    /**
     * Places a call.
     *
     * @param to where the INVITE goes
     * @param from the caller's URI
     * @param callee the URI to call
     */
    public UaCall call(InetSocketAddress to, String from, String callee) {
        return call(to, from, callee, Optional.empty());
    }

    /** As {@link #call(InetSocketAddress, String, String)}, with an answer to a challenge. */
    public UaCall call(InetSocketAddress to, String from, String callee, Optional<Credentials> credentials) {
        return agent.placeCall(to, from, callee, credentials);
    }

    private void incoming(UaCall call) {
        received.add(call);
        call.provisional(100, "Trying");
        switchOn(call, answering);
    }

    private void switchOn(UaCall call, Answering decision) {
        if (decision instanceof Answering.Busy) {
            call.refuse(486, "Busy Here");
            return;
        }
        call.provisional(180, "Ringing");
        if (decision instanceof Answering.Answer answer) {
            agent.after(answer.after(), call::answer);
        } else if (decision instanceof Answering.Refuse refuse) {
            agent.after(refuse.after(), () -> call.refuse(refuse.status(), refuse.reason()));
        }
    }

    /** The calls that came, in their order. */
    public List<UaCall> received() {
        return List.copyOf(received);
    }

    /** What the bridge did against the rules. */
    public List<String> violations() {
        return violations.all();
    }

    @Override
    public void close() {
        agent.close();
    }
}
