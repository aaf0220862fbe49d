package dev.tenantry.control.rebalance.plan;

/**
 * One schema that goes from a node to another.
 *
 * @param schema as it was before the plan
 * @param targetNodeId where it goes
 */
public record PlannedMove(PlanSchema schema, int targetNodeId) {

    /** Where it comes from. */
    public int sourceNodeId() {
        return schema.nodeId();
    }
}
