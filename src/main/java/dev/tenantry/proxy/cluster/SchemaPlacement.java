package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.PlacementPolicy;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Finds the node of a new schema: the one the session has named, else one that is meant to get schemas and can be
 * reached. Runs on a virtual thread.
 */
final class SchemaPlacement {
    /** Why a node can't have a new schema; in the order in which they are told. */
    private enum Obstacle {
        CLOSED("Closed for new schemas"),
        PAUSED("Paused"),
        AWAY("Not to be reached");

        private final String words;

        Obstacle(String words) {
            this.words = words;
        }
    }

    private final NodeCalls calls;
    private final CatalogOverlay catalog;
    private final CatalogFeed feed;
    private final SessionContext context;
    private final Map<Integer, Obstacle> found = new HashMap<>();

    SchemaPlacement(NodeCalls calls, CatalogOverlay catalog, CatalogFeed feed, SessionContext context) {
        this.calls = calls;
        this.catalog = catalog;
        this.feed = feed;
        this.context = context;
    }

    /**
     * The node's backend. Unless the node was named, one is passed over that can't be reached, or that gets no new
     * schemas any more, which this proxy may not have heard of.
     *
     * @param backend makes a node part of the transaction
     * @param untaken runs what the coordinator may say no to for reasons of its own, before it is said that there is no
     *     node
     * @throws SqlErrorException when there is no node
     */
    BackendConnection find(BackendConnection coordinator, Function<Node, BackendConnection> backend, Runnable untaken) {
        Optional<Node> named = named();
        if (named.isPresent()) {
            return backend.apply(named.get());
        }
        boolean fresh = false;
        while (true) {
            Optional<Node> chosen = choose();
            if (chosen.isEmpty()) {
                if (fresh) {
                    untaken.run();
                    throw new SqlErrorException(none());
                }
                feed.refresh(); // a node may just have been added or opened, by another proxy
                fresh = true;
                continue;
            }
            Node node = chosen.get();
            if (!takesNewSchemas(coordinator, node)) {
                found.put(node.nodeId(), Obstacle.CLOSED);
                continue;
            }
            try {
                return backend.apply(node);
            } catch (SqlErrorException unreachable) {
                if (!unreachable.error().sqlState().startsWith("08")) {
                    throw unreachable;
                }
                found.put(node.nodeId(), Obstacle.AWAY);
            }
        }
    }

    private Optional<Node> named() {
        String name = context.setting("tenantry.node");
        if (name == null || name.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(catalog.nodeNamed(name)
                .filter(Node::active)
                .orElseThrow(() -> new SqlErrorException(
                        SqlError.error("42704", "node \"" + name + "\" does not exist or is not active")
                                .withDetail("Active nodes: "
                                        + catalog.nodes().stream()
                                                .filter(Node::active)
                                                .map(Node::name)
                                                .collect(Collectors.joining(", "))
                                        + ".")
                                .withHint("SET tenantry.node to one of them, or RESET tenantry.node."))));
    }

    private Optional<Node> choose() {
        Node main = context.placementPreference();
        if (main != null && main.active() && main.shouldHaveShards() && !found.containsKey(main.nodeId())) {
            return Optional.of(main);
        }
        return PlacementPolicy.choose(catalog, node -> obstacle(node).isEmpty());
    }

    private Optional<Obstacle> obstacle(Node node) {
        Obstacle met = found.get(node.nodeId());
        if (met != null) {
            return Optional.of(met);
        }
        if (!node.shouldHaveShards()) {
            return Optional.of(Obstacle.CLOSED);
        }
        return Optional.of(Obstacle.PAUSED).filter(paused -> catalog.pauses().ofNode(node.nodeId()) != null);
    }

    private boolean takesNewSchemas(BackendConnection coordinator, Node node) {
        CallResult answer = calls.call(coordinator, "SELECT tenantry.takes_new_schemas(" + node.nodeId() + ")");
        return "t".equals(answer.rows().getFirst().getFirst());
    }

    private SqlError none() {
        Map<Obstacle, String> nodes = new LinkedHashMap<>();
        for (Obstacle obstacle : Obstacle.values()) {
            String names = catalog.nodes().stream()
                    .filter(Node::active)
                    .filter(node -> obstacle(node).equals(Optional.of(obstacle)))
                    .map(Node::name)
                    .collect(Collectors.joining(", "));
            if (!names.isEmpty()) {
                nodes.put(obstacle, names);
            }
        }
        return SqlError.error("53000", "no node can take a new schema")
                .withDetail(nodes.entrySet().stream()
                        .map(entry -> entry.getKey().words + ": " + entry.getValue() + ".")
                        .collect(Collectors.joining(" ")))
                .withHint(
                        "Open one with SELECT citus_set_node_property('host', port, 'shouldhaveshards', true), add one"
                                + " with citus_add_node, or wait for one to come back; citus_nodes lists them.");
    }
}
