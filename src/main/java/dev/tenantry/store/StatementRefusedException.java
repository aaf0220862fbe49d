package dev.tenantry.store;

import org.jspecify.annotations.Nullable;

/** A server refused a statement, with PostgreSQL's own words; the message holds error, detail and hint in one line. */
public final class StatementRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String sqlState;
    private final String error;
    private final String detail;
    private final String hint;

    StatementRefusedException(
            String sqlState, String error, @Nullable String detail, @Nullable String hint, Throwable cause) {
        super(error + part(": ", detail, "") + part(" (", hint, ")"), cause);
        this.sqlState = sqlState;
        this.error = error;
        this.detail = detail == null ? "" : detail;
        this.hint = hint == null ? "" : hint;
    }

    /** The same refusal, of something that was done for this. */
    public StatementRefusedException of(String what, String advice) {
        return new StatementRefusedException(sqlState, what + ": " + error, detail, advice, this);
    }

    private static String part(String before, @Nullable String text, String after) {
        return text == null || text.isEmpty() ? "" : before + text + after;
    }

    /** Five characters. */
    public String sqlState() {
        return sqlState;
    }

    /** The error alone, one line. */
    public String error() {
        return error;
    }

    /** What the server says more of it; empty if nothing. */
    public String detail() {
        return detail;
    }

    /** What the server advises; empty if nothing. */
    public String hint() {
        return hint;
    }
}
