package dev.tenantry.blueprint;

import java.util.List;

/** Reads casts, which have no schema: those from, to and by what the schema has, but not those that come with types. */
final class Casts {

    private static final String QUERY = """
            SELECT DISTINCT c.oid::bigint AS oid, '(' || format_type(c.castsource, NULL) || ' AS '
                       || format_type(c.casttarget, NULL) || ')' AS name,
                   CASE c.castmethod WHEN 'f' THEN ' WITH FUNCTION ' || c.castfunc::regprocedure
                       WHEN 'i' THEN ' WITH INOUT' ELSE ' WITHOUT FUNCTION' END
                   || CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END AS how
            FROM :objects
            JOIN pg_depend d ON d.refclassid = o.catalog AND d.refobjid = o.oid AND d.classid = 'pg_cast'::regclass
                AND d.deptype <> 'i'
            JOIN pg_cast c ON c.oid = d.objid
            """;

    private Casts() {}

    /** Reads them after all types, relations and functions. */
    static void read(Snapshot snapshot, Draft draft) {
        List<Address> ends = draft.addresses().stream()
                .filter(address -> address.catalog() == Address.TYPE || address.catalog() == Address.FUNCTION)
                .toList();
        if (ends.isEmpty()) {
            return;
        }
        for (CatalogRow row : snapshot.rows(QUERY.replace(":objects", Dependencies.objects(ends)))) {
            Address address = new Address(Address.CAST, row.number("oid"));
            draft.add(PieceKind.CAST, address, row.text("name"))
                    .with("CREATE CAST " + row.text("name") + row.text("how"));
            draft.names(address, "CAST", row.text("name"));
        }
    }
}
