package org.pushbridge.sip;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.message.SIPRequest;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import javax.sip.header.Header;
import org.pushbridge.call.CallId;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Pushes;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.Tombstones;
import org.pushbridge.engine.CallEngine;
import org.pushbridge.sip.registrar.Addresses;
import org.pushbridge.sip.stack.Destination;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.LocalAddress;
import org.pushbridge.sip.stack.SipStack;
import org.pushbridge.sip.stack.Transport;

/**
 * What all calls share: the stack, the directory, the engine, the ways out. Safe for any thread.
 *
 * <p>The stack is made with the edge's event handler and the handler needs the bridge, so the stack is given last; so are the
 * dialog events.
 */
final class Bridge {
    private final SipSettings settings;
    private final DeviceDirectory directory;
    private final CallEngine<BridgedCall> engine;
    private final Waker waker;
    private final Tombstones tombstones;
    private final CallJournal journal;
    private final CallMemories memories;
    private final Identifiers identifiers;
    private final Clock clock;
    private final TrunkAddresses trunkAddresses;
    private final Admission admission;
    private final Delays delays = new Delays();
    private final Map<CallId, Set<DeviceId>> talking = new ConcurrentHashMap<>();
    /** The calls of each of them; true for one that a side has ended: the other may not know it for a while. */
    private final Map<DeviceId, Map<CallId, Boolean>> callsOf = new ConcurrentHashMap<>();

    private final Map<Aor, Set<Unsettled>> answersUnderWay = new ConcurrentHashMap<>();
    /** One for each address of our own; they are never changed. */
    private final Map<LocalAddress, Contact> contacts = new ConcurrentHashMap<>();

    private volatile Optional<DialogEvents> dialogEvents = Optional.empty();
    private volatile Optional<Verdicts> verdicts = Optional.empty();
    private volatile Optional<SipStack> stack = Optional.empty();

    Bridge(
            SipSettings settings,
            DeviceDirectory directory,
            CallEngine<BridgedCall> engine,
            Waker waker,
            Tombstones tombstones,
            CallJournal journal,
            byte[] secret,
            Clock clock) {
        this.settings = settings;
        this.journal = journal;
        this.memories = new CallMemories(settings.trunks());
        this.identifiers = new Identifiers(secret);
        this.directory = directory;
        this.engine = engine;
        this.admission =
                new Admission(engine, () -> stack.map(SipStack::delay).orElse(Duration.ZERO), journal::isBehind);
        this.waker = waker;
        this.tombstones = tombstones;
        this.clock = clock;
        this.trunkAddresses = new TrunkAddresses(settings.trunks());
    }

    void useStack(SipStack started) {
        stack = Optional.of(started);
    }

    SipStack stack() {
        return stack.orElseThrow(() -> new IllegalStateException("The SIP stack is not started"));
    }

    boolean isStarted() {
        return stack.isPresent();
    }

    SipSettings settings() {
        return settings;
    }

    DeviceDirectory directory() {
        return directory;
    }

    CallEngine<BridgedCall> engine() {
        return engine;
    }

    Waker waker() {
        return waker;
    }

    Tombstones tombstones() {
        return tombstones;
    }

    CallJournal journal() {
        return journal;
    }

    CallMemories memories() {
        return memories;
    }

    Identifiers identifiers() {
        return identifiers;
    }

    void useDialogEvents(DialogEvents made) {
        dialogEvents = Optional.of(made);
        verdicts = Optional.of(new Verdicts(this, made));
    }

    Verdicts verdicts() {
        return verdicts.orElseThrow(() -> new IllegalStateException("Dialog events are not set up"));
    }

    /** The calls of a user changed. */
    void changed(Aor aor) {
        dialogEvents.ifPresent(events -> events.onChanged(aor));
    }

    Clock clock() {
        return clock;
    }

    Delays delays() {
        return delays;
    }

    Admission admission() {
        return admission;
    }

    TrunkAddresses trunkAddresses() {
        return trunkAddresses;
    }

    // --- devices -------------------------------------------------------------------------------------------------

    static LegId leg(DeviceId device) {
        return new LegId(device.value());
    }

    /** What pushes can do for a device. */
    Pushes pushes(Device device) {
        if (!device.isPushable()) {
            return Pushes.NONE;
        }
        AppRules rules = settings.rulesFor(device);
        return new Pushes(true, !rules.pushWhenRingingElsewhere(), rules.endPush() == AppRules.EndPush.VOIP);
    }

