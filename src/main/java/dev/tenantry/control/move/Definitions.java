package dev.tenantry.control.move;

import dev.tenantry.blueprint.BlueprintReader;
import dev.tenantry.blueprint.DefinitionChangedException;
import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.move.MoveRow;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The definition of a schema as it is on both of the nodes of its move. */
final class Definitions {

    /** Whoever alters a schema all the time begins its move anew. */
    private static final int READS_MAX = 5;

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
        if (!connections.store().stands(move)) {
            throw new CopyInvalidException(
                    "schema %s was dropped, renamed or moved while it was being moved".formatted(move.schema()), "");
        }
        Source source = connections.source();
        for (int i = 0; i < READS_MAX; i++) {
            String fingerprint = source.fingerprint(move.schema());
            CopyPlan plan = new CopyPlan(read(move.schema()), source.guarded(move.schema()));
            // Or what is in the one may be guarded for want of something in the other.
            if (source.fingerprint(move.schema()).equals(fingerprint)) {
                return plan;
            }
        }
        throw CopyInvalidException.changed(move.schema(), "Objects of it are made, altered or dropped all the time.");
    }

    private SchemaBlueprint read(String schema) {
        AtomicReference<@Nullable SchemaBlueprint> read = new AtomicReference<>();
        connections.patientlyOnSource(patient -> {
            try {
                read.set(BlueprintReader.read(patient, schema));
            } catch (DefinitionChangedException changing) {
                throw CopyInvalidException.changed(schema, String.valueOf(changing.getMessage()));
            }
        });
        return Objects.requireNonNull(read.get());
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
        List<String> differences = new CopyPlan(plan.blueprint().withoutReplicaIdentity(widened), plan.guarded())
                .differences(Objects.requireNonNull(copy.get()).withoutReplicaIdentity(widened));
        if (!differences.isEmpty()) {
            throw CopyInvalidException.changed(plan.schema(), "On the target, " + String.join(", ", differences) + ".");
        }
    }
}
