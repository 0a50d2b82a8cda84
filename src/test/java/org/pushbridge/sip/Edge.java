package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.pushbridge.sip.registrar.Ha1;
import org.pushbridge.sip.registrar.Registrar;
import org.pushbridge.sip.registrar.RegistrarSettings;
import org.pushbridge.sip.stack.SipStackException;
import org.pushbridge.sip.stack.SipStackSettings;
import org.pushbridge.sip.stack.SipStackSettings.ListenAddress;
import org.pushbridge.sip.stack.Transport;

/**
 * A real SIP edge on 127.0.0.1, with the users alice, bob and 2000, a PBX at 127.0.0.2 whose identities are trusted and
 * which takes numbers from 9, and a carrier at 127.0.0.3 that is not trusted so far and takes numbers from 8.
 */
final class Edge implements AutoCloseable {
    /** An established call, seen from both ends. */
    record Established(Dialogue caller, Dialogue callee) {}

    private static final EngineSettings LIMITS = new EngineSettings(1, 1000, 100);

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
    private final Duration t1;
    private final DatagramSocket pbxSocket;
    private final DatagramSocket carrierSocket;
    private final InetSocketAddress address;
    private final InetSocketAddress tcpAddress;
    final DeviceDirectory directory;
    private final List<Party> parties = new ArrayList<>();

    private Edge(
            Duration t1,
            SubscriptionSettings subscriptions,
            Function<Bridge, LiveDialogs> live,
            EngineSettings limits) {
        this(
                t1,
                subscriptions,
                live,
                limits,
                new Disk(),
                new byte[32],
                new InetSocketAddress(ip("127.0.0.1"), 0),
                new InetSocketAddress(ip("127.0.0.1"), 0),
                socket("127.0.0.2"),
                socket("127.0.0.3"));
    }

    private Edge(
            Duration t1,
            SubscriptionSettings subscriptions,
            Function<Bridge, LiveDialogs> live,
            EngineSettings limits,
            Disk disk,
            byte[] secret,
            InetSocketAddress udp,
            InetSocketAddress tcp,
            DatagramSocket pbxSocket,
            DatagramSocket carrierSocket) {
        this.t1 = t1;
        this.disk = disk;
        this.pbxSocket = pbxSocket;
        this.carrierSocket = carrierSocket;
        directory = DeviceDirectory.load(disk);
        for (String user : List.of("alice", "bob", "2000")) {
            var unused = directory.saveUser(Ha1.of(Aor.parse(user + "@example.com"), "secret".toCharArray()));
        }
        Clock clock = Clock.systemUTC();
        tombstones = Tombstones.load(disk, Duration.ofHours(24), clock);
        DigestAuthenticator digest =
                new DigestAuthenticator(DigestSettings.of(List.of("example.com")), directory, clock);
        try {
            sip = SipEdge.start(
                    new SipSettings(
                            List.of("example.com"),
                            Duration.ofMinutes(5),
                            Duration.ofMinutes(5),
                            Duration.ofHours(1),
                            182,
                            Set.of(603),
                            true,
                            10,
                            List.of(trunk("pbx", pbxSocket, "9", true), trunk("carrier", carrierSocket, "8", false)),
                            t1,
                            Duration.ofSeconds(30),
                            Map.of()),
                    SipStackSettings.listeningOn(
                                    List.of(ListenAddress.of(Transport.UDP, udp), ListenAddress.of(Transport.TCP, tcp)))
                            .withT1(t1),
                    limits,
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
                    secret,
                    clock,
                    subscriptions,
                    live);
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
        sip.close();
        Edge next = new Edge(
                t1,
                SubscriptionSettings.DEFAULT,
                LiveCalls::new,
                LIMITS,
                survivor,
                new byte[32],
                address,
                tcpAddress,
                pbxSocket,
                carrierSocket);
        next.parties.addAll(parties);
        return next;
    }

    static Edge start() {
        return startWithT1(Duration.ofMillis(500));
    }

    /** With a short T1: for what happens by the timers that follow from it. */
    static Edge startWithT1(Duration t1) {
        return new Edge(t1, SubscriptionSettings.DEFAULT, LiveCalls::new, LIMITS);
    }

    /** Where the test says which calls are alive. */
    static Edge startFollowing(Duration t1, SubscriptionSettings subscriptions, LiveDialogs live) {
        return new Edge(t1, subscriptions, bridge -> live, LIMITS);
    }

    static Edge startWithLimits(EngineSettings limits) {
        return new Edge(Duration.ofMillis(500), SubscriptionSettings.DEFAULT, LiveCalls::new, limits);
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

    /** Someone at 127.0.0.1 who has not registered. */
    Party stranger(String user) {
        return party(user, socket("127.0.0.1"));
    }

    /** Someone at 127.0.0.1 who has not registered, on a transport of the test's choice. */
    Party stranger(String user, Transport transport) {
        return transport == Transport.UDP ? stranger(user) : party(Party.overTcp(user, tcpAddress));
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
        public void awake(Device device) {}

        @Override
        public void wakeForRequest(Wake wake) {
            requests.add(wake);
        }
    }
}
