package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.List;
import java.util.Optional;

/**
 * One column of a relation, as the catalogs have it.
 *
 * @param number its attnum
 * @param name unquoted
 * @param type with its modifier
 * @param collation where it is not the type's, with its schema
 * @param notNull that it is never null
 * @param defaultValue an expression, for a column that is not generated
 * @param generated {@code AS (...) STORED} or {@code VIRTUAL}
 * @param identity {@code ALWAYS} or {@code BY DEFAULT}
 * @param local whether the table has it by itself, and not only by inheritance
 * @param storage its mode, and whether that is the type's
 * @param compression a method that was set
 * @param statistics a statistics target that was set
 * @param options n_distinct and the like, {@code name=value}
 */
record Column(
        long number,
        String name,
        String type,
        Optional<String> collation,
        Optional<NotNull> notNull,
        Optional<String> defaultValue,
        Optional<String> generated,
        Optional<String> identity,
        boolean local,
        Storage storage,
        Optional<String> compression,
        Optional<String> statistics,
        List<String> options) {

    /** How values are stored out of line. */
    record Storage(String mode, boolean ofType) {}

    static Column of(CatalogRow row) {
        return new Column(
                row.number("number"),
                row.text("name"),
                row.text("type"),
                row.optional("collation"),
                NotNull.of(row),
                row.optional("default_value"),
                row.optional("generated"),
                row.optional("identity"),
                row.flag("local"),
                new Storage(row.text("storage"), row.flag("storage_of_type")),
                row.optional("compression"),
                row.optional("statistics"),
                row.texts("options"));
    }

    String sqlName() {
        return SqlName.quoted(name);
    }

    /** As it stands in CREATE TABLE. */
    String definition(Optional<Sequences.Identity> sequence) {
        return sqlName() + ' ' + type + collation.map(it -> " COLLATE " + it).orElse("") + properties(sequence);
    }

    /** What follows name, type and collation in CREATE TABLE. */
    String properties(Optional<Sequences.Identity> sequence) {
        StringBuilder text = new StringBuilder();
        generated.ifPresent(it -> text.append(" GENERATED ALWAYS ").append(it));
        sequence.ifPresent(it -> text.append(" GENERATED ")
                .append(identity.orElse("ALWAYS"))
                .append(" AS IDENTITY (SEQUENCE NAME ")
                .append(it.sqlName())
                .append(it.options())
                .append(')'));
        return text.append(notNull.map(NotNull::definition).orElse("")).toString();
    }

    /** The same, nullable as far as its definition says. */
    Column withoutNotNull() {
        return new Column(
                number,
                name,
                type,
                collation,
                Optional.empty(),
                defaultValue,
                generated,
                identity,
                local,
                storage,
                compression,
                statistics,
                options);
    }
}
