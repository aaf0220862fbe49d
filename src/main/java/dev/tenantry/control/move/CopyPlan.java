package dev.tenantry.control.move;

import dev.tenantry.blueprint.BlueprintStatement;
import dev.tenantry.blueprint.Phase;
import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.blueprint.SequenceBlueprint;
import dev.tenantry.blueprint.TableBlueprint;
import dev.tenantry.blueprint.TableBlueprint.Kind;
import dev.tenantry.blueprint.TableBlueprint.Persistence;
import dev.tenantry.blueprint.TableBlueprint.ReplicaIdentity;
import dev.tenantry.control.node.copy.GuardedTables;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a definition means for its move.
 *
 * @param blueprint the definition as it is on the source
 * @param guarded the tables in it that call what must not be called with a superuser's rights
 */
record CopyPlan(SchemaBlueprint blueprint, GuardedTables guarded) {

    /** Filling a materialized view takes long, and it is no worse for being filled before the switch. */
    private static final String CONTENTS = "contents of materialized view";

    String schema() {
        return blueprint.schema();
    }

    /** Tables whose rows are copied while they change. */
    List<String> published() {
        return logged().stream().map(TableBlueprint::name).toList();
    }

    private List<TableBlueprint> logged() {
        return blueprint.tables().stream()
                .filter(table -> table.kind() == Kind.PLAIN && table.persistence() == Persistence.LOGGED)
                .toList();
    }

    /** All tables with rows of their own. */
    private List<TableBlueprint> plain() {
        return blueprint.tables().stream()
                .filter(table -> table.kind() == Kind.PLAIN)
                .toList();
    }

    /** The columns of all tables that hold values, by table. */
    Map<String, List<String>> columns() {
        return storedColumns(plain());
    }

    /** The columns of {@link #published} tables that hold values, by table. */
    Map<String, List<String>> publishedColumns() {
        return storedColumns(logged());
    }

    private static Map<String, List<String>> storedColumns(List<TableBlueprint> tables) {
        return tables.stream()
                .collect(Collectors.toMap(
                        TableBlueprint::name, TableBlueprint::storedColumns, (one, other) -> one, LinkedHashMap::new));
    }

    /** Tables with rows that no log tells of. */
    List<TableBlueprint> unlogged() {
        return blueprint.tables().stream()
                .filter(table -> table.kind() == Kind.PLAIN && table.persistence() == Persistence.UNLOGGED)
                .toList();
    }

    /** The columns of {@link #unlogged} tables that hold values, by table. */
    Map<String, List<String>> unloggedColumns() {
        return storedColumns(unlogged());
    }

    /** Bytes that they had when the definition was read. */
    long unloggedBytes() {
        return unlogged().stream().mapToLong(TableBlueprint::estimatedBytes).sum();
    }

    /** Tables whose rows could not be told from each other. */
    List<String> withoutKey() {
        return blueprint.tables().stream()
                .filter(table -> table.kind() == Kind.PLAIN
                        && table.persistence() == Persistence.LOGGED
                        && table.replicaIdentity() == ReplicaIdentity.NONE)
                .map(TableBlueprint::name)
                .toList();
    }

    /** All tables that may be written to. */
    List<String> writable() {
        return blueprint.tables().stream().map(TableBlueprint::name).toList();
    }

    List<String> sequences() {
        return blueprint.sequences().stream().map(SequenceBlueprint::name).toList();
    }

    /** The columns of tables that are read as a whole that hold values, by table. */
    Map<String, List<String>> wholeColumns() {
        Map<String, List<String>> columns = columns();
        columns.keySet().retainAll(guarded.whole());
        return columns;
    }

    /**
     * What is made before the rows. Where something is guarded, functions do nothing until all else is there, and
     * checks come later: the server computes what is constant in expressions as soon as it reads them.
     */
    List<BlueprintStatement> beforeData() {
        List<BlueprintStatement> statements = blueprint.statements(Phase.BEFORE_DATA);
        if (!guarded.any()) {
            return statements;
        }
        Map<String, GuardedTables.Constraint> later = unchecked();
        return Stream.concat(
                        statements.stream()
                                .filter(statement -> !later.containsKey(statement.object()))
                                .map(BlueprintStatement::inert),
                        statements.stream().filter(statement -> statement.idle().isPresent()))
                .toList();
    }

    /** What is made behind the rows. What guarded tables have to satisfy is believed: no look at the rows is safe. */
    List<BlueprintStatement> afterData() {
        List<BlueprintStatement> statements = blueprint.statements(Phase.AFTER_DATA);
        if (!guarded.any()) {
            return statements;
        }
        Map<String, GuardedTables.Constraint> unchecked = unchecked();
        int last = blueprint.statements().stream()
                .mapToInt(BlueprintStatement::step)
                .max()
                .orElse(0);
        return Stream.concat(
                        statements.stream(),
                        blueprint.statements(Phase.BEFORE_DATA).stream()
                                .filter(statement -> unchecked.containsKey(statement.object()))
                                .map(statement -> statement.atStep(last + 1)))
                .map(statement -> believed(statement, unchecked.get(statement.object())))
                .toList();
    }

    private Map<String, GuardedTables.Constraint> unchecked() {
        return guarded.constraints().stream()
                .collect(Collectors.toMap(GuardedTables.Constraint::object, constraint -> constraint));
    }

    /** Comments are of their constraint too. */
    private static BlueprintStatement believed(
            BlueprintStatement statement, GuardedTables.@Nullable Constraint constraint) {
        return constraint == null || !statement.sql().startsWith("ALTER TABLE ")
                ? statement
                : statement.with(statement.sql() + " NOT VALID; " + constraint.declareValid());
    }

    /** What fills materialized views. */
    List<BlueprintStatement> contents() {
        return blueprint.statements(Phase.AT_SWITCH).stream()
                .filter(statement -> statement.object().startsWith(CONTENTS))
                .toList();
    }

    /** What is done in the moment of the switch. */
    List<BlueprintStatement> atSwitch() {
        return blueprint.statements(Phase.AT_SWITCH).stream()
                .filter(statement -> !statement.object().startsWith(CONTENTS))
                .toList();
    }

    /** How another definition differs from this one, but for what is done at the switch only. */
    List<String> differences(SchemaBlueprint other) {
        Set<String> later = atSwitch().stream().map(BlueprintStatement::object).collect(Collectors.toSet());
        return blueprint.differences(other).stream()
                .filter(difference -> later.stream().noneMatch(object -> difference.startsWith(object + " ")))
                .toList();
    }
}
