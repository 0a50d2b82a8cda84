package org.pushbridge.sip;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallPlan;
import org.pushbridge.call.Leg;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Pushes;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Flow;

/** Writes memories. Each method has its other half in {@link CallMemoryReader}. */
final class CallMemoryWriter {
    private static final int USUAL_BYTES = 4096;
    /** A call's state is written several times in its life: the room for it is a thread's own, and used again. */
    private static final ThreadLocal<CallMemoryWriter> WRITERS = ThreadLocal.withInitial(CallMemoryWriter::new);

    private final Bytes out = new Bytes();

    private CallMemoryWriter() {}

    static byte[] write(CallMemory memory) {
        CallMemoryWriter writer = WRITERS.get();
        writer.out.clear();
        writer.out.writeByte(CallMemories.VERSION);
        writer.memory(memory);
        CRC32C checksum = new CRC32C();
        checksum.update(writer.out.written());
        writer.out.writeInt((int) checksum.getValue());
        byte[] bytes = new byte[writer.out.written().remaining()];
        writer.out.written().get(bytes);
        return bytes;
    }

    /** As many as come. */
    private static final class Bytes {
        private ByteBuffer bytes = ByteBuffer.allocate(USUAL_BYTES);

        /** Room for an unusual one is not kept. */
        void clear() {
            if (bytes.capacity() > 4 * USUAL_BYTES) {
                bytes = ByteBuffer.allocate(USUAL_BYTES);
            }
            bytes.clear();
        }

        private ByteBuffer withRoom(int more) {
            if (bytes.remaining() < more) {
                bytes = ByteBuffer.allocate(2 * (bytes.position() + more)).put(written());
            }
            return bytes;
        }

        ByteBuffer written() {
            return bytes.duplicate().flip();
        }

