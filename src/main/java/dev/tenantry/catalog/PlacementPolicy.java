package dev.tenantry.catalog;

import java.util.Comparator;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Picks the node of a new schema: the one with the fewest bytes, then the fewest schemas. Bytes are compared in steps,
 * so that a few pages more or less do not send every new schema to the same node. Pure.
 */
public final class PlacementPolicy {
    /** Differences below this many bytes do not count. */
    public static final long BYTES_STEP = 64L << 20;

    private PlacementPolicy() {}

    /**
     * The node for a new schema; nothing when none may hold one. The coordinator is a node as the others are: it is
     * meant to hold schemas as long as it is alone, or when somebody has said so.
     *
     * @param usable whether a node can be used now
     */
    public static Optional<Node> choose(CatalogView catalog, Predicate<Node> usable) {
        return catalog.nodes().stream()
                .filter(node -> node.active() && node.shouldHaveShards())
                .filter(usable)
                .min(Comparator.comparingLong((Node node) -> catalog.bytes(node) / BYTES_STEP)
                        .thenComparingInt(catalog::schemaCount)
                        .thenComparingInt(Node::nodeId));
    }
}
