package dev.tenantry.catalog;

/**
 * A schema that lives on one node; a row of {@code pg_dist_schema}.
 *
 * @param name its name, exactly as in {@code pg_namespace}
 * @param colocationId its colocation group
 * @param node the node that owns it
 * @param placed the transaction of the coordinator that created, moved, renamed or altered it last, so that it tells a
 *     schema that has been away from one that never was; 0 while that transaction is the session's own
 */
public record DistributedSchema(String name, int colocationId, Node node, long placed) {

    /** One that the session's own transaction has created or renamed. */
    public DistributedSchema(String name, int colocationId, Node node) {
        this(name, colocationId, node, 0);
    }
}
