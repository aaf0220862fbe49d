package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads sequences: those that stand alone or belong to a column, and those inside identity columns. */
final class Sequences {

    private static final String QUERY = """
            SELECT c.oid::bigint AS oid, c.relname::text AS name, c.relpersistence::text AS persistence,
                   pg_get_userbyid(c.relowner)::text AS owner, format_type(s.seqtypid, NULL) AS type,
                   s.seqstart::text AS start, s.seqincrement::text AS increment, s.seqmin::text AS minimum,
                   s.seqmax::text AS maximum, s.seqcache::text AS cache, s.seqcycle AS cycles,
                   coalesce(o.deptype::text, '') AS tie, coalesce(o.refobjid::bigint, 0) AS relation,
                   coalesce(o.refobjsubid::bigint, 0) AS number,
                   t.relname::text AS relation_name, t.relpersistence::text AS relation_persistence,
                   a.attname::text AS column_name, format_type(a.atttypid, NULL) AS column_type
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid
            JOIN pg_sequence s ON s.seqrelid = c.oid
            LEFT JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.objsubid = 0
                AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
            LEFT JOIN pg_class t ON t.oid = o.refobjid
            LEFT JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass AND c.relkind = 'S'
            """;

    private final Map<Long, Map<Long, Identity>> identities = new HashMap<>();
    private final List<SequenceBlueprint> all = new ArrayList<>();

    /**
     * The sequence inside an identity column.
     *
     * @param oid of the sequence
     * @param sqlName with its schema
     * @param options in the form of CREATE SEQUENCE
     * @param changes what makes it what it is where it is not as its column is, behind ALTER SEQUENCE and the name
     */
    record Identity(long oid, String sqlName, String options, List<String> changes) {}

    private Sequences() {}

    static Sequences read(Snapshot snapshot, Draft draft) {
        Sequences sequences = new Sequences();
        for (CatalogRow row : snapshot.rows(QUERY)) {
            String name = row.text("name");
            String sqlName = QualifiedName.of(snapshot.schema(), name);
            sequences.all.add(new SequenceBlueprint(name));
            if (row.text("tie").equals("i")) {
                sequences
                        .identities
                        .computeIfAbsent(row.number("relation"), first -> new HashMap<>())
                        .put(row.number("number"), identity(row, sqlName));
            } else {
                add(row, snapshot.schema(), sqlName, draft);
            }
        }
        return sequences;
    }

    /** The sequence of a column, by its number. */
    Optional<Identity> identity(long relation, long column) {
        return Optional.ofNullable(identities.getOrDefault(relation, Map.of()).get(column));
    }

    List<SequenceBlueprint> all() {
        return all;
    }

    private static void add(CatalogRow row, String schema, String sqlName, Draft draft) {
        long oid = row.number("oid");
        Address address = Address.relation(oid);
        Piece sequence = draft.add(PieceKind.SEQUENCE, address, sqlName)
                .with("CREATE " + (row.text("persistence").equals("u") ? "UNLOGGED " : "") + "SEQUENCE " + sqlName
                        + " AS " + row.text("type") + options(row))
                .with("ALTER SEQUENCE " + sqlName + " OWNER TO " + SqlName.quoted(row.text("owner")));
        draft.names(address, "SEQUENCE", sqlName);
        if (row.text("tie").equals("a")) {
            draft.add(PieceKind.SEQUENCE_OWNER, oid, sqlName)
                    .with("ALTER SEQUENCE " + sqlName + " OWNED BY "
                            + QualifiedName.of(schema, row.text("relation_name")) + '.'
                            + SqlName.quoted(row.text("column_name")))
                    .requires(sequence.key())
                    .requires(new PieceKey(PieceKind.TABLE, row.number("relation")));
        }
    }

    private static Identity identity(CatalogRow row, String sqlName) {
        boolean sameType = row.text("type").equals(row.text("column_type"));
        List<String> changes = new ArrayList<>();
        if (!sameType) {
            changes.add("AS " + row.text("type") + options(row));
        }
        if (!row.text("persistence").equals(row.text("relation_persistence"))) {
            changes.add(row.text("persistence").equals("u") ? "SET UNLOGGED" : "SET LOGGED");
        }
        return new Identity(row.number("oid"), sqlName, sameType ? options(row) : "", changes);
    }

    private static String options(CatalogRow row) {
        return " START WITH " + row.text("start") + " INCREMENT BY " + row.text("increment") + " MINVALUE "
                + row.text("minimum") + " MAXVALUE " + row.text("maximum") + " CACHE " + row.text("cache")
                + (row.flag("cycles") ? " CYCLE" : " NO CYCLE");
    }
}
