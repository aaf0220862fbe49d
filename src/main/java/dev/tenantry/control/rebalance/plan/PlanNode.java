package dev.tenantry.control.rebalance.plan;

/**
 * A node as the planner sees it.
 *
 * @param nodeId its number
 * @param capacity how much it can carry beside others; 0 for one that is to hold nothing
 */
public record PlanNode(int nodeId, double capacity) {

    /** Checks that the capacity is a number that can be divided by. */
    public PlanNode {
        if (!(capacity >= 0) || Double.isInfinite(capacity)) {
            throw new IllegalArgumentException("capacity of node " + nodeId + " is " + capacity);
        }
    }
}
