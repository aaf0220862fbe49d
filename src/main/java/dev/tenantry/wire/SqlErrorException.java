package dev.tenantry.wire;

import java.io.Serial;

/** Carries a {@link SqlError} up a call stack to where it is sent to the client. */
public final class SqlErrorException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient SqlError error;

    /** No stack trace: the error is for a client. */
    public SqlErrorException(SqlError error) {
        super(error.message(), null, false, false);
        this.error = error;
    }

    /** What the client is told. */
    public SqlError error() {
        return error;
    }
}
