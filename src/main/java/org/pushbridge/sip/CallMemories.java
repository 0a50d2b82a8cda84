package org.pushbridge.sip;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Writes what survives of calls as bytes, and reads it again; also what earlier versions wrote. Safe for any thread.
 *
 * <p>The first byte is the version, the last four are a checksum, and between them the components of a {@link CallMemory}
 * stand one behind the other, as {@link CallMemoryWriter} says. Whoever changes what is written raises the version and
 * reads the one before.
 */
final class CallMemories {
    static final byte VERSION = 1;

    /** What begins with it is from before there were versions. */
    private static final byte JSON = '{';

    private final List<Trunk> trunks;

    /** Made when it is needed: it takes its time. */
    private Optional<JsonMemories> json = Optional.empty();

    /** @param trunks those that calls may come from or go to: only their names are written */
    CallMemories(List<Trunk> trunks) {
        this.trunks = List.copyOf(trunks);
    }

    byte[] write(CallMemory memory) {
        return CallMemoryWriter.write(memory);
    }

    /** @throws IOException if it is damaged, or names a trunk that is not configured any more */
    CallMemory read(byte[] bytes) throws IOException {
        if (bytes.length > 0 && bytes[0] == JSON) {
            return json().read(bytes);
        }
        return CallMemoryReader.read(bytes, trunks);
    }

    private synchronized JsonMemories json() {
        JsonMemories made = json.orElseGet(() -> new JsonMemories(trunks));
        json = Optional.of(made);
        return made;
    }
}
