package org.pushbridge.app;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;

/** The wiring: makes the parts of a configuration's values and connects them. */
final class Server {
    private Server() {}

    /**
     * Starts the server.
     *
     * @return stops it when closed
     * @throws CannotStart if it cannot start as configured
     */
    @SuppressWarnings("DoNotCallSuggester")
    static AutoCloseable start(Config config) {
        throw new CannotStart("This version cannot serve " + config.domains().get(0) + " yet");
    }

    /**
     * Opens the users, in the running server if there is one.
     *
     * @throws CommandFailed if that is not possible
     */
    static Users users(Config config) {
        Optional<AdminClient> server = AdminClient.find(config.admin().socket());
        return server.orElseThrow(() -> new CommandFailed("No server answers on the admin socket "
                + config.admin().socket() + "; start one with 'pushbridge serve'"));
    }

    /** The user with that password, of which only the digest's hashes are kept (RFC 7616 section 3.4.2). */
    static User withPassword(Aor aor, char[] password) {
        return new User(aor, hash("MD5", aor, password), hash("SHA-256", aor, password));
    }

    private static String hash(String algorithm, Aor aor, char[] password) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update((aor.user() + ":" + aor.host() + ":").getBytes(StandardCharsets.UTF_8));
            digest.update(StandardCharsets.UTF_8.encode(CharBuffer.wrap(password)));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has " + algorithm, e);
        }
    }
}
