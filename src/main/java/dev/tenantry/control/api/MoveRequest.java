package dev.tenantry.control.api;

import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Asks for a move.
 *
 * @param schema the distributed schema, by its exact name
 * @param node where it is to go
 * @param shardTransferMode Citus's; {@code auto} if not given
 */
@Schema(description = "Asks for a move")
public record MoveRequest(
        @Schema(required = true, description = "Exact name of a distributed schema") @Nullable
        String schema,

        @Schema(required = true, description = "Where it is to go: the name of a node, or host:port") @Nullable
        String node,

        @Schema(description = "auto (the default), force_logical or block_writes") @Nullable
        String shardTransferMode) {}
