package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads operator classes and families with the operators and functions in them. */
final class OperatorClasses {

    private static final String FAMILIES = """
            SELECT f.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(f.opfname) || ' USING '
                       || quote_ident(am.amname) AS name, pg_get_userbyid(f.opfowner)::text AS owner
            FROM pg_depend d
            JOIN pg_opfamily f ON f.oid = d.objid
            JOIN pg_am am ON am.oid = f.opfmethod
            JOIN pg_namespace n ON n.oid = f.opfnamespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_opfamily'::regclass
            """;

    private static final String CLASSES = """
            SELECT c.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.opcname) AS simple_name,
                   quote_ident(am.amname) AS method, pg_get_userbyid(c.opcowner)::text AS owner,
                   CASE WHEN c.opcdefault THEN ' DEFAULT' ELSE '' END AS is_default,
                   format_type(c.opcintype, NULL) AS type,
                   quote_ident(fn.nspname) || '.' || quote_ident(f.opfname) AS family,
                   format_type(coalesce(nullif(c.opckeytype, 0), c.opcintype), NULL) AS stored
            FROM pg_depend d
            JOIN pg_opclass c ON c.oid = d.objid
            JOIN pg_am am ON am.oid = c.opcmethod
            JOIN pg_namespace n ON n.oid = c.opcnamespace
            JOIN pg_opfamily f ON f.oid = c.opcfamily
            JOIN pg_namespace fn ON fn.oid = f.opfnamespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_opclass'::regclass
            """;

    /** Members of the families of the schema, and of those that its classes are in; class 0 for what is loose. */
    private static final String MEMBERS = """
            WITH families AS (
                SELECT d.objid AS oid FROM pg_depend d
                WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
                  AND d.classid = 'pg_opfamily'::regclass
                UNION
                SELECT c.opcfamily FROM pg_depend d JOIN pg_opclass c ON c.oid = d.objid
                WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
                  AND d.classid = 'pg_opclass'::regclass
            )
            SELECT 'pg_amop'::regclass::oid::bigint AS catalog, m.oid::bigint AS oid, f.oid::bigint AS family,
                   coalesce((SELECT t.refobjid::bigint FROM pg_depend t WHERE t.classid = 'pg_amop'::regclass
                       AND t.objid = m.oid AND t.refclassid = 'pg_opclass'::regclass), 0) AS class,
                   'OPERATOR ' || m.amopstrategy || ' ' || quote_ident(n.nspname) || '.' || o.oprname || ' ('
                       || format_type(m.amoplefttype, NULL) || ', ' || format_type(m.amoprighttype, NULL) || ')'
                       || CASE WHEN m.amoppurpose = 'o' THEN ' FOR ORDER BY ' || quote_ident(sn.nspname) || '.'
                              || quote_ident(s.opfname) ELSE '' END AS text
            FROM families f
            JOIN pg_amop m ON m.amopfamily = f.oid
            JOIN pg_operator o ON o.oid = m.amopopr
            JOIN pg_namespace n ON n.oid = o.oprnamespace
            LEFT JOIN pg_opfamily s ON s.oid = m.amopsortfamily
            LEFT JOIN pg_namespace sn ON sn.oid = s.opfnamespace
            UNION ALL
            SELECT 'pg_amproc'::regclass::oid::bigint, m.oid::bigint, f.oid::bigint,
                   coalesce((SELECT t.refobjid::bigint FROM pg_depend t WHERE t.classid = 'pg_amproc'::regclass
                       AND t.objid = m.oid AND t.refclassid = 'pg_opclass'::regclass), 0),
                   'FUNCTION ' || m.amprocnum || ' (' || format_type(m.amproclefttype, NULL) || ', '
                       || format_type(m.amprocrighttype, NULL) || ') ' || m.amproc::oid::regprocedure
            FROM families f
            JOIN pg_amproc m ON m.amprocfamily = f.oid
            ORDER BY text
            """;

    private OperatorClasses() {}

    static void read(Snapshot snapshot, Draft draft) {
        for (CatalogRow row : snapshot.rows(FAMILIES)) {
            Address address = new Address(Address.OPERATOR_FAMILY, row.number("oid"));
            String name = row.text("name");
            draft.add(PieceKind.OPERATOR_FAMILY, address, name)
                    .with("CREATE OPERATOR FAMILY " + name)
                    .with("ALTER OPERATOR FAMILY " + name + " OWNER TO " + SqlName.quoted(row.text("owner")));
            draft.names(address, "OPERATOR FAMILY", name);
        }
        Map<Long, Stream.Builder<String>> ofClasses = new HashMap<>();
        List<CatalogRow> classes = snapshot.rows(CLASSES);
        List<CatalogRow> members = classes.isEmpty()
                        && draft.pieces().stream()
                                .noneMatch(piece -> piece.key().kind() == PieceKind.OPERATOR_FAMILY)
                ? List.of()
                : snapshot.rows(MEMBERS);
        for (CatalogRow row : members) {
            ofClasses
                    .computeIfAbsent(row.number("class"), first -> Stream.builder())
                    .add(row.text("text"));
        }
        for (CatalogRow row : classes) {
            add(row, ofClasses.getOrDefault(row.number("oid"), Stream.builder()).build(), draft);
        }
        members.forEach(row -> addMember(row, draft));
    }

    private static void add(CatalogRow row, Stream<String> members, Draft draft) {
        Address address = new Address(Address.OPERATOR_CLASS, row.number("oid"));
        String name = row.text("simple_name") + " USING " + row.text("method");
        String all = Stream.concat(Stream.of("STORAGE " + row.text("stored")), members)
                .collect(Collectors.joining(",\n    "));
        draft.add(PieceKind.OPERATOR_CLASS, address, name)
                .with("CREATE OPERATOR CLASS " + row.text("simple_name") + row.text("is_default") + " FOR TYPE "
                        + row.text("type") + " USING " + row.text("method") + " FAMILY " + row.text("family")
                        + " AS\n    " + all)
                .with("ALTER OPERATOR CLASS " + name + " OWNER TO " + SqlName.quoted(row.text("owner")));
        draft.names(address, "OPERATOR CLASS", name);
    }

    private static void addMember(CatalogRow row, Draft draft) {
        Address address = new Address(row.number("catalog"), row.number("oid"));
        if (row.number("class") != 0) {
            draft.piece(PieceKind.OPERATOR_CLASS, row.number("class"))
                    .ifPresent(piece -> draft.belongs(address, piece));
            return;
        }
        draft.piece(PieceKind.OPERATOR_FAMILY, row.number("family")).ifPresent(family -> {
            Piece piece = draft.piece(PieceKind.OPERATOR_FAMILY_MEMBERS, row.number("family"))
                    .orElseGet(() -> draft.add(PieceKind.OPERATOR_FAMILY_MEMBERS, row.number("family"), family.name())
                            .requires(family.key()));
            draft.belongs(address, piece);
            piece.with("ALTER OPERATOR FAMILY " + family.name() + " ADD " + row.text("text"));
        });
    }
}
