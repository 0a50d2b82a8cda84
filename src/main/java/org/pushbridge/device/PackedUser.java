package org.pushbridge.device;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * What is known of one address in the least room: the user, if it is one, and the devices. As objects, a million devices
 * would take gigabytes; so most of them lie here as bytes and are made anew for each look-up, which takes a microsecond or
 * two. For this process only; the form is not kept anywhere.
 */
final class PackedUser {
    private static final String UUID_INSTANCE = "instance:urn:uuid:";
    private static final int UUID_LENGTH = 36;

    // What a device has.
    private static final int TARGET = 1;
    private static final int FAULT = 2;
    private static final int UUID_IDENTITY = 4;

    // What a push target has.
    private static final int SANDBOX = 1;
    private static final int VOIP = 2;
    private static final int REGULAR = 4;
    private static final int PRID_IS_VOIP = 8;
    private static final int PRID_IS_REGULAR = 16;
    private static final int PRID_IS_BOTH = 32;

    // What a binding has.
    private static final int REG_ID = 1;
    private static final int DIALOG_EVENTS = 2;

    // What an address has.
    private static final int IPV6 = 1;
    private static final int SCOPE = 2;

    private final Aor aor;
    private final SharedTexts shared;
    private final byte[] bytes;

    private PackedUser(Aor aor, SharedTexts shared, byte[] bytes) {
        this.aor = aor;
        this.shared = shared;
        this.bytes = bytes;
    }

    /** An address that nothing is known of. */
    static PackedUser nobody(Aor aor, SharedTexts shared) {
        return new PackedUser(aor, shared, new byte[] {0});
    }

    Aor aor() {
        return aor;
    }

    boolean isUser() {
        return bytes[0] != 0;
    }

    /** Whether there is nothing to know. */
    boolean isEmpty() {
        return !isUser() && bytes.length == 1;
    }

    PackedUser with(User user) {
        PackedWriter out = new PackedWriter(shared)
                .one(1)
                .text(user.ha1Md5())
                .text(user.ha1Sha256())
                .some(bytes, endOfUser(), bytes.length);
        return new PackedUser(aor, shared, out.bytes());
    }

    PackedUser with(List<Device> devices) {
        PackedWriter out = new PackedWriter(shared).some(bytes, 0, endOfUser());
        devices.forEach(device -> write(out, device));
        return new PackedUser(aor, shared, out.bytes());
    }

    /** With one more device, behind the others. */
    PackedUser and(Device device) {
        PackedWriter out = new PackedWriter(shared).some(bytes, 0, bytes.length);
        write(out, device);
        return new PackedUser(aor, shared, out.bytes());
    }

    Optional<User> user() {
        PackedReader in = new PackedReader(shared, bytes);
        return in.one() == 0 ? Optional.empty() : Optional.of(new User(aor, in.text(), in.text()));
    }

    List<Device> devices() {
        PackedReader in = reader();
        if (in.isAtEnd()) {
            return List.of();
        }
        Device first = device(in);
        if (in.isAtEnd()) {
            return List.of(first);
        }
        List<Device> devices = new ArrayList<>();
        devices.add(first);
        while (!in.isAtEnd()) {
            devices.add(device(in));
        }
        return List.copyOf(devices);
    }

    private int endOfUser() {
        return reader().position();
    }

    /** At the first device. */
    private PackedReader reader() {
        PackedReader in = new PackedReader(shared, bytes);
        if (in.one() != 0) {
            in.skipText();
            in.skipText();
        }
        return in;
    }

    private static void write(PackedWriter out, Device device) {
        Optional<UUID> uuid = uuid(device.identity());
        out.one((device.target().isPresent() ? TARGET : 0)
                        | (device.targetFault().isPresent() ? FAULT : 0)
                        | (uuid.isPresent() ? UUID_IDENTITY : 0))
                .eight(device.id().number());
        if (uuid.isPresent()) {
            out.eight(uuid.get().getMostSignificantBits()).eight(uuid.get().getLeastSignificantBits());
        } else {
            out.text(device.identity());
        }
        device.targetFault().ifPresent(out::sharedText);
        device.target().ifPresent(target -> write(out, target));
        out.number(device.bindings().size());
        device.bindings().forEach(binding -> write(out, binding));
    }

    private Device device(PackedReader in) {
        int has = in.one();
        DeviceId id = DeviceId.of(in.eight());
        String identity = (has & UUID_IDENTITY) != 0 ? UUID_INSTANCE + new UUID(in.eight(), in.eight()) : in.text();
        Optional<String> fault = (has & FAULT) != 0 ? Optional.of(in.text()) : Optional.empty();
        Optional<PushTarget> target = (has & TARGET) != 0 ? Optional.of(target(in)) : Optional.empty();
        int count = in.small();
        if (count == 0) {
            return new Device(id, aor, identity, target, fault, List.of());
        }
        Binding[] bindings = new Binding[count];
        for (int i = 0; i < count; i++) {
            bindings[i] = binding(in);
        }
        return new Device(id, aor, identity, target, fault, List.of(bindings));
    }

    /** That of a device whose instance is a UUID as most write it. */
    private static Optional<UUID> uuid(String identity) {
        if (identity.length() != UUID_INSTANCE.length() + UUID_LENGTH || !identity.startsWith(UUID_INSTANCE)) {
            return Optional.empty();
        }
        String text = identity.substring(UUID_INSTANCE.length());
        try {
            return Optional.of(UUID.fromString(text))
                    .filter(uuid -> uuid.toString().equals(text));
        } catch (IllegalArgumentException none) {
            return Optional.empty();
        }
    }

