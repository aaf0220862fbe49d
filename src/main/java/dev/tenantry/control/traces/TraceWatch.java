package dev.tenantry.control.traces;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Node;
import dev.tenantry.store.CoordinatorAddress;
import io.vertx.core.Vertx;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tells the proxy on which nodes statements leave nothing in a server process that they don't tell of, so that
 * connections there can be handed on without asking. Follows the catalog's nodes until it is closed.
 */
public final class TraceWatch implements AutoCloseable {

    private final Vertx vertx;
    private final CatalogFeed catalog;
    private final CoordinatorAddress coordinator;
    private final Map<Integer, NodeTraces> byNode = new HashMap<>();
    private final Runnable changed = this::follow;
    private boolean closed;

    public TraceWatch(Vertx vertx, CatalogFeed catalog, CoordinatorAddress coordinator) {
        this.vertx = vertx;
        this.catalog = catalog;
        this.coordinator = coordinator;
    }

    /** Begins; the catalog must have been read. */
    public void start() {
        catalog.onChange(changed);
        follow();
    }

    private synchronized void follow() {
        if (closed) {
            return;
        }
        List<Node> nodes = catalog.current().nodes();
        for (NodeTraces traces : List.copyOf(byNode.values())) {
            if (nodes.stream().noneMatch(node -> isSame(node, traces.node()))) {
                byNode.remove(traces.node().nodeId());
                Thread.ofVirtual().start(traces::close); // it waits for its end, which this thread must not
            }
        }
        for (Node node : nodes) {
            if (!byNode.containsKey(node.nodeId())) {
                NodeTraces traces = new NodeTraces(vertx, coordinator, node, catalog.traceless());
                byNode.put(node.nodeId(), traces);
                traces.start();
            }
        }
    }

    private static boolean isSame(Node one, Node other) {
        return one.nodeId() == other.nodeId() && one.address().equals(other.address());
    }

    @Override
    public void close() {
        List<NodeTraces> all;
        catalog.forget(changed);
        synchronized (this) {
            closed = true;
            all = List.copyOf(byNode.values());
            byNode.clear();
        }
        all.parallelStream().forEach(NodeTraces::close);
    }
}
