package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.SqlErrorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the node that can run a string of several statements as it is. Lives on the client's event loop. */
final class StringRouting {
    private final Conversation session;
    private final SessionContext context;
    private final Statements statements;

    StringRouting(QueryTools tools) {
        this.session = tools.session();
        this.context = tools.context();
        this.statements = tools.statements();
    }

    /**
     * All statements run on one node as they are, or null when they must be taken one by one: also when one of them is
     * refused, as those before it have their effect, like BEGIN, on what comes after the string.
     */
    @Nullable
    StringRoute of(List<StatementFacts> string) {
        List<Route.Reason> reasons = new ArrayList<>(string.size());
        StringSimulation simulation =
                new StringSimulation(context, session.transaction().isOpen());
        Node common = null;
        for (StatementFacts facts : string) {
            if (simulation.isUncertain() || statements.usedStatement(facts) != null) {
                return null; // what has the name, another node may know, or this one from another session
            }
            if (session.transaction().isOpen()
                    && !session.transaction().isFailed()
                    && facts.action() instanceof StatementAction.Begin) {
                reasons.add(Route.Reason.SESSION);
                continue;
            }
            Route route = route(facts, simulation);
            if (route == null) {
                return null;
            }
            switch (route) {
                case Route.ToNode to -> {
                    if (common != null && common.nodeId() != to.node().nodeId()) {
                        return null;
                    }
                    common = to.node();
                }
                case Route.ToAnyNode any -> {
                    // goes with the others
                }
                default -> {
                    return null;
                }
            }
            reasons.add(route.reason());
            simulation.after(facts);
        }
        return new StringRoute(common == null ? context.anyNode() : common, reasons);
    }

    private @Nullable Route route(StatementFacts facts, StringSimulation simulation) {
        try {
            return statements.routed(facts, simulation);
        } catch (SqlErrorException refused) {
            return null; // it is thrown again when its turn has come
        }
    }
}