    private static void write(PackedWriter out, PushTarget target) {
        Optional<String> voip = target.voip().map(PushToken::hex);
        Optional<String> regular = target.regular().map(PushToken::hex);
        int prid = 0;
        if (voip.filter(target.prid()::equals).isPresent()) {
            prid = PRID_IS_VOIP;
        } else if (regular.filter(target.prid()::equals).isPresent()) {
            prid = PRID_IS_REGULAR;
        } else if (voip.isPresent() && regular.isPresent() && target.prid().equals(both(voip.get(), regular.get()))) {
            prid = PRID_IS_BOTH;
        }
        out.one((target.environment() == ApnsEnvironment.SANDBOX ? SANDBOX : 0)
                        | (voip.isPresent() ? VOIP : 0)
                        | (regular.isPresent() ? REGULAR : 0)
                        | prid)
                .sharedText(target.teamId())
                .sharedText(target.bundleId());
        voip.ifPresent(out::text);
        regular.ifPresent(out::text);
        write(out, target.registeredAt());
        out.sharedText(target.provider()).sharedText(target.param());
        if (prid == 0) {
            out.text(target.prid());
        }
    }

    private static PushTarget target(PackedReader in) {
        int has = in.one();
        String team = in.text();
        String bundle = in.text();
        Optional<PushToken> voip = (has & VOIP) != 0 ? Optional.of(new PushToken(in.text())) : Optional.empty();
        Optional<PushToken> regular = (has & REGULAR) != 0 ? Optional.of(new PushToken(in.text())) : Optional.empty();
        Instant registeredAt = instant(in);
        String provider = in.text();
        String param = in.text();
        String prid;
        if ((has & PRID_IS_VOIP) != 0) {
            prid = hex(voip);
        } else if ((has & PRID_IS_REGULAR) != 0) {
            prid = hex(regular);
        } else if ((has & PRID_IS_BOTH) != 0) {
            prid = both(hex(voip), hex(regular));
        } else {
            prid = in.text();
        }
        return new PushTarget(
                (has & SANDBOX) != 0 ? ApnsEnvironment.SANDBOX : ApnsEnvironment.PRODUCTION,
                team,
                bundle,
                voip,
                regular,
                registeredAt,
                provider,
                param,
                prid);
    }

    private static String hex(Optional<PushToken> token) {
        return token.map(PushToken::hex).orElse("");
    }

    /** As Linphone's apps write two tokens. */
    private static String both(String voip, String regular) {
        return voip + ":voip&" + regular + ":remote";
    }

    private static void write(PackedWriter out, Binding binding) {
        Flow flow = binding.flow();
        out.one((binding.regId().isPresent() ? REG_ID : 0) | (binding.dialogEvents() ? DIALOG_EVENTS : 0))
                .text(binding.contact())
                .text(binding.contactParameters())
                .number(binding.q());
        binding.regId().ifPresent(out::number);
        out.sharedText(flow.transport());
        write(out, flow.local());
        write(out, flow.remote());
        out.eight(flow.connection()).number(binding.path().size());
        binding.path().forEach(out::sharedText);
        out.text(binding.callId()).number(binding.cseq());
        write(out, binding.registeredAt());
        out.number(binding.expires().toSeconds())
                .number(binding.expires().toNanosPart())
                .sharedText(binding.userAgent());
    }

    private static Binding binding(PackedReader in) {
        int has = in.one();
        String contact = in.text();
        String parameters = in.text();
        int q = in.small();
        OptionalInt regId = (has & REG_ID) != 0 ? OptionalInt.of(in.small()) : OptionalInt.empty();
        Flow flow = new Flow(in.text(), address(in), address(in), in.eight());
        String[] path = new String[in.small()];
        for (int i = 0; i < path.length; i++) {
            path[i] = in.text();
        }
        return new Binding(
                contact,
                parameters,
                q,
                regId,
                flow,
                List.of(path),
                in.text(),
                in.number(),
                instant(in),
                Duration.ofSeconds(in.number(), in.number()),
                in.text(),
                (has & DIALOG_EVENTS) != 0);
    }

    private static void write(PackedWriter out, Instant instant) {
        out.number(instant.getEpochSecond()).number(instant.getNano());
    }

    private static Instant instant(PackedReader in) {
        return Instant.ofEpochSecond(in.number(), in.number());
    }

    private static void write(PackedWriter out, InetSocketAddress address) {
        byte[] ip = address.getAddress().getAddress();
        int scope = address.getAddress() instanceof Inet6Address six ? six.getScopeId() : 0;
        out.one((ip.length == 4 ? 0 : IPV6) | (scope == 0 ? 0 : SCOPE)).some(ip, 0, ip.length);
        if (scope != 0) {
            out.number(scope);
        }
        out.number(address.getPort());
    }

    private static InetSocketAddress address(PackedReader in) {
        int has = in.one();
        byte[] ip = in.some((has & IPV6) != 0 ? 16 : 4);
        try {
            InetAddress address =
                    (has & SCOPE) != 0 ? Inet6Address.getByAddress(null, ip, in.small()) : InetAddress.getByAddress(ip);
            return new InetSocketAddress(address, in.small());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("An address has 4 or 16 bytes", e);
        }
    }
}
