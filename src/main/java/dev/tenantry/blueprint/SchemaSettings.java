package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Reads what holds for the schema as a whole: default privileges, and the publications its tables are in. */
final class SchemaSettings {

    private static final String DEFAULT_PRIVILEGES = """
            SELECT a.oid::bigint AS oid, pg_get_userbyid(a.defaclrole)::text AS role,
                   CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                        WHEN 'T' THEN 'TYPES' END AS kind,
                   x.privilege_type AS privilege, x.is_grantable AS grantable,
                   CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS grantee
            FROM pg_depend d
            JOIN pg_default_acl a ON a.oid = d.objid
            CROSS JOIN LATERAL aclexplode(a.defaclacl) WITH ORDINALITY
                x (grantor, grantee, privilege_type, is_grantable, place)
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_default_acl'::regclass
            ORDER BY a.oid, x.place
            """;

    private static final String PUBLISHED = """
            SELECT r.oid::bigint AS oid, p.pubname::text AS publication,
                   p.oid::bigint AS publication_oid, c.oid::bigint AS relation,
                   ARRAY(SELECT quote_ident(a.attname) FROM unnest(r.prattrs::int2[]) k
                         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k ORDER BY a.attnum) AS columns,
                   pg_get_expr(r.prqual, c.oid) AS condition, :publication
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            JOIN pg_publication_rel r ON r.prrelid = c.oid
            JOIN pg_publication p ON p.oid = r.prpubid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            """;

    private static final String PUBLISHED_AS_A_WHOLE = """
            SELECT r.oid::bigint AS oid, p.pubname::text AS publication, p.oid::bigint AS publication_oid, :publication
            FROM pg_publication_namespace r
            JOIN pg_publication p ON p.oid = r.pnpubid
            WHERE r.pnnspid = :schema
            """;

    private static final String PUBLICATION = """
            pg_get_userbyid(p.pubowner)::text AS owner,
            concat_ws(', ', 'publish = ' || quote_literal(concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
                    CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
                    CASE WHEN p.pubtruncate THEN 'truncate' END)),
                'publish_via_partition_root = ' || p.pubviaroot:generated) AS options
            """;

    private static final String GENERATED = """
            ,
                'publish_generated_columns = ' || CASE p.pubgencols WHEN 's' THEN 'stored' ELSE 'none' END
            """;

    private static final int PUBLISHES_GENERATED_SINCE = 18;

    /** Names of publications that moves have for their time, which are no part of what is moved. */
    private static final Predicate<String> OF_MOVES =
            Pattern.compile(Dependencies.OF_MOVES).asMatchPredicate();

    private final Draft draft;
    private final Piece schema;

    private SchemaSettings(Draft draft, Piece schema) {
        this.draft = draft;
        this.schema = schema;
    }

    static void read(Snapshot snapshot, Draft draft, Piece schema) {
        SchemaSettings settings = new SchemaSettings(draft, schema);
        settings.addDefaultPrivileges(snapshot.rows(DEFAULT_PRIVILEGES));
        String publication =
                PUBLICATION.replace(":generated", snapshot.major() >= PUBLISHES_GENERATED_SINCE ? GENERATED : "");
        snapshot.rows(PUBLISHED.replace(":publication", publication)).forEach(settings::addTable);
        snapshot.rows(PUBLISHED_AS_A_WHOLE.replace(":publication", publication)).forEach(settings::addSchema);
    }

    private void addDefaultPrivileges(List<CatalogRow> rows) {
        record Grant(long oid, String grantee, boolean option) {}
        Map<Grant, List<String>> grants = new LinkedHashMap<>();
        Map<Long, CatalogRow> lists = new LinkedHashMap<>();
        for (CatalogRow row : rows) {
            lists.put(row.number("oid"), row);
            grants.computeIfAbsent(
                            new Grant(row.number("oid"), row.text("grantee"), row.flag("grantable")),
                            first -> new ArrayList<>())
                    .add(row.text("privilege"));
        }
        lists.forEach((oid, row) -> {
            String start = "ALTER DEFAULT PRIVILEGES FOR ROLE " + SqlName.quoted(row.text("role")) + " IN SCHEMA "
                    + schema.name() + ' ';
            Piece piece = draft.add(
                            PieceKind.DEFAULT_PRIVILEGES,
                            new Address(Address.DEFAULT_ACL, oid),
                            row.text("kind") + " of " + SqlName.quoted(row.text("role")))
                    .requires(schema.key());
            grants.entrySet().stream()
                    .filter(entry -> entry.getKey().oid() == oid)
                    .forEach(entry -> piece.with(start + "GRANT " + String.join(", ", entry.getValue()) + " ON "
                            + row.text("kind") + " TO " + entry.getKey().grantee()
                            + (entry.getKey().option() ? " WITH GRANT OPTION" : "")));
        });
    }

    private void addTable(CatalogRow row) {
        Piece relation = draft.maker(Address.relation(row.number("relation"))).orElseThrow();
        List<String> columns = row.texts("columns");
        Address address = new Address(Address.PUBLICATION_TABLE, row.number("oid"));
        if (OF_MOVES.test(row.text("publication"))) {
            draft.belongs(address, relation);
            return;
        }
        Piece publication = publication(row);
        Piece piece = draft.add(PieceKind.PUBLISHED, address, relation.name() + " in " + publication.name())
                .requires(relation.key())
                .requires(publication.key());
        piece.with("ALTER PUBLICATION " + SqlName.quoted(row.text("publication")) + " ADD TABLE ONLY " + relation.name()
                + (columns.isEmpty() ? "" : " (" + String.join(", ", columns) + ")")
                + row.optional("condition").map(it -> " WHERE (" + it + ")").orElse(""));
    }

    private void addSchema(CatalogRow row) {
        Address address = new Address(Address.PUBLICATION_SCHEMA, row.number("oid"));
        if (OF_MOVES.test(row.text("publication"))) {
            draft.belongs(address, schema);
            return;
        }
        Piece publication = publication(row);
        Piece piece = draft.add(PieceKind.PUBLISHED_AS_A_WHOLE, address, schema.name() + " in " + publication.name())
                .requires(schema.key())
                .requires(publication.key());
        piece.with("ALTER PUBLICATION " + SqlName.quoted(row.text("publication")) + " ADD TABLES IN SCHEMA "
                + schema.name());
    }

    /** A publication is the database's; one that the node does not have yet gets what this one has, and no tables. */
    private Piece publication(CatalogRow row) {
        String name = SqlName.quoted(row.text("publication"));
        return draft.piece(PieceKind.PUBLICATION, row.number("publication_oid"))
                .orElseGet(() -> draft.add(PieceKind.PUBLICATION, row.number("publication_oid"), name)
                        .with(createUnlessThere(row, name))
                        .requires(schema.key()));
    }

    private static String createUnlessThere(CatalogRow row, String name) {
        String body = "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = "
                + SqlName.literal(row.text("publication")).strip() + ") THEN CREATE PUBLICATION " + name + " WITH ("
                + row.text("options") + "); ALTER PUBLICATION " + name + " OWNER TO "
                + SqlName.quoted(row.text("owner")) + "; END IF; END";
        return "DO " + SqlName.literal(body).strip();
    }
}
