package org.pushbridge.sip;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;
import org.pushbridge.call.CallId;

/**
 * The UUID an app reports to CallKit: version 5 (RFC 9562 section 5.5) of the bridge's call id, the same in every push
 * of a call and in its INVITE, so that doubled and reordered pushes are harmless.
 */
public final class CallKitUuid {
    /** The namespace for names that are URLs, of RFC 9562 appendix A. */
    private static final UUID NAMESPACE_URL = UUID.fromString("6ba7b811-9dad-11d1-80b4-00c04fd430c8");

    private CallKitUuid() {}

    public static UUID of(CallId call) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-1");
            sha.update(ByteBuffer.allocate(16)
                    .putLong(NAMESPACE_URL.getMostSignificantBits())
                    .putLong(NAMESPACE_URL.getLeastSignificantBits())
                    .array());
            ByteBuffer hash =
                    ByteBuffer.wrap(sha.digest(("urn:uuid:" + call.value()).getBytes(StandardCharsets.US_ASCII)));
            long high = (hash.getLong() & ~0xf000L) | 0x5000L;
            long low = (hash.getLong() & 0x3fffffffffffffffL) | 0x8000000000000000L;
            return new UUID(high, low);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-1", e);
        }
    }
}
