package dev.tenantry.control.rebalance.plan;

import java.util.List;

/**
 * What should be done; each schema moves once at most.
 *
 * @param moves in the order in which they help most
 * @param ignored moves left out because they bring little
 * @param stuck schemas that should leave their node and may go nowhere
 * @param stoppedEarly whether more moves would have followed, had more been allowed
 * @param forecast what every node holds before and after
 */
public record Plan(
        List<PlannedMove> moves,
        List<IgnoredMove> ignored,
        List<PlanSchema> stuck,
        boolean stoppedEarly,
        List<NodeForecast> forecast) {

    /** Copies the lists. */
    public Plan {
        moves = List.copyOf(moves);
        ignored = List.copyOf(ignored);
        stuck = List.copyOf(stuck);
        forecast = List.copyOf(forecast);
    }
}
