package org.pushbridge.sip;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallId;
import org.pushbridge.call.CallPlan;
import org.pushbridge.call.Ending;
import org.pushbridge.call.Leg;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Pushes;
import org.pushbridge.call.Side;
import org.pushbridge.call.Verdict;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;

/** Reads one memory that {@link CallMemoryWriter} wrote. */
final class CallMemoryReader {
    private final ByteBuffer in;
    private final List<Trunk> trunks;
    /** What was read so far: a leg's name stands in a dozen places, and thousands of calls may be kept for long. */
    private final List<String> texts = new ArrayList<>(24);

    private CallMemoryReader(ByteBuffer in, List<Trunk> trunks) {
        this.in = in;
        this.trunks = trunks;
    }

    /** Reads something that stands there several times, or not at all. */
    private interface Reading<T> {
        T read() throws IOException;
    }

    /** @throws IOException if it is damaged, or names a trunk that is not among these */
    static CallMemory read(byte[] bytes, List<Trunk> trunks) throws IOException {
        if (bytes.length < 1 + Integer.BYTES) {
            throw new IOException("it is damaged: it ends too soon");
        }
        if (bytes[0] != CallMemories.VERSION) {
            throw new IOException("it is of version " + bytes[0] + ", which this program does not know");
        }
        int end = bytes.length - Integer.BYTES;
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, end);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getInt(end) != (int) checksum.getValue()) {
            throw new IOException("it is damaged: its checksum is wrong");
        }
        try {
            return new CallMemoryReader(in.position(1).limit(end), trunks).memory();
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new IOException("it is damaged: " + e.getMessage(), e);
        }
    }

    private CallMemory memory() throws IOException {
        return new CallMemory(
                call(),
                instant(),
                farEnd(),
                called(),
                map(this::legDialog, this::dialog),
                map(this::legId, this::legMemory),
                optional(this::text),
                list(() -> new CallMemory.Waiting(text(), flow())),
                list(() -> new CallMemory.Answer(name(Side.class), legDialog(), text(), in.getLong(), instant())),
                optional(this::instant));
    }

    // --- the call ------------------------------------------------------------------------------------------------

    private Call call() throws IOException {
        CallPlan plan = plan();
        Call.Phase phase = name(Call.Phase.class);
        Map<LegId, Leg> legs = new LinkedHashMap<>();
        for (Leg leg : list(this::leg)) {
            legs.put(leg.id(), leg);
        }
        return new Call(
                plan,
                phase,
                legs,
                Map.of(),
                optional(this::legDialog),
                set(() -> new Call.PendingBye(
                        name(Side.class), legDialog(), Optional.empty(), name(Call.PendingBye.State.class))),
                optional(() -> new Ending(name(Ending.Cause.class), in.getInt())),
                optional(() -> name(Verdict.class)),
                false,
                name(Call.CallerAt.class),
                Map.of(),
                0);
    }

    private CallPlan plan() throws IOException {
        return new CallPlan(
                new CallId(new UUID(in.getLong(), in.getLong())),
                optional(this::legId),
                list(() -> new CallPlan.Candidate(legId(), name(CallPlan.Reach.class), pushes())),
                duration(),
                duration(),
                duration(),
                duration(),
                in.getInt(),
                set(in::getInt));
    }

    private Leg leg() throws IOException {
        return new Leg(
                legId(),
                pushes(),
                name(Leg.State.class),
                in.getInt(),
                set(in::getInt),
                set(in::getInt),
                name(Leg.Wake.class),
                in.getInt(),
                false,
                flag(),
                flag(),
                false,
                in.getInt(),
                Optional.empty());
    }

    private Pushes pushes() {
        return new Pushes(flag(), flag(), flag());
    }

    private LegId legId() {
        return new LegId(text());
    }

    private LegDialog legDialog() {
        return new LegDialog(legId(), text());
    }

    // --- the edge ------------------------------------------------------------------------------------------------

    private CallMemory.LegMemory legMemory() throws IOException {
        return new CallMemory.LegMemory(farEnd(), text(), map(this::text, this::dialog), set(this::text));
    }

    private Dialog dialog() throws IOException {
        return new Dialog(
                text(), text(), text(), text(), text(), in.getLong(), in.getLong(), list(this::text), text(), flag());
    }

    private FarEnd farEnd() throws IOException {
        return flag()
                ? new FarEnd.TrunkEnd(trunk(), optional(this::flow))
                : new FarEnd.DeviceEnd(aor(), optional(() -> new DeviceId(text())), flow());
    }

    private CallMemory.Called called() throws IOException {
        return flag() ? new CallMemory.Called.ByTrunk(trunk(), text()) : new CallMemory.Called.ByUser(aor());
    }

    private Trunk trunk() throws IOException {
        String name = text();
        for (Trunk trunk : trunks) {
            if (trunk.name().equals(name)) {
                return trunk;
            }
        }
        throw new IOException("the trunk " + name + " is not configured any more");
    }

    private Aor aor() {
        return new Aor(text(), text());
    }

    private Flow flow() throws IOException {
        return new Flow(text(), address(), address(), in.getLong());
    }

    private InetSocketAddress address() throws IOException {
        byte[] ip = new byte[in.get()];
        in.get(ip);
        return new InetSocketAddress(InetAddress.getByAddress(ip), Short.toUnsignedInt(in.getShort()));
    }

    // --- values --------------------------------------------------------------------------------------------------

    private boolean flag() {
        return in.get() != 0;
    }

    private String text() {
        int length = in.getInt();
        for (String known : texts) {
            if (known.length() == length && isNext(known)) {
                in.position(in.position() + length);
                return known;
            }
        }
        byte[] utf8 = new byte[length];
        in.get(utf8);
        String text = new String(utf8, StandardCharsets.UTF_8);
        texts.add(text);
        return text;
    }

    /** Whether it is what stands here, for one of ASCII alone; of others, false. */
    private boolean isNext(String text) {
        int at = in.position();
        if (text.length() > in.remaining()) {
            return false;
        }
        // They differ in the end, if they do.
        for (int i = text.length() - 1; i >= 0; i--) {
            if (in.get(at + i) != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private <E extends Enum<E>> E name(Class<E> type) {
        return Enum.valueOf(type, text());
    }

    private Instant instant() {
        return Instant.ofEpochSecond(in.getLong(), in.getInt());
    }

    private Duration duration() {
        return Duration.ofSeconds(in.getLong(), in.getInt());
    }

    private <T> Optional<T> optional(Reading<T> reading) throws IOException {
        return flag() ? Optional.of(reading.read()) : Optional.empty();
    }

    private <T> List<T> list(Reading<T> reading) throws IOException {
        List<T> list = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            list.add(reading.read());
        }
        return list;
    }

    private <T> Set<T> set(Reading<T> reading) throws IOException {
        return new HashSet<>(list(reading));
    }

    private <K, V> Map<K, V> map(Reading<K> key, Reading<V> value) throws IOException {
        Map<K, V> map = new HashMap<>();
        for (int left = in.getInt(); left > 0; left--) {
            map.put(key.read(), value.read());
        }
        return map;
    }
}
