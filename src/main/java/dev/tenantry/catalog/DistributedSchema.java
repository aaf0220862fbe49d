package dev.tenantry.catalog;

/**
 * A schema that lives on one node; a row of {@code pg_dist_schema}.
 *
 * @param name its name, exactly as in {@code pg_namespace}
 * @param colocationId its colocation group
 * @param node the node that owns it
 */
public record DistributedSchema(String name, int colocationId, Node node) {}
