package dev.tenantry.scram;

import com.ongres.saslprep.SaslPrep;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The formulas of RFC 5802, section 3, for SHA-256. */
public final class ScramKeys {

    private static final byte[] FIRST_BLOCK = {0, 0, 0, 1};

    private ScramKeys() {}

    /** HMAC(key, text). */
    public static byte[] hmac(byte[] key, byte[] text) {
        return mac(key).doFinal(text);
    }

    /** H(text). */
    public static byte[] hash(byte[] text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Hi(Normalize(password), salt, iterations), normalized as PostgreSQL does it; takes milliseconds. */
    public static byte[] saltedPassword(String password, byte[] salt, int iterations) {
        if (password.isEmpty() || salt.length == 0 || iterations < 1) {
            throw new IllegalArgumentException("password and salt must not be empty, iterations must be positive");
        }
        Mac mac = mac(prepared(password).getBytes(StandardCharsets.UTF_8));
        mac.update(salt);
        byte[] block = mac.doFinal(FIRST_BLOCK);
        byte[] result = block.clone();
        for (int round = 1; round < iterations; round++) {
            block = mac.doFinal(block);
            for (int i = 0; i < result.length; i++) {
                result[i] ^= block[i];
            }
        }
        return result;
    }

    /** ClientKey of a salted password. */
    public static byte[] clientKey(byte[] saltedPassword) {
        return hmac(saltedPassword, "Client Key".getBytes(StandardCharsets.US_ASCII));
    }

    /** ServerKey of a salted password. */
    public static byte[] serverKey(byte[] saltedPassword) {
        return hmac(saltedPassword, "Server Key".getBytes(StandardCharsets.US_ASCII));
    }

    /** SASLprep, or the password as it is where SASLprep refuses it or leaves nothing, like PostgreSQL's callers. */
    private static String prepared(String password) {
        try {
            String prepared = SaslPrep.saslPrep(password, true);
            return prepared.isEmpty() ? password : prepared;
        } catch (IllegalArgumentException prohibited) {
            return password;
        }
    }

    private static Mac mac(byte[] key) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
