package dev.tenantry.control.api;

import dev.tenantry.scram.ScramVerifier;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The password that each role signed in with last, as a hash under a key that only this process has: a program that
 * asks every few seconds costs one hash and not the thousands of a verifier, and guesses of others never keep it out.
 * Remembers a bounded number of roles. Thread-safe.
 */
final class ProvenPasswords {

    private static final int ROLES_MAX = 1_000;
    private static final String ALGORITHM = "HmacSHA256";
    private static final int KEY_BYTES = 32;

    private final SecretKeySpec key;

    @SuppressWarnings("ArrayRecordComponent") // compared in constant time only
    private record Proof(ScramVerifier verifier, byte[] hash) {}

    private final Map<String, Proof> proofs = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Proof> eldest) {
            return size() > ROLES_MAX;
        }
    };

    ProvenPasswords() {
        byte[] bytes = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(bytes);
        key = new SecretKeySpec(bytes, ALGORITHM);
    }

    /** The password was checked against the verifier that the role has. */
    void proven(String role, ScramVerifier verifier, String password) {
        byte[] hash = hash(password);
        synchronized (proofs) {
            proofs.put(role, new Proof(verifier, hash));
        }
    }

    /** Whether this password was checked already, against the verifier that the role still has. */
    boolean isProven(String role, ScramVerifier verifier, String password) {
        Proof proof;
        synchronized (proofs) {
            proof = proofs.get(role);
        }
        return proof != null
                && proof.verifier().equals(verifier)
                && MessageDigest.isEqual(proof.hash(), hash(password));
    }

    private byte[] hash(String password) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(password.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
