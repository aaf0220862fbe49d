package dev.tenantry.proxy.auth;

import com.ongres.scram.common.ScramFunctions;
import com.ongres.scram.common.ScramMechanism;
import com.ongres.scram.common.StringPreparation;
import java.nio.charset.StandardCharsets;

/** The formulas of RFC 5802, section 3, for SHA-256. Messages are given as text with a character for each byte. */
final class ScramMath {

    private static final ScramMechanism MECHANISM = ScramMechanism.SCRAM_SHA_256;

    private ScramMath() {}

    static byte[] hmac(byte[] key, byte[] text) {
        return ScramFunctions.hmac(MECHANISM, key, text);
    }

    static byte[] signature(byte[] key, String authMessage) {
        return hmac(key, authMessage.getBytes(StandardCharsets.ISO_8859_1));
    }

    static byte[] storedKey(byte[] clientKey) {
        return ScramFunctions.storedKey(MECHANISM, clientKey);
    }

    /** The client key of a clear password, prepared as PostgreSQL does it. Takes milliseconds. */
    static byte[] clientKey(String password, byte[] salt, int iterations) {
        byte[] salted = ScramFunctions.saltedPassword(
                MECHANISM, StringPreparation.POSTGRESQL_PREPARATION, password.toCharArray(), salt, iterations);
        return ScramFunctions.clientKey(MECHANISM, salted);
    }

    static byte[] xor(byte[] left, byte[] right) {
        byte[] result = new byte[left.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (byte) (left[i] ^ right[i]);
        }
        return result;
    }
}
