package dev.tenantry.control.node.copy;

/**
 * Keeps a session from reading views and foreign tables of anybody but the server, so that a table or sequence which it
 * asks for by name is one: functions of a view that has taken its place would be called with the rights of the session.
 * Servers that do not know that (before 15.8 and 16.4) are left as they are.
 */
final class TablesOnly {

    /** Begins it, for the session. */
    static final String SESSION = set("view, foreign-table", false);

    /** Begins it, until the transaction ends. */
    static final String LOCAL = set("view, foreign-table", true);

    /** Ends it in a transaction. */
    static final String LOCAL_END = set("", true);

    private TablesOnly() {}

    private static String set(String kinds, boolean local) {
        return "SELECT pg_catalog.set_config('restrict_nonsystem_relation_kind', '" + kinds + "', " + local
                + ") WHERE pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL";
    }
}
