package org.pushbridge.device;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** Reads what {@link PackedWriter} wrote, in the same order. */
final class PackedReader {
    private final SharedTexts shared;
    private final byte[] bytes;
    private int at;

    PackedReader(SharedTexts shared, byte[] bytes) {
        this.shared = shared;
        this.bytes = bytes;
    }

    boolean isAtEnd() {
        return at == bytes.length;
    }

    /** How much was read. */
    int position() {
        return at;
    }

    int one() {
        return bytes[at++];
    }

    byte[] some(int length) {
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    long number() {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes[at++];
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    int small() {
        return (int) number();
    }

    long eight() {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = (value << 8) | (bytes[at++] & 0xff);
        }
        return value;
    }

    void skipText() {
        int head = small();
        int length = head >>> 2;
        at += switch (head & 3) {
            case PackedWriter.SHARED -> 0;
            case PackedWriter.HEX -> length / 2;
            case PackedWriter.UTF_16 -> length * 2;
            default -> length;
        };
    }

    /** Whichever way it was written. */
    String text() {
        int head = small();
        int length = head >>> 2;
        return switch (head & 3) {
            case PackedWriter.SHARED -> shared.text(length);
            case PackedWriter.HEX -> {
                at += length / 2;
                yield HexFormat.of().formatHex(bytes, at - length / 2, at);
            }
            case PackedWriter.UTF_16 -> {
                char[] chars = new char[length];
                for (int i = 0; i < length; i++) {
                    chars[i] = (char) ((one() << 8) | (one() & 0xff));
                }
                yield new String(chars);
            }
            default -> {
                at += length;
                yield new String(bytes, at - length, length, StandardCharsets.ISO_8859_1);
            }
        };
    }
}
