package dev.tenantry.blueprint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The definition of one schema as it was in one snapshot. Immutable. Statements name every object with its schema and
 * are run in the given order by a superuser, after {@link #settings()}.
 *
 * @param schema its name
 * @param serverMajor the major version of the server it was read from
 * @param statements all that creates it, in an order in which each finds what it needs
 * @param tables its tables, partitions included, by name
 * @param sequences its sequences by name
 * @param definitions what every object is, by what the object is called; nothing in it depends on oids, on the order of
 *     creation or on the node
 */
public record SchemaBlueprint(
        String schema,
        int serverMajor,
        List<BlueprintStatement> statements,
        List<TableBlueprint> tables,
        List<SequenceBlueprint> sequences,
        SortedMap<String, String> definitions) {

    private static final List<String> SETTINGS = List.of(
            "SET search_path = pg_catalog",
            "SET check_function_bodies = off",
            "SET default_tablespace = ''",
            "SET default_table_access_method = heap",
            "SET client_min_messages = warning",
            "SET standard_conforming_strings = on",
            "SET DateStyle = ISO",
            "SET IntervalStyle = postgres",
            "SET lc_monetary = 'C'",
            "SET xmloption = content",
            "SET array_nulls = on",
            "SET session_replication_role = origin");

    /** With collections of its own. */
    public SchemaBlueprint {
        statements = List.copyOf(statements);
        tables = List.copyOf(tables);
        sequences = List.copyOf(sequences);
        definitions = Collections.unmodifiableSortedMap(new TreeMap<>(definitions));
    }

    /** What a session has to set before it runs any statement of a blueprint. */
    public static List<String> settings() {
        return SETTINGS;
    }

    /** The statements of one phase, in their order. */
    public List<BlueprintStatement> statements(Phase phase) {
        return statements.stream()
                .filter(statement -> statement.phase() == phase)
                .toList();
    }

    /** The whole definition as text; equal for equal definitions on two servers of one major version. */
    public String description() {
        StringBuilder text = new StringBuilder();
        definitions.forEach((object, definition) -> text.append("-- ")
                .append(object)
                .append('\n')
                .append(definition)
                .append('\n'));
        return text.toString();
    }

    /**
     * What another definition has more, less or otherwise, one line for each object; empty when they are equal. Between
     * servers of different major versions, what these write in their own ways (queries, the names of NOT NULL) is not
     * compared.
     */
    public List<String> differences(SchemaBlueprint other) {
        List<String> found = new ArrayList<>();
        definitions.forEach((object, definition) -> {
            String there = other.definitions.get(object);
            if (there == null) {
                found.add(object + " is missing");
            } else if (!there.equals(definition)
                    && (serverMajor == other.serverMajor || !AcrossVersions.match(object, definition, there))) {
                found.add(object + " differs");
            }
        });
        other.definitions.keySet().stream()
                .filter(object -> !definitions.containsKey(object))
                .forEach(object -> found.add(object + " is new"));
        return found;
    }

    /**
     * The same without the replica identity of some tables, which a move has changed for its time; for comparison.
     *
     * @param names of tables, without their schema
     */
    public SchemaBlueprint withoutReplicaIdentity(List<String> names) {
        TreeMap<String, String> fewer = new TreeMap<>(definitions);
        names.forEach(name -> fewer.remove(PieceKind.REPLICA_IDENTITY.of(QualifiedName.of(schema, name))));
        return new SchemaBlueprint(schema, serverMajor, statements, tables, sequences, fewer);
    }
}
