package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads indexes, those of keys too as far as the constraint does not make them what they are. */
final class Indexes {

    private static final String QUERY = """
            SELECT i.indexrelid::bigint AS oid, ic.relname::text AS name, c.oid::bigint AS relation,
                   pg_get_indexdef(i.indexrelid) AS definition, i.indisvalid AS valid, ic.relkind::text AS kind,
                   i.indisclustered AS clustered, i.indisreplident AS replica_identity,
                   ts.spcname::text AS tablespace,
                   coalesce((SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)::bigint, 0)
                       AS parent,
                   ARRAY(SELECT a.attnum || ' SET STATISTICS ' || a.attstattarget FROM pg_attribute a
                         WHERE a.attrelid = i.indexrelid AND a.attnum > 0 AND a.attstattarget >= 0
                         ORDER BY a.attnum) AS statistics
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'm')
            JOIN pg_index i ON i.indrelid = c.oid
            JOIN pg_class ic ON ic.oid = i.indexrelid
            LEFT JOIN pg_tablespace ts ON ts.oid = ic.reltablespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            ORDER BY i.indexrelid
            """;

    private final String schema;
    private final Draft draft;
    private final Tables tables;

    private Indexes(String schema, Draft draft, Tables tables) {
        this.schema = schema;
        this.draft = draft;
        this.tables = tables;
    }

    static void read(Snapshot snapshot, Draft draft, Tables tables) {
        Indexes indexes = new Indexes(snapshot.schema(), draft, tables);
        List<CatalogRow> parts = new ArrayList<>();
        for (CatalogRow row : snapshot.rows(QUERY)) {
            // What a failed CREATE INDEX CONCURRENTLY has left is no index.
            if (row.flag("valid") || row.text("kind").equals("I")) {
                indexes.add(row);
                if (row.number("parent") != 0) {
                    parts.add(row);
                }
            } else {
                draft.maker(Address.relation(row.number("relation")))
                        .ifPresent(table -> draft.belongs(Address.relation(row.number("oid")), table));
            }
        }
        parts.forEach(indexes::attach);
    }

    private void add(CatalogRow row) {
        Address address = Address.relation(row.number("oid"));
        String sqlName = QualifiedName.of(schema, row.text("name"));
        Piece piece = draft.maker(address).orElseGet(() -> create(row, address, sqlName));
        draft.names(address, "INDEX", sqlName);
        row.texts("statistics").forEach(setting -> piece.with("ALTER INDEX " + sqlName + " ALTER COLUMN " + setting));
        Optional<Table> table = tables.table(row.number("relation"));
        if (row.flag("clustered")) {
            draft.add(PieceKind.CLUSTERING, row.number("oid"), sqlName)
                    .with("ALTER " + (table.isPresent() ? "TABLE " : "MATERIALIZED VIEW ") + relation(row)
                            + " CLUSTER ON " + SqlName.quoted(row.text("name")))
                    .requires(piece.key());
        }
        if (row.flag("replica_identity")
                && table.filter(it -> it.replicaIdentity().equals("i")).isPresent()) {
            draft.add(PieceKind.REPLICA_IDENTITY, row.number("relation"), relation(row))
                    .with("ALTER TABLE ONLY " + relation(row) + " REPLICA IDENTITY USING INDEX "
                            + SqlName.quoted(row.text("name")))
                    .requires(piece.key())
                    .in(Phase.AFTER_DATA);
        }
    }

    private Piece create(CatalogRow row, Address address, String sqlName) {
        Piece piece = draft.add(PieceKind.INDEX, address, sqlName)
                .with(Tablespace.during(row.optional("tablespace"), row.text("definition")));
        draft.maker(Address.relation(row.number("relation"))).map(Piece::key).ifPresent(piece::requires);
        // Attached to a table that has an index already, a partition would make itself another one.
        tables.descent(row.number("relation")).forEach(piece::requires);
        return row.text("kind").equals("I") ? piece : piece.ofOneTable();
    }

    private String relation(CatalogRow row) {
        return draft.maker(Address.relation(row.number("relation")))
                .map(Piece::name)
                .orElseThrow(() -> new DefinitionChangedException("the table of an index is gone"));
    }

    private void attach(CatalogRow row) {
        Optional<Piece> above = draft.maker(Address.relation(row.number("parent")));
        Optional<Piece> below = draft.maker(Address.relation(row.number("oid")));
        String sqlName = QualifiedName.of(schema, row.text("name"));
        if (above.isEmpty() || below.isEmpty()) {
            draft.refuse("index " + sqlName, "it is a partition of an index of another schema");
            return;
        }
        ObjectName parentName =
                draft.name(Address.relation(row.number("parent"))).orElseThrow();
        draft.add(PieceKind.INDEX_ATTACHMENT, row.number("oid"), sqlName)
                .with("ALTER " + parentName + " ATTACH PARTITION " + sqlName)
                .requires(above.get().key())
                .requires(below.get().key());
    }
}
