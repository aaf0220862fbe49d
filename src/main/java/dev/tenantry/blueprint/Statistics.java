package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;

/** Reads extended statistics, without what was gathered. */
final class Statistics {

    private static final String QUERY = """
            SELECT s.oid::bigint AS oid, s.stxname::text AS name, pg_get_userbyid(s.stxowner)::text AS owner,
                   pg_get_statisticsobjdef(s.oid) AS definition, nullif(s.stxstattarget, -1)::text AS target
            FROM pg_depend d
            JOIN pg_statistic_ext s ON s.oid = d.objid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_statistic_ext'::regclass
            """;

    private Statistics() {}

    static void read(Snapshot snapshot, Draft draft) {
        for (CatalogRow row : snapshot.rows(QUERY)) {
            Address address = new Address(Address.STATISTICS, row.number("oid"));
            String sqlName = QualifiedName.of(snapshot.schema(), row.text("name"));
            Piece piece = draft.add(PieceKind.STATISTICS, address, sqlName)
                    .with(row.text("definition"))
                    .with("ALTER STATISTICS " + sqlName + " OWNER TO " + SqlName.quoted(row.text("owner")));
            row.optional("target")
                    .ifPresent(target -> piece.with("ALTER STATISTICS " + sqlName + " SET STATISTICS " + target));
            draft.names(address, "STATISTICS", sqlName);
        }
    }
}
