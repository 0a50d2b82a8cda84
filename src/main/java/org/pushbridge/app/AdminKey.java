package org.pushbridge.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;

/** The key of the admin HTTP server: in a file that only the server's own account can read, made when first needed. */
final class AdminKey {
    private static final int FRESH_BYTES = 32;
    private static final int SHORTEST = 16;

    private AdminKey() {}

    /** @throws CannotStart if the file can be neither read nor made, or holds too little */
    static String in(Path file) {
        Path place = file.toAbsolutePath().normalize();
        try {
            makeIfMissing(place);
            String key = Files.readString(place).strip();
            if (key.length() < SHORTEST) {
                throw new CannotStart("The key in " + place + " (admin.http.key-file) has fewer than " + SHORTEST
                        + " characters; put a longer one there, or remove the file, and one will be made");
            }
            return key;
        } catch (IOException e) {
            throw new CannotStart(
                    "The key file " + place + " (admin.http.key-file) can be neither read nor made (" + e
                            + "); give it another path",
                    e);
        }
    }

    private static void makeIfMissing(Path place) throws IOException {
        if (Files.exists(place)) {
            return;
        }
        byte[] fresh = new byte[FRESH_BYTES];
        new SecureRandom().nextBytes(fresh);
        String key = Base64.getUrlEncoder().withoutPadding().encodeToString(fresh);
        Path folder = place.getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        // Never readable for others, not even for a moment.
        Files.createFile(place, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(place, key + "\n", StandardOpenOption.WRITE);
    }
}
