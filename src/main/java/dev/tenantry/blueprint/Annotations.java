package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.Comparator;
import java.util.Optional;

/** Reads comments and security labels, of columns too. */
final class Annotations {

    private static final String COMMENTS = """
            SELECT o.catalog::bigint AS catalog, o.oid::bigint AS oid, a.attname::text AS column_name,
                   d.description AS text, NULL::text AS provider
            FROM :objects
            JOIN pg_description d ON d.objoid = o.oid AND d.classoid = o.catalog
            LEFT JOIN pg_attribute a ON o.catalog = 'pg_class'::regclass AND a.attrelid = o.oid
                AND d.objsubid > 0 AND a.attnum = d.objsubid
            """;

    private static final String LABELS = """
            SELECT o.catalog::bigint AS catalog, o.oid::bigint AS oid, a.attname::text AS column_name,
                   d.label AS text, d.provider
            FROM :objects
            JOIN pg_seclabel d ON d.objoid = o.oid AND d.classoid = o.catalog
            LEFT JOIN pg_attribute a ON o.catalog = 'pg_class'::regclass AND a.attrelid = o.oid
                AND d.objsubid > 0 AND a.attnum = d.objsubid
            """;

    private Annotations() {}

    /** Reads them after all that can have any. */
    static void read(Snapshot snapshot, Draft draft) {
        String objects = Dependencies.objects(draft.addresses());
        snapshot.rows(COMMENTS.replace(":objects", objects)).stream()
                .sorted(Comparator.comparing(row -> row.optional("column_name").orElse("")))
                .forEach(row -> add(row, "COMMENT", draft));
        snapshot.rows(LABELS.replace(":objects", objects))
                .forEach(row -> add(row, "SECURITY LABEL FOR " + SqlName.quoted(row.text("provider")), draft));
    }

    private static void add(CatalogRow row, String command, Draft draft) {
        Address address = new Address(row.number("catalog"), row.number("oid"));
        Optional<ObjectName> name = draft.name(address);
        if (name.isEmpty()) {
            // A row that is part of something else, like the rule that makes a view one.
            draft.refuse("comment " + SqlName.literal(row.text("text")).strip(), "it is on something without a name");
            return;
        }
        String target = row.optional("column_name")
                .map(column -> "COLUMN " + name.get().name() + '.' + SqlName.quoted(column))
                .orElse(name.get().toString());
        draft.maker(address)
                .orElseThrow()
                .with(command + " ON " + target + " IS "
                        + SqlName.literal(row.text("text")).strip());
    }
}
