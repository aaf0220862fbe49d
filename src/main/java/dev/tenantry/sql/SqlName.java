package dev.tenantry.sql;

/** Names and literals as PostgreSQL writes them; the only place where a name is pasted into SQL. */
public final class SqlName {

    private SqlName() {}

    /** The identifier in double quotes, embedded quotes doubled; always safe, never folded. */
    public static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    /** A string literal that means the same with any {@code standard_conforming_strings}. */
    public static String literal(String text) {
        String doubled = text.replace("'", "''");
        return text.indexOf('\\') < 0 ? "'" + doubled + "'" : " E'" + doubled.replace("\\", "\\\\") + "'";
    }
}
