package org.pushbridge.sip.registrar;

import org.pushbridge.device.Aor;
import org.pushbridge.device.User;

/** Makes what the bridge keeps instead of a password: H(user:realm:password), the realm being the user's domain. */
public final class Ha1 {
    private Ha1() {}

    /**
     * The user with this password.
     *
     * @param password any characters (hashed as UTF-8); stays the caller's to wipe
     */
    public static User of(Aor aor, char[] password) {
        String secret = aor.user() + ":" + aor.host() + ":" + new String(password);
        return new User(aor, DigestAlgorithm.MD5.hash(secret), DigestAlgorithm.SHA_256.hash(secret));
    }
}
