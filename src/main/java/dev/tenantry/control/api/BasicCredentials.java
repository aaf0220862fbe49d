package dev.tenantry.control.api;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A role and its password, as an {@code Authorization} header of HTTP Basic has them (RFC 7617, in UTF-8).
 *
 * @param role the name before the first colon
 * @param password what comes after it
 */
record BasicCredentials(String role, String password) {

    private static final String SCHEME = "basic ";

    /** Reads the header; empty if there is none, or another one. */
    static Optional<BasicCredentials> parse(@Nullable String header) {
        if (header == null || !header.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
            return Optional.empty();
        }
        String pair;
        try {
            byte[] decoded =
                    Base64.getDecoder().decode(header.substring(SCHEME.length()).trim());
            pair = new String(decoded, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
        int colon = pair.indexOf(':');
        return colon < 0 || pair.indexOf(0) >= 0
                ? Optional.empty()
                : Optional.of(new BasicCredentials(pair.substring(0, colon), pair.substring(colon + 1)));
    }

    @Override
    public String toString() {
        return role;
    }
}
