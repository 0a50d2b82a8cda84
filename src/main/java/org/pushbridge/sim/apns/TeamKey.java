package org.pushbridge.sim.apns;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;

/**
 * An APNs authentication key as Apple's developer site hands it out: the client gets the .p8 file, the server keeps
 * the public half.
 *
 * @param teamId who it belongs to; ten characters at Apple
 * @param keyId its name within the team; ten characters at Apple
 * @param publicKey checks what the private key signs (P-256)
 * @param p8 the private key as the .p8 file holds it: PKCS #8 in PEM
 * @param environments where it may be used; Apple hands out keys for one environment or both
 */
public record TeamKey(String teamId, String keyId, ECPublicKey publicKey, String p8, Set<Environment> environments) {
    public TeamKey {
        environments = Set.copyOf(environments);
    }

    /** Makes a new key that is good for both environments. */
    public static TeamKey generate(String teamId, String keyId) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            String body = Base64.getMimeEncoder(64, new byte[] {'\n'})
                    .encodeToString(pair.getPrivate().getEncoded());
            String p8 = "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n";
            return new TeamKey(teamId, keyId, (ECPublicKey) pair.getPublic(), p8, EnumSet.allOf(Environment.class));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JVM cannot make a P-256 key pair, which every JDK can", e);
        }
    }

    /** The same key, good for one environment only. */
    public TeamKey onlyFor(Environment environment) {
        return new TeamKey(teamId, keyId, publicKey, p8, Set.of(environment));
    }

    @Override
    public String toString() {
        return "TeamKey[" + teamId + " " + keyId + "]";
    }
}
