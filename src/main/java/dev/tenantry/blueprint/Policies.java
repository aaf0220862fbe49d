package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.List;

/** Reads the policies of row-level security. */
final class Policies {

    private static final String QUERY = """
            SELECT p.oid::bigint AS oid, p.polname::text AS name, c.oid::bigint AS relation,
                   p.polpermissive AS permissive,
                   CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                        WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
                   ARRAY(SELECT CASE WHEN r = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END
                         FROM unnest(p.polroles) r ORDER BY 1) AS roles,
                   pg_get_expr(p.polqual, p.polrelid) AS visible, pg_get_expr(p.polwithcheck, p.polrelid) AS writable
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            JOIN pg_policy p ON p.polrelid = c.oid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            """;

    private Policies() {}

    static void read(Snapshot snapshot, Draft draft) {
        for (CatalogRow row : snapshot.rows(QUERY)) {
            Address address = new Address(Address.POLICY, row.number("oid"));
            Piece relation =
                    draft.maker(Address.relation(row.number("relation"))).orElseThrow();
            String name = SqlName.quoted(row.text("name"));
            List<String> roles = row.texts("roles");
            draft.add(PieceKind.POLICY, address, relation.name() + '.' + name)
                    .with("CREATE POLICY " + name + " ON " + relation.name()
                            + (row.flag("permissive") ? "" : " AS RESTRICTIVE") + " FOR " + row.text("command") + " TO "
                            + String.join(", ", roles)
                            + row.optional("visible")
                                    .map(it -> " USING (" + it + ")")
                                    .orElse("")
                            + row.optional("writable")
                                    .map(it -> " WITH CHECK (" + it + ")")
                                    .orElse(""))
                    .requires(relation.key());
            draft.names(address, "POLICY", name + " ON " + relation.name());
        }
    }
}
