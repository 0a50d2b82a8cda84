package org.pushbridge.device;

import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The spellings behind {@link TokenReading#of}. */
final class TokenReader {
    private static final int FEWEST_DIGITS = 16;
    /** Apple names no limit; this one only keeps rows and messages bounded. Today's tokens have 64 to 200 digits. */
    private static final int MOST_DIGITS = 1024;
    /** Any short word is base64 of something: only what decodes to as much as the shortest token is taken for one. */
    private static final int FEWEST_BYTES_IN_BASE64 = 32;

    private static final String RAW_BYTES =
            "holds raw bytes: they were printed as text instead of being written out as digits";

    private static final Pattern BASE64 = Pattern.compile("[0-9A-Za-z+/_-]+={0,2}");

    /** What programming languages print in place of a value that is not there. */
    private static final Set<String> PLACEHOLDERS =
            Set.of("(null)", "<null>", "null", "(nil)", "<nil>", "nil", "none", "undefined", "optional()");

    private TokenReader() {}

    static TokenReading.Damaged rawBytes() {
        return damaged(RAW_BYTES);
    }

    static TokenReading read(String text) {
        String spelled = text.strip();
        if (spelled.isEmpty()) {
            return damaged("is empty");
        }
        if (isHexadecimal(spelled)) {
            return ofDigits(spelled);
        }
        if (spelled.chars().anyMatch(c -> c < ' ' || c > '~')) {
            return damaged(RAW_BYTES);
        }
        if (PLACEHOLDERS.contains(spelled.toLowerCase(Locale.ROOT))) {
            return damaged(
                    "is a placeholder for a value that is not there: the app registered before iOS had given it a token");
        }
        if (spelled.startsWith("{")) {
            return damaged("is the description of an NSData object, which leaves out the middle");
        }
        boolean described = spelled.startsWith("<") && spelled.endsWith(">") && spelled.length() > 1;
        if (described) {
            String digits = spelled.substring(1, spelled.length() - 1).replace(" ", "");
            return isHexadecimal(digits)
                    ? ofDigits(digits)
                    : damaged("is in angle brackets but holds other things than hexadecimal digits");
        }
        Optional<PushToken> token = ofBase64(spelled);
        return token.isPresent() ? new TokenReading.Sound(token.get()) : damaged("is not hexadecimal");
    }

    private static boolean isHexadecimal(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!HexFormat.isHexDigit(text.charAt(i))) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    private static TokenReading ofDigits(String digits) {
        if (digits.length() % 2 != 0) {
            return damaged("has " + digits.length() + " hexadecimal digits, an odd number: at least one is missing");
        }
        if (digits.length() < FEWEST_DIGITS) {
            return damaged("is cut off: it has only " + digits.length() + " hexadecimal digits");
        }
        if (digits.equals("0".repeat(digits.length()))) {
            return damaged("is all zeros, which stand for a token that is not there yet");
        }
        if (digits.length() > MOST_DIGITS) {
            return damaged("has " + digits.length() + " hexadecimal digits, more than " + MOST_DIGITS);
        }
        return new TokenReading.Sound(new PushToken(digits));
    }

    private static Optional<PushToken> ofBase64(String spelled) {
        if (!BASE64.matcher(spelled).matches()) {
            return Optional.empty();
        }
        try {
            byte[] token = Base64.getDecoder().decode(spelled.replace('-', '+').replace('_', '/'));
            return token.length >= FEWEST_BYTES_IN_BASE64 && token.length <= MOST_DIGITS / 2
                    ? Optional.of(new PushToken(HexFormat.of().formatHex(token)))
                    : Optional.empty();
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }

    private static TokenReading.Damaged damaged(String what) {
        return new TokenReading.Damaged("The device token " + what
                + ". Write the bytes that iOS handed to the app as hexadecimal digits, two for each byte, such as "
                + "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0");
    }
}
