package dev.tenantry.wire;

import java.util.Optional;

/**
 * What a peer sent cannot be read, or asks for what the protocol does not have. Ends that connection alone; the texts
 * and SQLSTATEs are those a PostgreSQL server uses for the same fault, so that clients see what they know.
 */
public final class ProtocolViolation extends RuntimeException {

    /** {@code protocol_violation}. */
    public static final String PROTOCOL_VIOLATION = "08P01";

    private static final long serialVersionUID = 1L;

    private final String sqlState;
    private final String detail;
    private final String hint;

    private ProtocolViolation(String sqlState, String message, String detail, String hint) {
        super(message, null, false, false);
        this.sqlState = sqlState;
        this.detail = detail;
        this.hint = hint;
    }

    /** A violation with SQLSTATE 08P01. */
    public static ProtocolViolation of(String message) {
        return new ProtocolViolation(PROTOCOL_VIOLATION, message, "", "");
    }

    /** A violation with a SQLSTATE of its own. */
    public static ProtocolViolation of(String sqlState, String message) {
        return new ProtocolViolation(sqlState, message, "", "");
    }

    /** The same with the error field "detail". */
    public ProtocolViolation withDetail(String text) {
        return new ProtocolViolation(sqlState, message(), text, hint);
    }

    /** The same with the error field "hint". */
    public ProtocolViolation withHint(String text) {
        return new ProtocolViolation(sqlState, message(), detail, text);
    }

    /** The SQLSTATE to tell the peer. */
    public String sqlState() {
        return sqlState;
    }

    /** The message to tell the peer; never null, unlike what {@link #getMessage()} promises. */
    public String message() {
        return String.valueOf(getMessage());
    }

    /** The error field "detail", if there is one. */
    public Optional<String> detail() {
        return detail.isEmpty() ? Optional.empty() : Optional.of(detail);
    }

    /** The error field "hint", if there is one. */
    public Optional<String> hint() {
        return hint.isEmpty() ? Optional.empty() : Optional.of(hint);
    }
}
