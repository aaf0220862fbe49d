package dev.tenantry.embedded;

import dev.tenantry.scram.ScramVerifier;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The superuser by which the control plane signs in at embedded servers: a role of its own, so that people may change
 * the password of theirs.
 *
 * @param password in clear, random
 * @param verifier the password as {@code pg_authid} keeps it, the same text on every server of a cluster
 */
record ControlRole(String password, String verifier) {

    /** The role's name. */
    static final String NAME = "tenantry_control";

    private static final int RANDOM_BYTES = 24;
    private static final int SALT_BYTES = 16;

    /** Another password. */
    static ControlRole random() {
        SecureRandom random = new SecureRandom();
        byte[] secret = new byte[RANDOM_BYTES];
        byte[] salt = new byte[SALT_BYTES];
        random.nextBytes(secret);
        random.nextBytes(salt);
        String password = HexFormat.of().formatHex(secret);
        return new ControlRole(
                password,
                ScramVerifier.of(password, EmbeddedCluster.SCRAM_ITERATIONS, salt)
                        .toString());
    }

    @Override
    public String toString() {
        return NAME;
    }
}
