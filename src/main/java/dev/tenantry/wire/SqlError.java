package dev.tenantry.wire;

import org.jspecify.annotations.Nullable;

/**
 * What a server says when it cannot do something; the only way to tell a client no ("Error and Notice Message Fields"
 * of the PostgreSQL manual).
 *
 * @param severity ERROR, FATAL, WARNING or NOTICE
 * @param sqlState five characters
 * @param message one sentence in PostgreSQL's style: lower case, no full stop
 * @param detail full sentences, or null
 * @param hint full sentences, or null
 * @param routine the function of PostgreSQL that says so, where clients look at it, or null
 */
public record SqlError(
        Severity severity,
        String sqlState,
        String message,
        @Nullable String detail,
        @Nullable String hint,
        @Nullable String routine) {

    /** The same without a function of PostgreSQL's. */
    public SqlError(
            Severity severity, String sqlState, String message, @Nullable String detail, @Nullable String hint) {
        this(severity, sqlState, message, detail, hint, null);
    }

    /** How bad it is. */
    public enum Severity {
        ERROR,
        FATAL,
        WARNING,
        NOTICE
    }

    /** An error that ends the statement. */
    public static SqlError error(String sqlState, String message) {
        return new SqlError(Severity.ERROR, sqlState, message, null, null);
    }

    /** An error that ends the connection. */
    public static SqlError fatal(String sqlState, String message) {
        return new SqlError(Severity.FATAL, sqlState, message, null, null);
    }

    /** A warning beside a statement that goes on. */
    public static SqlError warning(String sqlState, String message) {
        return new SqlError(Severity.WARNING, sqlState, message, null, null);
    }

    /** The same with a detail. */
    public SqlError withDetail(String text) {
        return new SqlError(severity, sqlState, message, text, hint, routine);
    }

    /** The same with a hint. */
    public SqlError withHint(String text) {
        return new SqlError(severity, sqlState, message, detail, text, routine);
    }

    /** The same, said by this function of PostgreSQL's. */
    public SqlError withRoutine(String name) {
        return new SqlError(severity, sqlState, message, detail, hint, name);
    }

    /** The same, ending the connection. */
    public SqlError asFatal() {
        return new SqlError(Severity.FATAL, sqlState, message, detail, hint, routine);
    }
}