        /** Writes as many bytes as characters, and their number before, if all of them are ASCII; else nothing. */
        boolean writeAscii(String text) {
            ByteBuffer room = withRoom(Integer.BYTES + text.length());
            int start = room.position();
            room.putInt(text.length());
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c > 0x7f) {
                    room.position(start);
                    return false;
                }
                room.put((byte) c);
            }
            return true;
        }

        void writeByte(int value) {
            withRoom(Byte.BYTES).put((byte) value);
        }

        void writeBoolean(boolean value) {
            writeByte(value ? 1 : 0);
        }

        void writeShort(int value) {
            withRoom(Short.BYTES).putShort((short) value);
        }

        void writeInt(int value) {
            withRoom(Integer.BYTES).putInt(value);
        }

        void writeLong(long value) {
            withRoom(Long.BYTES).putLong(value);
        }

        void writeBytes(byte[] some) {
            withRoom(some.length).put(some);
        }
    }

    private void memory(CallMemory memory) {
        call(memory.call());
        instant(memory.began());
        farEnd(memory.caller());
        called(memory.callee());
        map(memory.callerDialogs(), this::legDialog, this::dialog);
        map(memory.legs(), this::legId, this::legMemory);
        optional(memory.answer(), this::text);
        all(memory.waiting(), waiting -> {
            text(waiting.request());
            flow(waiting.flow());
        });
        all(memory.answers(), answer -> {
            name(answer.from());
            legDialog(answer.dialog());
            text(answer.response());
            out.writeLong(answer.forwardedCseq());
            instant(answer.since());
        });
        optional(memory.toldAgain(), this::instant);
    }

    // --- the call ------------------------------------------------------------------------------------------------

    /** Only of what {@link Call#remembered} keeps. */
    private void call(Call call) {
        plan(call.plan());
        name(call.phase());
        all(call.legs().values(), this::leg);
        optional(call.answered(), this::legDialog);
        all(call.byes(), bye -> {
            name(bye.to());
            legDialog(bye.dialog());
            name(bye.state());
        });
        optional(call.ending(), ending -> {
            name(ending.cause());
            out.writeInt(ending.status());
        });
        optional(call.verdict(), this::name);
        name(call.callerAt());
    }

    private void plan(CallPlan plan) {
        uuid(plan.id().value());
        optional(plan.caller(), this::legId);
        all(plan.candidates(), candidate -> {
            legId(candidate.leg());
            name(candidate.reach());
            pushes(candidate.pushes());
        });
        duration(plan.ringLimit());
        duration(plan.silenceLimit());
        duration(plan.durationLimit());
        duration(plan.holdLimit());
        out.writeInt(plan.whileParked());
        all(plan.declinesAll(), out::writeInt);
    }

    private void leg(Leg leg) {
        legId(leg.id());
        pushes(leg.pushes());
        name(leg.state());
        out.writeInt(leg.attempt());
        all(leg.open(), out::writeInt);
        all(leg.cancelled(), out::writeInt);
        name(leg.wake());
        out.writeInt(leg.heardOn());
        out.writeBoolean(leg.refused());
        out.writeBoolean(leg.informed());
        out.writeInt(leg.status());
    }

    private void pushes(Pushes pushes) {
        out.writeBoolean(pushes.wake());
        out.writeBoolean(pushes.sparing());
        out.writeBoolean(pushes.end());
    }

    private void legId(LegId id) {
        text(id.value());
    }

    private void legDialog(LegDialog dialog) {
        legId(dialog.leg());
        text(dialog.tag());
    }

    // --- the edge ------------------------------------------------------------------------------------------------

    private void legMemory(CallMemory.LegMemory leg) {
        farEnd(leg.farEnd());
        text(leg.requestUri());
        map(leg.dialogs(), this::text, this::dialog);
        all(leg.answered(), this::text);
    }

    private void dialog(Dialog dialog) {
        text(dialog.callId());
        text(dialog.local());
        text(dialog.localTag());
        text(dialog.remote());
        text(dialog.remoteTag());
        out.writeLong(dialog.localCseq());
        out.writeLong(dialog.remoteCseq());
        all(dialog.routes(), this::text);
        text(dialog.remoteTarget());
        out.writeBoolean(dialog.secure());
    }

    /** Of a trunk, its name. */
    private void farEnd(FarEnd farEnd) {
        out.writeBoolean(farEnd instanceof FarEnd.TrunkEnd);
        if (farEnd instanceof FarEnd.TrunkEnd end) {
            text(end.trunk().name());
            optional(end.arrivedOn(), this::flow);
        } else if (farEnd instanceof FarEnd.DeviceEnd end) {
            aor(end.aor());
            optional(end.id(), id -> text(id.value()));
            flow(end.flow());
        }
    }

    private void called(CallMemory.Called called) {
        out.writeBoolean(called instanceof CallMemory.Called.ByTrunk);
        if (called instanceof CallMemory.Called.ByTrunk byTrunk) {
            text(byTrunk.trunk().name());
            text(byTrunk.number());
        } else if (called instanceof CallMemory.Called.ByUser byUser) {
            aor(byUser.aor());
        }
    }

    private void aor(Aor aor) {
        text(aor.user());
        text(aor.host());
    }

    private void flow(Flow flow) {
        text(flow.transport());
        address(flow.local());
        address(flow.remote());
        out.writeLong(flow.connection());
    }

    /** Without an IPv6 scope: it names a network interface, which need not be there any more. */
    private void address(InetSocketAddress address) {
        byte[] ip = address.getAddress().getAddress();
        out.writeByte(ip.length);
        out.writeBytes(ip);
        out.writeShort(address.getPort());
    }

    // --- values --------------------------------------------------------------------------------------------------

    private void text(String text) {
        if (out.writeAscii(text)) {
            return;
        }
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(utf8.length);
        out.writeBytes(utf8);
    }

    /** By its name, so that others may come to stand before it. */
    private void name(Enum<?> value) {
        text(value.name());
    }

    private void uuid(UUID uuid) {
        out.writeLong(uuid.getMostSignificantBits());
        out.writeLong(uuid.getLeastSignificantBits());
    }

    private void instant(Instant instant) {
        out.writeLong(instant.getEpochSecond());
        out.writeInt(instant.getNano());
    }

    private void duration(Duration duration) {
        out.writeLong(duration.getSeconds());
        out.writeInt(duration.getNano());
    }

    private <T> void optional(Optional<T> value, Consumer<T> write) {
        out.writeBoolean(value.isPresent());
        value.ifPresent(write);
    }

    private <T> void all(Collection<T> values, Consumer<T> write) {
        out.writeInt(values.size());
        values.forEach(write);
    }

    private <K, V> void map(Map<K, V> map, Consumer<K> key, Consumer<V> value) {
        out.writeInt(map.size());
        BiConsumer<K, V> both = (k, v) -> {
            key.accept(k);
            value.accept(v);
        };
        map.forEach(both);
    }
}
