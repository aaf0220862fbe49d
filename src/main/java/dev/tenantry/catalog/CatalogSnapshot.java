package dev.tenantry.catalog;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All nodes, schemas and login roles at one version. Immutable; looked up without locks from any thread.
 */
public final class CatalogSnapshot implements CatalogView {

    private final long version;
    private final String clusterId;
    private final String database;
    private final List<Node> nodes;
    private final SchemaMap schemas;
    private final Map<String, LoginRole> roles;
    private final Node coordinator;
    private final Pauses pauses;
    private final Map<Integer, Long> sizes;

    /** Takes the roles as they are: the caller hands them over and never changes them again. */
    public CatalogSnapshot(
            long version,
            String clusterId,
            String database,
            List<Node> nodes,
            Map<String, DistributedSchema> schemas,
            Map<String, LoginRole> roles) {
        this.version = version;
        this.clusterId = clusterId;
        this.database = database;
        this.nodes = List.copyOf(nodes);
        this.schemas = schemas instanceof SchemaMap made ? made : SchemaMap.EMPTY.with(List.of(), schemas.values());
        this.roles = roles;
        this.coordinator =
                nodes.stream().filter(Node::isCoordinator).findFirst().orElseThrow();
        this.pauses = Pauses.NONE;
        this.sizes = Map.of();
    }

    private CatalogSnapshot(CatalogSnapshot other, Pauses pauses, Map<Integer, Long> sizes) {
        this.version = other.version;
        this.clusterId = other.clusterId;
        this.database = other.database;
        this.nodes = other.nodes;
        this.schemas = other.schemas;
        this.roles = other.roles;
        this.coordinator = other.coordinator;
        this.pauses = pauses;
        this.sizes = sizes;
    }

    /** The same while this is paused. */
    public CatalogSnapshot withPauses(Pauses paused) {
        return new CatalogSnapshot(this, paused, sizes);
    }

    /** The same with what the nodes hold, in bytes by node id, which the caller never changes again. */
    public CatalogSnapshot withSizes(Map<Integer, Long> measured) {
        return new CatalogSnapshot(this, pauses, measured);
    }

    /** Grows with every change of nodes, schemas or roles. */
    public long version() {
        return version;
    }

    /** Names the cluster in transaction identifiers. */
    public String clusterId() {
        return clusterId;
    }

    /** The one database this cluster serves; it has the same name on every node. */
    public String database() {
        return database;
    }

    /** Every distributed schema, by name. */
    public Map<String, DistributedSchema> schemas() {
        return schemas;
    }

    /** What is known of a role, if it exists. */
    public Optional<LoginRole> role(String name) {
        return Optional.ofNullable(roles.get(name));
    }

    @Override
    public @Nullable DistributedSchema schema(String name) {
        return schemas.get(name);
    }

    @Override
    public List<Node> nodes() {
        return nodes;
    }

    @Override
    public Node coordinator() {
        return coordinator;
    }

    @Override
    public Pauses pauses() {
        return pauses;
    }

    @Override
    public long bytes(Node node) {
        return sizes.getOrDefault(node.nodeId(), 0L);
    }

    @Override
    public int schemaCount(Node node) {
        return schemas.countOn(node.nodeId());
    }
}
