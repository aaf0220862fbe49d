package dev.tenantry.proxy.auth;

import dev.tenantry.scram.ScramKeys;
import java.nio.charset.StandardCharsets;

/** The formulas of RFC 5802, section 3, for SHA-256. Messages are given as text with a character for each byte. */
final class ScramMath {

    private ScramMath() {}

    static byte[] hmac(byte[] key, byte[] text) {
        return ScramKeys.hmac(key, text);
    }

    static byte[] signature(byte[] key, String authMessage) {
        return hmac(key, authMessage.getBytes(StandardCharsets.ISO_8859_1));
    }

    static byte[] storedKey(byte[] clientKey) {
        return ScramKeys.hash(clientKey);
    }

    /** The client key of a clear password, prepared as PostgreSQL does it. Takes milliseconds. */
    static byte[] clientKey(String password, byte[] salt, int iterations) {
        return ScramKeys.clientKey(ScramKeys.saltedPassword(password, salt, iterations));
    }

    static byte[] xor(byte[] left, byte[] right) {
        byte[] result = new byte[left.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (byte) (left[i] ^ right[i]);
        }
        return result;
    }
}
