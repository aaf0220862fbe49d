package dev.tenantry.proxy.auth;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.function.Supplier;

/**
 * The randomness of SCRAM exchanges: nonces, and the salts made up for roles that can't sign in by password, which
 * must not change between attempts or they would tell that the role is unknown. Safe for use by several threads.
 */
public final class ScramSecrets {

    /** How often PostgreSQL hashes a password unless told otherwise; shown for roles that are unknown. */
    static final int MOCK_ITERATIONS = 4096;

    private static final int NONCE_BYTES = 18;
    private static final int MOCK_SALT_BYTES = 16;
    private static final int MOCK_KEY_BYTES = 32;

    private final Supplier<String> nonces;
    private final byte[] mockKey;

    /**
     * Secrets with a given key for made-up salts; proxies that share it show the same salts.
     *
     * @param mockKey at least one byte that no client knows
     */
    public ScramSecrets(SecureRandom random, byte[] mockKey) {
        this(() -> newNonce(random), mockKey);
    }

    ScramSecrets(Supplier<String> nonces, byte[] mockKey) {
        if (mockKey.length == 0) {
            throw new IllegalArgumentException("The key for made-up salts is empty.");
        }
        this.nonces = nonces;
        this.mockKey = mockKey.clone();
    }

    /** Secrets with a random key for made-up salts. */
    public static ScramSecrets random() {
        SecureRandom random = new SecureRandom();
        byte[] mockKey = new byte[MOCK_KEY_BYTES];
        random.nextBytes(mockKey);
        return new ScramSecrets(random, mockKey);
    }

    /** A new nonce, printable. */
    String nonce() {
        return nonces.get();
    }

    private static String newNonce(SecureRandom random) {
        byte[] bytes = new byte[NONCE_BYTES];
        random.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** The salt that an unknown role seems to have, always the same for one name. */
    byte[] mockSalt(String user) {
        byte[] mac = ScramMath.hmac(mockKey, user.getBytes(StandardCharsets.UTF_8));
        return Arrays.copyOf(mac, MOCK_SALT_BYTES);
    }
}
