package dev.tenantry.proxy.auth;

import dev.tenantry.wire.ProtocolViolation;
import java.util.Optional;

/**
 * Why somebody is not let in, as the fields of an error message.
 *
 * @param sqlState the SQLSTATE
 * @param message the message
 * @param detail the detail, if there is one
 * @param hint the hint, if there is one
 */
public record AuthenticationFailure(String sqlState, String message, Optional<String> detail, Optional<String> hint) {

    /** {@code invalid_authorization_specification}. */
    static final String INVALID_AUTHORIZATION = "28000";

    private static final String INVALID_PASSWORD = "28P01";

    /** The answer to a wrong password, an unknown role and a role without password alike. */
    static AuthenticationFailure wrongPassword(String user) {
        return new AuthenticationFailure(
                INVALID_PASSWORD,
                "password authentication failed for user \"" + user + "\"",
                Optional.empty(),
                Optional.empty());
    }

    static AuthenticationFailure of(ProtocolViolation violation) {
        return new AuthenticationFailure(
                violation.sqlState(), violation.message(), violation.detail(), violation.hint());
    }
}