    Optional<Device> device(LegId leg) {
        return leg.value().startsWith("trunk:") ? Optional.empty() : directory.device(new DeviceId(leg.value()));
    }

    /**
     * How long a REGISTER that comes now will wait for its 200, to be read and then for the database, as far as what is in
     * front of it tells; or the call for its phone, if that is longer.
     */
    Duration registerDelay() {
        Duration unread = stack.map(SipStack::delay).orElse(Duration.ZERO);
        Duration onConnections = stack.map(SipStack::connectionsDelay).orElse(Duration.ZERO);
        Duration read = unread.compareTo(onConnections) > 0 ? unread : onConnections;
        return Collections.max(List.of(read.plus(directory.backlog()), engine.delay()));
    }

    /** Whether somebody waits for a device of this user to register: there is a call, or the end of one to be told. */
    boolean isAwaited(Aor aor) {
        return !engine.byAor(aor.toString()).isEmpty()
                || directory.devices(aor).stream()
                        .anyMatch(device -> !tombstones.untold(device.id()).isEmpty());
    }

    /** The newest binding whose flow still stands. */
    Optional<Binding> reachableBinding(Device device) {
        return device.newestBinding(clock.instant()).filter(b -> stack().isAlive(b.flow()));
    }

    /** Notes that two devices talk. */
    void busy(CallId call, Optional<DeviceId> one, Optional<DeviceId> other) {
        Set<DeviceId> both = new HashSet<>();
        one.ifPresent(both::add);
        other.ifPresent(both::add);
        if (!both.isEmpty() && talking.putIfAbsent(call, both) == null) {
            both.forEach(device -> callsOf.compute(device, (id, before) -> {
                Map<CallId, Boolean> calls = before == null ? new ConcurrentHashMap<>(2) : before;
                calls.put(call, false);
                return calls;
            }));
        }
    }

    /** One of them hung up: a device whose connection is gone does not know yet, but can take another call. */
    void hungUp(CallId call) {
        for (DeviceId each : talking.getOrDefault(call, Set.of())) {
            callsOf.computeIfPresent(each, (id, calls) -> {
                calls.replace(call, true);
                return calls;
            });
        }
    }

    /** They talk no more, as both know; what was not to disturb them is due now. */
    void over(CallId call) {
        Set<DeviceId> both = talking.remove(call);
        if (both != null) {
            both.forEach(each -> callsOf.computeIfPresent(each, (id, calls) -> {
                calls.remove(call);
                return calls.isEmpty() ? null : calls;
            }));
            both.stream().flatMap(id -> directory.device(id).stream()).forEach(verdicts()::tell);
        }
    }

    /** Whether it is in a call, as far as it knows. */
    boolean isTalking(DeviceId device) {
        return callsOf.containsKey(device);
    }

    /** Whether it is in a call that goes on. */
    boolean isBusy(DeviceId device) {
        return callsOf.getOrDefault(device, Map.of()).containsValue(false);
    }

    // --- answers on their way --------------------------------------------------------------------------------

    /**
     * The final response to a device's INVITE has left and has not been acknowledged, though its call is over.
     *
     * @param whenLost done at most once: its connection is gone, and it has no other
     */
    Unsettled answerUnderWay(Aor aor, DeviceId device, InboundRequest invite, Runnable whenLost) {
        Unsettled unsettled = new Unsettled(device, invite, whenLost);
        answersUnderWay.compute(aor, (key, before) -> {
            Set<Unsettled> now = before == null ? ConcurrentHashMap.newKeySet() : before;
            now.add(unsettled);
            return now;
        });
        repeatAnswers(aor); // its connection may have closed, and another be there, before
        return unsettled;
    }

    /** That one was acknowledged, or nobody waits for it any more. */
    void answerSettled(Aor aor, Unsettled unsettled) {
        answersUnderWay.computeIfPresent(aor, (key, before) -> {
            before.remove(unsettled);
            return before.isEmpty() ? null : before;
        });
    }

    /**
     * A device of this user registered, or lost a connection: what was sent to it over one that is gone, and that it cannot
     * know, is sent again over the newest.
     */
    void repeatAnswers(Aor aor) {
        for (Unsettled each : answersUnderWay.getOrDefault(aor, Set.of())) {
            if (!stack().isAlive(each.invite.way())) {
                directory
                        .device(each.device)
                        .flatMap(this::reachableBinding)
                        .filter(binding -> stack().redirect(each.invite, binding.flow()))
                        .ifPresentOrElse(binding -> each.invite.repeatLastResponse(), each::lost);
            }
        }
    }

