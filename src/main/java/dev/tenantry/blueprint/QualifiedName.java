package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;

/** Names as they stand in the statements of a blueprint. */
final class QualifiedName {

    private QualifiedName() {}

    /** Both parts in quotes. */
    static String of(String schema, String name) {
        return SqlName.quoted(schema) + '.' + SqlName.quoted(name);
    }
}
