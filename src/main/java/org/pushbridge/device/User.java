package org.pushbridge.device;

/**
 * A user who may register and call. Only hashes of the password are kept (RFC 8760): H(user:realm:password).
 *
 * @param aor the user's address; its host is the digest realm
 * @param ha1Md5 32 lower-case hexadecimal digits
 * @param ha1Sha256 64 lower-case hexadecimal digits
 */
public record User(Aor aor, String ha1Md5, String ha1Sha256) {
    /** Hides the hashes: they are as good as the password for digest. */
    @Override
    public String toString() {
        return "User[" + aor + "]";
    }
}
