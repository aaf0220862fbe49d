package dev.tenantry.control.move;

import dev.tenantry.blueprint.BlueprintReader;
import dev.tenantry.blueprint.DefinitionChangedException;
import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.move.MoveRow;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The definition of a schema as it is on both of the nodes of its move. */
final class Definitions {

    private final MoveConnections connections;

    Definitions(MoveConnections connections) {
        this.connections = connections;
    }

    /**
     * The one of the source. Read again wherever it is needed: what is remembered may not be what is there.
     *
     * @throws CopyInvalidException if the schema is not what the move was asked for any more
     */
    CopyPlan onSource(MoveRow move) {
        AtomicReference<@Nullable SchemaBlueprint> read = new AtomicReference<>();
        if (!connections.store().stands(move)) {
            throw new CopyInvalidException(
                    "schema %s was dropped, renamed or moved while it was being moved".formatted(move.schema()), "");
        }
        connections.patientlyOnSource(patient -> {
            try {
                read.set(BlueprintReader.read(patient, move.schema()));
            } catch (DefinitionChangedException changing) {
                throw new CopyInvalidException(
                        "schema %s was changed while it was being moved".formatted(move.schema()),
                        String.valueOf(changing.getMessage()));
            }
        });
        return new CopyPlan(Objects.requireNonNull(read.get()));
    }

    /** Whether there is room for the name on the target. */
    void requireVacancy(MoveRow move) {
        if (connections.target().hasSchema(move.schema(), !connections.targetIsCoordinator())) {
            throw new MoveFailedException(
                    SqlStates.DUPLICATE_SCHEMA,
                    "schema \"%s\" already exists on node \"%s\""
                            .formatted(move.schema(), connections.targetPlace().name()),
                    "",
                    "Drop or rename what is there, and move the schema again.");
        }
    }

    /**
     * Compares the one of the source with that of the copy.
     *
     * @throws CopyInvalidException if they differ
     */
    void requireSame(MoveRow move, CopyPlan plan) {
        AtomicReference<@Nullable SchemaBlueprint> copy = new AtomicReference<>();
        connections.patientlyOnTarget(patient -> copy.set(BlueprintReader.read(patient, plan.schema())));
        List<String> widened = move.widened().stream()
                .map(text -> Identity.parse(text).table())
                .toList();
        List<String> differences = new CopyPlan(plan.blueprint().withoutReplicaIdentity(widened))
                .differences(Objects.requireNonNull(copy.get()).withoutReplicaIdentity(widened));
        if (!differences.isEmpty()) {
            throw new CopyInvalidException(
                    "schema %s was changed while it was being moved".formatted(plan.schema()),
                    "On the target, " + String.join(", ", differences) + ".");
        }
    }
}
