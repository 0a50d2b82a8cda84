package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.Tombstones;
import org.pushbridge.engine.EngineSettings;
import org.pushbridge.sip.registrar.DigestAuthenticator;
import org.pushbridge.sip.registrar.DigestSettings;
import org.pushbridge.sip.registrar.GuessLimits;
import org.pushbridge.sip.registrar.Ha1;
import org.pushbridge.sip.registrar.Registrar;
import org.pushbridge.sip.registrar.RegistrarSettings;
import org.pushbridge.sip.stack.SipStackException;
import org.pushbridge.sip.stack.SipStackSettings;
import org.pushbridge.sip.stack.SipStackSettings.AddressLimits;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;
import org.pushbridge.sip.stack.Transport;

/**
 * A real SIP edge on 127.0.0.1 and ::1, with the users alice, bob and 2000, a PBX at 127.0.0.2 whose identities are trusted and
 * which takes numbers from 9, and a carrier at 127.0.0.3 that is not trusted so far and takes numbers from 8.
 */
final class Edge implements AutoCloseable {
    /** An established call, seen from both ends. */
    record Established(Dialogue caller, Dialogue callee) {}

    private static final Duration RING_LIMIT = Duration.ofMinutes(5);

    final SipEdge sip;
    final Party pbx;
    final Party carrier;
    final List<Waker.Wake> pushes = new CopyOnWriteArrayList<>();
    /** The background pushes that said a call is over. */
    final List<Waker.Wake> ends = new CopyOnWriteArrayList<>();
    /** The background pushes that asked for a registration, as a request waits. */
    final List<Waker.Wake> requests = new CopyOnWriteArrayList<>();

    final Tombstones tombstones;
    final Disk disk;
    private final Setup setup;
    private final DatagramSocket pbxSocket;
    private final DatagramSocket carrierSocket;
    private final InetSocketAddress address;
    private final InetSocketAddress tcpAddress;
    final DeviceDirectory directory;
    final DigestAuthenticator digest;
    private final List<Party> parties = new ArrayList<>();

    /** What an edge is like. */
    private record Setup(
            Duration t1,
            Duration ringLimit,
            SubscriptionSettings subscriptions,
            Function<Bridge, LiveDialogs> live,
            EngineSettings limits,
            Optional<AddressLimits> addressLimits,
            GuessLimits guesses,
            Duration silenceLimit,
            Duration tombstoneLife) {
        static Setup withT1(Duration t1) {
            return new Setup(
                    t1,
                    RING_LIMIT,
                    SubscriptionSettings.DEFAULT,
                    LiveCalls::new,
                    new EngineSettings(1, 1000, 100),
                    Optional.empty(),
                    GuessLimits.DEFAULT,
                    RING_LIMIT,
                    Duration.ofHours(24));
        }
    }

    private static final Duration T1 = Duration.ofMillis(500);
    private static final List<ListenAddress> ANY_PORTS = List.of(
            ListenAddress.of(Transport.UDP, new InetSocketAddress(ip("127.0.0.1"), 0)),
            ListenAddress.of(Transport.TCP, new InetSocketAddress(ip("127.0.0.1"), 0)),
            ListenAddress.of(Transport.UDP, new InetSocketAddress(ip("::1"), 0)),
            ListenAddress.of(Transport.TCP, new InetSocketAddress(ip("::1"), 0)));

    /** Done when a phone has registered, on the thread that took its REGISTER. */
    volatile Runnable whenAwake = () -> {};

    private Edge(Setup setup) {
        this(setup, new Disk(), ANY_PORTS, socket("127.0.0.2"), socket("127.0.0.3"));
    }

