package org.pushbridge.device;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The bridge's name for one installation of an app that registers for one address of record.
 *
 * <p>It is derived, so that the same device gets the same id whatever port, network or Call-ID it registers from,
 * and a process that starts anew needs no look-up to know it. It holds no secret and may be logged.
 *
 * @param value 16 hexadecimal digits
 */
public record DeviceId(String value) {
    private static final ThreadLocal<MessageDigest> HASHES = ThreadLocal.withInitial(DeviceId::newHash);

    public DeviceId {
        if (value.length() != 16 || !isHex(value)) {
            throw new IllegalArgumentException("A device id is 16 hexadecimal digits, not '" + value + "'");
        }
    }

    /**
     * @param aor the address the device registers for
     * @param identity what tells the device from the user's others: its {@code +sip.instance}, else its pn-* triplet,
     *     else its Contact address
     */
    public static DeviceId of(Aor aor, String identity) {
        return new DeviceId(HexFormat.of().formatHex(hash(aor.toString(), identity), 0, 8));
    }

    /** The id with this {@link #number}. */
    static DeviceId of(long number) {
        return new DeviceId(HexFormat.of().toHexDigits(number));
    }

    /** The digits as one number. */
    long number() {
        return HexFormat.fromHexDigitsToLong(value);
    }

    /**
     * The Proxy Unique Registration Reference (RFC 8599 section 6.2.1): given out in {@code +sip.pnspurr}, it comes back
     * as {@code pn-purr} in the Contact of the device's dialogs. Derived, so that it need not be stored. It grants
     * nothing: the bridge only compares it with the device that has the dialog anyway, and shows it to no other user.
     *
     * @return 32 hexadecimal digits
     */
    public String purr() {
        return HexFormat.of().formatHex(hash("pn-purr", value), 0, 16);
    }

    /** Whether this is the device's {@link #purr}. */
    public boolean hasPurr(String pnPurr) {
        return purr().equalsIgnoreCase(pnPurr);
    }

    private static byte[] hash(String one, String other) {
        MessageDigest sha = HASHES.get();
        sha.update(one.getBytes(StandardCharsets.UTF_8));
        sha.update((byte) 0);
        sha.update(other.getBytes(StandardCharsets.UTF_8));
        return sha.digest();
    }

    private static MessageDigest newHash() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256", e);
        }
    }

    /** Whether there is nothing in it but lower-case hexadecimal digits. */
    static boolean isHex(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return value;
    }
}
