package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads who was granted what by whom, where it is not what an object's owner and PUBLIC have anyway. */
final class Privileges {

    /** In the order of the lists, in which a grant comes behind the one that its grantor has his right by. */
    private static final String QUERY = """
            WITH lists AS (
                SELECT 'pg_class'::regclass AS catalog, c.oid, NULL::text AS column_name, c.relacl AS list,
                       acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS usual,
                       c.relowner AS owner
                FROM :objects JOIN pg_class c ON o.catalog = 'pg_class'::regclass AND c.oid = o.oid
                UNION ALL
                SELECT 'pg_class'::regclass, c.oid, a.attname, a.attacl, '{}', c.relowner
                FROM :objects JOIN pg_class c ON o.catalog = 'pg_class'::regclass AND c.oid = o.oid
                JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
                UNION ALL
                SELECT 'pg_proc'::regclass, p.oid, NULL, p.proacl, acldefault('f', p.proowner), p.proowner
                FROM :objects JOIN pg_proc p ON o.catalog = 'pg_proc'::regclass AND p.oid = o.oid
                UNION ALL
                SELECT 'pg_type'::regclass, t.oid, NULL, t.typacl, acldefault('T', t.typowner), t.typowner
                FROM :objects JOIN pg_type t ON o.catalog = 'pg_type'::regclass AND t.oid = o.oid
                UNION ALL
                SELECT 'pg_namespace'::regclass, n.oid, NULL, n.nspacl, acldefault('n', n.nspowner), n.nspowner
                FROM :objects JOIN pg_namespace n ON o.catalog = 'pg_namespace'::regclass AND n.oid = o.oid
            )
            SELECT l.catalog::oid::bigint AS catalog, l.oid::bigint AS oid, l.column_name,
                   pg_get_userbyid(l.owner)::text AS owner, x.privilege_type AS privilege,
                   coalesce(x.is_grantable, false) AS grantable, pg_get_userbyid(x.grantor)::text AS grantor,
                   CASE x.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(x.grantee)::text END AS grantee
            FROM lists l LEFT JOIN LATERAL aclexplode(l.list) WITH ORDINALITY
                x (grantor, grantee, privilege_type, is_grantable, place) ON true
            WHERE l.list IS NOT NULL AND l.list <> l.usual
            ORDER BY l.catalog, l.oid, l.column_name NULLS FIRST, x.place
            """;

    private final Draft draft;
    private final Map<Address, Boolean> revoked = new LinkedHashMap<>();

    private Privileges(Draft draft) {
        this.draft = draft;
    }

    /** What is granted in one go. */
    private record Grant(
            Address address,
            Optional<String> column,
            String owner,
            String grantor,
            Optional<String> grantee,
            boolean option) {}

    /** Reads them after all that can be granted; the privileges of columns behind those of their relation. */
    static void read(Snapshot snapshot, Draft draft) {
        Privileges privileges = new Privileges(draft);
        Map<Grant, List<String>> grants = new LinkedHashMap<>();
        for (CatalogRow row : snapshot.rows(QUERY.replace(":objects", Dependencies.objects(draft.addresses())))) {
            Address address = new Address(row.number("catalog"), row.number("oid"));
            if (row.optional("column_name").isEmpty()) {
                privileges.revoke(address, row.text("owner"));
            }
            row.optional("privilege")
                    .ifPresent(privilege -> grants.computeIfAbsent(
                                    new Grant(
                                            address,
                                            row.optional("column_name"),
                                            row.text("owner"),
                                            row.text("grantor"),
                                            row.optional("grantee"),
                                            row.flag("grantable")),
                                    first -> new ArrayList<>())
                            .add(privilege));
        }
        grants.forEach(privileges::grant);
    }

    private void revoke(Address address, String owner) {
        if (revoked.put(address, true) == null) {
            piece(address).with("REVOKE ALL ON " + target(address) + " FROM PUBLIC, " + SqlName.quoted(owner));
        }
    }

    /** Who grants by a grant option is on record, so it has to be that role. */
    private void grant(Grant grant, List<String> privileges) {
        String columns = grant.column()
                .map(column -> " (" + SqlName.quoted(column) + ")")
                .orElse("");
        String sql = "GRANT "
                + String.join(", ", privileges.stream().map(it -> it + columns).toList()) + " ON "
                + target(grant.address()) + " TO "
                + grant.grantee().map(SqlName::quoted).orElse("PUBLIC")
                + (grant.option() ? " WITH GRANT OPTION" : "");
        piece(grant.address())
                .with(
                        grant.grantor().equals(grant.owner())
                                ? sql
                                : "SET SESSION AUTHORIZATION " + SqlName.quoted(grant.grantor()) + ";\n" + sql
                                        + ";\nRESET SESSION AUTHORIZATION");
    }

    private Piece piece(Address address) {
        return draft.maker(address).orElseThrow();
    }

    private String target(Address address) {
        return draft.grantName(address)
                .orElseThrow(() -> new IllegalStateException("granted and without a name: " + address));
    }
}
