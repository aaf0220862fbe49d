package dev.tenantry.control.move;

/**
 * The replica identity that a table had before a move changed it.
 *
 * @param table without its schema
 * @param before DEFAULT or NOTHING
 */
record Identity(String table, String before) {

    /** How the catalog keeps it. */
    String text() {
        return before + " " + table;
    }

    /** Reads what {@link #text} wrote. */
    static Identity parse(String text) {
        int blank = text.indexOf(' ');
        return new Identity(text.substring(blank + 1), text.substring(0, blank));
    }
}
