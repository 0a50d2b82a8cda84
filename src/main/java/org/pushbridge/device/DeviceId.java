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
    public DeviceId {
        if (!value.matches("[0-9a-f]{16}")) {
            throw new IllegalArgumentException("A device id is 16 hexadecimal digits, not '" + value + "'");
        }
    }

    /**
     * @param aor the address the device registers for
     * @param identity what tells the device from the user's others: its {@code +sip.instance}, else its pn-* triplet,
     *     else its Contact address
     */
    public static DeviceId of(Aor aor, String identity) {
        return new DeviceId(HexFormat.of().formatHex(sha256(aor.toString(), identity), 0, 8));
    }

    /**
     * What the device is known by in a dialog that it may be woken for (RFC 8599 section 6.1.1, {@code pn-purr}): it
     * tells others nothing about the device, and does not change.
     */
    public String purr() {
        return HexFormat.of().formatHex(sha256("purr", value), 0, 16);
    }

    private static byte[] sha256(String one, String other) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(one.getBytes(StandardCharsets.UTF_8));
            sha.update((byte) 0);
            return sha.digest(other.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256", e);
        }
    }
}
