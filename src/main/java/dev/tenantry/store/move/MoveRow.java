package dev.tenantry.store.move;

import java.util.List;
import java.util.Optional;

/**
 * A row of {@code tenantry.move} as its runner took it over.
 *
 * @param id its number
 * @param epoch counts the take-overs; whoever took it over later has a greater one
 * @param schema the schema's name when this attempt began
 * @param sourceNodeId where the schema is
 * @param targetNodeId where it is to go
 * @param mode Citus's {@code shard_transfer_mode}
 * @param phase how far it is, as {@code MovePhase} writes it
 * @param attempt how often it was begun
 * @param gid the prepared transaction that hides the old copy, if one was made
 * @param oldSchema what the old copy is called, if there is one
 * @param widened what has to be set back on the source, as it was noted
 */
public record MoveRow(
        long id,
        long epoch,
        String schema,
        int sourceNodeId,
        int targetNodeId,
        String mode,
        String phase,
        int attempt,
        Optional<String> gid,
        Optional<String> oldSchema,
        List<String> widened) {}
