package dev.tenantry.catalog;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a session sees of the catalog: a snapshot, or a snapshot with the changes of the session's own open transaction
 * laid over it.
 */
public interface CatalogView {

    /** The distributed schema of that exact name, or null; allocates nothing. */
    @Nullable
    DistributedSchema schema(String name);

    /** All nodes, by node id. */
    List<Node> nodes();

    /** The node that holds the catalog. */
    Node coordinator();

    /** What is paused. */
    Pauses pauses();

    /** Bytes of the distributed schemas that a node held when last measured; 0 before. */
    long bytes(Node node);

    /** How many schemas a node holds. */
    int schemaCount(Node node);

    /** A node by its name or {@code host:port}. */
    default Optional<Node> nodeNamed(String name) {
        return nodes().stream()
                .filter(node -> node.name().equals(name) || node.address().equals(name))
                .findFirst();
    }
}
