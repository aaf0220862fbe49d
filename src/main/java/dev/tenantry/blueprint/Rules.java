package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;

/** Reads rules other than those that are views. */
final class Rules {

    private static final String QUERY = """
            SELECT r.oid::bigint AS oid, r.rulename::text AS name, c.oid::bigint AS relation,
                   pg_get_ruledef(r.oid) AS definition,
                   CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                        WHEN 'A' THEN 'ENABLE ALWAYS' END AS firing
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'v', 'm')
            JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            """;

    private Rules() {}

    static void read(Snapshot snapshot, Draft draft) {
        for (CatalogRow row : snapshot.rows(QUERY)) {
            Address address = new Address(Address.REWRITE, row.number("oid"));
            Piece relation =
                    draft.maker(Address.relation(row.number("relation"))).orElseThrow();
            String name = SqlName.quoted(row.text("name"));
            Piece piece = draft.add(PieceKind.RULE, address, relation.name() + '.' + name)
                    .with(row.text("definition"))
                    .requires(relation.key());
            draft.names(address, "RULE", name + " ON " + relation.name());
            row.optional("firing")
                    .ifPresent(firing -> piece.with("ALTER TABLE " + relation.name() + ' ' + firing + " RULE " + name));
        }
    }
}
