package dev.tenantry.control.rebalance.plan;

/**
 * A move that would improve the balance by less than it is worth.
 *
 * @param move what was not done
 * @param improvement what it would have brought, as a part of what it would have moved
 */
public record IgnoredMove(PlannedMove move, double improvement) {}
