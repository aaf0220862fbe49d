package dev.tenantry.routing;

import dev.tenantry.catalog.Node;
import dev.tenantry.routing.Route.Reason;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Routes that have been made before, so that the usual ones cost no allocation. Not thread-safe. */
final class KeptRoutes {

    static final Route SESSION = new Route.ToAnyNode(Reason.SESSION);
    static final Route PREPARED = new Route.ToAnyNode(Reason.PREPARED);
    static final Route PROXY = new Route.Locally(Reason.PROXY);
    static final Route SCHEMA_DDL = new Route.Locally(Reason.SCHEMA_DDL);
    static final Route GLOBAL_DDL = new Route.ToEveryNode(Reason.GLOBAL_DDL);

    private final Map<Reason, Map<Integer, Route.ToNode>> kept = new EnumMap<>(Reason.class);
    private Route.@Nullable ToNode latest;

    /** The route to that very node, whose properties may have changed since the last time. */
    Route to(Node node, Reason reason) {
        Route.ToNode previous = latest;
        if (previous != null && previous.reason() == reason && previous.node().equals(node)) {
            return previous;
        }
        Map<Integer, Route.ToNode> byNode = kept.computeIfAbsent(reason, absent -> new HashMap<>());
        Route.ToNode route = byNode.get(node.nodeId());
        if (route == null || !route.node().equals(node)) {
            route = new Route.ToNode(node, reason);
            byNode.put(node.nodeId(), route);
        }
        latest = route;
        return route;
    }
}
