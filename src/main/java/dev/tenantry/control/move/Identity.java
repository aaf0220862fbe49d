package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.Source.TableIdentity;

/**
 * The replica identity that a table had before a move changed it.
 *
 * @param oid of the table, whatever it is called later
 * @param table what it is called now, without its schema
 * @param before DEFAULT or NOTHING
 */
record Identity(long oid, String table, String before) {

    Identity(String table, TableIdentity found) {
        this(found.tableOid(), table, found.word());
    }

    /** How the catalog keeps it. */
    String text() {
        return before + " " + oid + " " + table;
    }

    /** Reads what {@link #text} wrote. */
    static Identity parse(String text) {
        String[] parts = text.split(" ", 3);
        return new Identity(Long.parseLong(parts[1]), parts[2], parts[0]);
    }
}
