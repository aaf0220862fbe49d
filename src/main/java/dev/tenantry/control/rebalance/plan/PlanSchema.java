package dev.tenantry.control.rebalance.plan;

import java.util.Set;

/**
 * A schema as the planner sees it.
 *
 * @param id its oid on the coordinator
 * @param name its name, for people
 * @param nodeId where it is, or will be when a move that runs has ended
 * @param cost what it costs its node, by the strategy
 * @param bytes its size, for the forecast
 * @param fixed whether it has to stay there: pinned, excluded, or moving already
 * @param forbidden nodes the strategy does not allow it on
 */
public record PlanSchema(
        long id, String name, int nodeId, double cost, long bytes, boolean fixed, Set<Integer> forbidden) {

    /** Copies the set; checks that the cost is a number that can be added. */
    public PlanSchema {
        forbidden = Set.copyOf(forbidden);
        if (!(cost >= 0) || Double.isInfinite(cost)) {
            throw new IllegalArgumentException("cost of schema " + name + " is " + cost);
        }
    }
}
