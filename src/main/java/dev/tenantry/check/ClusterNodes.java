package dev.tenantry.check;

import dev.tenantry.client.Answer;
import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The servers of a cluster, and the superuser there.
 *
 * @param servers the coordinator first; a server that knows no nodes is the only one
 * @param isCluster whether the server that was asked knows nodes
 */
record ClusterNodes(List<ServerAddress> servers, boolean isCluster) {
    ClusterNodes {
        servers = List.copyOf(servers);
    }

    /** Those of the cluster before which a proxy is. */
    static ClusterNodes of(ServerAddress superuser) throws IOException {
        List<ServerAddress> nodes = new ArrayList<>();
        try (WireClient client = WireClient.open(superuser, Map.of())) {
            Answer found = client.ask("SELECT nodename, nodeport FROM citus_nodes");
            if (found.failed() && !found.tag().equals("42P01")) {
                throw new IOException("the nodes are not known: " + found);
            }
            found.rows()
                    .forEach(row -> nodes.add(
                            superuser.at(String.valueOf(row.getFirst()), Integer.parseInt("" + row.getLast()))));
        }
        return nodes.isEmpty() ? new ClusterNodes(List.of(superuser), false) : new ClusterNodes(nodes, true);
    }
}
