package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads enum, composite, range, base and domain types. */
final class Types {

    private static final String QUERY = """
            SELECT t.oid::bigint AS oid, t.typname::text AS name, t.typtype::text AS kind,
                   pg_get_userbyid(t.typowner)::text AS owner, t.typarray::bigint AS array_type,
                   t.typrelid::bigint AS relation,
                   ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
                       AS labels,
                   ARRAY(SELECT quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                             || CASE WHEN a.attcollation <> at.typcollation
                                     THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END
                         FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid
                         WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                         ORDER BY a.attnum) AS attributes,
                   format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base,
                   CASE WHEN t.typtype = 'd' AND t.typcollation <> (SELECT b.typcollation FROM pg_type b
                            WHERE b.oid = t.typbasetype)
                        THEN ' COLLATE ' || t.typcollation::regcollation ELSE '' END AS collation,
                   CASE WHEN t.typtype = 'd' THEN coalesce(' DEFAULT '
                            || coalesce(pg_get_expr(t.typdefaultbin, 'pg_type'::regclass), quote_literal(t.typdefault)),
                        '') ELSE '' END AS default_value,
                   CASE WHEN t.typtype = 'd' AND t.typnotnull THEN coalesce(' CONSTRAINT ' || quote_ident((
                            SELECT n.conname FROM pg_constraint n WHERE n.contypid = t.oid AND n.contype = 'n')), '')
                        || ' NOT NULL' ELSE '' END AS not_null
            FROM pg_depend d
            JOIN pg_type t ON t.oid = d.objid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_type'::regclass AND t.typtype IN ('e', 'c', 'd', 'r', 'b')
            """;

    /** Ranges with the multirange that comes with each, and base types; in the form of CREATE TYPE. */
    private static final String PARAMETERS = """
            SELECT t.oid::bigint AS oid, concat_ws(', ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
                       CASE WHEN NOT oc.opcdefault
                            THEN 'SUBTYPE_OPCLASS = ' || quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) END,
                       CASE WHEN r.rngcollation <> st.typcollation
                            THEN 'COLLATION = ' || r.rngcollation::regcollation END,
                       CASE WHEN r.rngcanonical <> 0 THEN 'CANONICAL = ' || r.rngcanonical::regproc END,
                       CASE WHEN r.rngsubdiff <> 0 THEN 'SUBTYPE_DIFF = ' || r.rngsubdiff::regproc END,
                       'MULTIRANGE_TYPE_NAME = ' || quote_ident(mn.nspname) || '.' || quote_ident(m.typname))
                       AS parameters,
                   r.rngcanonical <> 0 AS shell, m.oid::bigint AS multirange, m.typarray::bigint AS multirange_array,
                   quote_ident(mn.nspname) || '.' || quote_ident(m.typname) AS multirange_name
            FROM pg_depend d
            JOIN pg_type t ON t.oid = d.objid
            JOIN pg_range r ON r.rngtypid = t.oid
            JOIN pg_type st ON st.oid = r.rngsubtype
            JOIN pg_type m ON m.oid = r.rngmultitypid
            JOIN pg_namespace mn ON mn.oid = m.typnamespace
            JOIN pg_opclass oc ON oc.oid = r.rngsubopc
            JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_type'::regclass
            UNION ALL
            SELECT t.oid::bigint, concat_ws(', ',
                       'INTERNALLENGTH = ' || CASE t.typlen WHEN -1 THEN 'VARIABLE' ELSE t.typlen::text END,
                       'INPUT = ' || t.typinput::regproc, 'OUTPUT = ' || t.typoutput::regproc,
                       CASE WHEN t.typreceive <> 0 THEN 'RECEIVE = ' || t.typreceive::regproc END,
                       CASE WHEN t.typsend <> 0 THEN 'SEND = ' || t.typsend::regproc END,
                       CASE WHEN t.typmodin <> 0 THEN 'TYPMOD_IN = ' || t.typmodin::regproc END,
                       CASE WHEN t.typmodout <> 0 THEN 'TYPMOD_OUT = ' || t.typmodout::regproc END,
                       CASE WHEN t.typanalyze <> 0 THEN 'ANALYZE = ' || t.typanalyze::regproc END,
                       CASE WHEN t.typsubscript <> 0 THEN 'SUBSCRIPT = ' || t.typsubscript::regproc END,
                       CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
                       'ALIGNMENT = ' || CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4'
                           ELSE 'double' END,
                       'STORAGE = ' || CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                           WHEN 'm' THEN 'main' ELSE 'extended' END,
                       'CATEGORY = ' || quote_literal(t.typcategory::text), 'PREFERRED = ' || t.typispreferred,
                       'DEFAULT = ' || quote_literal(t.typdefault),
                       CASE WHEN t.typelem <> 0 THEN 'ELEMENT = ' || format_type(t.typelem, NULL) END,
                       'DELIMITER = ' || quote_literal(t.typdelim::text), 'COLLATABLE = ' || (t.typcollation <> 0)),
                   true, 0, 0, ''
            FROM pg_depend d
            JOIN pg_type t ON t.oid = d.objid AND t.typtype = 'b'
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_type'::regclass
            """;

