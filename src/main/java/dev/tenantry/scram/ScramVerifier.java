package dev.tenantry.scram;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code pg_authid.rolpassword} keeps of a password: enough to check a SCRAM-SHA-256 exchange, not enough to sign
 * in with. Immutable; arrays are copied in and out. The text form is that of the PostgreSQL manual, "pg_authid".
 */
public final class ScramVerifier {

    /** The bytes of a SHA-256 key. */
    public static final int KEY_BYTES = 32;

    private static final Pattern TEXT_FORM = Pattern.compile(
            "SCRAM-SHA-256\\$([1-9][0-9]{0,9}):([A-Za-z0-9+/=]+)\\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)");

    private final int iterations;
    private final byte[] salt;
    private final byte[] storedKey;
    private final byte[] serverKey;

    private ScramVerifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {
        this.iterations = iterations;
        this.salt = salt;
        this.storedKey = storedKey;
        this.serverKey = serverKey;
    }

    /** Reads the text form; empty for anything else, such as an MD5 hash. */
    public static Optional<ScramVerifier> parse(String text) {
        Matcher matcher = TEXT_FORM.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long iterations = Long.parseLong(matcher.group(1));
        if (iterations > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        try {
            Base64.Decoder decoder = Base64.getDecoder();
            byte[] salt = decoder.decode(matcher.group(2));
            byte[] storedKey = decoder.decode(matcher.group(3));
            byte[] serverKey = decoder.decode(matcher.group(4));
            if (salt.length == 0 || storedKey.length != KEY_BYTES || serverKey.length != KEY_BYTES) {
                return Optional.empty();
            }
            return Optional.of(new ScramVerifier((int) iterations, salt, storedKey, serverKey));
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }

    /**
     * The verifier of a clear password, prepared as PostgreSQL does it: by SASLprep, or taken as it is where SASLprep
     * refuses it.
     *
     * @throws IllegalArgumentException if the password or the salt is empty or the iterations are not positive
     */
    public static ScramVerifier of(String password, int iterations, byte[] salt) {
        byte[] salted = ScramKeys.saltedPassword(password, salt, iterations);
        byte[] storedKey = ScramKeys.hash(ScramKeys.clientKey(salted));
        return new ScramVerifier(iterations, salt.clone(), storedKey, ScramKeys.serverKey(salted));
    }

    /** Whether this is the verifier of that clear password; the keys are compared in constant time. */
    public boolean matches(String password) {
        if (password.isEmpty()) {
            return false;
        }
        return equals(of(password, iterations, salt));
    }

    /** How often the password was hashed. */
    public int iterations() {
        return iterations;
    }

    /** The salt. */
    public byte[] salt() {
        return salt.clone();
    }

    /** H(ClientKey), in the words of RFC 5802. */
    public byte[] storedKey() {
        return storedKey.clone();
    }

    /** HMAC(SaltedPassword, "Server Key"), in the words of RFC 5802. */
    public byte[] serverKey() {
        return serverKey.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScramVerifier that
                && iterations == that.iterations
                && Arrays.equals(salt, that.salt)
                && MessageDigest.isEqual(storedKey, that.storedKey)
                && MessageDigest.isEqual(serverKey, that.serverKey);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(storedKey);
    }

    /** The text form, as {@code pg_authid} keeps it. */
    @Override
    public String toString() {
        Base64.Encoder encoder = Base64.getEncoder();
        return "SCRAM-SHA-256$" + iterations + ":" + encoder.encodeToString(salt) + "$"
                + encoder.encodeToString(storedKey) + ":" + encoder.encodeToString(serverKey);
    }
}
