package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collector;
import java.util.stream.Collectors;

/** What the server itself has noted about what needs what: for the order, and to find what the schema is tied to. */
final class Dependencies {

    /** The publications and subscriptions that moves have for their time. */
    static final String OF_MOVES = "^tenantry_[0-9a-z]+_move_[0-9]+$";

    private static final String NEEDED = """
            SELECT d.classid::bigint AS catalog, d.objid::bigint AS oid, d.refclassid::bigint AS needed_catalog,
                   d.refobjid::bigint AS needed, d.deptype::text AS type
            FROM :objects JOIN pg_depend d ON d.classid = o.catalog AND d.objid = o.oid
            """;

    /** Without the publication by which a move copies the rows, which goes when the move ends. */
    private static final String NEEDING = """
            SELECT d.classid::bigint AS catalog, d.objid::bigint AS oid, o.catalog::bigint AS needed_catalog,
                   o.oid::bigint AS needed, d.deptype::text AS type
            FROM :objects JOIN pg_depend d ON d.refclassid = o.catalog AND d.refobjid = o.oid
            LEFT JOIN pg_publication_rel r ON d.classid = 'pg_publication_rel'::regclass AND r.oid = d.objid
            LEFT JOIN pg_publication p ON p.oid = r.prpubid
            WHERE (p.pubname ~ '%s') IS NOT TRUE
            """.formatted(OF_MOVES);

    private static final String IDENTITIES = """
            SELECT o.catalog::bigint AS catalog, o.oid::bigint AS oid, i.schema AS quoted_schema,
                   coalesce(pg_describe_object(o.catalog, o.oid, 0), 'an object that is gone') AS description,
                   EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.catalog AND e.objid = o.oid
                       AND e.deptype = 'e') AS of_extension,
                   (SELECT x.extname::text FROM pg_extension x
                       WHERE o.catalog = 'pg_extension'::regclass AND x.oid = o.oid) AS extension
            FROM :objects CROSS JOIN LATERAL pg_identify_object(o.catalog, o.oid, 0) i
            """;

    /** What every node has, or has of its own. */
    private static final Set<String> SHARED_SCHEMAS =
            Set.of("pg_catalog", "information_schema", "public", "pg_toast", "tenantry");

    private final Snapshot snapshot;
    private final Draft draft;
    private final Tables tables;

    private Dependencies(Snapshot snapshot, Draft draft, Tables tables) {
        this.snapshot = snapshot;
        this.draft = draft;
        this.tables = tables;
    }

    /** Adds to each piece what it requires, and refuses what is tied to things outside. */
    static void read(Snapshot snapshot, Draft draft, Tables tables) {
        Dependencies dependencies = new Dependencies(snapshot, draft, tables);
        dependencies.readNeeded();
        dependencies.readNeeding();
    }

    private void readNeeded() {
        Set<Address> outside = new LinkedHashSet<>();
        List<CatalogRow> extensions = new ArrayList<>();
        for (CatalogRow row : rows(NEEDED, draft.addresses())) {
            Optional<Piece> piece = draft.maker(address(row));
            Optional<Piece> needed = draft.maker(needed(row));
            if (piece.isPresent() && needed.isPresent()) {
                if (!madeApart(row, piece.get(), needed.get())) {
                    piece.get().requires(needed.get().key());
                }
                if (piece.get().key().kind() == PieceKind.VIEW && address(row).catalog() == Address.RELATION) {
                    // What a view's columns are made of; the rest is what its query uses.
                    piece.get()
                            .stub()
                            .ifPresent(stub -> stub.requires(needed.get().key()));
                }
            } else {
                outside.add(needed(row));
                if (needed(row).catalog() == Address.EXTENSION) {
                    extensions.add(row);
                }
            }
        }
        for (CatalogRow found : rows(IDENTITIES, outside)) {
            boolean shared = found.optional("quoted_schema")
                    .map(schema -> SHARED_SCHEMAS.stream().map(SqlName::quoted).anyMatch(schema::equals))
                    .orElse(true);
            if (!found.flag("of_extension") && !shared) {
                draft.refuse(found.text("description"), "the schema uses it, and it is of another schema");
            }
            extensions.stream()
                    .filter(row -> needed(row).equals(address(found)))
                    .forEach(row -> tie(row, found.text("extension")));
        }
    }

    /** A part of an extension can't be carried over; what is to be dropped with one, can. */
    private void tie(CatalogRow row, String extension) {
        Piece piece = draft.maker(address(row)).orElseThrow();
        if (row.text("type").equals("e")) {
            draft.refuse("extension " + SqlName.quoted(extension), "parts of it are in the schema");
        } else if (row.text("type").equals("x")) {
            piece.with("ALTER " + draft.name(address(row)).orElseThrow() + " DEPENDS ON EXTENSION "
                    + SqlName.quoted(extension));
        }
    }

    /** What the server has noted and does not hold for the way we make things. */
    private boolean madeApart(CatalogRow row, Piece piece, Piece needed) {
        return switch (row.text("type")) {
            case "P", "S" -> true;
            case "a", "n" ->
                (piece.key().kind() == PieceKind.SEQUENCE && needed.key().kind() == PieceKind.TABLE)
                        || (piece.key().kind() == PieceKind.TABLE
                                && tables.madeApart(
                                        piece.key().oid(), needed.key().oid()));
            default -> false;
        };
    }

    private void readNeeding() {
        Set<Address> unknown = new LinkedHashSet<>();
        Set<Address> ofSchema = new LinkedHashSet<>();
        for (CatalogRow row : rows(NEEDING, draft.addresses())) {
            boolean part = Set.of("i", "P", "S").contains(row.text("type"));
            if (!part && draft.maker(address(row)).isEmpty()) {
                unknown.add(address(row));
                if (needed(row).catalog() == Address.SCHEMA) {
                    ofSchema.add(address(row));
                }
            }
        }
        for (CatalogRow found : rows(IDENTITIES, unknown)) {
            draft.refuse(
                    found.text("description"),
                    ofSchema.contains(address(found))
                            ? "objects of this kind are not carried over"
                            : "it is not in the schema and depends on something that is");
        }
    }

    private List<CatalogRow> rows(String query, Collection<Address> addresses) {
        return addresses.isEmpty() ? List.of() : snapshot.rows(query.replace(":objects", objects(addresses)));
    }

    /** A table of addresses named o, for FROM. */
    static String objects(Collection<Address> addresses) {
        return addresses.stream().map(it -> Long.toString(it.catalog())).collect(array("unnest("))
                + addresses.stream().map(it -> Long.toString(it.oid())).collect(array(", "))
                + ") o (catalog, oid)";
    }

    private static Collector<CharSequence, ?, String> array(String before) {
        return Collectors.joining(",", before + "'{", "}'::oid[]");
    }

    private static Address address(CatalogRow row) {
        return new Address(row.number("catalog"), row.number("oid"));
    }

    private static Address needed(CatalogRow row) {
        return new Address(row.number("needed_catalog"), row.number("needed"));
    }
}
