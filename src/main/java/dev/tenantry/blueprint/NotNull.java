package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.Optional;

/**
 * That a column is never null.
 *
 * @param name of the constraint; servers before 18 have none
 * @param handedDown whether children get it
 * @param local whether the table has it by itself, and not only by inheritance
 */
record NotNull(Optional<String> name, boolean handedDown, boolean local) {

    static Optional<NotNull> of(CatalogRow row) {
        return row.flag("not_null")
                ? Optional.of(new NotNull(
                        row.optional("not_null_name"), row.flag("not_null_inherits"), row.flag("not_null_local")))
                : Optional.empty();
    }

    /** In the definition of a column. */
    String definition() {
        return name.map(it -> " CONSTRAINT " + SqlName.quoted(it)).orElse("") + " NOT NULL"
                + (handedDown ? "" : " NO INHERIT");
    }

    /** What makes a column like that later, behind ALTER TABLE and the table's name. */
    String addition(String column) {
        return name.map(it -> "ADD CONSTRAINT " + SqlName.quoted(it) + " NOT NULL " + column
                        + (handedDown ? "" : " NO INHERIT"))
                .orElse("ALTER COLUMN " + column + " SET NOT NULL");
    }
}
