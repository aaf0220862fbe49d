package dev.tenantry.catalog;

/**
 * One PostgreSQL server of the cluster; a row of {@code pg_dist_node}.
 *
 * @param nodeId its number, never used again
 * @param groupId its group; 0 is the coordinator
 * @param name what people call it ({@code SET tenantry.node}), for example {@code coordinator} or {@code worker1}
 * @param host where proxies reach it
 * @param port where proxies reach it
 * @param active whether it takes part
 * @param shouldHaveShards whether CREATE SCHEMA may pick it
 */
public record Node(
        int nodeId, int groupId, String name, String host, int port, boolean active, boolean shouldHaveShards) {

    /** Whether this is the node that holds the catalog. */
    public boolean isCoordinator() {
        return groupId == 0;
    }

    /** Host and port as people write them. */
    public String address() {
        return host + ":" + port;
    }
}