    private Edge(
            Setup setup,
            Disk disk,
            List<ListenAddress> listen,
            DatagramSocket pbxSocket,
            DatagramSocket carrierSocket) {
        this.setup = setup;
        this.disk = disk;
        this.pbxSocket = pbxSocket;
        this.carrierSocket = carrierSocket;
        directory = DeviceDirectory.load(disk);
        for (String user : List.of("alice", "bob", "2000")) {
            var unused = directory.saveUser(Ha1.of(Aor.parse(user + "@example.com"), "secret".toCharArray()));
        }
        Clock clock = Clock.systemUTC();
        tombstones = Tombstones.load(disk, setup.tombstoneLife(), clock);
        digest = new DigestAuthenticator(
                DigestSettings.of(List.of("example.com")).withGuesses(setup.guesses()), directory, clock);
        SipStackSettings usual = SipStackSettings.listeningOn(listen).withT1(setup.t1());
        try {
            sip = SipEdge.start(
                    new SipSettings(
                            List.of("example.com"),
                            setup.ringLimit(),
                            setup.silenceLimit(),
                            setup.ringLimit().multipliedBy(12),
                            182,
                            Set.of(603),
                            true,
                            10,
                            100,
                            8,
                            List.of(trunk("pbx", pbxSocket, "9", true), trunk("carrier", carrierSocket, "8", false)),
                            setup.t1(),
                            setup.ringLimit().dividedBy(10),
                            Duration.ofMillis(1_500),
                            Map.of()),
                    setup.addressLimits().map(usual::withAddressLimits).orElse(usual),
                    setup.limits(),
                    directory,
                    new Registrar(
                            RegistrarSettings.of(Set.of("example.com"), Set.of("com.example.phone")),
                            directory,
                            digest,
                            clock),
                    digest,
                    new RecordingWaker(),
                    tombstones,
                    disk,
                    new byte[32],
                    clock,
                    setup.subscriptions(),
                    setup.live());
        } catch (SipStackException e) {
            throw new AssertionError(e);
        }
        address = sip.stack().listeners().get(0).address();
        tcpAddress = sip.stack().listeners().get(1).address();
        pbx = party("pbx", pbxSocket);
        carrier = party("carrier", carrierSocket);
    }

    /**
     * The edge dies, and what its disk has survives: another starts on it in its place. Parties on UDP notice nothing;
     * connections are gone.
     */
    Edge crash() {
        Disk survivor = disk.afterCrash();
        List<ListenAddress> same = sip.stack().listeners().stream()
                .map(listener -> ListenAddress.of(listener.transport(), listener.address()))
                .toList();
        sip.close();
        Edge next = new Edge(setup, survivor, same, pbxSocket, carrierSocket);
        next.parties.addAll(parties);
        return next;
    }

    static Edge start() {
        return startWithT1(T1);
    }

    /** With a short T1: for what happens by the timers that follow from it. */
    static Edge startWithT1(Duration t1) {
        return new Edge(Setup.withT1(t1));
    }

    /** Where all that was begun is over within seconds. */
    static Edge startToBeFuzzed() {
        Setup usual = Setup.withT1(Duration.ofMillis(10));
        return new Edge(new Setup(
                usual.t1(),
                Duration.ofMillis(200),
                usual.subscriptions(),
                usual.live(),
                usual.limits(),
                usual.addressLimits(),
                new GuessLimits(
                        Integer.MAX_VALUE,
                        Integer.MAX_VALUE,
                        Integer.MAX_VALUE,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        address -> false),
                Duration.ofMillis(50),
                Duration.ofMillis(300)));
    }

    /** Where the test says which calls are alive. */
    static Edge startFollowing(Duration t1, SubscriptionSettings subscriptions, LiveDialogs live) {
        Setup usual = Setup.withT1(t1);
        return new Edge(new Setup(
                t1,
                usual.ringLimit(),
                subscriptions,
                bridge -> live,
                usual.limits(),
                usual.addressLimits(),
                usual.guesses(),
                usual.silenceLimit(),
                usual.tombstoneLife()));
    }

    /** Where devices that say nothing are pushed to, after this time. */
    static Edge startWithSilenceLimit(Duration silenceLimit) {
        Setup usual = Setup.withT1(T1);
        return new Edge(new Setup(
                usual.t1(),
                usual.ringLimit(),
                usual.subscriptions(),
                usual.live(),
                usual.limits(),
                usual.addressLimits(),
                usual.guesses(),
                silenceLimit,
                usual.tombstoneLife()));
    }

    static Edge startWithLimits(EngineSettings limits) {
        Setup usual = Setup.withT1(T1);
        return new Edge(new Setup(
                usual.t1(),
                usual.ringLimit(),
                usual.subscriptions(),
                usual.live(),
                limits,
                usual.addressLimits(),
                usual.guesses(),
                usual.silenceLimit(),
                usual.tombstoneLife()));
    }

