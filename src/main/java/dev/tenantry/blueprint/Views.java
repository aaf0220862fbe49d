package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.List;
import java.util.stream.Collectors;

/** Reads views and materialized views. */
final class Views {

    private static final String QUERY = """
            SELECT c.oid::bigint AS oid, c.relname::text AS name, c.relkind::text AS kind,
                   pg_get_userbyid(c.relowner)::text AS owner, c.reloptions AS options,
                   tc.reloptions AS toast_options,
                   CASE WHEN am.amname <> 'heap' THEN am.amname::text END AS access_method,
                   ts.spcname::text AS tablespace, pg_get_viewdef(c.oid) AS definition, c.relispopulated AS populated,
                   r.oid::bigint AS rule, rt.oid::bigint AS row_type, coalesce(rt.typarray::bigint, 0) AS array_type
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('v', 'm')
            JOIN pg_type rt ON rt.oid = c.reltype
            JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
            LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
            LEFT JOIN pg_am am ON am.oid = c.relam
            LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            """;

    private Views() {}

    static void read(Snapshot snapshot, Draft draft, Columns columns) {
        for (CatalogRow row : snapshot.rows(QUERY)) {
            String sqlName = QualifiedName.of(snapshot.schema(), row.text("name"));
            boolean materialized = row.text("kind").equals("m");
            Piece piece = materialized
                    ? addMaterialized(row, sqlName, draft)
                    : addView(row, sqlName, draft, columns.of(row.number("oid")));
            String word = materialized ? "MATERIALIZED VIEW" : "VIEW";
            Address address = Address.relation(row.number("oid"));
            draft.names(address, word, sqlName);
            draft.makesTypes(piece, sqlName, row.number("row_type"), row.number("array_type"));
            draft.belongs(new Address(Address.REWRITE, row.number("rule")), piece);
            piece.with("ALTER " + word + " " + sqlName + " OWNER TO " + SqlName.quoted(row.text("owner")));
            ColumnSettings settings = new ColumnSettings(draft, columns, piece);
            for (Column column : columns.of(row.number("oid"))) {
                settings.addDefault(row.number("oid"), column, "ALTER VIEW " + sqlName);
                if (materialized) {
                    settings.add(column, "ALTER TABLE ONLY " + sqlName);
                }
            }
        }
    }

    private static Piece addView(CatalogRow row, String sqlName, Draft draft, List<Column> columns) {
        Piece piece = draft.add(PieceKind.VIEW, Address.relation(row.number("oid")), sqlName);
        Piece stub = new Piece(new PieceKey(PieceKind.STUB, row.number("oid")), "view " + sqlName);
        stub.with("CREATE VIEW " + sqlName + " AS SELECT "
                + columns.stream()
                        .map(column -> "NULL::" + column.type()
                                + column.collation().map(it -> " COLLATE " + it).orElse("") + " AS "
                                + column.sqlName())
                        .collect(Collectors.joining(", ")));
        return piece.standIn(stub)
                .with("CREATE OR REPLACE VIEW " + sqlName + StorageOptions.with(row.texts("options"), List.of())
                        + " AS\n" + query(row));
    }

    private static Piece addMaterialized(CatalogRow row, String sqlName, Draft draft) {
        Piece piece = draft.add(PieceKind.MATERIALIZED_VIEW, Address.relation(row.number("oid")), sqlName)
                .with("CREATE MATERIALIZED VIEW " + sqlName
                        + row.optional("access_method")
                                .map(method -> " USING " + SqlName.quoted(method))
                                .orElse("")
                        + StorageOptions.with(row.texts("options"), row.texts("toast_options"))
                        + row.optional("tablespace")
                                .map(space -> " TABLESPACE " + SqlName.quoted(space))
                                .orElse("")
                        + " AS\n" + query(row) + "\nWITH NO DATA");
        if (row.flag("populated")) {
            draft.add(PieceKind.CONTENTS, row.number("oid"), sqlName)
                    .with("REFRESH MATERIALIZED VIEW " + sqlName)
                    .requires(piece.key());
        }
        return piece;
    }

    private static String query(CatalogRow row) {
        String definition = row.text("definition").strip();
        return definition.endsWith(";") ? definition.substring(0, definition.length() - 1) : definition;
    }
}
