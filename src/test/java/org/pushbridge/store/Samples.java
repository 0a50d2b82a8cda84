package org.pushbridge.store;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Binding;
import org.pushbridge.device.CallJournal;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.device.Tombstone;
import org.pushbridge.device.User;

/** Users, devices, calls and tombstones for tests. */
public final class Samples {
    public static final Aor ALICE = Aor.parse("alice@example.com");
    public static final Aor BOB = Aor.parse("bob@example.com");

    /** With more digits than a database's own type for a point in time keeps. */
    public static final Instant SOME_TIME = Instant.parse("2026-03-01T10:15:30.123456789Z");

    private Samples() {}

    public static User user(Aor aor) {
        return new User(aor, "0123456789abcdef".repeat(2), "fedcba9876543210".repeat(4));
    }

    /** A user no database takes: the hash has more digits than one can have. */
    public static User oversizedUser(Aor aor) {
        return new User(aor, "badc0de".repeat(9), "fedcba9876543210".repeat(4));
    }

    /** With a push target and two bindings, every field of them set. */
    public static Device device(Aor aor, String identity) {
        return new Device(
                DeviceId.of(aor, identity),
                aor,
                identity,
                Optional.of(target("ab".repeat(32), SOME_TIME)),
                Optional.empty(),
                List.of(
                        binding(
                                new Flow(
                                        "tls",
                                        address("192.0.2.1", 5061),
                                        address("198.51.100.7", 49152),
                                        0xfedcba9876543210L),
                                OptionalInt.of(1),
                                List.of("<sip:edge1.example.com;lr>", "<sip:edge2.example.com;lr;ob>")),
                        binding(
                                new Flow("udp", address("2001:db8::1", 5060), address("2001:db8::7", 5062), 0),
                                OptionalInt.empty(),
                                List.of())));
    }

    public static PushTarget target(String hex, Instant registeredAt) {
        return new PushTarget(
                ApnsEnvironment.SANDBOX,
                "ABCDE12345",
                "com.example.phone",
                Optional.of(new PushToken(hex)),
                Optional.of(new PushToken("cd".repeat(32))),
                registeredAt,
                "apns.dev",
                "ABCDE12345.com.example.phone.voip&remote",
                hex + ":voip&" + "CD".repeat(32) + ":remote");
    }

    public static Binding binding(Flow flow, OptionalInt regId, List<String> path) {
        return new Binding(
                "sip:alice@198.51.100.7:49152;transport=tls;pn-prid=\"ü\"",
                ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"",
                500,
                regId,
                flow,
                path,
                "843817637684230@998sdasdh09",
                4_294_967_295L,
                SOME_TIME,
                Duration.ofHours(1),
                "Example Phone/1.0",
                true);
    }

    public static Tombstone tombstone(UUID call, Instant endedAt, DeviceId device) {
        return new Tombstone(
                call,
                device,
                endedAt,
                endedAt.plus(Duration.ofHours(24)),
                "answered-elsewhere",
                "sip:carol@example.net",
                "Carol \"C\" Ünsal",
                false,
                false);
    }

    /** A tombstone no database takes: it does not say why the call ended. */
    @SuppressWarnings("NullAway")
    public static Tombstone brokenTombstone(UUID call) {
        return new Tombstone(
                call, DeviceId.of(BOB, "broken"), SOME_TIME, SOME_TIME.plusSeconds(1), null, "", "", false, false);
    }

    /** A call with an INVITE of its own, of the size usual with a good number of codecs. */
    public static CallJournal.Entry entry(UUID call, String state) {
        String invite = "INVITE sip:alice@example.com SIP/2.0\r\nCall-ID: " + call + "\r\n\r\n" + "a=x\r\n".repeat(200);
        return new CallJournal.Entry(
                call, invite.getBytes(StandardCharsets.UTF_8), state.getBytes(StandardCharsets.UTF_8));
    }

    /** All calls of a journal, the eldest first. */
    public static List<CallJournal.Entry> entries(CallJournal journal) {
        List<CallJournal.Entry> entries = new ArrayList<>();
        journal.readCalls(entries::add);
        return entries;
    }

    public static InetSocketAddress address(String literal, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(literal), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(literal, e);
        }
    }
}
