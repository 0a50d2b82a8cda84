package org.pushbridge.web;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.pushbridge.device.DeviceId;

/**
 * The bearer tokens (RFC 6750) of the verdict API: each is good for one call and one device.
 *
 * <p>Nothing is stored. A token is base64url (RFC 4648 section 5, without padding) of a version byte, the eight bytes
 * of the device id, and the HMAC-SHA256 of version, call id and device id under the bridge's secret. It does not expire
 * by itself; it is of no use once the bridge has forgotten the call. Safe for any thread.
 */
public final class VerdictTokens {
    static final int SECRET_BYTES = 32;

    private static final byte VERSION = 1;
    private static final int DEVICE_BYTES = 8;
    private static final int HMAC_BYTES = 32;
    private static final int TOKEN_CHARS = ((1 + DEVICE_BYTES + HMAC_BYTES) * 8 + 5) / 6;
    private static final String HMAC = "HmacSHA256";

    private final SecretKeySpec secret;

    /**
     * @param secret 32 random bytes; the same in each server that one device may ask
     * @throws IllegalArgumentException if it has another length
     */
    public VerdictTokens(byte[] secret) {
        if (secret.length != SECRET_BYTES) {
            throw new IllegalArgumentException(
                    "The secret of the verdict tokens has " + secret.length + " bytes instead of " + SECRET_BYTES);
        }
        this.secret = new SecretKeySpec(secret, HMAC);
    }

    /** Makes up a secret. */
    public static byte[] freshSecret() {
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        return secret;
    }

    /** The token of this device for this call; always the same one. */
    public String issue(UUID call, DeviceId device) {
        byte[] id = HexFormat.of().parseHex(device.value());
        byte[] signed = ByteBuffer.allocate(1 + 16 + DEVICE_BYTES)
                .put(VERSION)
                .putLong(call.getMostSignificantBits())
                .putLong(call.getLeastSignificantBits())
                .put(id)
                .array();
        byte[] token = ByteBuffer.allocate(1 + DEVICE_BYTES + HMAC_BYTES)
                .put(VERSION)
                .put(id)
                .put(hmac(signed))
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
    }

    /** Whose token this is, if it is genuine and for this call; empty for every other text. */
    public Optional<DeviceId> verify(String token, UUID call) {
        if (token.length() != TOKEN_CHARS) {
            return Optional.empty();
        }
        byte[] decoded;
        try {
            decoded = Base64.getUrlDecoder().decode(token);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (decoded[0] != VERSION) {
            return Optional.empty();
        }
        DeviceId device = new DeviceId(HexFormat.of().formatHex(decoded, 1, 1 + DEVICE_BYTES));
        // The texts are compared, not the bytes: the last character has bits to spare that decoding ignores.
        boolean genuine = MessageDigest.isEqual(
                issue(call, device).getBytes(StandardCharsets.ISO_8859_1), token.getBytes(StandardCharsets.ISO_8859_1));
        return genuine ? Optional.of(device) : Optional.empty();
    }

    private byte[] hmac(byte[] signed) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(secret);
            return mac.doFinal(signed);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java runtime has " + HMAC, e);
        }
    }

    /** Hides the secret. */
    @Override
    public String toString() {
        return "VerdictTokens[***]";
    }
}