    /** A response to a device that has not acknowledged it. */
    static final class Unsettled {
        private final DeviceId device;
        private final InboundRequest invite;
        private final AtomicReference<Runnable> whenLost;

        private Unsettled(DeviceId device, InboundRequest invite, Runnable whenLost) {
            this.device = device;
            this.invite = invite;
            this.whenLost = new AtomicReference<>(whenLost);
        }

        private void lost() {
            whenLost.getAndSet(() -> {}).run();
        }
    }

    // --- addresses -----------------------------------------------------------------------------------------------

    /** Where requests inside a dialog go: for a device the newest flow, for a trunk as its dialog says. */
    Destination destination(Dialog dialog, FarEnd farEnd) {
        if (farEnd instanceof FarEnd.DeviceEnd end) {
            Flow flow = end.id()
                    .flatMap(directory::device)
                    .flatMap(this::reachableBinding)
                    .map(Binding::flow)
                    .orElse(end.flow());
            return new Destination.OverFlow(flow);
        }
        FarEnd.TrunkEnd trunk = (FarEnd.TrunkEnd) farEnd;
        Optional<Flow> connection = trunk.arrivedOn().filter(Flow::isConnection).filter(stack()::isAlive);
        if (connection.isPresent()) {
            return new Destination.OverFlow(connection.get());
        }
        String nextHop = dialog.routes().isEmpty()
                ? dialog.remoteTarget()
                : Messages.address(dialog.routes().get(0)).getURI().toString();
        return literalAddress(nextHop)
                .or(() -> trunk.arrivedOn()
                        .map(f -> (Destination) new Destination.ToAddress(Transport.of(f.transport()), f.remote())))
                .or(() -> trunk.trunk().destination().flatMap(trunkAddresses::of))
                .orElseThrow(() -> new IllegalStateException(
                        "Trunk " + trunk.trunk().name() + " named a next hop that is no address: " + nextHop));
    }

    /** A next hop whose URI names an IP address. Host names are not looked up in the middle of a call. */
    private static Optional<Destination> literalAddress(String uri) {
        if (!(Messages.uri(uri) instanceof SipUri sip)) {
            return Optional.empty();
        }
        String host = sip.getMAddrParam() == null ? sip.getHost() : sip.getMAddrParam();
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        InetAddress address = NetUtil.createInetAddressFromIpAddressString(bare);
        String named = sip.getTransportParam() == null ? "udp" : sip.getTransportParam();
        if (!named.equalsIgnoreCase("udp") && !named.equalsIgnoreCase("tcp")) {
            return Optional.empty(); // such as tls behind a proxy: the way its messages came is the way to answer
        }
        Transport transport = Transport.of(named);
        return address == null
                ? Optional.empty()
                : Optional.of(new Destination.ToAddress(
                        transport, new InetSocketAddress(address, sip.getPort() > 0 ? sip.getPort() : 5060)));
    }

    /** The bridge's own Contact in messages that go out on a flow. */
    Contact contactFor(Flow flow) {
        return contactFor(new Destination.OverFlow(flow));
    }

    /** The bridge's own Contact in messages to a destination. */
    Contact contactFor(Destination destination) {
        return contacts.computeIfAbsent(
                stack().localAddressFor(destination), local -> Messages.contact("sip:" + local));
    }

    /** Whether users of this domain live here. */
    boolean isOwnDomain(String host) {
        return settings.domains().stream().anyMatch(host::equalsIgnoreCase);
    }

    /** Whether a host names the bridge itself: an address it listens on, or the one it advertises. */
    boolean isOwnAddress(String host, Flow arrivedOn) {
        String own =
                stack().localAddressFor(new Destination.OverFlow(arrivedOn)).host();
        return host.equalsIgnoreCase(own)
                || Addresses.isAddress(host, arrivedOn.local().getAddress());
    }

    // --- identity ------------------------------------------------------------------------------------------------

    /** Tells a trusted trunk which user calls (RFC 3325): only the bridge knows that the digest was right. */
    void assertIdentity(SIPRequest invite, FarEnd caller, FarEnd receiver) {
        if (caller instanceof FarEnd.DeviceEnd device && receiver.isTrusted()) {
            invite.setHeader((Header) Messages.header(
                    "P-Asserted-Identity",
                    "<sip:" + Messages.userPart(device.aor().user()) + "@"
                            + device.aor().host() + ">"));
        }
    }
}
