package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads the objects whose definition is one query: collations, aggregates, operators, text search and the like. */
final class Definables {

    private Definables() {}

    private record Kind(PieceKind kind, long catalog, String word, String query) {}

    static void read(Snapshot snapshot, Draft draft) {
        kinds(snapshot.major()).forEach(kind -> snapshot.rows(kind.query()).forEach(row -> add(kind, row, draft)));
    }

    private static Stream<Kind> kinds(int major) {
        return Stream.of(
                new Kind(PieceKind.COLLATION, Address.COLLATION, "COLLATION", Definitions.collations(major)),
                new Kind(PieceKind.CONVERSION, Address.CONVERSION, "CONVERSION", Definitions.conversions()),
                new Kind(
                        PieceKind.TEXT_SEARCH_PARSER,
                        Address.TEXT_SEARCH_PARSER,
                        "TEXT SEARCH PARSER",
                        Definitions.parsers()),
                new Kind(
                        PieceKind.TEXT_SEARCH_TEMPLATE,
                        Address.TEXT_SEARCH_TEMPLATE,
                        "TEXT SEARCH TEMPLATE",
                        Definitions.templates()),
                new Kind(
                        PieceKind.TEXT_SEARCH_DICTIONARY,
                        Address.TEXT_SEARCH_DICTIONARY,
                        "TEXT SEARCH DICTIONARY",
                        Definitions.dictionaries()),
                new Kind(
                        PieceKind.TEXT_SEARCH_CONFIGURATION,
                        Address.TEXT_SEARCH_CONFIGURATION,
                        "TEXT SEARCH CONFIGURATION",
                        Definitions.configurations()),
                new Kind(PieceKind.AGGREGATE, Address.FUNCTION, "AGGREGATE", Definitions.aggregates()),
                new Kind(PieceKind.OPERATOR, Address.OPERATOR, "OPERATOR", Definitions.operators()));
    }

    private static void add(Kind kind, CatalogRow row, Draft draft) {
        Address address = new Address(kind.catalog(), row.number("oid"));
        String name = row.text("name");
        Piece piece = draft.add(kind.kind(), address, name);
        List<String> statements = row.texts("statements");
        if (statements.isEmpty()) {
            throw new DefinitionChangedException("the definition of " + piece.title() + " is gone");
        }
        statements.forEach(piece::with);
        Optional<String> owner = row.optional("owner");
        owner.ifPresent(role -> piece.with("ALTER " + kind.word() + ' ' + name + " OWNER TO " + SqlName.quoted(role)));
        draft.names(address, kind.word(), name);
        if (kind.kind() == PieceKind.AGGREGATE) {
            draft.grants(address, row.text("grant_name"));
        }
    }
}
