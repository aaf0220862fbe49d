package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the constraints of tables: checks, keys with their indexes, exclusions, foreign keys. */
final class Constraints {

    private static final String QUERY = """
            SELECT con.oid::bigint AS oid, con.conname::text AS name, con.contype::text AS type,
                   c.oid::bigint AS relation, con.conindid::bigint AS index, con.conparentid::bigint AS parent,
                   con.convalidated AS validated, con.conislocal AS local, con.condeferrable AS deferrable,
                   con.condeferred AS deferred,
                   CASE WHEN con.contype <> 't' THEN pg_get_constraintdef(con.oid) ELSE '' END AS definition,
                   EXISTS (SELECT FROM pg_depend f WHERE f.classid = 'pg_constraint'::regclass AND f.objid = con.oid
                       AND f.refclassid = 'pg_proc'::regclass) AS calls_functions,
                   ic.reloptions AS options, ts.spcname::text AS tablespace
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            JOIN pg_constraint con ON con.conrelid = c.oid
            LEFT JOIN pg_index i ON i.indexrelid = con.conindid AND con.contype IN ('p', 'u', 'x')
            LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
            LEFT JOIN pg_tablespace ts ON ts.oid = ic.reltablespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            ORDER BY c.oid, con.oid
            """;

    private final Tables tables;
    private final Draft draft;
    /** Checks that tables hand down, by table and name. */
    private final Map<Long, Map<String, Piece>> checks = new HashMap<>();

    private Constraints(Tables tables, Draft draft) {
        this.tables = tables;
        this.draft = draft;
    }

    static void read(Snapshot snapshot, Draft draft, Tables tables) {
        Constraints constraints = new Constraints(tables, draft);
        List<CatalogRow> inherited = new ArrayList<>();
        for (CatalogRow row : snapshot.rows(QUERY)) {
            Table table = tables.table(row.number("relation")).orElseThrow();
            draft.names(address(row), "CONSTRAINT", sqlName(row) + " ON " + table.sqlName());
            switch (row.text("type")) {
                case "c" -> {
                    if (row.flag("local")) {
                        constraints.addCheck(row, table);
                    } else {
                        inherited.add(row);
                    }
                }
                case "n" -> constraints.addNotNull(row, table);
                case "p", "u", "x" -> constraints.addKey(row, table);
                case "f" -> {
                    if (row.number("parent") == 0) {
                        constraints.addForeignKey(row, table);
                    } else {
                        inherited.add(row);
                    }
                }
                case "t" -> {
                    // made with its trigger
                }
                default ->
                    draft.refuse("constraint " + sqlName(row) + " on " + table.sqlName(), "it is of unknown kind");
            }
        }
        inherited.forEach(constraints::addInherited);
    }

    private static Address address(CatalogRow row) {
        return Address.constraint(row.number("oid"));
    }

    private static String sqlName(CatalogRow row) {
        return SqlName.quoted(row.text("name"));
    }

    private Piece add(PieceKind kind, CatalogRow row, Table table) {
        Piece piece = draft.add(kind, address(row), table.sqlName() + '.' + sqlName(row))
                .requires(new PieceKey(PieceKind.TABLE, table.oid()));
        // What is handed down must find those below; and an index, no partition that would make itself one.
        tables.descent(table.oid()).forEach(piece::requires);
        return piece;
    }

    private void addCheck(CatalogRow row, Table table) {
        // Rows need not satisfy what is not valid; functions may look into tables, by their indexes.
        boolean late = !row.flag("validated") || row.flag("calls_functions");
        Piece piece = add(late ? PieceKind.LATE_CONSTRAINT : PieceKind.CONSTRAINT, row, table)
                .with("ALTER TABLE " + table.sqlName() + " ADD CONSTRAINT " + sqlName(row) + ' '
                        + row.text("definition"));
        checks.computeIfAbsent(table.oid(), first -> new HashMap<>()).put(row.text("name"), piece);
    }

    private void addNotNull(CatalogRow row, Table table) {
        if (row.flag("validated")) {
            draft.piece(PieceKind.TABLE, table.oid()).ifPresent(piece -> draft.belongs(address(row), piece));
        } else if (row.flag("local")) {
            add(PieceKind.LATE_CONSTRAINT, row, table)
                    .with("ALTER TABLE " + table.sqlName() + " ADD CONSTRAINT " + sqlName(row) + ' '
                            + row.text("definition"));
        }
    }

    private void addKey(CatalogRow row, Table table) {
        Piece piece = add(PieceKind.KEY, row, table)
                .with(Tablespace.during(
                        row.optional("tablespace"),
                        "ALTER TABLE ONLY " + table.sqlName() + " ADD CONSTRAINT " + sqlName(row) + ' '
                                + keyDefinition(row)));
        draft.belongs(Address.relation(row.number("index")), piece);
        if (!table.partitioned()) {
            piece.ofOneTable();
        }
    }

    /** The server leaves out the parameters of a key's index, but not those of an exclusion's. */
    private static String keyDefinition(CatalogRow row) {
        String definition = row.text("definition");
        String options = StorageOptions.with(row.texts("options"), List.of());
        if (options.isEmpty() || row.text("type").equals("x")) {
            return definition;
        }
        String timing =
                row.flag("deferrable") ? " DEFERRABLE" + (row.flag("deferred") ? " INITIALLY DEFERRED" : "") : "";
        if (!definition.endsWith(timing)) {
            throw new IllegalStateException("constraint does not end with" + timing + ": " + definition);
        }
        return definition.substring(0, definition.length() - timing.length()) + options + timing;
    }

    private void addForeignKey(CatalogRow row, Table table) {
        add(PieceKind.FOREIGN_KEY, row, table)
                .with("ALTER TABLE " + (table.partitioned() ? "" : "ONLY ") + table.sqlName() + " ADD CONSTRAINT "
                        + sqlName(row) + ' ' + row.text("definition"));
    }

    private void addInherited(CatalogRow row) {
        Optional<Piece> maker = row.text("type").equals("f")
                ? draft.maker(Address.constraint(row.number("parent")))
                : tables.ancestors(row.number("relation")).stream()
                        .flatMap(above ->
                                Optional.ofNullable(
                                        checks.getOrDefault(above, Map.of()).get(row.text("name")))
                                        .stream())
                        .findFirst();
        maker.or(() -> draft.piece(PieceKind.TABLE, row.number("relation")))
                .ifPresent(piece -> draft.belongs(address(row), piece));
    }
}
