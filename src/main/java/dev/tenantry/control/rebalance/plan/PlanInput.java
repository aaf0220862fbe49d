package dev.tenantry.control.rebalance.plan;

import java.util.List;
import java.util.Set;

/**
 * Everything a plan depends on.
 *
 * @param nodes those that take part; schemas elsewhere are left alone
 * @param schemas those that take part
 * @param together ids of schemas that are to be on one node, whichever
 * @param apart ids of schemas of which no two are to be on one node
 * @param limits how far to go
 */
public record PlanInput(
        List<PlanNode> nodes,
        List<PlanSchema> schemas,
        List<Set<Long>> together,
        List<Set<Long>> apart,
        PlanLimits limits) {

    /** Copies the lists. */
    public PlanInput {
        nodes = List.copyOf(nodes);
        schemas = List.copyOf(schemas);
        together = List.copyOf(together);
        apart = List.copyOf(apart);
    }
}
