package org.pushbridge.push;

import java.nio.file.Path;

/** What the bridge shows to APNs. Apps with equal credentials share connections. */
public sealed interface ApnsCredential {
    /** Names it in logs and errors, without a secret. */
    String label();

    /**
     * Token authentication.
     *
     * @param keyFile the .p8 file from developer.apple.com
     * @param keyId ten characters, as in the file's original name {@code AuthKey_<key id>.p8}
     * @param teamId ten characters
     */
    record SigningKey(Path keyFile, String keyId, String teamId) implements ApnsCredential {
        public SigningKey {
            check("key id", keyId);
            check("team id", teamId);
        }

        private static void check(String what, String id) {
            if (!id.matches("[A-Z0-9]{10}")) {
                throw new PushSettingsException("'" + id + "' is not a " + what
                        + ": Apple's are ten capital letters and digits, shown at developer.apple.com");
            }
        }

        @Override
        public String label() {
            return "team " + teamId + " key " + keyId;
        }
    }

    /**
     * Certificate authentication.
     *
     * @param p12File certificate and private key, as exported from Keychain Access
     * @param password of that file
     */
    record Certificate(Path p12File, String password) implements ApnsCredential {
        @Override
        public String label() {
            return "certificate " + p12File.getFileName();
        }

        @Override
        public String toString() {
            return "Certificate[" + p12File + "]";
        }
    }
}