    /** Where strangers are limited. */
    static Edge startWithLimits(AddressLimits addressLimits, GuessLimits guesses) {
        Setup usual = Setup.withT1(T1);
        return new Edge(new Setup(
                usual.t1(),
                usual.ringLimit(),
                usual.subscriptions(),
                usual.live(),
                usual.limits(),
                Optional.of(addressLimits),
                guesses,
                usual.silenceLimit(),
                usual.tombstoneLife()));
    }

    InetSocketAddress udp() {
        return address;
    }

    private static Trunk trunk(String name, DatagramSocket socket, String prefix, boolean trusted) {
        return new Trunk(
                name,
                List.of(new Trunk.Source(socket.getLocalAddress(), 32)),
                Optional.of(
                        new Trunk.Destination(socket.getLocalAddress().getHostAddress(), socket.getLocalPort(), "udp")),
                List.of(prefix),
                trusted,
                OptionalInt.empty());
    }

    private static InetAddress ip(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static DatagramSocket socket(String ip) {
        try {
            return new DatagramSocket(new InetSocketAddress(ip(ip), 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Party party(String user, DatagramSocket socket) {
        return party(new Party(user, socket, address));
    }

    private Party party(Party party) {
        parties.add(party);
        return party;
    }

    /** Closes the connection of a phone, and waits until the bridge knows. */
    void drop(Party phone) {
        int open = sip.stack().openConnections();
        phone.close();
        await().until(() -> sip.stack().openConnections() < open);
    }

    /** Someone at 127.0.0.1 who has not registered. */
    Party stranger(String user) {
        return party(user, socket("127.0.0.1"));
    }

    /** Someone at 127.0.0.1 who has not registered, on a transport of the test's choice. */
    Party stranger(String user, Transport transport) {
        return transport == Transport.UDP ? stranger(user) : party(Party.overTcp(user, tcpAddress));
    }

    /** It is gone, and forgotten here. */
    void leave(Party party) {
        party.close();
        parties.remove(party);
    }

    /** The same at ::1. */
    Party strangerOverIpv6(String user, Transport transport) {
        InetSocketAddress bridge =
                sip.stack().listeners().get(transport == Transport.UDP ? 2 : 3).address();
        return party(
                transport == Transport.UDP
                        ? new Party(user, socket("::1"), bridge)
                        : Party.overTcp(user, bridge, bridge.getAddress()));
    }

    /** The PBX, on a connection. */
    Party pbxOverTcp() {
        return party(Party.overTcp("pbx", tcpAddress, ip("127.0.0.2")));
    }

    /** A registered phone. */
    Party phone(String user) {
        return phone(user, "");
    }

    Party phone(String user, String contactParameters) {
        Party phone = stranger(user);
        phone.register(contactParameters);
        return phone;
    }

    /** As if no phone of the user had ever registered. */
    void forgetDevices(String user) {
        var unused = directory.updateAll(Aor.parse(user + "@example.com"), known -> List.of());
    }

    String hostPort() {
        return "127.0.0.1:" + address.getPort();
    }

    /** The PBX calls alice, whose phone answers at once. */
    Established establish() {
        Party phone = phone("alice");
        pbx.send(pbx.invite("sip:alice@example.com"));
        String invite = phone.expect("INVITE ");
        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(pbx, pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        return new Established(caller, Dialogue.ofCallee(phone, invite, answer));
    }

    /** One end hangs up, and the other confirms. */
    static void hangUp(Dialogue one, Dialogue other) {
        one.send("BYE", "");
        other.party.answer(other.party.expect("BYE "), 200, "");
        assertThat(Wire.header(one.party.expect("SIP/2.0 200"), "CSeq")).endsWith("BYE");
    }

    @Override
    public void close() {
        parties.forEach(Party::close);
        sip.close();
    }

    private final class RecordingWaker implements Waker {
        @Override
        public void wake(
                Wake wake, BooleanSupplier stillWanted, Consumer<Accepted> accepted, Consumer<Failure> failed) {
            pushes.add(wake);
        }

        @Override
        public void alertMissedCall(Wake wake) {}

        @Override
        public void endByBackground(Wake wake, String reason) {
            ends.add(wake);
        }

        @Override
        public void endByVoip(Wake wake, String reason) {}

        @Override
        public void awake(Device device) {
            whenAwake.run();
        }

        @Override
        public void wakeForRequest(Wake wake) {
            requests.add(wake);
        }
    }
}
