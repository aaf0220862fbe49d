package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.ServerConnection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Reads the definition of a schema from a node; at a cost that follows the schema's size and not the node's. */
public final class BlueprintReader {

    private static final String SCHEMA = """
            SELECT n.oid::bigint AS oid, pg_get_userbyid(n.nspowner)::text AS owner
            FROM pg_namespace n WHERE n.oid = :schema
            """;

    private BlueprintReader() {}

    /**
     * Reads a schema in one snapshot. Waits for whoever has one of its relations locked in ACCESS EXCLUSIVE mode.
     *
     * @param connection a superuser's, not in a transaction; it is in none afterwards
     * @param schema the name as the catalog has it
     * @throws UnknownObjectsException if it has something that can't be created elsewhere, or is tied to what stays
     * @throws DefinitionChangedException if it was changed meanwhile; to be read again
     * @throws dev.tenantry.store.StatementRefusedException 3F000 if there is no such schema
     */
    public static SchemaBlueprint read(ServerConnection connection, String schema) {
        try (ServerSnapshot snapshot = ServerSnapshot.begin(connection, schema)) {
            return read(snapshot);
        }
    }

    private static SchemaBlueprint read(Snapshot snapshot) {
        Draft draft = new Draft();
        Piece schema = addSchema(snapshot, draft);
        Definables.read(snapshot, draft);
        Types.read(snapshot, draft, schema);
        OperatorClasses.read(snapshot, draft);
        Sequences sequences = Sequences.read(snapshot, draft);
        Columns columns = Columns.read(snapshot);
        Tables tables = Tables.read(snapshot, draft, columns, sequences);
        Constraints.read(snapshot, draft, tables);
        Views.read(snapshot, draft, columns);
        Indexes.read(snapshot, draft, tables);
        Rules.read(snapshot, draft);
        Triggers.read(snapshot, draft, tables);
        Policies.read(snapshot, draft);
        Statistics.read(snapshot, draft);
        Functions.read(snapshot, draft, schema);
        Casts.read(snapshot, draft);
        SchemaSettings.read(snapshot, draft, schema);
        Privileges.read(snapshot, draft);
        Annotations.read(snapshot, draft);
        Dependencies.read(snapshot, draft, tables);
        Contents.order(draft);
        tables.refuseSubscribed(snapshot);
        refuseUnknown(snapshot, draft);
        CreationOrder.Result order = CreationOrder.of(draft.pieces());
        order.knots()
                .forEach(knot -> draft.refuse(
                        knot.stream().map(Piece::title).collect(Collectors.joining(" and ")),
                        "they need each other in a circle"));
        refuseUnknown(snapshot, draft);
        return new SchemaBlueprint(
                snapshot.schema(),
                snapshot.major(),
                Steps.of(order.pieces()),
                tables.blueprints(),
                sequences.all().stream()
                        .sorted(Comparator.comparing(SequenceBlueprint::name))
                        .toList(),
                definitions(draft));
    }

    private static Piece addSchema(Snapshot snapshot, Draft draft) {
        CatalogRow row = snapshot.rows(SCHEMA).getFirst();
        Address address = new Address(Address.SCHEMA, row.number("oid"));
        String sqlName = SqlName.quoted(snapshot.schema());
        draft.names(address, "SCHEMA", sqlName);
        return draft.add(PieceKind.SCHEMA, address, sqlName)
                // The coordinator has an empty one of every schema.
                .with("CREATE SCHEMA IF NOT EXISTS " + sqlName)
                .with("ALTER SCHEMA " + sqlName + " OWNER TO " + SqlName.quoted(row.text("owner")));
    }

    private static void refuseUnknown(Snapshot snapshot, Draft draft) {
        if (!draft.unknown().isEmpty()) {
            List<UnknownObject> objects = new ArrayList<>();
            draft.unknown().forEach((name, reason) -> objects.add(new UnknownObject(name, reason)));
            throw new UnknownObjectsException(snapshot.schema(), objects);
        }
    }

    /** Within one piece the order of statements can say who granted first, which makes no difference. */
    private static SortedMap<String, String> definitions(Draft draft) {
        TreeMap<String, String> definitions = new TreeMap<>();
        draft.pieces().stream()
                // It is the database's, and may be another one there.
                .filter(piece -> piece.key().kind() != PieceKind.PUBLICATION)
                .forEach(piece -> definitions.merge(
                        piece.title(),
                        piece.statements().stream().sorted().collect(Collectors.joining(";\n")),
                        (one, two) -> {
                            throw new IllegalStateException("two pieces are called " + piece.title());
                        }));
        return definitions;
    }
}