    private static final String CONSTRAINTS = """
            SELECT c.oid::bigint AS oid, c.conname::text AS name, c.contypid::bigint AS domain, c.contype::text AS type,
                   c.convalidated AS validated, pg_get_constraintdef(c.oid) AS definition
            FROM pg_depend d
            JOIN pg_constraint c ON c.contypid = d.objid AND c.conrelid = 0
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_type'::regclass
            """;

    private Types() {}

    static void read(Snapshot snapshot, Draft draft, Piece schema) {
        Map<Long, CatalogRow> parameters = new HashMap<>();
        snapshot.rows(PARAMETERS).forEach(row -> parameters.put(row.number("oid"), row));
        for (CatalogRow row : snapshot.rows(QUERY)) {
            String sqlName = QualifiedName.of(snapshot.schema(), row.text("name"));
            Address address = Address.type(row.number("oid"));
            String word = row.text("kind").equals("d") ? "DOMAIN" : "TYPE";
            @Nullable CatalogRow further = parameters.get(row.number("oid"));
            Piece piece = draft.add(PieceKind.TYPE, address, sqlName)
                    .with(create(row, sqlName, further))
                    .with("ALTER " + word + ' ' + sqlName + " OWNER TO " + SqlName.quoted(row.text("owner")));
            draft.names(address, word, sqlName);
            draft.makesTypes(piece, sqlName, row.number("oid"), row.number("array_type"));
            if (row.number("relation") != 0) {
                draft.belongs(Address.relation(row.number("relation")), piece);
                draft.names(Address.relation(row.number("relation")), "TYPE", sqlName);
            }
            if (further != null) {
                addFurther(further, piece, draft, schema);
            }
        }
        snapshot.rows(CONSTRAINTS).forEach(row -> addConstraint(row, draft));
    }

    private static String create(CatalogRow row, String sqlName, @Nullable CatalogRow further) {
        return switch (row.text("kind")) {
            case "e" ->
                "CREATE TYPE " + sqlName + " AS ENUM "
                        + row.texts("labels").stream()
                                .map(label -> SqlName.literal(label).strip())
                                .collect(Collectors.joining(", ", "(", ")"));
            case "c" -> "CREATE TYPE " + sqlName + " AS (" + String.join(", ", row.texts("attributes")) + ")";
            case "d" ->
                "CREATE DOMAIN " + sqlName + " AS " + row.text("base") + row.text("collation")
                        + row.text("default_value") + row.text("not_null");
            case "r" -> "CREATE TYPE " + sqlName + " AS RANGE (" + parameters(further) + ")";
            default -> "CREATE TYPE " + sqlName + " (" + parameters(further) + ")";
        };
    }

    private static String parameters(@Nullable CatalogRow further) {
        return Objects.requireNonNull(further, "parameters of a type").text("parameters");
    }

    /** Functions that a type is made of take and return the type, which then has to be announced before. */
    private static void addFurther(CatalogRow row, Piece piece, Draft draft, Piece schema) {
        if (row.flag("shell")) {
            piece.standIn(new Piece(new PieceKey(PieceKind.STUB, row.number("oid")), "type " + piece.name())
                    .with("CREATE TYPE " + piece.name())
                    .requires(schema.key()));
        }
        if (row.number("multirange") != 0) {
            draft.makesTypes(
                    piece, row.text("multirange_name"), row.number("multirange"), row.number("multirange_array"));
        }
    }

    private static void addConstraint(CatalogRow row, Draft draft) {
        Address address = Address.constraint(row.number("oid"));
        Piece domain = draft.piece(PieceKind.TYPE, row.number("domain")).orElseThrow();
        String name = SqlName.quoted(row.text("name"));
        draft.names(address, "CONSTRAINT", name + " ON DOMAIN " + domain.name());
        if (row.text("type").equals("n")) {
            draft.belongs(address, domain);
            return;
        }
        Piece piece = draft.add(PieceKind.DOMAIN_CONSTRAINT, address, domain.name() + '.' + name)
                .with("ALTER DOMAIN " + domain.name() + " ADD CONSTRAINT " + name + ' ' + row.text("definition"))
                .requires(domain.key());
        if (!row.flag("validated")) {
            piece.in(Phase.AFTER_DATA);
        }
    }
}
