package org.pushbridge.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackedUserTest {
    private static final Aor ALICE = Aor.parse("alice@example.com");

    private final SharedTexts shared = new SharedTexts();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void whateverIsPackedComesOutAgain(long seed) {
        Odd odd = new Odd(new Random(seed));
        for (int i = 0; i < 500; i++) {
            List<Device> devices = odd.some(odd::device);
            Optional<User> user = odd.maybe(() -> new User(ALICE, odd.text(), odd.text()));

            PackedUser packed = user.map(PackedUser.nobody(ALICE, shared)::with)
                    .orElse(PackedUser.nobody(ALICE, shared))
                    .with(devices);

            assertThat(packed.devices()).isEqualTo(devices);
            assertThat(packed.user()).isEqualTo(user);
            assertThat(packed.isUser()).isEqualTo(user.isPresent());
            assertThat(packed.isEmpty()).isEqualTo(user.isEmpty() && devices.isEmpty());
        }
    }

    @Test
    void changingTheUserLeavesTheDevices() {
        Odd odd = new Odd(new Random(9));
        for (int i = 0; i < 200; i++) {
            List<Device> devices = odd.some(odd::device);
            User user = new User(ALICE, odd.text(), odd.text());
            Device more = odd.device();

            PackedUser packed = PackedUser.nobody(ALICE, shared)
                    .with(devices)
                    .with(new User(ALICE, odd.text(), odd.text()))
                    .with(user)
                    .and(more);

            List<Device> all = new ArrayList<>(devices);
            all.add(more);
            assertThat(packed.devices()).isEqualTo(all);
            assertThat(packed.user()).contains(user);
        }
    }

    @Test
    void anAddressKeepsItsScope() throws UnknownHostException {
        byte[] linkLocal = InetAddress.getByName("fe80::1").getAddress();
        Odd odd = new Odd(new Random(10));
        Flow flow = new Flow(
                "tcp",
                new InetSocketAddress(Inet6Address.getByAddress(null, linkLocal, 3), 5060),
                new InetSocketAddress(Inet6Address.getByAddress(null, linkLocal, 4), 5061),
                -1);
        Device device = odd.device(List.of(odd.binding(flow)));

        Flow read = PackedUser.nobody(ALICE, shared)
                .with(List.of(device))
                .devices()
                .get(0)
                .bindings()
                .get(0)
                .flow();

        assertThat(((Inet6Address) read.local().getAddress()).getScopeId()).isEqualTo(3);
        assertThat(((Inet6Address) read.remote().getAddress()).getScopeId()).isEqualTo(4);
    }

    @Test
    void textsThatFindNoRoomAmongTheSharedOnesAreKeptWithTheirDevice() {
        for (int i = 0; i < SharedTexts.MOST; i++) {
            shared.numberOf("text " + i);
        }
        Odd odd = new Odd(new Random(11));
        List<Device> devices = List.of(odd.device(), odd.device(), odd.device());

        assertThat(shared.numberOf("one too many")).isEqualTo(SharedTexts.NONE);
        assertThat(shared.text(shared.numberOf("text 17"))).isEqualTo("text 17");
        assertThat(PackedUser.nobody(ALICE, shared).with(devices).devices()).isEqualTo(devices);
    }

    /** Makes up devices, as they come and as they hardly can. */
    private record Odd(Random random) {
        private static final Aor OWNER = ALICE;

        interface Maker<T> {
            T make();
        }

        <T> Optional<T> maybe(Maker<T> maker) {
            return random.nextBoolean() ? Optional.of(maker.make()) : Optional.empty();
        }

        <T> List<T> some(Maker<T> maker) {
            List<T> some = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                some.add(maker.make());
            }
            return some;
        }

        String text() {
            return switch (random.nextInt(12)) {
                case 0 -> "";
                case 1 -> "ab".repeat(random.nextInt(100));
                case 2 -> "AB".repeat(random.nextInt(100));
                case 3 -> "abc";
                case 4 -> "Jürgen \u00ff\u0000\r\n";
                case 5 -> "Ελληνικά 漢字 \ud83d\ude00";
                case 6 -> "half a pair \ud83d";
                case 7 -> "\udc00 and the other half";
                case 8 -> "long ".repeat(5_000);
                case 9 -> "ü".repeat(127 + random.nextInt(3));
                case 10 -> "instance:urn:uuid:" + random.nextLong();
                default -> "text " + random.nextInt(50);
            };
        }

        String identity() {
            UUID uuid = new UUID(random.nextLong(), random.nextLong());
            return switch (random.nextInt(6)) {
                case 0 -> "instance:urn:uuid:" + uuid;
                case 1 -> "instance:urn:uuid:" + uuid.toString().toUpperCase(Locale.ROOT);
                case 2 -> "instance:urn:uuid:" + uuid + "0";
                case 3 -> "instance:urn:uuid:1-1-1-1-1" + " ".repeat(25);
                case 4 -> "push:" + token().hex();
                default -> text();
            };
        }

        PushToken token() {
            byte[] bytes = new byte[8 + random.nextInt(100)];
            random.nextBytes(bytes);
            return new PushToken(HexFormat.of().formatHex(bytes));
        }

        Instant instant() {
            return switch (random.nextInt(4)) {
                case 0 -> Instant.MIN;
                case 1 -> Instant.MAX;
                case 2 -> Instant.ofEpochSecond(-random.nextInt(), random.nextInt(1_000_000_000));
                default -> Instant.ofEpochSecond(random.nextInt(), random.nextInt(1_000_000_000));
            };
        }

        PushTarget target() {
            Optional<PushToken> voip = maybe(this::token);
            Optional<PushToken> regular = voip.isEmpty() ? Optional.of(token()) : maybe(this::token);
            String one = voip.map(PushToken::hex).orElse("none");
            String other = regular.map(PushToken::hex).orElse("none");
            String prid =
                    switch (random.nextInt(6)) {
                        case 0 -> one;
                        case 1 -> other;
                        case 2 -> one + ":voip&" + other + ":remote";
                        case 3 -> one.toUpperCase(Locale.ROOT) + ":voip&" + other + ":remote";
                        case 4 -> other + ":remote&" + one + ":voip";
                        default -> text();
                    };
            return new PushTarget(
                    random.nextBoolean() ? ApnsEnvironment.PRODUCTION : ApnsEnvironment.SANDBOX,
                    text(),
                    "com.example." + text(),
                    voip,
                    regular,
                    instant(),
                    text(),
                    text(),
                    prid);
        }

        Flow flow() {
            return new Flow(text(), address(), address(), random.nextLong());
        }

        private InetSocketAddress address() {
            byte[] ip = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(ip);
            try {
                return new InetSocketAddress(InetAddress.getByAddress(ip), random.nextInt(65_536));
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e);
            }
        }

        Binding binding(Flow flow) {
            return new Binding(
                    text(),
                    text(),
                    random.nextInt(1_001),
                    random.nextBoolean() ? OptionalInt.of(random.nextInt()) : OptionalInt.empty(),
                    flow,
                    some(this::text),
                    text(),
                    random.nextLong(),
                    instant(),
                    Duration.ofSeconds(random.nextInt(), random.nextInt(1_000_000_000)),
                    text(),
                    random.nextBoolean());
        }

        Device device() {
            return device(some(() -> binding(flow())));
        }

        Device device(List<Binding> bindings) {
            String identity = identity();
            return new Device(
                    DeviceId.of(OWNER, identity), OWNER, identity, maybe(this::target), maybe(this::text), bindings);
        }
    }
}
