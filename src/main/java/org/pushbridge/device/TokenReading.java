package org.pushbridge.device;

/**
 * A device token as an app spelled it, read: apps hand over what their framework printed, and not all of that is
 * hexadecimal.
 *
 * <p>Hexadecimal digits in either case, the NSData description ({@code <00fc13ad ff785122>}) and base64 mean one
 * certain token and are accepted; whatever leaves a doubt is refused, for a wrong token would only be found out when
 * a call is lost.
 */
public sealed interface TokenReading {
    /** The spelling meant this token. */
    record Sound(PushToken token) implements TokenReading {}

    /**
     * There is no telling which token was meant.
     *
     * @param fault what is wrong with it and what a good one looks like; never holds any of the text that was read,
     *     so it may be shown and logged
     */
    record Damaged(String fault) implements TokenReading {}

    /**
     * Reads a token.
     *
     * @param text the token as the app wrote it, percent-escapes already resolved
     */
    static TokenReading of(String text) {
        return TokenReader.read(text);
    }

    /** What {@link #of} says of bytes that were printed as text, for those who see that before they find the token. */
    static Damaged ofRawBytes() {
        return TokenReader.rawBytes();
    }
}
