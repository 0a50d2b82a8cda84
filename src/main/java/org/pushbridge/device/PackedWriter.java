package org.pushbridge.device;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** Writes what {@link PackedReader} reads. */
final class PackedWriter {
    /** The kinds of texts, in the lowest two bits of what begins one; the rest is its length, or its number. */
    static final int LATIN = 0;

    static final int UTF_16 = 1;
    /** An even number of lower-case hexadecimal digits, two in a byte. */
    static final int HEX = 2;
    /** One of the {@link SharedTexts}. */
    static final int SHARED = 3;

    private final SharedTexts shared;
    private byte[] bytes = new byte[256];
    private int size;

    PackedWriter(SharedTexts shared) {
        this.shared = shared;
    }

    byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }

    private void makeRoom(int length) {
        if (bytes.length - size < length) {
            bytes = Arrays.copyOf(bytes, Math.max(size + length, bytes.length * 2));
        }
    }

    PackedWriter one(int value) {
        makeRoom(1);
        bytes[size++] = (byte) value;
        return this;
    }

    PackedWriter some(byte[] some, int from, int to) {
        makeRoom(to - from);
        System.arraycopy(some, from, bytes, size, to - from);
        size += to - from;
        return this;
    }

    /** The smaller, the shorter; those below zero take ten bytes. */
    PackedWriter number(long value) {
        long left = value;
        while ((left & ~0x7fL) != 0) {
            one(((int) left & 0x7f) | 0x80);
            left >>>= 7;
        }
        return one((int) left);
    }

    /** Eight bytes, for what can be anything. */
    PackedWriter eight(long value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            one((int) (value >>> shift));
        }
        return this;
    }

    PackedWriter text(String text) {
        int length = text.length();
        int kind = kindOf(text);
        number(((long) length << 2) | kind);
        switch (kind) {
            case HEX -> {
                for (int i = 0; i < length; i += 2) {
                    one((HexFormat.fromHexDigit(text.charAt(i)) << 4) | HexFormat.fromHexDigit(text.charAt(i + 1)));
                }
            }
            case LATIN -> some(text.getBytes(StandardCharsets.ISO_8859_1), 0, length);
            default -> {
                // Not by a charset, which would not take half a surrogate pair.
                for (int i = 0; i < length; i++) {
                    one(text.charAt(i) >> 8).one(text.charAt(i));
                }
            }
        }
        return this;
    }

    /** A text that other devices are likely to have, too. */
    PackedWriter sharedText(String text) {
        int number = shared.numberOf(text);
        return number == SharedTexts.NONE ? text(text) : number(((long) number << 2) | SHARED);
    }

    private static int kindOf(String text) {
        int kind = text.length() % 2 == 0 ? HEX : LATIN;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c > 0xff) {
                return UTF_16;
            }
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                kind = LATIN;
            }
        }
        return kind;
    }
}
