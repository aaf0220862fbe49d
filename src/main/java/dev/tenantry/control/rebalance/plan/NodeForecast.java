package dev.tenantry.control.rebalance.plan;

/**
 * What a node holds before and after a plan.
 *
 * @param node which
 * @param before what is there now
 * @param after what will be there
 */
public record NodeForecast(PlanNode node, Load before, Load after) {

    /** What a node holds: schemas, their bytes, their cost by the strategy. */
    public record Load(int schemas, long bytes, double cost) {

        static final Load NONE = new Load(0, 0, 0);

        Load with(PlanSchema schema) {
            return new Load(schemas + 1, bytes + schema.bytes(), cost + schema.cost());
        }
    }
}
