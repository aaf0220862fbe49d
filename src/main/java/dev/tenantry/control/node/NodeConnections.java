package dev.tenantry.control.node;

import dev.tenantry.catalog.Node;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Connections of one piece of work to nodes, kept from one look at them to the next. Threads may use it at the same
 * time for different nodes.
 */
public final class NodeConnections implements AutoCloseable {
    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final Duration answerMax;
    private final Map<Node, ServerConnection> byNode = new ConcurrentHashMap<>();

    /**
     * None yet.
     *
     * @param coordinator whose database, user and password are those of every node
     * @param answerMax how long a node may take to connect, and to answer
     */
    public NodeConnections(Vertx vertx, CoordinatorAddress coordinator, Duration answerMax) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.answerMax = answerMax;
    }

    /**
     * The connection to a node, opened if there is none.
     *
     * @throws dev.tenantry.store.CatalogUnavailableException if the node is away
     * @throws dev.tenantry.store.StatementRefusedException if it does not let us in
     */
    public ServerConnection to(Node node) {
        ServerConnection known = byNode.get(node);
        if (known == null) {
            known = ServerConnection.open(vertx, coordinator.at(node.host(), node.port()), answerMax);
            byNode.put(node, known);
        }
        return known;
    }

    /** Those that there are; a view. */
    public Map<Node, ServerConnection> open() {
        return Collections.unmodifiableMap(byNode);
    }

    /** Closes that of one node, if there is one. */
    public void close(Node node) {
        ServerConnection connection = byNode.remove(node);
        if (connection != null) {
            connection.close();
        }
    }

    /** Closes those of all other nodes. */
    public void closeAllBut(Collection<Node> nodes) {
        List.copyOf(byNode.keySet()).stream()
                .filter(node -> !nodes.contains(node))
                .forEach(this::close);
    }

    /** Closes all; others are opened when they are asked for. */
    @Override
    public void close() {
        closeAllBut(List.of());
    }
}
